"""Who is hit when a column or a table changes: those that read it, those made from them, and who answers for each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from xde.kernel.project.declarations import SourceDataset

if TYPE_CHECKING:
    from collections.abc import Iterable

    from xde.app.understanding import Understanding
    from xde.kernel.graph.analysis import Analysis, ColumnRef


@dataclass(frozen=True)
class Consumer:
    """A dataset that reads what changes: into which of its columns, and whether its rows depend on it (joins, filters, references)."""

    dataset: str
    kind: str
    columns: tuple[str, ...]
    rows: bool
    owners: tuple[str, ...]


@dataclass(frozen=True)
class Impact:
    """Those that read it, and by name those that are made from them."""

    consumers: tuple[Consumer, ...] = ()
    further: tuple[str, ...] = ()


def impact_of(known: Understanding, dataset: str, column: str = "") -> Impact:
    """Who is hit by a change of a column; without one, of a dataset as a whole."""
    touched, whole = _direct(known, dataset, column)
    consumers = tuple(
        Consumer(name, _kind(known, name), tuple(sorted(columns)), name in whole, owners_of(known, name))
        for name, columns in sorted(touched.items())
    )
    return Impact(consumers, tuple(sorted(_further(known, touched, whole) - touched.keys() - {dataset})))


def owners_of(known: Understanding, name: str) -> tuple[str, ...]:
    """The owners whom the contract of a dataset names; all of its team where none is called owner."""
    contract = known.project.datasets[name].contract if name in known.project.datasets else None
    team = contract.team if contract is not None else ()
    return tuple(u for u, role in team if role.casefold() == "owner") or tuple(u for u, _ in team)


def _kind(known: Understanding, name: str) -> str:
    dataset = known.project.datasets[name]
    return "source" if isinstance(dataset, SourceDataset) else str(dataset.head.kind)


def _direct(known: Understanding, dataset: str, column: str) -> tuple[dict[str, set[str]], set[str]]:
    touched: dict[str, set[str]] = {}
    whole: set[str] = set()
    for name, analysis in known.analyses.items():
        if dataset in analysis.references:
            columns, rows = _reads(analysis, {column.casefold()} if column else None, dataset)
            if columns or rows or not column:
                touched[name] = columns
                whole |= {name} if rows else set()
    for name, checks in known.checks.items():
        referring = [
            c for c in checks if c.to_dataset == dataset and (not column or column.casefold() in {t.casefold() for t in c.to_columns})
        ]
        if referring and name != dataset:
            touched.setdefault(name, set()).update(n for c in referring for n in c.columns)
    return touched, whole


def _reads(analysis: Analysis, wanted: set[str] | None, dataset: str) -> tuple[set[str], bool]:
    """The columns that are made from the wanted ones of a dataset (None: from any), and whether the rows depend on one of them."""

    def meant(refs: Iterable[ColumnRef]) -> bool:
        return any(r.dataset == dataset and (wanted is None or r.column.casefold() in wanted) for r in refs)

    return {c.name for c in analysis.columns if meant(c.reads)}, meant(analysis.row_reads)


def _further(known: Understanding, touched: dict[str, set[str]], whole: set[str]) -> set[str]:
    """Everything made from the columns that are touched; where the rows are touched, everything that reads the dataset."""
    found: set[str] = set()
    waiting = [(n, frozenset(c), n in whole) for n, c in touched.items()]
    seen: dict[str, tuple[frozenset[str], bool]] = {}
    while waiting:
        name, columns, rows = waiting.pop()
        before = seen.get(name, (frozenset[str](), False))
        now = (before[0] | columns, before[1] or rows)
        if now == before and name in seen:
            continue
        seen[name] = now
        for reader, analysis in known.analyses.items():
            if name in analysis.references:
                wanted = None if now[1] else {c.casefold() for c in now[0]}
                made, its_rows = _reads(analysis, wanted, name)
                if made or its_rows or now[1]:
                    found.add(reader)
                    waiting.append((reader, frozenset(made), its_rows or now[1]))
    return found
