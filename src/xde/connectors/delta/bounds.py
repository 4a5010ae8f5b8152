"""Bounds of a column as Delta's statistics hold them, and back (Delta protocol, "Per-file Statistics").

A bound of the wrong form makes the whole table unreadable, so what is not surely right is left out: it costs a scan, no more.
"""

from __future__ import annotations

import json
import math
import re
import struct
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from xde.lifecycle.storage.port import Statistics

if TYPE_CHECKING:
    from collections.abc import Mapping

WHOLE = {"TINYINT": 8, "SMALLINT": 16, "INTEGER": 32, "BIGINT": 64}
FLOATS = {"FLOAT", "DOUBLE"}
TEXT_LENGTH = 64  # longer texts are cut, as Spark does at 32, to keep the log small
SURELY_EXACT = 32  # a shorter text was cut by nobody
NUMBER = re.compile(r"-?\d+(?:\.\d+)?\Z")
DAY = re.compile(r"\d{4}-\d\d-\d\d\Z")
MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d(?:\.\d{1,6})?)\Z")
HIGHEST = "\U0010ffff"


def literals(told: Statistics, kind: str) -> tuple[str, str] | None:
    """Low and high as JSON literals; None when there are none of a type that has them."""
    if told.low is None or told.high is None:
        return None
    if kind == "VARCHAR":
        return _texts(told.low, told.high)
    low, high = _literal(told.low, kind), _literal(told.high, kind)
    return (low, high) if low is not None and high is not None else None


def counts_nulls(kind: str) -> bool:
    """Whether Delta counts a column's nulls by one number: all but structs."""
    return not (kind.startswith("STRUCT(") and kind.endswith(")"))


def told_of(low: object, high: object, nulls: object, kind: str) -> Statistics | None:
    """Statistics from the values of a log; None where it says nothing."""
    if low is None and high is None and not isinstance(nulls, int):
        return None
    exact = kind != "VARCHAR" or max(len(str(low)), len(str(high))) < SURELY_EXACT
    return Statistics(nulls if isinstance(nulls, int) else None, _text(low), _text(high), exact)


def read_back(literal: str | None, kind: str) -> object:
    """The value that a reader of the log finds in a literal of `literals`."""
    if literal is None:
        return None
    if kind.startswith("DECIMAL("):
        return Decimal(literal)
    value = json.loads(literal)
    match kind:
        case "FLOAT":
            return struct.unpack("<f", struct.pack("<f", value))[0]
        case "DOUBLE":
            return float(value)
        case "DATE":
            return date.fromisoformat(value)
        case "TIMESTAMP" | "TIMESTAMP WITH TIME ZONE":
            return datetime.fromisoformat(value)
        case _:
            return value


def object_of(literals_by_name: Mapping[str, str]) -> str:
    """A JSON object of values that are JSON already; a decimal would lose digits on its way through a float."""
    return "{" + ",".join(f"{json.dumps(name)}:{value}" for name, value in literals_by_name.items()) + "}"


def _literal(text: str, kind: str) -> str | None:
    if kind in WHOLE:
        return text if NUMBER.match(text) and "." not in text and _fits(int(text), WHOLE[kind]) else None
    if kind in FLOATS:
        value = float(text)
        return repr(value) if math.isfinite(value) else None
    if kind.startswith("DECIMAL("):
        return text if NUMBER.match(text) else None
    if kind == "DATE":
        return f'"{text}"' if DAY.match(text) else None
    if kind == "TIMESTAMP":
        found = MOMENT.match(text)
        return f'"{found[1]}T{found[2]}"' if found else None
    return _in_utc(text) if kind == "TIMESTAMP WITH TIME ZONE" else None


def _fits(value: int, bits: int) -> bool:
    return -(1 << (bits - 1)) <= value < 1 << (bits - 1)


def _in_utc(text: str) -> str | None:
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            return None
        return f'"{moment.astimezone(UTC).replace(tzinfo=None).isoformat()}Z"'
    except (ValueError, OverflowError):
        return None  # a moment before year 1, after year 9999, or infinite


def _texts(low: str, high: str) -> tuple[str, str] | None:
    """Cut at 64 characters: a low that is shorter is lower; a high gets the highest character, so that it stays above."""
    if len(high) > TEXT_LENGTH:
        if high[TEXT_LENGTH] == HIGHEST:
            return None
        high = high[:TEXT_LENGTH] + HIGHEST
    return json.dumps(low[:TEXT_LENGTH]), json.dumps(high)


def _text(value: object) -> str | None:
    """A value of the log in the words that an engine has for it."""
    match value:
        case None:
            return None
        case datetime():
            return _moment(value)
        case date():
            return value.isoformat()
        case Decimal():
            return format(value, "f")
        case bool():
            return str(value).lower()
        case _:
            return str(value)


def _moment(value: datetime) -> str:
    """As DuckDB writes it: no noughts at the end of a fraction, `+00` where there is a zone."""
    plain = value.replace(tzinfo=None).isoformat(sep=" ")
    return (plain.rstrip("0") if value.microsecond else plain) + ("+00" if value.tzinfo else "")
