"""Every model of a project with plain SQL in the place of the flows that it calls."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from xde.ground.digests import digest
from xde.ground.findings import Finding
from xde.kernel.graph.flows.expanding import expand
from xde.kernel.graph.resolve import span_of
from xde.kernel.graph.text.reading import Place
from xde.kernel.project.declarations import ModelDataset

if TYPE_CHECKING:
    from xde.ground.findings import Findings
    from xde.kernel.graph.flows.book import FlowBook
    from xde.kernel.project.declarations import Dataset, Project


def expand_models(project: Project, book: FlowBook, findings: Findings) -> Project:
    """The project with every call of a flow expanded; what is wrong with calls is told. The digest of such a model is also of its flows."""
    changed: dict[str, Dataset] = {}
    for name, model in project.models.items():
        if model.expansion is not None or model.python is not None:
            continue
        made = expand(model.sql, book)
        if made.expansion is None and not made.faults:
            continue
        changed[name] = replace(model, sql=made.sql, expansion=made.expansion, digest=digest(model.digest, made.sql))
        for fault in made.faults:
            span = span_of(model, *(fault.place or Place(0, 1)))
            findings.add(Finding(fault.code, f"`{name}` {fault.message}", span, fault.label, fault.why, fault.hint))
    return replace(project, datasets={**project.datasets, **changed}) if changed else project


def flows_used(project: Project) -> tuple[str, ...]:
    """The names of the flows that models call."""
    used = {f for d in project.datasets.values() if isinstance(d, ModelDataset) and d.expansion is not None for f in d.expansion.flows}
    return tuple(sorted(used))
