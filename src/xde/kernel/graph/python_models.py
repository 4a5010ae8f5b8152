"""The lineage of a Python model: each column that it gives is made of all that it reads, for nobody looks into the function."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xde.ground.digests import digest
from xde.ground.errors import UserError
from xde.ground.findings import Finding
from xde.ground.names import did_you_mean, literal, quoted
from xde.kernel.graph.analysis import Analysis, ColumnLineage, ColumnRef

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from xde.ground.findings import Findings
    from xde.ground.spans import Span
    from xde.kernel.graph.meaning.values import DatasetMeaning
    from xde.kernel.project.declarations import ModelDataset
    from xde.kernel.project.python_code import Given, PythonCode

    Types = Mapping[str, str]
    Describe = Callable[[str, Mapping[str, Types], tuple[str, ...]], tuple[tuple[str, str], ...]]

_TYPES: dict[str, type | tuple[type, ...]] = {"bool": bool, "int": int, "float": (int, float), "str": str, "list": list}


def function_references(
    model: ModelDataset,
    code: PythonCode,
    datasets: Mapping[str, str],
    parameters: Mapping[str, object] | Collection[str],
    findings: Findings,
) -> dict[str, Span]:
    """The datasets that a function is given, with the places that say so; tells of those that there are not, and of such parameters."""
    found: dict[str, Span] = {}
    for given in code.given:
        name = datasets.get(given.dataset.lower())
        span = given.span or model.span
        if name is None:
            hint = did_you_mean(given.dataset, datasets.values())
            hint = hint or "declare it in a contract under `sources/`, or write a model of this name"
            message = f"`{model.name}` reads `{given.dataset}`, which is not a dataset of this project"
            findings.add(Finding("XDE0201", message, span, "no such dataset", hint=hint))
        elif span is not None:
            found.setdefault(name, span)
    for setting in code.settings:
        if setting.name not in parameters:
            hint = did_you_mean(setting.name, parameters) or f"add `{setting.name}` under `parameters:` in `xde.yaml`"
            why = "what is no input is a parameter: `start`, `end`, `today` or one of `xde.yaml`"
            message = f"`{model.name}` has a parameter `{setting.name}`, which nobody gives"
            findings.add(Finding("XDE0215", message, setting.span, "no such parameter", why, hint))
        elif isinstance(parameters, dict):
            value = parameters[setting.name]
            wanted = _TYPES.get(setting.type or "")
            if wanted is not None and not (isinstance(value, wanted) and (setting.type == "bool" or not isinstance(value, bool))):
                why = f"its value is {value!r}"
                message = f"the parameter `{setting.name}` is no `{setting.type}`"
                findings.add(Finding("XDE0263", message, setting.span, "this type", why, "annotate it with the type that it has"))
    return found


def output_types(
    model: ModelDataset,
    code: PythonCode,
    promised: Callable[[ModelDataset, Types], Types] | None,
    describe: Describe,
    findings: Findings,
) -> dict[str, str]:
    """Names and types of what a function gives, in the engine's words; what the decorator says goes before the contract."""
    named = {n: (t, s) for n, t, s in code.columns}
    if not named and model.object is not None and promised is not None:
        types = promised(model, {})
        spans = {p.name: p.span for p in model.object.properties}
        named = {n: (t, s) for n, t in types.items() if (s := spans.get(n) or model.span) is not None}
    found: dict[str, str] = {}
    for name, (kind, span) in named.items():
        try:
            described = describe(f"SELECT CAST(NULL AS {kind}) AS {quoted(name)}", {}, ())
        except UserError as error:
            why = " ".join(f.why for f in error.findings)
            hint = f"write a type of DuckDB, such as {literal('VARCHAR')}"
            findings.add(
                Finding("XDE0264", f"`{kind}` is no type, and `{name}` of `{model.name}` is to have it", span, "this type", why, hint)
            )
        else:
            found[name] = described[0][1]
    return found if len(found) == len(named) else {}


def called(
    model: ModelDataset,
    code: PythonCode,
    inputs: tuple[Mapping[str, Span], Mapping[str, tuple[Types, DatasetMeaning]]],
    types: Types,
    findings: Findings,
) -> Analysis | None:
    """The analysis of a function over inputs of known columns and meaning; None where that is told to be wrong."""
    references, seen = inputs
    if not types:
        return None
    by_folded = {n.lower(): n for n in seen}
    before = len(findings)
    read: list[ColumnRef] = []
    told: list[object] = []
    copied: ColumnRef | None = None
    for given in code.given:
        name = by_folded[given.dataset.lower()]
        has, meaning = seen[name]
        columns = given.columns or tuple(has)
        for column in columns:
            if column not in has:
                findings.add(_no_column(model, given, name, column, has))
        read += [ColumnRef(name, c) for c in columns]
        copied = ColumnRef(name, given.time) if given.time is not None else copied
        told.append(
            [given.parameter, name, given.form, given.time, meaning.rows, [[c, has.get(c), meaning.columns.get(c)] for c in columns]]
        )
    if len(findings) > before:
        return None
    requires = sorted(text.replace(" ", "") for text, _ in code.requires)
    rows = digest("python", code.meaning, told, [[s.name, s.type] for s in code.settings], code.gives, requires)
    reads = tuple(dict.fromkeys(read))
    time = model.head.time
    lineage = tuple(ColumnLineage(n, reads, digest("python", rows, n), copied if n == time else None) for n in types)
    parameters = tuple(s.name for s in code.settings)
    return Analysis(model.name, dict(references), lineage, reads, rows, parameters, column_types=dict(types))


def _no_column(model: ModelDataset, given: Given, dataset: str, column: str, has: Types) -> Finding:
    hint = did_you_mean(column, has) or "`xde show` and the contract tell what it has"
    return Finding(
        "XDE0204", f"`{model.name}` reads a column that `{dataset}` does not have: `{column}`", given.span, "no such column", hint=hint
    )
