"""Every model of a project, analysed in the order of its inputs; the engine is the oracle for names and types."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from xde.ground.digests import digest
from xde.ground.errors import UserError
from xde.ground.findings import Finding, Findings
from xde.ground.names import did_you_mean
from xde.kernel.graph.analysis import Analysis, ColumnLineage, ColumnRef
from xde.kernel.graph.graph import Graph
from xde.kernel.graph.meaning import DatasetMeaning, Meaning, Reader, UnclearError
from xde.kernel.graph.parse import parameters_of, parse, place, references_of

if TYPE_CHECKING:
    from sqlglot import exp

    from xde.kernel.project.declarations import ModelDataset, Project

Types = Mapping[str, str]
Describe = Callable[[str, Mapping[str, Types], tuple[str, ...]], tuple[tuple[str, str], ...]]


def analyse_models(
    project: Project, sources: Mapping[str, Types], describe: Describe, *, known_parameters: frozenset[str]
) -> tuple[dict[str, Analysis], Findings]:
    """The analysis of every model that can be read, and what is wrong with the others.

    `sources` are the columns and types of the source datasets; `describe` gives the columns and types of a query over
    empty tables of the given columns (raises `UserError` when it does not bind).
    """
    findings = Findings()
    trees: dict[str, exp.Query] = {}
    references = {}
    models = project.models
    for name, model in models.items():
        tree = parse(model, findings)
        if tree is not None:
            trees[name] = tree
            references[name] = references_of(model, tree, project.datasets, findings)
            _parameters(model, tree, known_parameters, findings)
    order, circle = Graph({**dict.fromkeys(project.sources, ()), **references}).order()
    if circle:
        findings.add(_circle(project, circle, references[circle[0]].get(circle[1])))
    types: dict[str, Types] = dict(sources)
    meanings = {name: source_meaning(name, columns) for name, columns in sources.items()}
    analyses: dict[str, Analysis] = {}
    for name in order:
        if name not in trees or not all(r in types for r in references[name]):
            continue
        model = models[name]
        given = {r: types[r] for r in references[name]}
        analysis = _analyse(model, trees[name], given, meanings, describe, findings)
        if analysis is not None:
            analyses[name] = replace(analysis, references=references[name])
            types[name] = analysis.column_types
            meanings[name] = DatasetMeaning(analysis.rows_digest, {c.name: c.digest for c in analysis.columns})
    return analyses, findings


def source_meaning(name: str, columns: Types) -> DatasetMeaning:
    """A source's rows mean themselves; a column also its type."""
    return DatasetMeaning(digest("source", name), {c: digest("source", name, c, t) for c, t in columns.items()})


def _parameters(model: ModelDataset, tree: exp.Query, known: frozenset[str], findings: Findings) -> None:
    for name in parameters_of(tree):
        if name not in known:
            findings.add(
                Finding(
                    "XDE0215",
                    f"`{model.name}` uses `${name}`, which is not a parameter",
                    place(model, tree),
                    hint=did_you_mean(name, known) or f"add `{name}` under `parameters:` in `xde.yaml`",
                )
            )


def _circle(project: Project, circle: list[str], span: object) -> Finding:
    from xde.ground.spans import Span

    path = " -> ".join(circle)
    return Finding(
        "XDE0202",
        f"models read each other in a circle: {path}",
        span if isinstance(span, Span) else Span(project.models[circle[0]].path),
        "closes the circle",
        hint="let one of them read an earlier dataset",
    )


def _analyse(
    model: ModelDataset,
    tree: exp.Query,
    given: Mapping[str, Types],
    meanings: Mapping[str, DatasetMeaning],
    describe: Describe,
    findings: Findings,
) -> Analysis | None:
    parameters = parameters_of(tree)
    scoped = _qualified(model, tree, given, findings)
    if scoped is _WRONG:
        return None
    try:
        described = describe(model.sql, given, parameters)
    except UserError as error:
        for finding in error.findings:
            findings.add(
                replace(
                    finding,
                    message=f"`{model.name}` does not bind: {finding.why or finding.message}"[:300],
                    why="",
                    span=place(model, tree),
                )
            )
        return None
    duplicate = next((n for i, (n, _) in enumerate(described) if n in [m for m, _ in described[:i]]), None)
    if duplicate is not None:
        findings.add(
            Finding(
                "XDE0216",
                f"`{model.name}` gives two columns the name `{duplicate}`",
                place(model, tree),
                hint="give one of them another name with AS",
            )
        )
        return None
    names = [n for n, _ in described]
    told = {d.casefold(): (d, meanings[d]) for d in given}
    columns, rows = _exact(scoped, told, names) or _whole(tree.sql(dialect="duckdb", comments=False), given, meanings, names)
    return Analysis(
        model.name,
        {},
        tuple(ColumnLineage(n, tuple(sorted(m.reads)), m.digest, m.identity) for n, m in columns.items()),
        tuple(sorted(rows.reads)),
        rows.digest,
        parameters,
        column_types=dict(described),
    )


_WRONG = object()


def _qualified(model: ModelDataset, tree: exp.Query, given: Mapping[str, Types], findings: Findings) -> object:
    """The root scope of the qualified query; None where it cannot be qualified, `_WRONG` when it names what is not there."""
    from sqlglot import exp
    from sqlglot.errors import SqlglotError
    from sqlglot.optimizer.qualify import qualify
    from sqlglot.optimizer.scope import build_scope

    schema: dict[str, object] = {}
    for name, columns in given.items():
        inner = schema.setdefault(name.split(".")[0], {})
        if isinstance(inner, dict):
            inner[name.split(".")[1]] = columns
    try:
        qualified = qualify(
            tree.copy(), schema=schema, dialect="duckdb", quote_identifiers=False, identify=False, validate_qualify_columns=False
        )
        root = build_scope(qualified)
    except (SqlglotError, RecursionError, AttributeError, KeyError, TypeError, ValueError):
        return None
    if root is None:
        return None
    wrong = False
    by_folded = {d.casefold(): list(columns) for d, columns in given.items()}
    for scope in root.traverse():
        for column in scope.columns:
            source = scope.sources.get(column.table)
            if not isinstance(source, exp.Table) or not isinstance(source.this, exp.Identifier) or source.args.get("pivots"):
                continue
            dataset = f"{source.db}.{source.name}"
            known = by_folded.get(dataset.casefold())
            if known is not None and column.name.casefold() not in {c.casefold() for c in known}:
                wrong = True
                findings.add(
                    Finding(
                        "XDE0204",
                        f"`{model.name}` reads a column that `{dataset}` does not have: `{column.name}`",
                        place(model, column.this),
                        "no such column",
                        hint=did_you_mean(column.name, known),
                    )
                )
    return _WRONG if wrong else root


def _exact(root: object, told: Mapping[str, tuple[str, DatasetMeaning]], names: list[str]) -> tuple[dict[str, Meaning], Meaning] | None:
    if root is None:
        return None
    try:
        meaning = Reader(told).scope(root)  # type: ignore[arg-type]  # a Scope; its type cannot be named without the import
    except UnclearError:
        return None
    if [n.casefold() for n in meaning.columns] != [n.casefold() for n in names]:
        return None
    return dict(zip(names, meaning.columns.values(), strict=True)), meaning.rows


def _whole(
    text: str, given: Mapping[str, Types], meanings: Mapping[str, DatasetMeaning], names: list[str]
) -> tuple[dict[str, Meaning], Meaning]:
    """What is surely not too little: every column is made of every column that is read."""
    reads = frozenset(ColumnRef(d, c) for d, columns in given.items() for c in columns)
    whole = digest("whole", text, [(d, meanings[d].rows, sorted(meanings[d].columns.items())) for d in sorted(given)])
    return {n: Meaning(reads, digest(whole, n)) for n in names}, Meaning(reads, whole)
