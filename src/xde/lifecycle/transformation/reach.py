"""Which intervals of an incremental model new data reaches: by facts and file statistics where they prove it, all of them where not."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from xde.ground.records import dataclass
from xde.kernel.plan.intervals import covering, merged, minus, parse_moment, reaching_back, within
from xde.kernel.plan.plan import Interval

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from xde.kernel.plan.intervals import Grain
    from xde.kernel.plan.ledger import TableState
    from xde.lifecycle.storage.pins import Pins
    from xde.lifecycle.storage.port import DataFile, Lake
    from xde.lifecycle.transformation.work import ModelWork


@dataclass(frozen=True, slots=True)
class Reach:
    """What is to be computed: `whole` for everything that there is, else these intervals."""

    whole: bool
    intervals: tuple[Interval, ...] = ()


WHOLE = Reach(whole=True)


def reach(work: ModelWork, state: TableState | None, pins: Pins, lake: Lake, *, full: bool) -> Reach:
    """What a run of an incremental model must compute.

    The model's time column must be a copy of a column of one input (seen through views): then that input's changed files
    say which time they hold. A change of any other input may change every row, and so reaches everything.
    """
    head = work.model.head
    grain = cast("Grain", head.grain)
    if full or state is None or not state.facts.get("inputs"):
        return WHOLE
    source = time_source(work)
    known = cast("Mapping[str, Sequence[object]]", state.facts["inputs"])
    changed = [name for name in work.reads if list(known.get(name, ())) != pinned_input(pins, name)]
    pending = [Interval(*i) for i in cast("list[list[str]]", state.facts.get("pending", []))]
    if not changed:
        return Reach(whole=False, intervals=merged(pending))
    if source is None or changed != [source[0]] or not _same_version(known[source[0]], pins, source[0]):
        return WHOLE
    touched = _touched(source, known[source[0]], pins, lake, grain)
    if touched is None:
        return WHOLE
    fresh = minus(touched, [Interval(*i) for i in cast("list[list[str]]", state.facts.get("intervals", []))])
    wanted = merged([*touched, *reaching_back(fresh, head.lookback_days, grain), *pending])
    return Reach(whole=False, intervals=within(wanted, head.start, head.end))


def time_source(work: ModelWork) -> tuple[str, str] | None:
    """The dataset and column that the model's time column is a copy of, if it is one."""
    for column in work.analysis.columns:
        if column.name == work.model.head.time and column.identity is not None and column.identity.dataset in work.reads:
            return column.identity.dataset, column.identity.column
    return None


def pinned_input(pins: Pins, name: str) -> list[object]:
    """What is written down of an input: its version, and the newest commit that changed its rows."""
    return [pins.table(name).version, pins.data_number(name)]


def _same_version(known: Sequence[object], pins: Pins, name: str) -> bool:
    return bool(known) and known[0] == pins.table(name).version and known[1] is not None


def _touched(source: tuple[str, str], known: Sequence[object], pins: Pins, lake: Lake, grain: Grain) -> tuple[Interval, ...] | None:
    dataset, column = source
    now = pins.snapshot(dataset)
    then = lake.snapshot(pins.table(dataset), int(str(known[1])))
    if now is None or then is None:
        return None
    before, after = {f.path: f for f in then.files}, {f.path: f for f in now.files}
    changed = [f for p, f in after.items() if p not in before] + [f for p, f in before.items() if p not in after]
    return covered(changed, column, grain)


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
