"""What a broker must be able to do that keeps nothing for those who ask later: hand over what devices say, and keep it until we have it.

There are no offsets. The broker keeps a *session* for us, with all that came while we were away; it forgets a message when we acknowledge
it, which we do when the message is on our disk.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from xde.ground.records import dataclass

if TYPE_CHECKING:
    from xde.ground.spans import Span
    from xde.lifecycle.sources.tables import Looked, Place

Acknowledge = Callable[[], None]
Take = Callable[[bytes, str, Acknowledge], None]
"""Takes the bytes of a message, its topic, and what is to be called once it is safe."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """What is listened to: a topic, perhaps with wildcards. `told` are the words asked for besides what a message has in it."""

    dataset: str
    place: Place
    topic: str
    told: tuple[str, ...] = ()
    connect_timeout: float = 10.0
    span: Span | None = None


class Devices(Protocol):
    """One subscription by one session. `tell` hears what happens to the connection, in words."""

    def begin(self, take: Take, tell: Callable[[str], None]) -> None:
        """Connect, and hand over what comes, in a thread of its own, until `end`. Raises what keeps it from beginning."""
        ...

    def idle(self) -> float:
        """Seconds since something was handed over or acknowledged, or since it began."""
        ...

    def end(self) -> None:
        """Disconnect; the session stays."""
        ...

    def look(self) -> list[Looked]:
        """What stands between us and the messages."""
        ...
