"""Which files can hold a row, by their statistics alone: a doubt counts as a yes."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xde.lifecycle.storage.port import DataFile, Schema, Statistics


def may_hold(file: DataFile, column: str, start: object, end: object) -> bool:
    """Whether a file may have a row with `start` <= column < `end`; the bounds are dates or datetimes."""
    told = file.statistics.get(column)
    if told is None or told.low is None or told.high is None:
        return told is None or told.nulls != file.rows
    low, high = _moment(told.low), _moment(told.high)
    if low is None or high is None:
        return True
    return not (high < _as_moment(start) or low >= _as_moment(end))


def may_overlap(file: DataFile, others: Sequence[DataFile], key: Sequence[str], schema: Schema) -> bool:
    """Whether a file may share a key with any of the others: it does not where one key column's ranges lie apart."""
    types = {c.name: c.type.upper() for c in schema}
    return any(all(_ranges_meet(file, other, column, types.get(column, "")) for column in key) for other in others)


def _ranges_meet(one: DataFile, other: DataFile, column: str, kind: str) -> bool:
    a, b = one.statistics.get(column), other.statistics.get(column)
    if a is None or b is None or a.nulls or b.nulls or a.nulls is None or b.nulls is None:
        return True
    bounds = _comparable(a, b, kind)
    if bounds is None:
        return True
    a_low, a_high, b_low, b_high = bounds
    return not (a_high < b_low or b_high < a_low)


def _comparable(a: Statistics, b: Statistics, kind: str) -> tuple[Any, ...] | None:
    """Low and high of both on one scale: numbers by value, text by its UTF-8 bytes (the order that engines use), else unknown."""
    words = [t for t in (a.low, a.high, b.low, b.high) if t is not None]
    if len(words) < 4:
        return None
    if kind == "VARCHAR":
        return tuple(w.encode() for w in words) if a.exact and b.exact else None
    if kind.endswith("INT") or kind.startswith("DECIMAL") or kind == "INTEGER":
        numbers = [n for n in map(_number, words) if n is not None]
        return tuple(numbers) if len(numbers) == 4 else None
    if kind == "DATE":
        return tuple(w.encode() for w in words)
    return None


def _number(text: str) -> Decimal | None:
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    return value if value.is_finite() else None


def _moment(text: str) -> datetime | None:
    cleaned = text.strip().replace(" ", "T", 1)
    try:
        return _as_moment(datetime.fromisoformat(cleaned + ":00" if cleaned.endswith("+00") else cleaned))
    except ValueError:
        return None


def _as_moment(value: object) -> datetime:
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    msg = f"not a time: {value!r}"
    raise TypeError(msg)
