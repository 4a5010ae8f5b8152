"""From text to a type, exactly: a value that would be rounded, cut or guessed is no value of the type.

DuckDB's own casts are lax (`1.5` is 2 as a BIGINT, `2026-01-02xyz` a date, `1_000` a thousand); each one here says besides the
cast also when its result is not what stood there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from xde.connectors.duckdb.ingestion.within import parts_wrong
from xde.ground.names import literal, quoted

if TYPE_CHECKING:
    from xde.lifecycle.ingestion.port import Field

INTEGERS = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT", "INT"}
STORED_AS_DECIMAL = {"HUGEINT", "UHUGEINT"}  # a table has no room for more than 38 digits
FLOATS = {"DOUBLE", "FLOAT", "REAL"}
TEXTS = {"VARCHAR", "TEXT", "STRING"}
DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
TIME = "([01][0-9]|2[0-3]):[0-9]{2}(:[0-9]{2}"
MICROS = "([.][0-9]{1,6}0*)?)?"
OFFSET = " ?([zZ]|UTC|[+-][0-9]{2}(:?[0-9]{2})?)?"
COMMON_ERA = {
    "DATE": "DATE '0001-01-01' AND DATE '9999-12-31'",
    "TIMESTAMP": "TIMESTAMP '0001-01-01 00:00:00' AND TIMESTAMP '9999-12-31 23:59:59.999999'",
}
DECIMAL = re.compile(r"(?:DECIMAL|NUMERIC)\((\d+),\s*(\d+)\)\Z")


@dataclass(frozen=True, slots=True)
class Cast:
    """The SQL of a value, and the SQL that is true when the text is there but is not exactly a value of the type.

    `plain` is true of most texts that are one, is cheaper, and false or NULL of what it cannot tell, as where there is no text.
    """

    value: str
    wrong: str
    plain: str = "false"


def cast(field: Field, text: str, decimal: str = ".") -> Cast:
    """How `text` (SQL of type VARCHAR, NULL for missing) becomes the field's type; the value is named by the field's quoted name."""
    kind = field.type.strip().upper()
    name = quoted(field.name)
    if kind in TEXTS:
        return Cast(text, "false")
    if nested(field):
        none = f"({text} IS NOT NULL AND {name} IS NULL AND {text} <> 'null')"
        within = parts_wrong(field.type, text, name, _part_wrong)
        return Cast(f"TRY(CAST(TRY_CAST({text} AS JSON) AS {field.type}))", f"({none} OR {within})")
    if field.format and kind.startswith(("DATE", "TIME")):
        return Cast(f"CAST(try_strptime({text}, {literal(field.format)}) AS {field.type})", f"({text} IS NOT NULL AND {name} IS NULL)")
    form = _form(kind)
    if decimal != "." and (kind in FLOATS or DECIMAL.match(kind)):
        text = f"(CASE WHEN contains({text}, '.') THEN '' ELSE replace({text}, {literal(decimal)}, '.') END)"
    missing = f"{name} IS NULL"
    value = f"TRY_CAST({text} AS {field.type})"
    if kind in STORED_AS_DECIMAL:
        value = f"TRY_CAST(TRY_CAST({text} AS DECIMAL(38,0)) AS {field.type})"
    if form is None:
        return Cast(value, f"({text} IS NOT NULL AND {missing})")
    finite = "" if kind in INTEGERS or DECIMAL.match(kind) or kind == "TIME" else f" OR NOT isfinite({name})"
    wrong = f"{missing}{finite} OR NOT regexp_full_match({text}, {literal(form)})"
    if finite and kind not in COMMON_ERA:
        return Cast(value, f"({text} IS NOT NULL AND ({wrong}))")
    # most texts are what the value is written as: to see that costs a third of a look at their form
    written = f"{_written(kind, name, text)}{f' AND {name} BETWEEN {COMMON_ERA[kind]}' if finite else ''}"
    return Cast(value, f"(CASE WHEN {text} IS NULL OR ({written}) THEN false ELSE ({wrong}) END)", written)


def _part_wrong(kind: str, text: str, value: str) -> str | None:
    """True of a text within JSON that is not exactly a value; `3.0` and `1e2` are whole numbers there (RFC 8259, 6, has one kind)."""
    if kind == "BOOLEAN":
        return f"TRY_CAST({text} AS BOOLEAN) IS DISTINCT FROM {value}"
    form = _form(kind)
    if form is None:
        return None
    number = kind in INTEGERS or DECIMAL.match(kind) is not None
    if number and kind in INTEGERS:
        form += r"([.]0*\s*)?"
    wrong = f"NOT regexp_full_match({text}, {literal(form)})"
    if number:
        by_power = f"contains(lower({text}), 'e') AND coalesce(TRY_CAST({text} AS DOUBLE) = CAST({value} AS DOUBLE), false)"
        return f"{text} IS NOT NULL AND {wrong} AND NOT ({by_power})"
    outside = f" OR NOT isfinite({value})" if kind != "TIME" else ""
    outside += f" OR {value} NOT BETWEEN {COMMON_ERA[kind]}" if kind in COMMON_ERA else ""
    return f"{text} IS NOT NULL AND ({wrong}{outside})"


def _written(kind: str, name: str, text: str) -> str:
    """True of a text that the value is written as; of a decimal with fewer digits after the point too, as JSON has them."""
    as_text = f"CAST({name} AS VARCHAR)"
    found = DECIMAL.match(kind)
    if not found or not int(found[2]):
        return f"{as_text} = {text}"
    filled = f"{text} || repeat('0', strlen({as_text}) - strlen({text}))"
    whole = f"{text} || {literal('.' + '0' * int(found[2]))}"
    return f"({as_text} = {text} OR {as_text} = CASE WHEN contains({text}, '.') THEN {filled} ELSE {whole} END)"


def _form(kind: str) -> str | None:
    """What a text of a type looks like, where the engine's cast takes more than that; NULL where its cast will do."""
    if kind in INTEGERS:
        return r"\s*[+-]?[0-9]+\s*"
    if found := DECIMAL.match(kind):
        fraction = rf"|[.][0-9]{{1,{found[2]}}}0*" if int(found[2]) else ""
        return rf"\s*[+-]?([0-9]+([.][0-9]{{0,{found[2]}}}0*)?{fraction})\s*"
    if kind in FLOATS:
        return r"\s*[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]+)?\s*"
    if kind == "DATE":
        return DAY
    if kind in {"TIMESTAMP", "DATETIME"}:
        return f"{DAY}([ T]{TIME}{MICROS})?"
    if kind in {"TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ"}:
        return f"{DAY}([ T]{TIME}{MICROS}{OFFSET})?"
    if kind == "TIME":
        return f"{TIME}{MICROS}"
    return None


def nested(field: Field) -> bool:
    """Whether a field is nested, and so read from JSON as a whole."""
    kind = field.type.strip().upper()
    return kind.endswith("[]") or kind.startswith(("STRUCT(", "MAP("))
