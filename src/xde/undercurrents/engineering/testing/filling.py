"""Columns that a case does not mention: NULL where the contract lets them be missing, else a plain value that it allows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from xde.undercurrents.engineering.testing.case import Nested

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xde.kernel.project.contract import Property, SchemaObject
    from xde.undercurrents.engineering.testing.case import Cell, Row

PLAIN = (
    (re.compile(r"VARCHAR|TEXT|STRING|CHAR"), ""),
    (re.compile(r"BOOL"), "false"),
    (re.compile(r"TIMESTAMP|DATETIME"), "2000-01-01 00:00:00"),
    (re.compile(r"DATE"), "2000-01-01"),
    (re.compile(r"TIME"), "00:00:00"),
    (re.compile(r"INTERVAL"), "0 days"),
    (re.compile(r"UUID"), "00000000-0000-0000-0000-000000000000"),
    (re.compile(r"BLOB"), ""),
)


def filled(types: Mapping[str, str], rows: Sequence[Row], promised: SchemaObject | None) -> list[list[Cell]]:
    """The rows with a cell for each column, in the order of `types`."""
    named = {p.name: p for p in promised.properties} if promised else {}
    columns = [(c, t, named.get(c)) for c, t in types.items()]
    return [[row.cells[c] if c in row.cells else plain(p, t, n) for c, t, p in columns] for n, row in enumerate(rows, 1)]


def plain(promise: Property | None, kind: str, number: int) -> Cell:
    """The value of a column that nobody mentions; `number` counts the rows from 1 and tells apart what must be unique."""
    if promise is None or not (promise.required or promise.primary_key):
        return None
    if promise.enum:
        return str(promise.enum[(number - 1) % len(promise.enum)])
    distinct = promise.unique or promise.primary_key
    upper = kind.upper()
    if upper.endswith("]"):
        return Nested("[]")
    if upper.startswith(("STRUCT", "MAP")):
        return Nested("{}")
    for form, value in PLAIN:
        if form.match(upper):
            return _text(promise, number) if value == "" else _distinct(value, upper, number) if distinct else value
    return _number(promise, number if distinct else 0)


def _text(promise: Property, number: int) -> str:
    shortest = int(str(promise.options.get("minLength", 0) or 0))
    text = f"{promise.name}{number}" if promise.unique or promise.primary_key else ""
    longest = promise.options.get("maxLength")
    if longest is not None and len(text) > int(str(longest)):
        text = str(number)
    return text.ljust(shortest, "x") if len(text) < shortest else text


def _distinct(value: str, kind: str, number: int) -> str:
    if kind.startswith("UUID"):
        return value[:-6] + f"{number:06d}"
    if kind.startswith(("DATE", "TIMESTAMP")):
        return f"{2000 + number // 336:04d}-{number // 28 % 12 + 1:02d}-{number % 28 + 1:02d}" + value[10:]
    return value


def _number(promise: Property, offset: int) -> str:
    low, high = promise.options.get("minimum"), promise.options.get("maximum")
    if low is not None:
        return str(float(str(low)) + offset) if "." in str(low) else str(int(str(low)) + offset)
    above = promise.options.get("exclusiveMinimum")
    if above is not None:
        return str(int(float(str(above))) + 1 + offset)
    if high is not None and float(str(high)) < offset:
        return str(int(float(str(high))) - offset)
    return str(offset)
