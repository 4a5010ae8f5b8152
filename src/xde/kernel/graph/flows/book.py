"""The flows that a project may call: each is loaded when it is first called, and all of them are known by name before."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from xde.kernel.graph.flows.signature import Flow


class FlowBook:
    """Flows by name; `loaders` give a flow when it is asked for. One that is not `whole` lacks flows that could not be read."""

    def __init__(self, loaders: Mapping[str, Callable[[], Flow]], *, whole: bool = True) -> None:
        self._loaders = dict(loaders)
        self.whole = whole
        self.called = re.compile(rf"\b(?:{'|'.join(map(re.escape, sorted(self._loaders)))})\s*\(", re.IGNORECASE)
        self._loaded: dict[str, Flow] = {}

    @property
    def names(self) -> frozenset[str]:
        """The names of all, in lower case."""
        return frozenset(self._loaders)

    def flow(self, name: str) -> Flow | None:
        """A flow by its name."""
        folded = name.lower()
        if folded not in self._loaders:
            return None
        if folded not in self._loaded:
            self._loaded[folded] = self._loaders[folded]()
        return self._loaded[folded]
