"""How fast a source may be read: a pause after each portion that came sooner than it may."""

from __future__ import annotations

import time
from datetime import UTC
from datetime import time as of_day
from typing import TYPE_CHECKING

from xde.ground.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from xde.ground.clock import Clock
    from xde.lifecycle.sources.tables import Limits

LONGEST = 1.0  # seconds: a pause is made of such pieces, so that one that is interrupted ends soon


class Pace:
    """Counts what was read, and sleeps so that it is no more a second than the limits allow."""

    def __init__(self, limits: Limits, clock: Clock | None = None, sleep: Callable[[float], None] = time.sleep) -> None:
        self._limits = limits
        self._clock = clock or SystemClock()
        self._sleep = sleep
        self._began = self._clock.monotonic()
        self.rows = 0
        self.bytes = 0

    def took(self, rows: int, size: int) -> None:
        """Note what was read; comes back when the next may be asked for."""
        self.rows += rows
        self.bytes += size
        due = 0.0
        if self._limits.rows_per_second:
            due = self.rows / self._limits.rows_per_second
        if self._limits.bytes_per_second:
            due = max(due, self.bytes / self._limits.bytes_per_second)
        while due and (left := due - self.seconds) > 0:
            self._sleep(min(left, LONGEST))

    @property
    def seconds(self) -> float:
        """How long it has taken so far."""
        return self._clock.monotonic() - self._began

    def cost(self) -> dict[str, object]:
        """What is told of it."""
        return {"rows": self.rows, "bytes": self.bytes, "seconds": round(self.seconds, 3)}


def within_hours(hours: str | None, now: datetime) -> bool:
    """Whether a moment is in hours such as `22:00-05:30` (UTC, the end exclusive; they may go over midnight)."""
    if hours is None:
        return True
    start, _, end = hours.partition("-")
    first, last = of_day.fromisoformat(start), of_day.fromisoformat(end)
    at = now.astimezone(UTC).time()
    return first <= at < last if first <= last else at >= first or at < last
