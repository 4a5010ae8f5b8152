"""Columns of a database that binds nobody to a declared type: the type that all values have is found by reading them as it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from xde.connectors.duckdb.ingestion.casts import cast
from xde.ground.names import literal, quoted
from xde.kernel.project.logical_types import logical_type
from xde.lifecycle.ingestion.port import Field
from xde.undercurrents.management.profiling.facts import TextReading

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xde.connectors.duckdb.session import Scope

TIMES = ("DATE", "TIMESTAMP")
MOST_DIGITS = 38


@dataclass(frozen=True, slots=True)
class Asked:
    """A column that is read: `proved`: nothing else than its type can stand in it; if not, `told` is what is declared, if anything is."""

    field: Field
    told: str = ""
    proved: bool = True
    digits: bool = False  # whether its texts are those of numbers with any number of digits


def digits_of(scope: Scope, source: str, field: Field) -> tuple[int, int] | None:
    """The most digits before and after the point of texts that are decimal numbers; None where there is none, or another text."""
    name = quoted(field.name)
    form = literal(r"[+-]?[0-9]+([.][0-9]+)?")
    before, after = (f"max(length(regexp_extract({name}, {literal(p)}, 1)))" for p in ("^[+-]?0*([0-9]*)", "[.]([0-9]*)$"))
    sql = f"SELECT {before}, {after}, count({name}), count(*) FILTER (WHERE NOT regexp_full_match({name}, {form})) FROM {source}"
    whole, part, present, others = scope.cursor.execute(sql).fetchone() or (0, 0, 0, 0)
    return (int(whole), int(part)) if present and not others and whole + part <= MOST_DIGITS else None


def proved_reading(scope: Scope, source: str, column: Asked) -> TextReading:
    """The type that all of its values have: the declared one, of texts a day or moment, of what is not declared a number too."""
    types = _candidates(column)
    counts = _counted(scope, source, column.field, types)
    present, wrong = counts[0], dict(zip(types, counts[1:], strict=True))
    found = next((kind for kind in types if not wrong[kind]), None) if present else column.field.type
    if found is not None:
        return TextReading(found, logical_type(found) or "string")
    declared = column.field.type
    if declared in wrong and wrong[declared] * 2 < present:
        some = _some(scope, source, column.field, declared)
        return TextReading(almost=(logical_type(declared) or "string", wrong[declared], some))
    return TextReading()


def proved_value(field: Field, kind: str) -> str:
    """The SQL of a text as a value of a type that all of them have."""
    return cast(Field(field.name, field.name, kind), quoted(field.name)).value


def _candidates(column: Asked) -> list[str]:
    declared = column.field.type
    if declared != "VARCHAR":
        return [declared]
    return [*TIMES] if column.told not in {"", "any"} else ["BIGINT", "DOUBLE", *TIMES]


def _counted(scope: Scope, source: str, field: Field, types: Sequence[str]) -> list[int]:
    """How many values there are, and how many are no value of each type."""
    made = [_cast(field, n, kind) for n, kind in enumerate(types)]
    values = "".join(f", {value} AS {quoted(name)}" for name, value, _ in made)
    wrong = "".join(f", count(*) FILTER (WHERE {wrong})" for *_, wrong in made)
    sql = f"SELECT count({quoted(field.name)}){wrong} FROM (SELECT *{values} FROM {source})"
    return [int(n) for n in scope.cursor.execute(sql).fetchone() or ()]


def _some(scope: Scope, source: str, field: Field, kind: str) -> tuple[str, ...]:
    name, value, wrong = _cast(field, 0, kind)
    inner = f"SELECT *, {value} AS {quoted(name)} FROM {source}"
    sql = f"SELECT DISTINCT {quoted(field.name)} FROM ({inner}) WHERE {wrong} ORDER BY 1 LIMIT 3"
    return tuple(str(row[0]) for row in scope.cursor.execute(sql).fetchall())


def _cast(field: Field, number: int, kind: str) -> tuple[str, str, str]:
    name = f"{field.name} as {number}"
    made = cast(Field(name, name, kind), quoted(field.name))
    return name, made.value, made.wrong
