"""From text to a type, exactly: a value that would be rounded, cut or guessed is no value of the type.

DuckDB's own casts are lax (`1.5` is 2 as a BIGINT, `2026-01-02xyz` a date, `1_000` a thousand); each one here says besides the
cast also when its result is not what stood there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from xde.ground.names import literal, quoted

if TYPE_CHECKING:
    from xde.lifecycle.ingestion.port import Field

INTEGERS = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT", "INT"}
DECIMAL = re.compile(r"(?:DECIMAL|NUMERIC)\((\d+),\s*(\d+)\)\Z")


@dataclass(frozen=True, slots=True)
class Cast:
    """The SQL of a value, and the SQL that is true when the text is there but is not exactly a value of the type."""

    value: str
    wrong: str


def cast(field: Field, text: str, decimal: str = ".") -> Cast:
    """How `text` (SQL of type VARCHAR, NULL for missing) becomes the field's type; the value is named by the field's quoted name."""
    kind = field.type.strip().upper()
    name = quoted(field.name)
    if decimal != "." and (kind in {"DOUBLE", "FLOAT", "REAL"} or DECIMAL.match(kind)):
        text = f"replace({text}, {literal(decimal)}, '.')"
    if kind in {"VARCHAR", "TEXT", "STRING"}:
        return Cast(text, "false")
    if field.format and kind in {"DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ", "TIME"}:
        return Cast(f"CAST(try_strptime({text}, {literal(field.format)}) AS {field.type})", f"({text} IS NOT NULL AND {name} IS NULL)")
    value = f"TRY_CAST({text} AS {field.type})"
    missing = f"{name} IS NULL"
    if kind in INTEGERS:
        plain = f"regexp_full_match({text}, '\\s*[+-]?[0-9]+\\s*')"
        return Cast(value, _unless_same(name, text, f"{missing} OR NOT {plain}"))
    if found := DECIMAL.match(kind):
        wide = min(38, int(found[2]) + 12)
        plain = f"regexp_full_match({text}, '\\s*[+-]?[0-9]*[.]?[0-9]*\\s*')"
        exact = f"TRY_CAST({text} AS DECIMAL(38,{wide})) IS NOT DISTINCT FROM {name}"
        return Cast(value, _unless_same(name, text, f"{missing} OR NOT {plain} OR NOT {exact}"))
    if kind in {"DOUBLE", "FLOAT", "REAL"}:
        return Cast(value, f"({text} IS NOT NULL AND ({missing} OR NOT isfinite({name}) OR contains({text}, '_')))")
    if kind == "DATE":
        return Cast(value, _unless_same(name, text, "true"))
    if kind in {"TIMESTAMP", "DATETIME"}:
        zone = "regexp_matches({0}, '([zZ]|[+-][0-9]{{2}}(:?[0-9]{{2}})?)$') AND length({0}) > 11".format(text)
        return Cast(value, _unless_same(name, text, f"{missing} OR ({zone}) OR NOT regexp_matches({text}, '^\\s*[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}')"))
    if kind in {"TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ"}:
        return Cast(value, f"({text} IS NOT NULL AND ({missing} OR NOT isfinite({name})))")
    return Cast(value, f"({text} IS NOT NULL AND {missing})")


def _unless_same(name: str, text: str, wrong: str) -> str:
    """The dear question is asked only of values that do not read back as they were written."""
    return f"(CASE WHEN {text} IS NULL OR CAST({name} AS VARCHAR) = {text} THEN false ELSE ({wrong}) END)"


def storable_json(field: Field) -> bool:
    """Whether a field is nested, and so read from JSON as a whole."""
    kind = field.type.upper()
    return kind.endswith("[]") or kind.startswith(("STRUCT(", "MAP("))
