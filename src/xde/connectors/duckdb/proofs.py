"""What the statistics of Parquet files prove of a rule, without a row being read. A doubt is no proof."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xde.kernel.plan.checks import Check
    from xde.lifecycle.storage.port import DataFile, Statistics


def proved(check: Check, files: Sequence[DataFile]) -> bool:
    """Whether every file proves the rule."""
    if not check.proof:
        return False
    column = check.columns[0]
    return all(_proves(check.proof, f.statistics.get(column), f.rows) for f in files)


def _proves(proof: tuple[object, ...], told: Statistics | None, rows: int) -> bool:
    if told is None:
        return False
    if proof[0] == "not_null":
        return told.nulls == 0
    if proof[0] != "range":
        return False
    if told.nulls == rows:
        return True
    _, low, high, low_open, high_open = proof
    return _beyond(told.low, low, strict=bool(low_open), upwards=True) and _beyond(told.high, high, strict=bool(high_open), upwards=False)


def _beyond(bound: str | None, limit: object, *, strict: bool, upwards: bool) -> bool:
    """Whether a file's bound keeps within a limit; None for no limit. Only numbers and dates are compared here."""
    if limit is None:
        return True
    if bound is None:
        return False
    pair = _numbers(bound, str(limit)) or _moments(bound, str(limit))
    if pair is None:
        return False
    near, far = pair if upwards else (pair[1], pair[0])
    return near > far if strict else near >= far  # type: ignore[operator]  # both are of one kind


def _numbers(one: str, other: str) -> tuple[Decimal, Decimal] | None:
    try:
        pair = Decimal(one), Decimal(other)
    except InvalidOperation:
        return None
    return pair if all(n.is_finite() for n in pair) else None


def _moments(one: str, other: str) -> tuple[datetime, datetime] | None:
    try:
        pair = _moment(one), _moment(other)
    except ValueError:
        return None
    return pair


def _moment(text: str) -> datetime:
    cleaned = text.strip().replace(" ", "T", 1)
    if cleaned.endswith("+00"):
        cleaned += ":00"
    moment = datetime.fromisoformat(cleaned) if len(cleaned) > 10 else datetime.combine(date.fromisoformat(cleaned), datetime.min.time())
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
