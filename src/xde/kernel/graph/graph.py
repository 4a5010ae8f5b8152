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

    @property
    def nodes(self) -> tuple[str, ...]:
        """Every dataset, also one that is only read."""
        return tuple(self.downstream)

    def ancestors(self, name: str) -> set[str]:
        """All that a dataset is made from."""
        return _reached(name, self.upstream)

    def descendants(self, name: str) -> set[str]:
        """All that is made from a dataset."""
        return _reached(name, self.downstream)

    def order(self) -> tuple[list[str], list[list[str]]]:
        """The datasets, inputs first, and every circle that the search meets (`a b a`); without circles the order holds for all."""
        done: dict[str, None] = {}
        circles: list[list[str]] = []
        for root in sorted(self.nodes):
            path: dict[str, int] = {root: 0} if root not in done else {}
            while path:
                name, position = next(reversed(path.items()))
                parents = self.upstream.get(name, ())
                if position == len(parents):
                    path.pop(name)
                    done[name] = None
                    continue
                path[name] += 1
                parent = parents[position]
                if parent in path:
                    names = list(path)
                    circles.append([*names[names.index(parent) :], parent])
                elif parent not in done:
                    path[parent] = 0
        return list(done), circles


def _reached(name: str, edges: Mapping[str, Sequence[str]]) -> set[str]:
    found: set[str] = set()
    waiting = list(edges.get(name, ()))
    while waiting:
        near = waiting.pop()
        if near not in found:
            found.add(near)
            waiting += edges.get(near, ())
    return found
