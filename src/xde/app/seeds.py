"""Seeds: their fields read by the types of their contracts, and their rows held against its rules, each fault by its line."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from xde.ground.digests import digest
from xde.ground.findings import Finding
from xde.ground.names import literal, quoted
from xde.ground.spans import Span
from xde.kernel.plan.checks import Action, CheckKind
from xde.kernel.project.declarations import Kind
from xde.lifecycle.transformation.port import Query

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xde.app.wiring import House
    from xde.ground.findings import Findings
    from xde.kernel.plan.checks import Check
    from xde.kernel.project.contract import Property
    from xde.kernel.project.declarations import ModelDataset, Project

_SHOWN = 10  # faults of one kind in one file


def with_types(project: Project) -> Project:
    """The project whose seeds give each field as what its contract says."""
    seeds = {n: m for n, m in project.models.items() if m.head.kind is Kind.SEED}
    if not seeds:
        return project
    typed = {n: f"SELECT {_cast(m, 'CAST')} FROM ({m.sql}) AS xde_text" for n, m in seeds.items()}
    read = {n: replace(m, sql=typed[n], digest=digest(typed[n])) for n, m in seeds.items()}
    return replace(project, datasets={**project.datasets, **read})


def faults(written: Project, checks: Mapping[str, Sequence[Check]], house: House, findings: Findings) -> None:
    """Tell of every field that is not of its type and every row that breaks a rule; `written` is the project as it was read."""
    for name, model in written.models.items():
        if model.head.kind is Kind.SEED:
            wrong = [_no_such_value(model, row) for row in house.local.rows(Query(_untyped(model)), {})]
            findings.extend(wrong or _broken(model, checks.get(name, ()), house))


def _untyped(model: ModelDataset) -> str:
    """The fields that are not of their type: row, column, text, type."""
    parts = []
    for column in _columns(model):
        name, kind = quoted(column.name), _type(column)
        shown = f"i, {literal(column.name)}, {name}, {literal(kind)}"
        parts.append(f"SELECT {shown} FROM rows WHERE {name} IS NOT NULL AND TRY_CAST({name} AS {kind}) IS NULL")
    return f"WITH rows AS ({_numbered(model)}) {' UNION ALL '.join(parts)} ORDER BY ALL LIMIT {_SHOWN}"


def _broken(model: ModelDataset, checks: Sequence[Check], house: House) -> list[Finding]:
    rows = f"SELECT i, {_cast(model, 'CAST')} FROM ({_numbered(model)}) AS xde_text"
    found: list[Finding] = []
    for check in checks:
        if check.action is Action.WARN or (check.kind is CheckKind.UNIQUE and check.threshold != 0):
            continue
        names = ", ".join(quoted(c) for c in check.columns)
        match check.kind:
            case CheckKind.ROW if check.threshold == 0:
                where = f"NOT coalesce(({check.predicate}), true)"
            case CheckKind.UNIQUE:
                there = " AND ".join(f"{quoted(c)} IS NOT NULL" for c in check.columns)
                where = f"{there} QUALIFY count(*) OVER (PARTITION BY {names}) > 1"
            case _:
                continue
        sql = f"SELECT i FROM ({rows}) WHERE {where} ORDER BY i LIMIT {_SHOWN}"
        found += [_against(model, check, int(str(i))) for (i,) in house.local.rows(Query(sql), {})]
    return found


def _numbered(model: ModelDataset) -> str:
    return model.sql.replace("SELECT ", "SELECT i, ", 1)


def _columns(model: ModelDataset) -> Sequence[Property]:
    return model.object.properties if model.object else ()


def _type(column: Property) -> str:
    from xde.lifecycle.ingestion.declare import column_type

    return column_type(column)


def _cast(model: ModelDataset, how: str) -> str:
    return ", ".join(f"{how}({quoted(c.name)} AS {_type(c)}) AS {quoted(c.name)}" for c in _columns(model))


def _no_such_value(model: ModelDataset, row: Sequence[object]) -> Finding:
    number, column, text, kind = row
    hint = "mend the field; dates are written `2013-01-31`, numbers `1234.5`, and nothing stands for NULL"
    place = Span(model.path, model.lines[int(str(number)) - 1])
    return Finding("XDE0291", f"`{column}` is no {kind}: `{text}`", place, "this record", "so says its contract", hint)


def _against(model: ModelDataset, check: Check, number: int) -> Finding:
    place = Span(model.path, model.lines[number - 1])
    why = f"a rule of its contract says so (`{check.id}`)"
    return Finding("XDE0292", f"`{model.name}`: {check.message}", place, "this record", why, "mend the record, or the rule")
