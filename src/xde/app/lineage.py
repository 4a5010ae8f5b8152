"""The way of a column or dataset through the graph, as a tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xde.app.answers import LineageNode
from xde.app.planning import known_dataset
from xde.ground.errors import UserError
from xde.ground.findings import Finding
from xde.ground.names import did_you_mean
from xde.kernel.graph.analysis import ColumnRef
from xde.kernel.project.declarations import SourceDataset

if TYPE_CHECKING:
    from xde.app.understanding import Understanding


def lineage(known: Understanding, target: str, *, downstream: bool, depth: int | None) -> LineageNode:
    """The tree above (or, with `downstream`, below) `schema.name` or `schema.name.column`."""
    parts = target.split(".")
    dataset = ".".join(parts[:2])
    known_dataset(known, dataset)
    left = depth if depth is not None else 1_000
    if len(parts) == 2:
        return _dataset(known, dataset, downstream=downstream, left=left)
    column = ".".join(parts[2:])
    names = [c.name for c in known.schemas[dataset]]
    if column not in names:
        raise UserError(Finding("XDE0725", f"`{dataset}` has no column `{column}`", hint=did_you_mean(column, names)))
    return _column(known, ColumnRef(dataset, column), "", downstream=downstream, left=left)


def _dataset(known: Understanding, name: str, *, downstream: bool, left: int) -> LineageNode:
    if downstream:
        near = tuple(sorted(n for n in known.analyses if name in known.upstream[n]))
    else:
        near = known.upstream[name] if name in known.analyses else ()
    parents = tuple(_dataset(known, n, downstream=downstream, left=left - 1) for n in near) if left else ()
    return LineageNode(name, _kind(known, name), parents=parents)


def _kind(known: Understanding, name: str) -> str:
    dataset = known.project.datasets[name]
    return "source" if isinstance(dataset, SourceDataset) else str(dataset.head.kind)


def _column(known: Understanding, ref: ColumnRef, how: str, *, downstream: bool, left: int) -> LineageNode:
    kind = next((c.type for c in known.schemas[ref.dataset] if c.name == ref.column), "")
    near = _readers(known, ref) if downstream else _read(known, ref)
    parents = tuple(_column(known, r, h, downstream=downstream, left=left - 1) for r, h in near) if left else ()
    return LineageNode(str(ref), _kind(known, ref.dataset), how, kind, parents=parents)


def _read(known: Understanding, ref: ColumnRef) -> list[tuple[ColumnRef, str]]:
    analysis = known.analyses.get(ref.dataset)
    if analysis is None:
        return []
    column = next((c for c in analysis.columns if c.name == ref.column), None)
    if column is None:
        return []
    return [(r, _how(known, ref.dataset, copied=r == column.identity)) for r in column.reads]


def _how(known: Understanding, name: str, *, copied: bool) -> str:
    """Of a Python model nobody knows which of the columns that it reads a column is made of: it is told as made of all."""
    return "copied" if copied else "computed" if known.model(name).python is None else "in Python, from any of them"


def _readers(known: Understanding, ref: ColumnRef) -> list[tuple[ColumnRef, str]]:
    found: list[tuple[ColumnRef, str]] = []
    for name, analysis in sorted(known.analyses.items()):
        if ref.dataset not in analysis.references:
            continue
        for column in analysis.columns:
            if ref in column.reads:
                found.append((ColumnRef(name, column.name), _how(known, name, copied=ref == column.identity)))
    return found
