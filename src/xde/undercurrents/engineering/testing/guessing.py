"""Types of columns by the rows that are given: where no contract and no model says them, as in a case of a flow."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from xde.undercurrents.engineering.testing.case import Nested

if TYPE_CHECKING:
    from collections.abc import Iterable

    from xde.undercurrents.engineering.testing.case import Cell, Table

_KINDS = (
    ("BIGINT", re.compile(r"-?(0|[1-9]\d{0,17})")),
    ("DOUBLE", re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?")),
    ("BOOLEAN", re.compile(r"true|false")),
    ("DATE", re.compile(r"\d{4}-\d\d-\d\d")),
    ("TIMESTAMP", re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?)?")),
    ("TIMESTAMP WITH TIME ZONE", re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d(:?\d\d)?)")),
)


def types_of(table: Table) -> dict[str, str]:
    """The columns of a table, each with the narrowest type that all of its cells are of; texts when none is, as `007` is none."""
    return {c: _kind(row.cells.get(c) for row in table.rows) for c in table.columns}


def _kind(cells: Iterable[Cell]) -> str:
    there = [c for c in cells if c is not None]
    if any(isinstance(c, Nested) for c in there):
        return "JSON"
    texts = [c for c in there if isinstance(c, str)]
    return next((kind for kind, form in _KINDS if texts and all(form.fullmatch(t) for t in texts)), "VARCHAR")
