"""Time that a test can set; nothing else in the house asks the machine what time it is."""

from __future__ import annotations

import time
from dataclasses import field
from datetime import UTC, datetime, timedelta
from typing import Protocol

from xde.ground.records import dataclass


class Clock(Protocol):
    """Gives the present moment."""

    def now(self) -> datetime:
        """The present, in UTC with its zone."""
        ...

    def monotonic(self) -> float:
        """Seconds from a fixed but unknown moment; never goes back."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """The present, in UTC with its zone."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds since the machine started, roughly."""
        return time.monotonic()


@dataclass(slots=True)
class SetClock:
    """A clock for tests: it stands still until it is told to go on."""

    at: datetime = field(default_factory=lambda: datetime(2026, 1, 1, tzinfo=UTC))

    def now(self) -> datetime:
        """The moment it was set to."""
        return self.at

    def monotonic(self) -> float:
        """The moment it was set to, in seconds."""
        return self.at.timestamp()

    def advance(self, by: timedelta) -> None:
        """Let time pass."""
        self.at += by
