"""What a broker that is a source must be able to do: say how far its events go, and hand them over in their order, as often as asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xde.lifecycle.sources.streams import Extent, Fetched, Mark
    from xde.lifecycle.sources.tables import Ask, Looked


class Broker(Protocol):
    """One server. What is wrong comes out as `UserError` with findings, what may pass as `TemporaryError`."""

    def identity(self, ask: Ask) -> str:
        """What tells this stream from another one of its name; empty where the server has nothing of the kind."""
        ...

    def extents(self, ask: Ask, marks: Mapping[str, Mark]) -> Mapping[str, Extent]:
        """Every partition by its name, seen from how far it was read."""
        ...

    def fetch(self, ask: Ask, partition: str, span: tuple[Mark, Mark], most: int) -> Fetched:
        """Some of the events after a mark, up to and with another one."""
        ...

    def tell(self, ask: Ask, marks: Mapping[str, Mark]) -> None:
        """Tell the consumer group of the contract how far was read."""
        ...

    def look(self, ask: Ask) -> list[Looked]:
        """What stands between us and the events, from the name of the host to the rights on the stream."""
        ...

    def close(self) -> None:
        """Let go of the connection."""
        ...
