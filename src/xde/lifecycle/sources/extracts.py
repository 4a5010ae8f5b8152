"""What is asked of a source of dlt, as its contract says it: the function that gives it, its resource, which records are meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xde.ground.records import dataclass

if TYPE_CHECKING:
    from xde.lifecycle.sources.apis import Carried, Path

KIND = "dlt"


@dataclass(frozen=True, slots=True)
class Extract:
    """The resource of a source; `source` is `module:function`, `arguments` are its own as JSON, in which texts may be references.

    `inner` and `carried` are as those of a `Request`. `mode` is append, merge or replace. `known` are the members that the contract
    knows; where `tells`, others are told.
    """

    source: str
    arguments: str
    resource: str
    mode: str
    inner: tuple[Path, ...] = ()
    carried: tuple[Carried, ...] = ()
    known: tuple[str, ...] = ()
    tells: bool = False

    def meaning(self) -> object:
        """What of it decides which rows there are and what stands in them; what references stand for does not."""
        carried = [[c.name, c.up, list(c.path)] for c in self.carried]
        return [self.source, self.arguments, [list(i) for i in self.inner], carried]
