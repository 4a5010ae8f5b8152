"""Which intervals of an incremental model new data reaches: those in which its input has changed, all of them where nobody can say."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from xde.ground.records import dataclass
from xde.kernel.plan.intervals import few, merged, minus, reaching_back, within
from xde.kernel.plan.plan import Interval
from xde.kernel.plan.versions import meaning
from xde.lifecycle.storage.port import TableId
from xde.lifecycle.transformation.changes import change_of, touched

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xde.kernel.graph.analysis import ColumnRef
    from xde.kernel.plan.intervals import Grain
    from xde.kernel.plan.ledger import TableState
    from xde.lifecycle.storage.pins import Pins
    from xde.lifecycle.storage.port import Lake
    from xde.lifecycle.transformation.port import Engine
    from xde.lifecycle.transformation.work import ModelWork


@dataclass(frozen=True, slots=True)
class Reach:
    """What is to be computed: `whole` for everything that there is, else these intervals."""

    whole: bool
    intervals: tuple[Interval, ...] = ()


WHOLE = Reach(whole=True)
MOST = 12  # intervals, each of which costs a query and a commit


@dataclass(frozen=True, slots=True)
class Sight:
    """What can be looked at: the snapshots that a run reads, older ones, and rows."""

    pins: Pins
    lake: Lake
    engine: Engine


def reach(work: ModelWork, state: TableState | None, sight: Sight, *, full: bool) -> Reach:
    """What a run of an incremental model must compute.

    The model's time column must be a copy of a column of one input (seen through views): then that input's changed rows
    say which time they hold. A change of any other input may change every row, and so reaches everything.
    """
    head = work.model.head
    grain = cast("Grain", head.grain)
    if full or state is None or not state.facts.get("inputs"):
        return WHOLE
    source = work.time_from
    known = cast("Mapping[str, Sequence[object]]", state.facts["inputs"])
    changed = [name for name in work.reads if list(known.get(name, ())) != pinned_input(sight.pins, name)]
    pending = [Interval(*i) for i in cast("list[list[str]]", state.facts.get("pending", []))]
    if not changed:
        return Reach(whole=False, intervals=merged(pending))
    if source is None or changed != [source.dataset] or not _same_meaning(known[source.dataset], sight.pins, source.dataset):
        return WHOLE
    found = _touched(source, known[source.dataset], sight, grain)
    if found is None:
        return WHOLE
    fresh = minus(found, [Interval(*i) for i in cast("list[list[str]]", state.facts.get("intervals", []))])
    wanted = merged([*found, *reaching_back(fresh, head.lookback_days, grain), *pending])
    return Reach(whole=False, intervals=few(within(wanted, head.start, head.end), MOST))


def pinned_input(pins: Pins, name: str) -> list[object]:
    """What is written down of an input: its version, and the newest commit that changed its rows."""
    return [pins.table(name).version, pins.data_number(name)]


def _same_meaning(known: Sequence[object], pins: Pins, name: str) -> bool:
    """Whether an input means what it meant: then its rows of then can be held against those of now, restated or not."""
    return bool(known) and meaning(str(known[0])) == meaning(pins.table(name).version) and known[1] is not None


def _touched(source: ColumnRef, known: Sequence[object], sight: Sight, grain: Grain) -> tuple[Interval, ...] | None:
    now = sight.pins.snapshot(source.dataset)
    table = TableId(source.dataset, str(known[0]))
    if now is None or sight.lake.snapshot(table) is None:
        return None
    then = sight.lake.snapshot(table, int(str(known[1])))
    if then is None:
        return None
    return touched(change_of(then, now), source.column, grain, sight.lake, sight.engine)
