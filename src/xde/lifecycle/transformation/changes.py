"""Which time the rows hold that came and went between two snapshots of a dataset: by statistics, by facts, by looking at them.

A file that is written again holds mostly rows that have not changed. Which of them have, its statistics cannot say; the
facts of the commits can (a model that is built by time replaces the rows of whole intervals and touches no others), and
where they do not, the rows themselves: those that are in one of the snapshots only.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, cast

from xde.ground.errors import TemporaryError
from xde.ground.names import quoted
from xde.ground.records import dataclass
from xde.kernel.plan.intervals import covering, few, following, merged, moment_text, parse_moment
from xde.kernel.plan.plan import Interval
from xde.lifecycle.transformation.bounds import bounds_of
from xde.lifecycle.transformation.port import Input, Query

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from xde.kernel.plan.intervals import Grain
    from xde.lifecycle.storage.port import Column, DataFile, Lake, Schema, Snapshot
    from xde.lifecycle.transformation.port import Engine

GONE, COME = "xde.gone", "xde.come"
MOST = 100  # intervals in one condition
MANY = 20_000_000  # rows to hold against each other; to compute them anew is as cheap


@dataclass(frozen=True, slots=True)
class Change:
    """From one snapshot of a dataset to a later one: the files of each that the other does not have."""

    then: Snapshot
    now: Snapshot
    gone: tuple[DataFile, ...]
    come: tuple[DataFile, ...]


@dataclass(frozen=True, slots=True)
class Replaced:
    """All rows that changed have this column within these intervals."""

    column: Column
    intervals: tuple[Interval, ...]


def change_of(then: Snapshot, now: Snapshot) -> Change:
    """The files that differ."""
    before, after = {f.path for f in then.files}, {f.path for f in now.files}
    return Change(then, now, tuple(f for f in then.files if f.path not in after), tuple(f for f in now.files if f.path not in before))


def touched(change: Change, column: str, grain: Grain, lake: Lake, engine: Engine) -> tuple[Interval, ...] | None:
    """The whole intervals of a time column in which any row came, went or changed, or more; None where nothing says it."""
    by_files = covered((*change.gone, *change.come), column, grain)
    if by_files is not None and all(_is_one(i, grain) for i in by_files):
        return by_files
    replaced = _replaced(change, lake)
    if replaced is not None and replaced.column.name == column:
        return merged(covering(parse_moment(i.start), _last(i), grain) for i in replaced.intervals)
    try:
        return _seen(change, column, grain, replaced, engine)
    except TemporaryError:  # a file of the older snapshot was cleaned away
        return by_files


def covered(files: Iterable[DataFile], column: str, grain: Grain) -> tuple[Interval, ...] | None:
    """The whole intervals that the files' bounds of a time column cover; None where statistics do not say."""
    found: list[Interval] = []
    for file in files:
        told = file.statistics.get(column)
        if told is None or told.low is None or told.high is None:
            if told is not None and told.nulls == file.rows:
                continue
            return None
        found.append(covering(parse_moment(told.low), parse_moment(told.high), grain))
    return merged(found)


def _is_one(interval: Interval, grain: Grain) -> bool:
    return moment_text(following(parse_moment(interval.start), grain)) == interval.end


def _last(interval: Interval) -> datetime:
    return parse_moment(interval.end) - timedelta(microseconds=1)


def _replaced(change: Change, lake: Lake) -> Replaced | None:
    """What the commits between two snapshots of one table say, if all that changed rows were of a model built interval by interval."""
    if change.then.table != change.now.table:
        return None
    found: list[Interval] = []
    columns: set[str] = set()
    for record in lake.history(change.now.table, since=change.then.number):
        same_rows = not (record.files_added or record.files_removed) or record.facts.get("kind") == "compact"
        if record.number > change.now.number or same_rows:
            continue
        if record.facts.get("full") or "time" not in record.facts:
            return None
        columns.add(str(record.facts["time"]))
        found += [Interval(*i) for i in cast("Sequence[Sequence[str]]", record.facts.get("intervals", ()))]
    column = next((c for c in change.now.schema if columns == {c.name}), None)
    return Replaced(column, few(found, MOST)) if column is not None else None


def _seen(change: Change, column: str, grain: Grain, replaced: Replaced | None, engine: Engine) -> tuple[Interval, ...] | None:
    """Look at the rows: those of the intervals that were replaced, or those that only one of the snapshots has."""
    needed = {column} | ({replaced.column.name} if replaced else set())
    if not all(needed <= {c.name for c in s.schema} for s in (change.then, change.now)):
        return covered((*change.gone, *change.come), column, grain)
    parameters: dict[str, object] = {}
    if replaced is not None:
        rows = f"SELECT {quoted(column)} FROM (FROM {GONE} UNION ALL FROM {COME}) WHERE {_within(replaced, parameters)}"
    elif change.gone and change.come:
        if change.then.schema != change.now.schema or sum(f.rows for f in (*change.gone, *change.come)) > MANY:
            return covered((*change.gone, *change.come), column, grain)
        needed = {c.name for c in change.now.schema}
        rows = f"(FROM {GONE} EXCEPT ALL FROM {COME}) UNION ALL (FROM {COME} EXCEPT ALL FROM {GONE})"
    else:
        rows = f"FROM {GONE} UNION ALL FROM {COME}"
    start = f"date_trunc('{grain}', {quoted(column)})"
    sql = f"SELECT DISTINCT CAST({start} AS VARCHAR) FROM ({rows}) WHERE {quoted(column)} IS NOT NULL"
    inputs = {GONE: _input(change.then, change.gone, needed), COME: _input(change.now, change.come, needed)}
    moments = [parse_moment(str(text)) for (text,) in engine.rows(Query(sql, parameters), inputs)]
    return merged(covering(m, m, grain) for m in moments)


def _within(replaced: Replaced, parameters: dict[str, object]) -> str:
    name = quoted(replaced.column.name)
    parts = []
    for number, interval in enumerate(replaced.intervals):
        low, high = f"__low{number}", f"__high{number}"
        parameters[low], parameters[high] = bounds_of(interval, replaced.column.type)
        parts.append(f"({name} >= ${low} AND {name} < ${high})")
    return " OR ".join(parts) or "false"


def _input(snapshot: Snapshot, files: Sequence[DataFile], needed: set[str]) -> Input:
    schema: Schema = tuple(c for c in snapshot.schema if c.name in needed)
    return Input(schema, tuple(f"{snapshot.folder}/{f.path}" for f in files))
