"""What a project means, worked out once and kept until a file of it changes: graph, lineage, checks, readings, versions.

The many small dataclasses that are kept have no slots: `dataclasses` restores a frozen one with slots field by field in Python,
which takes four times as long as all else in reading them back.
"""

from __future__ import annotations

from dataclasses import field, replace
from typing import TYPE_CHECKING

from xde.app.keeping import keep, keep_memory, kept, kept_memory
from xde.ground.digests import digest, digest_if_there
from xde.ground.errors import UserError
from xde.ground.findings import Finding, Findings, Severity
from xde.ground.garbage import no_garbage
from xde.ground.names import did_you_mean
from xde.ground.records import dataclass
from xde.kernel.plan.versions import model_version, source_version
from xde.kernel.project.declarations import Kind, ModelDataset, SourceDataset
from xde.kernel.project.files import digest_of
from xde.lifecycle.storage.port import Column

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
    from pathlib import Path

    from xde.app.wiring import House
    from xde.ground.spans import Span
    from xde.kernel.graph.analysis import Analysis, ColumnRef
    from xde.kernel.plan.checks import Check
    from xde.kernel.project.declarations import Project
    from xde.kernel.project.files import ProjectFiles
    from xde.lifecycle.ingestion.declare import Reading
    from xde.lifecycle.sources.tables import Ask
    from xde.lifecycle.storage.port import Schema
    from xde.lifecycle.transformation.judging import Judging
    from xde.lifecycle.transformation.work import Windowing

_TYPES = (
    *("BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "FLOAT", "DOUBLE", "DECIMAL", "VARCHAR", "BLOB"),
    *("DATE", "TIME", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE", "UUID", "JSON"),
)


@dataclass(slots=True)
class Understanding:
    """Everything that is derived from a project's files alone.

    `order` is one in which all datasets can be loaded and built; `upstream` the datasets that a model reads (for a source:
    those that its references look up); `looked_up` those that the checks of a model look up besides, and that must be there before;
    `schemas` the stored columns of every dataset; `flow_files` the files, with their digests, of the flows that models call and
    that are no part of the project; `judgings` what models judge by flows that make dead letters, `windowings`
    what models of windows put into windows.
    """

    project: Project
    order: tuple[str, ...]
    upstream: Mapping[str, tuple[str, ...]]
    analyses: Mapping[str, Analysis]
    readings: Mapping[str, Reading]
    checks: Mapping[str, tuple[Check, ...]]
    checks_digests: Mapping[str, str]
    versions: Mapping[str, str]
    schemas: Mapping[str, Schema]
    warnings: tuple[Finding, ...] = field(default=())
    flow_files: tuple[tuple[str, str], ...] = field(default=())
    looked_up: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    judgings: Mapping[str, Judging] = field(default_factory=dict)
    windowings: Mapping[str, Windowing] = field(default_factory=dict)

    def model(self, name: str) -> ModelDataset:
        """A model by its name."""
        dataset = self.project.datasets[name]
        if not isinstance(dataset, ModelDataset):
            msg = f"`{name}` is no model"
            raise TypeError(msg)
        return dataset

    def is_view(self, name: str) -> bool:
        """Whether a dataset has no rows of its own: who reads it computes it."""
        dataset = self.project.datasets[name]
        return isinstance(dataset, ModelDataset) and not dataset.head.stored

    def is_ephemeral(self, name: str) -> bool:
        """Whether a dataset is but a part of what reads it: no environment has it."""
        dataset = self.project.datasets[name]
        return isinstance(dataset, ModelDataset) and dataset.head.kind is Kind.EPHEMERAL

    def is_seed(self, name: str) -> bool:
        """Whether the rows of a dataset are part of the project."""
        dataset = self.project.datasets[name]
        return isinstance(dataset, ModelDataset) and dataset.head.kind is Kind.SEED

    def reads(self, name: str) -> tuple[str, ...]:
        """The datasets with rows that a model reads, seen through views."""
        found: dict[str, None] = {}
        for upstream in self.upstream[name]:
            found.update(dict.fromkeys(self.reads(upstream) if self.is_view(upstream) else (upstream,)))
        return tuple(found)

    def identity(self, name: str, column: str) -> ColumnRef | None:
        """The column that a model's column is a copy of, if it is one."""
        return next((c.identity for c in self.analyses[name].columns if c.name == column), None)

    def view_parameters(self, views: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """The parameters that each of some views uses."""
        return {v: self.analyses[v].parameters for v in views}

    def views(self, name: str) -> dict[str, str]:
        """The views that a model reads, with their text, in an order in which they can be made."""
        found: dict[str, str] = {}
        for upstream in self.upstream[name]:
            if self.is_view(upstream):
                found.update(self.views(upstream))
                dataset = self.project.datasets[upstream]
                if isinstance(dataset, ModelDataset):
                    found[upstream] = dataset.sql
        return found


def understand(root: Path, files: ProjectFiles, house_for: Callable[[Project], House]) -> Understanding:
    """Read what was kept for these files, or work it out. Raises `UserError` with every error of the project."""
    with no_garbage():
        return _understood(root, files, house_for)


def _understood(root: Path, files: ProjectFiles, house_for: Callable[[Project], House]) -> Understanding:
    digest_now = digest_of(files.all)
    known = kept(root, digest_now)
    if isinstance(known, Understanding) and _same_flows(known):
        return known
    from xde.kernel.project.reader import read_project

    memory = kept_memory(root)
    project, findings = read_project(root, memory, files)
    keep_memory(root, memory)
    if project is None or findings.errors:
        raise UserError(*findings)
    understanding = work_out(project, findings, house_for(project))
    keep(root, digest_now, understanding, ("analyses", "checks", "schemas"))
    return understanding


def _same_flows(known: Understanding) -> bool:
    """Whether the flows that are no part of the project are still what they were."""
    return all(digest_if_there(path) == was for path, was in known.flow_files)


def work_out(project: Project, findings: Findings, house: House) -> Understanding:
    """Derive everything; collects all findings and raises them together. The project's models come back with plain SQL for flows."""
    from xde.app.flows import book_of, files_of
    from xde.app.seeds import faults, with_types
    from xde.app.treated import not_held
    from xde.kernel.graph.flows.judged import JUDGED
    from xde.kernel.graph.flows.models import expand_models, flows_used

    book = book_of(project.flows, project.root, findings)
    written, project = project, expand_models(with_types(project), book, findings)
    readings, schemas = _sources(project, house, findings)
    analyses = _analyses(project, schemas, house, findings)
    if findings.errors:
        raise UserError(*findings)
    checks = _checks(project, findings)
    not_held(project, readings, checks, findings)
    faults(written, checks, house, findings)
    findings.extend(_held_by_nobody(m) for n, m in project.models.items() if m.head.kind is Kind.EPHEMERAL and checks[n])
    if findings.errors:
        raise UserError(*findings)
    upstream = {n: tuple(analyses[n].references) if n in analyses else _looked_up(n, checks[n], project) for n in project.datasets}
    versions = {n: _version(project, n, readings, analyses) for n in project.datasets}
    digests = {
        n: digest(
            [(c.id, c.kind, c.action, c.predicate, c.query, c.to_dataset, c.to_columns, c.operator, c.threshold, c.unit) for c in checks[n]]
        )
        for n in checks
    }
    warnings = tuple(f for f in findings if f not in findings.errors)
    flow_files = files_of(book, flows_used(project), project)
    looked_up = _looked_up_by_models(upstream, checks, analyses)
    order = _order({n: (*upstream[n], *looked_up.get(n, ())) for n in upstream})
    known = Understanding(project, order, upstream, analyses, readings, checks, digests, versions, schemas, warnings, flow_files, looked_up)
    if any(JUDGED in m.sql for m in project.models.values()):
        from xde.app.judging import judgings

        known.judgings = judgings(known, house, findings)
    if any(m.head.watermark is not None for m in project.models.values()):
        from xde.app.windows import windowings

        known.windowings = windowings(known, house, findings)
    if findings.errors:
        raise UserError(*findings)
    return known


def _sources(project: Project, house: House, findings: Findings) -> tuple[dict[str, Reading], dict[str, Schema]]:
    from xde.lifecycle.ingestion.declare import declare
    from xde.lifecycle.ingestion.declare_tables import OURS

    readings: dict[str, Reading] = {}
    schemas: dict[str, Schema] = {}
    theirs: list[Ask] = []
    for name, dataset in project.sources.items():
        reading, told = declare(dataset)
        findings.extend(told)
        if reading is not None and reading.ask is not None and reading.ask.place.kind not in OURS:
            theirs.append(reading.ask)
        if reading is not None:
            readings[name] = reading
            kept = ((f.name, f.kept_type) for f in reading.fields)
            places = {p.name: p.span for p in dataset.object.properties}
            schemas[name] = tuple(Column(n, _storable(house, t, n, places.get(n), findings)) for n, t in kept if t is not None)
    if theirs:
        from xde.app.strangers import unknown

        findings.extend(unknown(theirs))
    return readings, schemas


def _analyses(project: Project, schemas: dict[str, Schema], house: House, findings: Findings) -> dict[str, Analysis]:
    """What each model means; adds the columns that it is stored with to the schemas."""
    from xde.kernel.graph.analyses import analyse_models
    from xde.lifecycle.ingestion.declare import column_type
    from xde.lifecycle.transformation.port import Input, Query

    now = house.clock.now()
    parameters = {**project.settings.parameters, "today": now.date(), "start": now.replace(tzinfo=None), "end": now.replace(tzinfo=None)}

    def describe(sql: str, given: Mapping[str, Mapping[str, str]], used: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
        inputs = {n: Input(tuple(Column(c, t) for c, t in columns.items())) for n, columns in given.items()}
        values = {p: parameters[p] for p in used}
        return tuple((c.name, c.type) for c in columns(Query(sql, values), inputs))

    def stored(model: ModelDataset, types: Mapping[str, str]) -> dict[str, str]:
        schemas[model.name] = _stored(model, types, house, findings)
        return {c.name: c.type for c in schemas[model.name]}

    given = {n: {c.name: c.type for c in schema} for n, schema in schemas.items()}
    with house.local.describing() as columns:
        analyses, told = analyse_models(
            project,
            given,
            describe,
            known_parameters=parameters,
            stored=stored,
            cache_folder=project.root / ".xde" / "cache",
            promised=lambda model, _: {p.name: column_type(p) for p in model.object.properties} if model.object else {},
        )
    findings.extend(told)
    return analyses


def _storable(house: House, kind: str, name: str, span: Span | None, findings: Findings) -> str:
    """The type that the lake has for one of a contract; where it has none, that is told at its place."""
    try:
        return house.lake.storable(kind)
    except UserError as error:
        hint = did_you_mean(kind.upper(), _TYPES) or f"give `{name}` a type that the lake has, such as `physicalType: VARCHAR`"
        findings.extend(replace(f, span=span, label="this type", hint=hint) for f in error.findings)
        return "VARCHAR"


def _stored(model: ModelDataset, types: Mapping[str, str], house: House, findings: Findings) -> Schema:
    promised = {p.name: p for p in model.object.properties} if model.object else {}
    found = set(types)
    for name, promise in promised.items():
        if name not in found:
            findings.add(
                Finding(
                    "XDE0350",
                    f"the contract of `{model.name}` promises a column `{name}` that its query does not give",
                    promise.span,
                    "not in the query",
                    hint=did_you_mean(name, found - set(promised)) or f"add it to `{model.path}`, or take it out of the contract",
                )
            )
    from xde.lifecycle.ingestion.declare import column_type

    schema: list[Column] = []
    for name, kind in types.items():
        declared = promised.get(name)
        wanted = column_type(declared) if declared and (declared.physical_type or declared.logical_type) else None
        told = _storable(house, wanted, name, declared.span, findings) if wanted and declared else house.lake.storable(kind)
        schema.append(Column(name, told))
    return tuple(schema)


def _checks(project: Project, findings: Findings) -> dict[str, tuple[Check, ...]]:
    from xde.undercurrents.management.quality.compile import compile_checks

    result: dict[str, tuple[Check, ...]] = {}
    for name, dataset in project.datasets.items():
        checks, told = compile_checks(dataset)
        result[name] = checks
        findings.extend(told)
    return result


def _held_by_nobody(model: ModelDataset) -> Finding:
    why = "it is computed within its readers, and no run looks at its rows"
    hint = "write the rules into the contracts of its readers, or make it `kind: view`"
    message = f"the rules of `{model.name}`, which is ephemeral, are held by nobody"
    return Finding("XDE0293", message, model.head.spans.get("kind") or model.span, "ephemeral", why, hint, Severity.WARNING)


def _looked_up(name: str, checks: tuple[Check, ...], project: Project) -> tuple[str, ...]:
    return tuple(dict.fromkeys(c.to_dataset for c in checks if c.to_dataset and c.to_dataset != name and c.to_dataset in project.sources))


def _looked_up_by_models(
    upstream: Mapping[str, tuple[str, ...]], checks: Mapping[str, tuple[Check, ...]], models: Collection[str]
) -> dict[str, tuple[str, ...]]:
    """What the references of models look up and the models do not read.

    One that is computed from the model itself cannot be there before it: that reference looks at what the last run left.
    """
    found: dict[str, tuple[str, ...]] = {}
    for name in sorted(models):
        for target in dict.fromkeys(c.to_dataset for c in checks[name] if c.to_dataset):
            if target in upstream and target not in upstream[name] and not _reaches(target, name, upstream, found):
                found[name] = (*found.get(name, ()), target)
    return found


def _reaches(start: str, wanted: str, *edges: Mapping[str, tuple[str, ...]]) -> bool:
    seen, todo = set[str](), [start]
    while todo:
        name = todo.pop()
        if name == wanted:
            return True
        if name not in seen:
            seen.add(name)
            todo += [n for by in edges for n in by.get(name, ())]
    return False


def _version(project: Project, name: str, readings: Mapping[str, Reading], analyses: Mapping[str, Analysis]) -> str:
    from xde.kernel.graph.analyses import parameter_values

    dataset = project.datasets[name]
    if isinstance(dataset, SourceDataset):
        return source_version(name, readings[name].meaning())
    return model_version(dataset, analyses[name], parameter_values(analyses[name], project.settings.parameters))


def _order(upstream: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Depth first; a circle of references between sources is cut where it is met (models have none: that was a finding)."""
    done: dict[str, None] = {}
    stack: list[tuple[str, int]] = []
    on_path: set[str] = set()
    for root in sorted(upstream):
        stack.append((root, 0))
        while stack:
            name, position = stack.pop()
            if position == 0 and (name in done or name in on_path):
                continue
            on_path.add(name)
            parents = upstream.get(name, ())
            if position < len(parents):
                stack.append((name, position + 1))
                stack.append((parents[position], 0))
            else:
                on_path.discard(name)
                done[name] = None
    return tuple(done)
