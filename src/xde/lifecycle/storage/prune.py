"""Which files can hold a row, by their statistics alone: a doubt counts as a yes."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from xde.ground.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xde.lifecycle.storage.port import DataFile, Schema

WHOLE = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT"}


@dataclass(frozen=True, slots=True)
class Range:
    """The values of a column in a file, on one scale: no value lies outside the bounds, and null is among them or not."""

    low: Any
    high: Any
    nulls: bool
    values: bool = True


def may_hold(file: DataFile, column: str, start: object, end: object) -> bool:
    """Whether a file may have a row with `start` <= column < `end`; the bounds are dates or datetimes, without a zone in UTC."""
    told = file.statistics.get(column)
    if told is None or told.low is None or told.high is None:
        return told is None or told.nulls != file.rows
    low, high = moment_of(told.low), moment_of(told.high)
    if low is None or high is None:
        return True
    return not (high < _as_moment(start) or low >= _as_moment(end))


def touched_by_keys(files: Sequence[DataFile], others: Sequence[DataFile], key: Sequence[str], schema: Schema) -> tuple[DataFile, ...]:
    """The files that may share a key with any of the others, NULL being equal to NULL."""
    types = {c.name: c.type.upper() for c in schema}
    there = [_ranges(other, key, types) for other in others]
    return tuple(f for f in files if any(_meet(_ranges(f, key, types), ranges) for ranges in there))


def range_of(file: DataFile, column: str, kind: str) -> Range | None:
    """What is sure of a column's values in a file; None when nothing is."""
    told = file.statistics.get(column)
    if told is None:
        return None
    nulls = told.nulls != 0
    if told.nulls is not None and told.nulls == file.rows:
        return Range(None, None, nulls, values=False)
    if told.low is None or told.high is None:
        return None
    low, high = on_scale(told.low, kind), on_scale(told.high, kind)
    return None if low is None or high is None else Range(low, high, nulls)


def on_scale(text: str, kind: str) -> Any:  # noqa: ANN401 - whatever can be compared with another of the same type
    """A bound as a value that compares as the engine compares: text by its UTF-8 bytes. None for what has no such value."""
    if kind == "VARCHAR":
        return text.encode("utf-8", "surrogatepass")
    if kind in WHOLE or kind.startswith("DECIMAL"):
        return _number(text)
    if kind in {"FLOAT", "DOUBLE"}:
        return _finite(text)
    return moment_of(text) if kind == "DATE" or kind.startswith("TIMESTAMP") else None


def _ranges(file: DataFile, key: Sequence[str], types: Mapping[str, str]) -> list[Range | None]:
    return [range_of(file, column, types.get(column, "")) for column in key]


def _meet(here: Sequence[Range | None], there: Sequence[Range | None]) -> bool:
    return all(a is None or b is None or _share(a, b) for a, b in zip(here, there, strict=True))


def _share(a: Range, b: Range) -> bool:
    if a.nulls and b.nulls:
        return True
    return bool(a.values and b.values and a.low <= b.high and b.low <= a.high)


def _number(text: str) -> Decimal | None:
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    return value if value.is_finite() else None


def _finite(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def moment_of(text: str) -> datetime | None:
    """A date's or timestamp's text as a moment in UTC; None for one that Python has no value for."""
    try:
        return _as_moment(datetime.fromisoformat(text.strip()))
    except (ValueError, OverflowError):
        return None


def _as_moment(value: object) -> datetime:
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    msg = f"not a time: {value!r}"
    raise TypeError(msg)
