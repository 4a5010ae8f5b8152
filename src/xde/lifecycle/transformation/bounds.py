"""An interval as a query knows it: bounds of a time column's own kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xde.kernel.plan.intervals import parse_moment

if TYPE_CHECKING:
    from xde.kernel.plan.plan import Interval


def bounds_of(interval: Interval, kind: str) -> tuple[object, object]:
    """The first moment within and the first after, for a column of a type: dates, moments, or moments with a zone."""
    low, high = parse_moment(interval.start), parse_moment(interval.end)
    wanted = kind.upper()
    if wanted == "DATE":
        return low.date(), high.date()
    if wanted.startswith("TIMESTAMP") and ("ZONE" in wanted or wanted == "TIMESTAMPTZ"):
        return low, high
    return low.replace(tzinfo=None), high.replace(tzinfo=None)
