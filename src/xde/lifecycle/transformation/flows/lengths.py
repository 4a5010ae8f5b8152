"""How long a window is: an interval as it was written, in microseconds."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from xde.kernel.graph.flows.kinds import ArgumentError

if TYPE_CHECKING:
    from xde.kernel.graph.flows.kinds import Interval

_MICROSECONDS = {
    "microsecond": 1,
    "millisecond": 1_000,
    "second": 1_000_000,
    "minute": 60_000_000,
    "hour": 3_600_000_000,
    "day": 86_400_000_000,
    "week": 604_800_000_000,
}
_PART = re.compile(r"(-?\d+)\s*([a-z]+)")


def microseconds(argument: str, interval: Interval) -> int:
    """The length of an interval of weeks, days, hours or less. Raises `ArgumentError` for one whose length is not known before it runs."""
    text = re.sub(r"^interval\b", "", interval.text.strip().lower()).replace("'", " ").strip().strip("()")
    parts = _PART.findall(text)
    if not parts or _PART.sub("", text).strip():
        raise ArgumentError(argument, f"`{interval.text}`, whose length is not known here", "write it as `INTERVAL 10 MINUTES`")
    total = 0
    for count, word in parts:
        unit = word.removesuffix("s")
        if unit not in _MICROSECONDS:
            hint = "group by `date_trunc('month', ...)`, or choose a length in days"
            raise ArgumentError(argument, f"`{interval.text}`: a {unit} has no fixed length", hint)
        total += int(count) * _MICROSECONDS[unit]
    return total


def length(argument: str, interval: Interval) -> int:
    """As `microseconds`, of what must be longer than nothing."""
    found = microseconds(argument, interval)
    if found <= 0:
        raise ArgumentError(argument, f"`{interval.text}`, which is no length", "write more than 0")
    return found


def behind(moment: str, every: int, offset: int) -> str:
    """How many microseconds lie between a moment and the last beginning of a window, counted from 1970 in UTC and the offset."""
    return f"(((epoch_us({moment}) - {offset % every}) % {every}) + {every}) % {every}"
