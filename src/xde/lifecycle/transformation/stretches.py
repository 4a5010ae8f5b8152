"""Which windows rows that changed are in, and which rows these windows are made of: so much is computed anew, and no more."""

from __future__ import annotations

from dataclasses import field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from xde.ground.names import quoted
from xde.ground.records import dataclass
from xde.kernel.graph.flows.arriving import AT, END, ROWS, START
from xde.kernel.plan.intervals import parse_moment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from xde.lifecycle.storage.port import Snapshot
    from xde.lifecycle.transformation.work import Windowing

    Ask = Callable[[str, dict[str, object], "Stretch | None"], Sequence[tuple[object, ...]]]
    """Rows of a query that reads `CHANGED`, and the rows of a stretch under `ROWS`."""

CHANGED = "xde_windows.changed"
FRESH = "__flow_fresh"
MOST = 12
"""Stretches in one condition; those nearest to each other are brought together where there are more."""
TICK = timedelta(microseconds=1)
FIRST, LAST = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Windows that begin from `first` to `last`, both with them, and what they are made of: rows from `low` up to before `high`."""

    first: datetime
    last: datetime
    low: datetime
    high: datetime


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition with its parameters."""

    sql: str
    parameters: dict[str, object] = field(default_factory=dict)


def value_of(moment: datetime, kind: str) -> object:
    """A moment as a parameter that is compared with a column of a type."""
    zoned = "ZONE" in kind.upper() or kind.upper() == "TIMESTAMPTZ"
    return moment if zoned else moment.replace(tzinfo=None)


def moved(moment: datetime, by: timedelta) -> datetime:
    """A moment later or earlier, no further than the calendar goes."""
    if by >= timedelta(0):
        return moment + by if LAST - moment > by else LAST
    return moment + by if moment - FIRST > -by else FIRST


def apart(windows: Iterable[tuple[datetime, datetime]]) -> list[tuple[datetime, datetime, datetime]]:
    """Windows by beginning and end brought together where they touch: the first beginning, the last one, the last end."""
    found: list[tuple[datetime, datetime, datetime]] = []
    for start, end in sorted(windows):
        if found and start <= found[-1][2]:
            first, _, last_end = found[-1]
            found[-1] = (first, start, max(last_end, end))
        else:
            found.append((start, start, end))
    while len(found) > MOST:
        gaps = [(after[0] - before[2], n) for n, (before, after) in enumerate(pairwise(found))]
        nearest = min(gaps)[1]
        one, other = found[nearest], found[nearest + 1]
        found[nearest : nearest + 2] = [(one[0], other[1], max(one[2], other[2]))]
    return found


def within(stretches: Sequence[Stretch], kind: str, *, rows: bool) -> Condition:
    """That a row is one of those of the stretches, or that a window is."""
    parts, parameters = [], {}
    for n, one in enumerate(stretches):
        low, high = (one.low, one.high) if rows else (one.first, moved(one.last, TICK))
        parameters[f"__low{n}"], parameters[f"__high{n}"] = value_of(low, kind), value_of(high, kind)
        column = AT if rows else START
        parts.append(f"({column} >= $__low{n} AND {column} < $__high{n})")
    return Condition(" OR ".join(parts) or "false", parameters)


def near(snapshot: Snapshot, column: str, stretches: Sequence[Stretch]) -> tuple[str, ...]:
    """The files of a snapshot that may hold rows of the stretches, by their statistics; all of them where these do not say."""
    found: list[str] = []
    for file in snapshot.files:
        told = file.statistics.get(column)
        empty = told is not None and told.nulls == file.rows
        bounds = (
            (parse_moment(told.low), _after(told.high)) if told is not None and told.low is not None and told.high is not None else None
        )
        if not empty and (bounds is None or any(bounds[0] < s.high and bounds[1] > s.low for s in stretches)):
            found.append(f"{snapshot.folder}/{file.path}")
    return tuple(found)


def _after(text: str) -> datetime:
    """The first moment that is surely later than a bound of statistics, which may be cut to the millisecond."""
    return moved(parse_moment(text), timedelta(seconds=1))


def extent(snapshot: Snapshot, column: str) -> tuple[datetime, datetime]:
    """From when to when the rows of a snapshot are, or longer."""
    low, high = LAST, FIRST
    for file in snapshot.files:
        told = file.statistics.get(column)
        if told is None or told.low is None or told.high is None:
            if told is not None and told.nulls == file.rows:
                continue
            return FIRST, LAST
        low, high = min(low, parse_moment(told.low)), max(high, _after(told.high))
    return low, high


def fixed(ask: Ask, placing: str) -> list[Stretch]:
    """The windows of changed rows, where a window does not depend on which rows there are."""
    return [Stretch(first, last, first, end) for first, last, end in _windows(ask, placing)]


def _windows(ask: Ask, placing: str) -> list[tuple[datetime, datetime, datetime]]:
    changed = placing.replace(f"{ROWS} AS", f"{CHANGED} AS")
    sql = f"SELECT DISTINCT CAST({START} AS VARCHAR), CAST({END} AS VARCHAR) FROM ({changed}) WHERE {START} IS NOT NULL"
    return apart((parse_moment(str(a)), parse_moment(str(b))) for a, b in ask(sql, {}, None))


def gathered(ask: Ask, windowing: Windowing, whole: tuple[datetime, datetime]) -> list[Stretch]:
    """As `fixed`, of windows that go as far as rows follow each other: looked for around the changed rows, further out until they end.

    `whole` is from when to when there are any rows.
    """
    return [_around(ask, windowing, whole, seed) for seed in _windows(ask, windowing.placing)]


def _around(ask: Ask, windowing: Windowing, whole: tuple[datetime, datetime], seed: tuple[datetime, datetime, datetime]) -> Stretch:
    placing, columns = windowing.placing, [c.name for c in windowing.types]
    kind = next(c.type for c in windowing.types if c.name == AT)
    begin, _, end = seed
    names = ", ".join(map(quoted, columns))
    here = f"{AT} >= $__seen AND {AT} < $__end"
    both = (
        f"(SELECT {names}, false AS {FRESH} FROM {ROWS} WHERE {AT} >= $__low AND {AT} < $__high "
        f"UNION ALL SELECT {names}, true AS {FRESH} FROM {CHANGED} WHERE {here})"
    )
    placed = placing.replace(f"{ROWS} AS", f"{both} AS")
    gap = _gap(ask, placing)
    reach = max(end - begin, gap) + gap
    while True:
        low, high = moved(begin, -reach), moved(end, reach)
        bounds = {
            "__seen": value_of(begin, kind),
            "__end": value_of(end, kind),
            "__low": value_of(low, kind),
            "__high": value_of(high, kind),
        }
        sql = f"SELECT CAST(min({START}) AS VARCHAR), CAST(max({END}) AS VARCHAR) FROM ({placed}) WHERE {FRESH}"
        first, last = (parse_moment(str(x)) for x in ask(sql, bounds, Stretch(low, high, low, high))[0])
        began = {**bounds, "__first": value_of(first, kind), "__last": value_of(last, kind)}
        sql = f"SELECT CAST(max({END}) AS VARCHAR) FROM ({placed}) WHERE {START} >= $__first AND {START} <= $__last"
        ends = parse_moment(str(ask(sql, began, Stretch(low, high, low, high))[0][0]))
        if (first > moved(low, gap) or low <= whole[0]) and (ends < high or high > whole[1]):
            return Stretch(first, last, low, high)
        reach *= 2


def _gap(ask: Ask, placing: str) -> timedelta:
    """The pause that ends a window: so much after its last row is its end."""
    alone = placing.replace(f"{ROWS} AS", f"(SELECT * FROM {CHANGED} WHERE {AT} IS NOT NULL ORDER BY {AT} LIMIT 1) AS")
    ((start, end),) = ask(f"SELECT CAST({START} AS VARCHAR), CAST({END} AS VARCHAR) FROM ({alone})", {}, None)
    return parse_moment(str(end)) - parse_moment(str(start))
