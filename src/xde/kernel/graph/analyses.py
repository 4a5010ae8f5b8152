"""Every model of a project, analysed in the order of its inputs; the engine is the oracle for names and types."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from typing import TYPE_CHECKING

from xde.ground.digests import digest
from xde.ground.errors import UserError
from xde.ground.findings import Finding, Findings
from xde.ground.records import dataclass
from xde.ground.spans import Span
from xde.kernel.graph.analysis import Analysis
from xde.kernel.graph.cache import Cache, Entry
from xde.kernel.graph.column_findings import in_flows, missing_columns, refused, twice
from xde.kernel.graph.graph import Graph
from xde.kernel.graph.head_columns import unknown_in_head, with_periods
from xde.kernel.graph.meaning.lines import lines_of
from xde.kernel.graph.meaning.values import DatasetMeaning
from xde.kernel.graph.python_models import called, function_references, output_types
from xde.kernel.graph.resolve import faults_of, references_of, unknown_parameters
from xde.kernel.graph.text.parsing import read_texts
from xde.kernel.project.declarations import Kind

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from xde.kernel.graph.text.reading import Reading
    from xde.kernel.project.declarations import ModelDataset, Project

Types = Mapping[str, str]
Describe = Callable[[str, Mapping[str, Types], tuple[str, ...]], tuple[tuple[str, str], ...]]
Stored = Callable[["ModelDataset", Types], Types]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What analyses need besides the project.

    `parameters` are the values that `$names` may have (or only the names, then nothing that uses one is kept);
    `stored` gives the types in which a model's columns are stored, when they are not those that the query gives;
    `cache_folder` is where analyses are kept; `workers` the most processes that may read SQL at once;
    `promised` gives the types of columns that the contract of a Python model names.
    """

    parameters: Mapping[str, object] | Collection[str] = ()
    stored: Stored | None = None
    cache_folder: Path | None = None
    workers: int = 1
    promised: Stored | None = None


def analyse_models(  # noqa: PLR0913 - one door for all
    project: Project,
    sources: Mapping[str, Types],
    describe: Describe,
    *,
    known_parameters: Mapping[str, object] | Collection[str] = (),
    stored: Stored | None = None,
    cache_folder: Path | None = None,
    workers: int = 1,
    promised: Stored | None = None,
) -> tuple[dict[str, Analysis], Findings]:
    """The analysis of every model that can be read, and what is wrong with the others.

    `sources` are the columns and types of the source datasets; `describe` gives the columns and types of a query over
    empty tables of the given columns (raises `UserError` when it does not bind). For the rest see `Surroundings`.
    """
    work = _Work(project, describe, Surroundings(known_parameters, stored, cache_folder, workers, promised), Cache.load(cache_folder))
    work.read()
    references = work.references()
    order, circles = Graph({**dict.fromkeys(project.sources, ()), **references}).order()
    for circle in circles:
        work.findings.add(_circle(project, circle, references))
    in_circle = {name for circle in circles for name in circle}
    known: dict[str, _Known] = {n: _Known(types, source_meaning(n, types)) for n, types in sources.items()}
    analyses: dict[str, Analysis] = {}
    for name in order:
        if name in references and name not in in_circle and name not in work.broken and all(r in known for r in references[name]):
            analysis = work.analyse(name, references[name], {r: known[r] for r in references[name]})
            if analysis is not None:
                analyses[name] = analysis
                known[name] = work.known(analysis)
    work.cache.save(set(analyses))
    return analyses, work.findings


def source_meaning(name: str, columns: Types) -> DatasetMeaning:
    """A source's rows mean themselves; a column also its type."""
    return DatasetMeaning(digest("source", name), {c: digest("source", name, c, t) for c, t in columns.items()})


@dataclass(frozen=True, slots=True)
class _Known:
    """A dataset that models may read."""

    types: Types
    meaning: DatasetMeaning

    def key(self) -> list[object]:
        """All of it that an analysis depends on."""
        return [list(self.types.items()), self.meaning.rows, sorted(self.meaning.columns.items())]


@dataclass(slots=True)
class _Work:
    project: Project
    describe: Describe
    around: Surroundings
    cache: Cache
    findings: Findings = field(default_factory=Findings)
    readings: dict[str, Reading] = field(default_factory=dict)
    whole: set[str] = field(default_factory=set)
    broken: set[str] = field(default_factory=set)
    models: Mapping[str, ModelDataset] = field(init=False)

    def __post_init__(self) -> None:
        self.models = self.project.models  # put together anew whenever it is asked for

    def read(self) -> None:
        """Read every text that is not known from before."""
        new: list[str] = []
        for name, model in self.models.items():
            if model.python is not None:
                continue
            kept = self.cache.reading(name, _file_key(model))
            if kept is None:
                new.append(name)
            else:
                self.readings[name] = kept
        self._read(new)

    def _read(self, names: list[str]) -> None:
        texts = [self.models[n].sql for n in names]
        if texts:
            self.readings.update(zip(names, read_texts(texts, self.around.workers), strict=True))
            self.whole.update(names)

    def references(self) -> dict[str, dict[str, Span]]:
        """What each readable model reads; tells of what no model may read."""
        datasets = {d.lower(): d for d in self.project.datasets}
        found: dict[str, dict[str, Span]] = {}
        for name, model in self.models.items():
            before = len(self.findings)
            if model.python is not None:
                found[name] = function_references(model, model.python, datasets, self.around.parameters, self.findings)
                if len(self.findings) > before:
                    self.broken.add(name)
                continue
            reading = self.readings[name]
            if model.expansion is not None and model.expansion.broken:
                self.broken.add(name)
                found[name] = {}
                continue
            faults_of(model, reading, self.findings)
            found[name] = references_of(model, reading, datasets, self.findings)
            unknown_parameters(model, reading, self.around.parameters, self.findings)
            if len(self.findings) > before:
                self.broken.add(name)
        return found

    def analyse(self, name: str, references: Mapping[str, Span], inputs: Mapping[str, _Known]) -> Analysis | None:
        """The analysis of one model, from the cache or made now."""
        model = self.models[name]
        if model.python is not None:
            types = output_types(model, model.python, self.around.promised, self.describe, self.findings)
            seen = {n: (k.types, k.meaning) for n, k in inputs.items()}
            return called(model, model.python, (references, seen), types, self.findings)
        key = self._key(model, inputs)
        kept = self.cache.analysis(name, key) if key else None
        if kept is not None:
            return kept
        if name not in self.whole:
            self._read([name])
        analysis = self._made(model, references, inputs)
        if analysis is not None and key:
            self.cache.keep(name, Entry(_file_key(model), self.readings[name]._replace(query=None), key, analysis))
        return analysis

    def _key(self, model: ModelDataset, inputs: Mapping[str, _Known]) -> str:
        """What an analysis depends on; empty when that is not all known, and so nothing may be kept."""
        used = [n for n, _ in self.readings[model.name].parameters]
        given = self.around.parameters
        if used and not isinstance(given, Mapping):
            return ""
        types = [(n, type(given[n]).__name__) for n in used] if isinstance(given, Mapping) else []
        return digest(_file_key(model), model.head.kind, types, [[n, known.key()] for n, known in inputs.items()])

    def _made(self, model: ModelDataset, references: Mapping[str, Span], inputs: Mapping[str, _Known]) -> Analysis | None:
        reading = self.readings[model.name]
        lines = lines_of(reading, {n: (k.types, k.meaning) for n, k in inputs.items()}, ordered=not model.head.stored)
        parameters = tuple(n for n, _ in reading.parameters)
        try:
            described = self.describe(model.sql, {n: k.types for n, k in inputs.items()}, parameters)
        except UserError as error:
            self.findings.extend(missing_columns(model, lines.missing) or [refused(model, f) for f in error.findings])
            return None
        if model.expansion is not None:
            strays = in_flows(model, lines.missing, {n: k.types for n, k in inputs.items()})
            if strays:
                self.findings.extend(strays)
                return None
        names = [n.lower() for n, _ in described]
        doubled = next((n for i, (n, _) in enumerate(described) if n.lower() in names[:i]), None)
        if doubled is not None:
            self.findings.add(twice(model, doubled))
            return None
        faults = unknown_in_head(model, described)
        if faults:
            self.findings.extend(faults)
            return None
        columns, rows = lines.named([n for n, _ in described])
        if model.head.kind is Kind.HISTORY:
            columns, described = with_periods(model.head, columns, described)
        return Analysis(
            model.name, dict(references), columns, tuple(sorted(rows.reads)), rows.digest, parameters, column_types=dict(described)
        )

    def known(self, analysis: Analysis) -> _Known:
        """What the models downstream see of a model."""
        model = self.models[analysis.dataset]
        types = self.around.stored(model, analysis.column_types) if self.around.stored else analysis.column_types
        columns = {
            c.name: c.digest if types.get(c.name) == analysis.column_types[c.name] else digest("stored", c.digest, types.get(c.name))
            for c in analysis.columns
        }
        head = model.head
        kept = head.kind in {Kind.APPEND, Kind.HISTORY} or (head.kind is Kind.INCREMENTAL and head.key)
        rows = digest("kept", head.kind, head.key, analysis.rows_digest) if kept else analysis.rows_digest
        if head.watermark is not None and head.late != "update":
            rows = digest("closed", head.watermark, head.late, head.emit, analysis.rows_digest)
        if head.kind is Kind.HISTORY or head.deleted or head.missing != "keep":
            rows = digest(rows, head.updated, head.columns, head.deleted, head.missing)
        values = parameter_values(analysis, self.around.parameters)
        if values:
            rows = digest("parameters", values, rows)
        return _Known(types, DatasetMeaning(rows, columns))


def parameter_values(analysis: Analysis, given: Mapping[str, object] | Collection[str]) -> list[tuple[str, object]]:
    """The values that a model is computed with, by name; those that change with every run are no part of what it means."""
    if not isinstance(given, Mapping):
        return []
    return [(n, given[n]) for n in analysis.parameters if n not in {"today", "start", "end"}]


def _file_key(model: ModelDataset) -> str:
    return digest(model.name, model.path, model.digest, model.sql_line)


def _circle(project: Project, circle: list[str], references: Mapping[str, Mapping[str, Span]]) -> Finding:
    path = " -> ".join(f"`{name}`" for name in circle)
    span = references[circle[0]].get(circle[1]) or Span(project.models[circle[0]].path)
    if len(circle) == 2:
        return Finding("XDE0202", f"`{circle[0]}` reads itself", span, "itself", hint="read the dataset that it is made from")
    return Finding(
        "XDE0202", f"models read each other in a circle: {path}", span, "closes the circle", hint="let one of them read an earlier dataset"
    )
