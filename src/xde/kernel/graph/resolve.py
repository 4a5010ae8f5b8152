"""From the names in a model's text to the datasets of its project, with every place mapped back to the file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xde.ground.findings import Finding
from xde.ground.names import did_you_mean
from xde.ground.spans import Span

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from xde.ground.findings import Findings
    from xde.kernel.graph.text.reading import Place, Reading, TableName
    from xde.kernel.project.declarations import ModelDataset


def span_at(model: ModelDataset, place: Place | None) -> Span:
    """Where a stretch of a model's SQL stands in its file; what a flow made stands where the flow is called."""
    if place is None or place.start < 0:
        return Span(model.path, model.sql_line)
    start, length = model.expansion.origin(*place) if model.expansion is not None else place
    return span_of(model, start, length)


def span_of(model: ModelDataset, start: int, length: int) -> Span:
    """Where a stretch of a model's SQL as it was written stands in its file."""
    before = model.written.count("\n", 0, start)
    column = start - (model.written.rfind("\n", 0, start) + 1) + 1
    line = model.sql_line + before
    return Span(model.path, line, column, line, column + length)


def faults_of(model: ModelDataset, reading: Reading, findings: Findings) -> None:
    """Tell what is wrong with the text itself."""
    for fault in reading.faults:
        message = f"`{model.path}` {fault.message}"
        findings.add(Finding(fault.code, message, span_at(model, fault.place), fault.label, fault.why, fault.hint))


def references_of(model: ModelDataset, reading: Reading, datasets: Mapping[str, str], findings: Findings) -> dict[str, Span]:
    """Each dataset that a model reads, with the first place; `datasets` are all names by their lower case."""
    found: dict[str, Span] = {}
    for table in reading.tables:
        name = datasets.get(".".join(table.parts).lower()) if len(table.parts) == 2 else None
        if name is None:
            findings.add(_unknown(model, table, datasets.values()))
        else:
            found.setdefault(name, span_at(model, table.place))
    return found


def _unknown(model: ModelDataset, table: TableName, datasets: Collection[str]) -> Finding:
    written = ".".join(table.parts)
    span = span_at(model, table.place)
    match len(table.parts):
        case 1:
            return Finding(
                "XDE0210",
                f"`{model.name}` reads `{written}`, which is no CTE and has no schema",
                span,
                "no schema",
                "a dataset is always written `schema.name`",
                _qualified(written, datasets),
            )
        case 2:
            hint = did_you_mean(written, datasets) or _by_last_part(table.parts[1], datasets)
            hint = hint or "declare it in a contract under `sources/`, or write a model of this name"
            return Finding(
                "XDE0201", f"`{model.name}` reads `{written}`, which is not a dataset of this project", span, "no such dataset", hint=hint
            )
        case _:
            short = ".".join(table.parts[-2:])
            hint = f"write `{short}`" if short in datasets else "write it as `schema.name`"
            return Finding("XDE0221", f"`{model.name}` reads `{written}` of another catalog", span, "three parts", hint=hint)


def _qualified(name: str, datasets: Collection[str]) -> str:
    same = sorted(d for d in datasets if d.split(".")[1].lower() == name.lower())
    if same:
        return "write " + " or ".join(f"`{d}`" for d in same[:3])
    by_last = {d.split(".")[1]: d for d in datasets}
    hint = did_you_mean(name, by_last)
    for last, full in by_last.items():
        if hint == f"did you mean `{last}`?":
            return f"did you mean `{full}`?"
    return "write it as `schema.name`"


def _by_last_part(name: str, datasets: Collection[str]) -> str:
    same = sorted(d for d in datasets if d.split(".")[1].lower() == name.lower())
    return f"did you mean `{same[0]}`?" if same else ""


def unknown_parameters(model: ModelDataset, reading: Reading, known: Collection[str], findings: Findings) -> None:
    """Tell which `$names` have no value."""
    for name, place in reading.parameters:
        if name not in known:
            hint = did_you_mean(name, known) or f"add `{name}` under `parameters:` in `xde.yaml`"
            findings.add(
                Finding(
                    "XDE0215",
                    f"`{model.name}` uses `${name}`, which is not a parameter",
                    span_at(model, place),
                    "no such parameter",
                    hint=hint,
                )
            )
