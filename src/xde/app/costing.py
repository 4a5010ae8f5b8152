"""What datasets cost and who reads them, put together from the ledger, the lake and the lineage."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, timedelta
from typing import TYPE_CHECKING

from xde.app.readers import count_reads
from xde.kernel.project.declarations import SourceDataset
from xde.undercurrents.dataops.cost.judging import judge
from xde.undercurrents.dataops.cost.spending import CostReport, Readers, Spending, only_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xde.app.understanding import Understanding
    from xde.app.wiring import House
    from xde.kernel.plan.costs import CostRecord, Reads


def cost(house: House, known: Understanding, selection: frozenset[str] | None, days: int) -> CostReport:
    """The report over the last so many days, on some datasets or all; shares are of all."""
    count_reads(house)
    moment = house.clock.now().astimezone(UTC) - timedelta(days=days)
    since = moment.isoformat(timespec="microseconds")
    steps: dict[str, list[CostRecord]] = defaultdict(list)
    for record in house.ledger.costs(house.environment, since):
        steps[record.dataset].append(record)
    kept = _kept(house)
    readers = _readers(known, house.ledger.reads(house.environment), since)
    pointers, states = house.ledger.pointers(house.environment), house.ledger.states()
    names = known.project.datasets
    seconds = sum(s.usage.seconds for n, found in steps.items() if n in names for s in found)
    room = sum(size for n, size in kept.items() if n in names)
    spendings = []
    for name, dataset in names.items():
        if selection is not None and name not in selection:
            continue
        state = states.get((name, pointers.get(name, "")))
        own = sum(s.usage.seconds for s in steps[name])
        spendings.append(
            Spending(
                name,
                "source" if isinstance(dataset, SourceDataset) else str(dataset.head.kind),
                days,
                tuple(steps[name]),
                kept.get(name, 0),
                state.bytes if state else 0,
                own / seconds if seconds else 0.0,
                kept.get(name, 0) / room if room else 0.0,
                readers[name],
            )
        )
    dearest = tuple(sorted(spendings, key=lambda s: (-s.seconds, -s.kept, s.dataset)))
    return CostReport(house.environment, days, since, dearest, judge(dearest), seconds, room)


def _kept(house: House) -> dict[str, int]:
    """The bytes of each dataset's files in the lake. On a disk, versions may share files: those count once."""
    if not house.has_lake:
        return {}
    shared = "://" not in house.lake_path
    files: dict[str, dict[str, int]] = defaultdict(dict)
    for table in house.lake.tables():
        for path, size in house.lake.sizes(table).items():
            once = shared and path.endswith(".parquet")
            files[table.dataset][path if once else f"{table.version}/{path}"] = size
    return {dataset: sum(sizes.values()) for dataset, sizes in files.items()}


def _readers(known: Understanding, reads: Sequence[Reads], since: str) -> dict[str, Readers]:
    models = _models(known)
    times: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    last: dict[str, str] = {}
    for read in reads:
        last[read.dataset] = max(last.get(read.dataset, ""), read.last)
        if read.last >= since:
            times[read.dataset][read.how] += read.times
    upstream = {n: known.upstream[n] for n in known.analyses}  # what the references of a source look up is not made for it
    return {
        name: Readers(
            models[name],
            tuple(c.name for c in known.schemas[name]),
            dict(times[name]) if name in times else {},
            last.get(name),
            only_for(name, models, upstream, times.keys()) if not models[name] else (),
        )
        for name in known.project.datasets
    }


def _models(known: Understanding) -> dict[str, dict[str, tuple[str, ...]]]:
    """The models that read each dataset, with the columns that they read of it, for their rows or their values."""
    found: dict[str, dict[str, tuple[str, ...]]] = {name: {} for name in known.project.datasets}
    for model, analysis in sorted(known.analyses.items()):
        columns: dict[str, set[str]] = defaultdict(set)
        for read in (*analysis.row_reads, *(r for c in analysis.columns for r in c.reads)):
            columns[read.dataset].add(read.column)
        for name in analysis.references:
            found[name][model] = tuple(sorted(columns[name]))
    return found
