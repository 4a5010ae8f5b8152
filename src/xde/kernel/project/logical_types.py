"""The standard's words for the engine's types: `logicalType` of ODCS for a `physicalType` of DuckDB."""

from __future__ import annotations

import re

_LOGICAL = (
    (re.compile(r".*\]$"), "array"),
    (re.compile(r"STRUCT"), "object"),
    (re.compile(r"MAP"), "map"),
    (re.compile(r"TIMESTAMP|DATETIME"), "timestamp"),
    (re.compile(r"DATE"), "date"),
    (re.compile(r"TIME"), "time"),
    (re.compile(r"BOOL"), "boolean"),
    (re.compile(r"U?(TINY|SMALL|BIG|HUGE)?INT(?!ERVAL)"), "integer"),
    (re.compile(r"DECIMAL|NUMERIC|DOUBLE|FLOAT|REAL"), "number"),
    (re.compile(r"VARCHAR|TEXT|STRING|CHAR|UUID|BLOB"), "string"),
)


def logical_type(kind: str) -> str | None:
    """The word for a type; None for one that the standard has none for."""
    return next((word for form, word in _LOGICAL if form.match(kind.upper())), None)
