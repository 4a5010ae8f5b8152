"""How a stream of events is read: its partitions, how far each was read, and what is known of an event.

A stream has *partitions*, each with an order of its own. How far one was read is a *mark*. The marks of all are the position, which stands
in the commit of the rows themselves: what the broker is told (of a consumer group) comes after that, and decides nothing.
"""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from xde.ground.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


TOPIC, PARTITION, OFFSET, KEY, TIMESTAMP, HEADERS = TOLD = ("$topic", "$partition", "$offset", "$key", "$timestamp", "$headers")
"""What is known of an event besides what is in it, by the names that a contract asks for it with."""


@dataclass(frozen=True, slots=True)
class Stream:
    """How the events of a stream are read, as the contract says it.

    `payload` is the field of an entry (of Redis) that has the record as JSON; where it is empty, the fields are the record. `subject` are
    the only events that are read (of NATS). `group` is told how far was read. `latest`: the first load begins with what comes after it.
    `passing` says that the load goes on behind events that are no longer there. `had` is where a table begins that is to be read anew.
    """

    told: tuple[str, ...] = ()
    payload: str = ""
    subject: str = ""
    group: str = ""
    latest: bool = False
    passing: bool = False
    batch: int = 50_000
    every: float = 10.0  # seconds between two loads by a process that goes on
    once: bool = False  # only for a lake that is thrown away
    had: Mapping[str, object] | None = None

    def meaning(self) -> object:
        """What of it decides which rows there are and what stands in them."""
        return [self.payload, self.subject]


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a partition was read: the place of the last event that was, and how many there had ever been up to it."""

    at: str
    count: int


@dataclass(frozen=True, slots=True)
class Extent:
    """A partition as it is now: the mark before the oldest event that is there, and the one of the newest.

    Seen from a mark: `lost` events behind it are no longer there; `broken` says why the mark is none of this stream.
    """

    begin: Mark
    end: Mark
    lost: int = 0
    broken: str = ""


def numbered(first: int, following: int, mark: Mark | None) -> Extent:
    """The extent of a partition whose events are numbered: `first` were before those that are there, `following` before the next."""
    begin, end = Mark(str(first), first), Mark(str(following), following)
    if mark is None:
        return Extent(begin, end)
    broken = f"{mark.count:,} events were read of it, and it has never had more than {following:,}" if mark.count > following else ""
    return Extent(begin, end, max(0, first - mark.count), broken)


@dataclass(frozen=True, slots=True)
class Event:
    """A message: its place as it is told and kept, its bytes, and what is told of it (`told` by the words of `TOLD`)."""

    place: str
    body: bytes
    told: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fetched:
    """Some events after a mark, the mark behind them, and whether all was handed over up to where was asked for.

    No event and not all: those that come next went away meanwhile.
    """

    events: Sequence[Event]
    mark: Mark
    whole: bool
