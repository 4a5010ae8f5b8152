"""What a doctor tells of a server besides the way to it: how long an answer takes, whether its clock agrees with ours, what runs out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

from xde.ground.clock import SystemClock
from xde.lifecycle.sources.tables import Looked

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from xde.lifecycle.sources.tables import Ask


@runtime_checkable
class StoreServed(Protocol):
    """A store of files that can tell of its server."""

    def look(self, root: str) -> Sequence[Looked]:
        """What is to be known of it. Raises `UserError` or `TemporaryError` where it is not open."""
        ...


SKEW = 5.0
"""Seconds by which two clocks may differ: servers that are set by the network differ by a fraction of one."""
FAR = 0.2
"""Seconds for an answer to the least of all questions: more is felt, for a plan asks a few times for every table."""
TIMES = 3


@runtime_checkable
class Served(Protocol):
    """A source that can tell of its server what is the same for all of its tables."""

    def server(self, ask: Ask) -> list[Looked]:
        """What is to be known of it; the way to it was gone by others. Raises `UserError` or `TemporaryError` where it is not open."""
        ...


def clock_of(ask: Callable[[], datetime], whose: str = "the server's", what_for: str = "") -> Looked:
    """How far the clock of a server is from ours; `ask` gives its time, and the half of what the answer took is taken off."""
    clock = SystemClock()
    began, before = clock.now(), clock.monotonic()
    there = ask()
    took = clock.monotonic() - before
    return apart((began - there).total_seconds() + took / 2, took / 2, whose, what_for)


def apart(seconds: float, unsure: float, whose: str = "the server's", what_for: str = "") -> Looked:
    """What is told of two clocks; `seconds` is how far ours is ahead, `unsure` how exactly that is known."""
    far = abs(seconds)
    if far <= SKEW + unsure:
        return Looked("clock", well=True, told=f"{far:.1f} s apart" if far >= 0.05 else "the same as here")
    why = what_for or "how old data is, and a cursor or a lag by time, are off by as much"
    told = f"this machine's is {_amount(far)} {'ahead of' if seconds > 0 else 'behind'} {whose}: {why}"
    return Looked("clock", well=True, warns=True, told=told, mend="set both by the network: `timedatectl set-ntp true`")


def round_trip(ask: Callable[[], object]) -> Looked:
    """How long an answer takes, the shortest of a few."""
    clock = SystemClock()
    found = []
    for _ in range(TIMES):
        before = clock.monotonic()
        ask()
        found.append(clock.monotonic() - before)
    least = min(found)
    told = f"{least * 1000:.1f} ms" if least < 1 else f"{least:.1f} s"
    if least <= FAR:
        return Looked("round trip", well=True, told=told)
    mend = "run xde nearer to it, or look at what is between"
    return Looked("round trip", well=True, warns=True, told=f"{told}: a plan asks a few times for every table", mend=mend)


def tls(words: str, host: str, mend: str) -> Looked:
    """Whether what goes over the wire is encrypted: `words` say how, and are empty where it is not."""
    if words:
        return Looked("TLS", well=True, told=words)
    if host in {"", "localhost", "::1"} or host.startswith(("127.", "/")):
        return Looked("TLS", well=True, told="not in use, on this machine")
    told = "not in use: whoever is between can read the rows, and change them"
    return Looked("TLS", well=True, warns=True, told=told, mend=mend)


def _amount(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 120 else f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
