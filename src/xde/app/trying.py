"""A model tried on rows that a program gives: what a case does, without a file of cases and without an expectation."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import TYPE_CHECKING

from xde.app.interrupting import interruptible
from xde.ground.errors import UserError
from xde.ground.findings import Finding
from xde.ground.names import did_you_mean
from xde.undercurrents.engineering.testing.case import Case, Nested, Round, Row, Table
from xde.undercurrents.engineering.testing.exercising import asked_of, give, query_of
from xde.undercurrents.engineering.testing.filling import plain
from xde.undercurrents.engineering.testing.sandbox import QueryError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from xde.app.testing import TestBench
    from xde.undercurrents.engineering.testing.case import Cell
    from xde.undercurrents.engineering.testing.exercising import Subject
    from xde.undercurrents.engineering.testing.sandbox import FrameScratch


_MISSING = frozenset({"NaTType", "NAType"})  # of pandas, which need not be there


@dataclass(frozen=True, slots=True)
class Trial:
    """What is tried. `now` is an ISO moment, in UTC unless it says otherwise; `cte` the part of the model that is looked at."""

    model: str
    given: Mapping[str, Table | pa.Table] = field(default_factory=dict)
    parameters: Mapping[str, object] = field(default_factory=dict)
    now: str | None = None
    cte: str | None = None


@dataclass(frozen=True, slots=True)
class Tried:
    """What came out; `sql` is the query that was asked, `empty` the inputs that nobody gave, `key` that of the model."""

    rows: pa.Table
    sql: str
    empty: tuple[str, ...]
    key: tuple[str, ...]


def known_dataset(bench: TestBench, name: str) -> None:
    """Raises `UserError` for a name that no dataset of the project has."""
    if name not in bench.known.project.datasets:
        hint = did_you_mean(name, bench.known.project.datasets) or "`xde list` shows the datasets of the project"
        raise UserError(Finding("XDE0912", f"there is no dataset `{name}`", hint=hint))


def try_model(bench: TestBench, trial: Trial) -> Tried:
    """Run a model's query over what is given of its inputs; other datasets that are given are not looked at. Raises `UserError`."""
    known_dataset(bench, trial.model)
    if trial.model not in bench.known.analyses:
        hint = "test its contract by a case with `raw:` lines"
        raise UserError(Finding("XDE0952", f"`{trial.model}` is a source, and nothing computes it", hint=hint))
    case = Case(trial.model, trial.model, "", (Round(),), dict(trial.parameters), trial.now, trial.cte)
    subject = bench.subject(case)
    _known_parameters(subject, trial)
    given = {n: t for n, t in trial.given.items() if n in subject.inputs}
    tables = {n: t if isinstance(t, Table) else Table() for n, t in given.items()}
    sql = query_of(subject, case)
    with interruptible(bench.house.session.cancel), bench.house.sandbox.scratch() as scratch:
        give(scratch, subject, tables, {})
        for name, rows in given.items():
            if not isinstance(rows, Table):
                _give_frame(scratch, subject, name, rows)
        try:
            found = scratch.ask_frame(asked_of(subject, case, sql, given))
        except QueryError as error:
            message = f"the query of `{trial.model}` fails on the rows that are given"
            raise UserError(Finding("XDE0910", message, why=str(error), hint="look at the value that it names")) from error
    empty = tuple(n for n in subject.needed(given) if n not in given)
    return Tried(found, subject.sql if trial.cte is None else sql, empty, subject.key)


def _known_parameters(subject: Subject, trial: Trial) -> None:
    used = {*subject.used, *(p for _, ps in subject.views.values() for p in ps)}
    unknown = [p for p in trial.parameters if p not in used]
    if unknown:
        has = "it has " + ", ".join(f"`{p}`" for p in sorted(used)) if used else "it has none"
        raise UserError(
            *(Finding("XDE0953", f"`{subject.name}` has no parameter `{p}`", why=has, hint=did_you_mean(p, used)) for p in unknown)
        )


def _give_frame(scratch: FrameScratch, subject: Subject, name: str, rows: pa.Table) -> None:
    """The rows as they are; a column that they have not is filled as in a case."""
    import pyarrow as pa  # deferred: rows are mostly written out

    types = subject.inputs[name]
    unknown = [c for c in rows.column_names if c not in types]
    if unknown:
        has = "it has " + ", ".join(f"`{c}`" for c in types)
        raise UserError(*(Finding("XDE0907", f"`{name}` has no column `{c}`", why=has, hint=did_you_mean(c, types)) for c in unknown))
    promised = subject.objects.get(name)
    promises = {p.name: p for p in promised.properties} if promised else {}
    for column, kind in types.items():
        if column not in rows.column_names:
            cells = [_plain_text(plain(promises.get(column), kind, n)) for n in range(1, rows.num_rows + 1)]
            rows = rows.append_column(column, pa.array(cells, pa.string()))
    try:
        scratch.frame(name, types, rows)
    except QueryError as error:
        message = f"what is given is not as `{name}` is"
        hint = "give values of the types of its columns"
        raise UserError(Finding("XDE0908", message, why=str(error), hint=hint)) from error


def _plain_text(cell: Cell) -> str | None:
    return cell.json if isinstance(cell, Nested) else cell


def table_of(rows: Sequence[Mapping[str, object]]) -> Table:
    """Rows of Python values as a table of a case."""
    return Table(tuple(Row({str(c): cell_of(v) for c, v in row.items()}) for row in rows))


def cell_of(value: object) -> Cell:
    """A Python value as the text that it is written with; None is NULL. Raises `UserError` for bytes that are no text."""
    match value:
        case None:
            return None
        case bool():
            return "true" if value else "false"
        case str():
            return value
        case datetime() | date() | time():
            return value.isoformat()
        case bytes():
            return _text(value)
        case list() | tuple() | Mapping():
            return Nested(json.dumps(value, default=_within))
        case _:
            return None if type(value).__name__ in _MISSING else str(value)


def _within(value: object) -> object:
    """A value within another, as JSON can say it."""
    return dict(value) if isinstance(value, Mapping) else list(value) if isinstance(value, (set, frozenset)) else cell_of(value)


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        raise UserError(
            Finding(
                "XDE0908",
                "bytes that are no text cannot be written out",
                why=str(error),
                hint="give them in an Arrow table or a data frame",
            )
        ) from error
