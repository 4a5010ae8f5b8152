"""A value of a table for people and for JSON; both take what `pyarrow` gives as Python objects."""

from __future__ import annotations

import base64
import json
import math
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_DECIMALS = 4  # of floating point numbers, for people
_TEXT = 200  # characters of one cell, for people
_EXACT_DIGITS = 15  # decimal digits that a JSON reader's double keeps


def column_texts(values: Sequence[object]) -> list[str | None]:
    """A column for people; floating point numbers of one column have the same number of decimals (four at most)."""
    if any(isinstance(v, float) for v in values):
        return _floats(values)
    return [None if v is None else value_text(v) for v in values]


def _floats(values: Sequence[object]) -> list[str | None]:
    plain = [v for v in values if isinstance(v, float) and _plain(v)]
    decimals = max((len(f"{v:.{_DECIMALS}f}".rstrip("0").split(".")[1]) for v in plain), default=1) or 1
    return [f"{v:.{decimals}f}" if isinstance(v, float) and _plain(v) else None if v is None else value_text(v) for v in values]


def _plain(value: float) -> bool:
    return math.isfinite(value) and (value == 0 or 1e-3 <= abs(value) < 1e15)


def value_text(value: object) -> str:
    """One value for people."""
    match value:
        case str():
            return value if len(value) <= _TEXT else value[:_TEXT] + "…"
        case bool():
            return "true" if value else "false"
        case float():
            return f"{value:.6g}"
        case Decimal():
            return f"{value:f}"
        case datetime():
            return _moment(value)
        case bytes():
            return "0x" + value[: _TEXT // 2].hex() + ("…" if len(value) > _TEXT // 2 else "")
        case dict() | list() | tuple():
            return json.dumps(json_value(value), ensure_ascii=False)
        case _:
            return str(value)


def _moment(value: datetime) -> str:
    text = value.isoformat(sep=" ")
    return text.removesuffix(":00") if value.tzinfo is not None and value.utcoffset() == timedelta(0) and text.endswith("+00:00") else text


def json_value(value: object) -> object:
    """One value as JSON data: ISO 8601 times, base64 bytes, null for what is no number; a long decimal stays text, to lose no digit."""
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else None
        case Decimal():
            return _decimal(value)
        case datetime() | date() | time():
            return value.isoformat()
        case bytes():
            return base64.b64encode(value).decode("ascii")
        case dict():
            return {str(k): json_value(v) for k, v in value.items()}
        case list() | tuple():
            return [json_value(v) for v in value]
        case _:
            return str(value)


def _decimal(value: Decimal) -> object:
    if value.is_finite() and len(value.as_tuple().digits) <= _EXACT_DIGITS:
        return int(value) if value == value.to_integral_value() and value.as_tuple().exponent == 0 else float(value)
    return f"{value:f}"
