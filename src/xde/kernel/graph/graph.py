"""Who reads whom: upstream, downstream, an order, and the circles there must not be."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


class Graph:
    """Datasets and the datasets that each of them reads."""

    def __init__(self, upstream: Mapping[str, Iterable[str]]) -> None:
        self.upstream = {name: tuple(parents) for name, parents in upstream.items()}
        self.downstream: dict[str, list[str]] = {name: [] for name in self.upstream}
        for name, parents in self.upstream.items():
            for parent in parents:
                self.downstream.setdefault(parent, []).append(name)

    def ancestors(self, name: str) -> set[str]:
        """All that a dataset is made from."""
        return _reached(name, self.upstream)

    def descendants(self, name: str) -> set[str]:
        """All that is made from a dataset."""
        return _reached(name, self.downstream)

    def order(self) -> tuple[list[str], list[str]]:
        """The datasets, inputs first, and a circle (`a b a`) if there is one; what hangs on it is left out of the order."""
        state: dict[str, int] = {}
        order: list[str] = []
        for root in sorted(self.upstream):
            path: list[str] = []
            stack: list[tuple[str, int]] = [(root, 0)]
            while stack:
                name, position = stack.pop()
                if position == 0:
                    if state.get(name) == 2:
                        continue
                    if state.get(name) == 1:
                        return order, [*path[path.index(name) :], name]
                    state[name] = 1
                    path.append(name)
                parents = self.upstream.get(name, ())
                if position < len(parents):
                    stack += [(name, position + 1), (parents[position], 0)]
                else:
                    state[name] = 2
                    path.pop()
                    order.append(name)
        return order, []


def _reached(name: str, edges: Mapping[str, Sequence[str]]) -> set[str]:
    found: set[str] = set()
    waiting = list(edges.get(name, ()))
    while waiting:
        near = waiting.pop()
        if near not in found:
            found.add(near)
            waiting += edges.get(near, ())
    return found
