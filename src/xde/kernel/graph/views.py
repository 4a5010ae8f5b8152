"""Which views the engine must know before it can run a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xde.kernel.graph.graph import Graph
    from xde.kernel.project.declarations import Project


def views_needed(graph: Graph, project: Project, dataset: str) -> tuple[str, ...]:
    """The views that a model reads, by itself or through views, in an order in which they can be made; tables end the search."""
    models = project.models
    found: dict[str, None] = {}
    stack: list[tuple[str, int]] = [(dataset, 0)]
    while stack:
        name, position = stack.pop()
        parents = graph.upstream.get(name, ())
        if position < len(parents):
            stack.append((name, position + 1))
            parent = parents[position]
            if parent in models and not models[parent].head.stored and parent not in found:
                stack.append((parent, 0))
        elif name != dataset:
            found[name] = None
    return tuple(found)
