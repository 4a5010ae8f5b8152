"""A case of a model, run by one query in a sandbox: fill the inputs, ask, compare."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from xde.ground.errors import UserError
from xde.ground.findings import Finding
from xde.ground.names import did_you_mean, quoted
from xde.undercurrents.engineering.testing.comparing import ANY, Comparison, How, compare
from xde.undercurrents.engineering.testing.filling import filled
from xde.undercurrents.engineering.testing.parts import only_part
from xde.undercurrents.engineering.testing.promising import RESULT, broken_promises, by_chance, by_order
from xde.undercurrents.engineering.testing.sandbox import Asked, CellError, QueryError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from xde.kernel.plan.checks import Check
    from xde.kernel.project.contract import SchemaObject
    from xde.undercurrents.engineering.testing.case import Case, Expectation, Table
    from xde.undercurrents.engineering.testing.sandbox import Result, Scratch


@dataclass(frozen=True, slots=True)
class Subject:
    """A model as its tests see it.

    `types` are the columns that it is stored with, in order (a view: that it gives); `inputs` every dataset that it or its views
    read, with the types of their columns; `objects` their contracts where they have one. `views` are those among the inputs that are
    views, with their text and their parameters, in an order in which they can be made.
    """

    name: str
    sql: str
    types: Mapping[str, str]
    inputs: Mapping[str, Mapping[str, str]]
    objects: Mapping[str, SchemaObject | None]
    views: Mapping[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict)
    parameters: Mapping[str, object] = field(default_factory=dict)
    used: tuple[str, ...] = ()  # the parameters that the model's own text names
    key: tuple[str, ...] = ()
    reads: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # of the model itself and of each of the views
    checks: tuple[Check, ...] = ()  # of its own contract
    stored: bool = True  # not a view: its columns are cast to `types`

    def needed(self, given: Collection[str]) -> tuple[str, ...]:
        """The datasets with rows that are looked at when some are given: what a given view reads is not."""
        found: dict[str, None] = {}
        todo = list(self.reads[self.name])
        while todo:
            name = todo.pop(0)
            if name in self.views and name not in given:
                todo += self.reads[name]
            else:
                found[name] = None
        return tuple(found)

    @property
    def query(self) -> str:
        """The model's query as its rows are stored."""
        if not self.stored:
            return self.sql
        casts = ", ".join(f"CAST({quoted(c)} AS {t}) AS {quoted(c)}" for c, t in self.types.items())
        return f"SELECT {casts} FROM ({self.sql}\n)"


def give(scratch: Scratch, subject: Subject, given: Mapping[str, Table], file_of: Mapping[str, str]) -> None:
    """Make the inputs: as given, else empty; a view that is not given is made from its own text. Raises `UserError`.

    `file_of` maps the path of each Parquet fixture to where it lies.
    """
    findings: list[Finding] = []
    for name, table in given.items():
        if name not in subject.inputs:
            hint = did_you_mean(name, subject.inputs) or "it reads " + ", ".join(f"`{i}`" for i in subject.inputs)
            findings.append(Finding("XDE0905", f"`{subject.name}` does not read `{name}`", table.span, "not read", hint=hint))
    for name, types in subject.inputs.items():
        rows = given.get(name)
        if rows is None and name in subject.views:
            continue
        findings += fill(scratch, name, types, rows, (subject.objects.get(name), file_of))
    if findings:
        raise UserError(*findings)


def fill(
    scratch: Scratch, name: str, types: Mapping[str, str], table: Table | None, around: tuple[SchemaObject | None, Mapping[str, str]]
) -> list[Finding]:
    """One table of a scratch database, and what is wrong with its rows."""
    promised, file_of = around
    if table is None:
        scratch.table(name, types, ())
        return []
    if table.parquet is not None:
        try:
            scratch.parquet(name, types, (file_of[table.parquet],))
        except QueryError as error:
            return [Finding("XDE0906", f"`{table.parquet}` cannot be read as rows of `{name}`", table.span, "this file", str(error))]
        return []
    unknown = unknown_columns(name, table, types)
    if unknown:
        return unknown
    try:
        scratch.table(name, types, filled(types, table.rows, promised))
    except CellError as error:
        return [_cell(error, table, name)]
    return []


def unknown_columns(name: str, table: Table, types: Iterable[str]) -> list[Finding]:
    """A finding for each column that a dataset does not have, at its first mention."""
    known = list(types)
    found: dict[str, Finding] = {}
    for row in table.rows:
        for column in row.cells:
            if column not in known and column not in found:
                hint = did_you_mean(column, known) or "it has " + ", ".join(f"`{c}`" for c in known[:12])
                found[column] = Finding("XDE0907", f"`{name}` has no column `{column}`", row.place(column), "no such column", hint=hint)
    return list(found.values())


def _cell(error: CellError, table: Table, name: str) -> Finding:
    row = table.rows[error.row]
    cell = row.cells.get(error.column)
    shown = f"`{cell}`" if isinstance(cell, str) else "this value"
    return Finding(
        "XDE0908",
        f"{shown} is no {error.kind}, which `{name}.{error.column}` is",
        row.place(error.column),
        f"no {error.kind}",
        why=error.why,
        hint="write a value of this type, or leave the column out",
    )


def asked_of(subject: Subject, case: Case, sql: str, given: Iterable[str]) -> Asked:
    """The question that a case puts: the model's query (or a mutant's) with the parameters of the case, over the views not given."""
    values = {**subject.parameters, **case.parameters}
    views = {n: v for n, v in subject.views.items() if n not in set(given)}
    return Asked(sql, {n: values[n] for n in subject.used if n in values}, views, values)


def query_of(subject: Subject, case: Case) -> str:
    """The query that a case looks at: the model's, or a part of it."""
    return subject.query if case.cte is None else only_part(subject.sql, case.cte, case.span)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a case: it passed when there is neither a difference nor a finding. `sql` is the query that was asked."""

    comparison: Comparison | None = None
    findings: tuple[Finding, ...] = ()
    sql: str = ""
    empty: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether all is as expected."""
        return not self.findings and (self.comparison is None or self.comparison.equal)


def exercise(scratch: Scratch, subject: Subject, case: Case, file_of: Mapping[str, str]) -> Verdict:
    """Run a plain case in a fresh scratch database."""
    only = case.rounds[0]
    try:
        give(scratch, subject, only.given, file_of)
        sql = query_of(subject, case)
        shown = subject.sql if case.cte is None else sql
    except UserError as error:
        return Verdict(findings=tuple(error.findings))
    try:
        result = scratch.ask(asked_of(subject, case, sql, only.given))
    except QueryError as error:
        return Verdict(findings=(_failed(subject, case, str(error)),), sql=shown)
    empty = tuple(n for n in subject.needed(only.given) if n not in only.given)
    try:
        comparison = judge(scratch, subject, case, only.expect, result)
        broken = promises(scratch, subject, case, sql)
    except UserError as error:
        return Verdict(findings=tuple(error.findings), sql=shown)
    return Verdict(comparison, tuple(broken), shown, empty)


def promises(scratch: Scratch, subject: Subject, case: Case, sql: str) -> list[Finding]:
    """What the rows that a query gives break of the contract and of the laws that a case names."""
    only = case.rounds[0]
    found: list[Finding] = []
    asked = asked_of(subject, case, sql, only.given)
    if only.expect.contract:
        scratch.keep(RESULT, asked)
        found += broken_promises(scratch, subject.checks, subject.inputs, case.span)
    if only.expect.any_order:
        tables = [n for n in subject.inputs if n in only.given or n not in subject.views]
        if not by_order(scratch, tables, lambda: scratch.ask(asked), subject.key).equal:
            found.append(by_chance(case.span, subject.name))
    return found


def _failed(subject: Subject, case: Case, why: str) -> Finding:
    return Finding(
        "XDE0910",
        f"the query of `{subject.name}` fails on the rows of this case",
        case.span,
        "this case",
        why,
        "look at the value that it names",
    )


def judge(scratch: Scratch, subject: Subject, case: Case, expect: Expectation, result: Result) -> Comparison | None:
    """Compare what came out with what is expected; None when no rows are expected. Raises `UserError` for rows that cannot be."""
    wanted = expect.rows
    if wanted is None:
        return None
    what = subject.name if case.cte is None else f"{subject.name}: {case.cte}"
    return against(scratch, what, result, expect, subject.key)


def against(scratch: Scratch, name: str, result: Result, expect: Expectation, key: tuple[str, ...]) -> Comparison:
    """Compare a result with rows that are expected of it, by the columns that they name."""
    wanted = expect.rows
    types = dict(result.columns)
    if wanted is None or wanted.parquet is not None:
        raise UserError(
            Finding(
                "XDE0906",
                "expected rows cannot come from a Parquet file",
                wanted.span if wanted else None,
                hint="name a CSV or NDJSON file",
            )
        )
    unknown = unknown_columns(name, wanted, types)
    if unknown:
        raise UserError(*unknown)
    columns = tuple(c for c in types if c in wanted.columns) if not expect.whole else tuple(types)
    expected = _expected(scratch, name, wanted, {c: types[c] for c in columns})
    places = [list(types).index(c) for c in columns]
    actual = [tuple(row[i] for i in places) for row in result.rows]
    if not wanted.rows:
        columns = tuple(types)
        actual = list(result.rows)
    return compare(columns, expected, actual, How(expect.ordered, expect.tolerance, key))


def _expected(scratch: Scratch, name: str, wanted: Table, types: Mapping[str, str]) -> Sequence[tuple[object, ...]]:
    """The rows as the engine sees them; a column that a row does not name may hold anything."""
    try:
        values = scratch.values(types, [[row.cells.get(c) for c in types] for row in wanted.rows])
    except CellError as error:
        raise UserError(_cell(error, wanted, name)) from error
    named = zip(values, wanted.rows, strict=True)
    return [tuple(v if c in row.cells else ANY for c, v in zip(types, cells, strict=True)) for cells, row in named]
