"""Lineage as a tree: what a column or a dataset is made from, or who reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xde.faces.words.cells import cut, visible
from xde.faces.words.ink import PLAIN, Ink

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xde.app.answers import LineageNode

_EXPRESSION = 80


def lineage_text(node: LineageNode, *, ink: Ink = PLAIN) -> str:
    """The tree with box characters; ends with a line end."""
    return "\n".join([_said(node, ink), *_below(node, "", ink)]) + "\n"


def _below(node: LineageNode, margin: str, ink: Ink) -> Iterator[str]:
    for index, parent in enumerate(node.parents):
        last = index == len(node.parents) - 1
        yield ink("dim", margin + ("└── " if last else "├── ")) + _said(parent, ink)
        yield from _below(parent, margin + ("    " if last else "│   "), ink)


def _said(node: LineageNode, ink: Ink) -> str:
    details = "  ".join(
        p for p in (node.type, node.how, cut(" ".join(visible(node.expression.replace("\n", " ")).split()), _EXPRESSION)) if p
    )
    readers = f"  read by {', '.join(str(r) for r in node.readers)}" if node.readers else ""
    name = ink("strong", visible(node.name))
    return name + (ink("dim", "  " + details) if details else "") + readers


def lineage_fact(node: LineageNode) -> dict[str, object]:
    """The tree as JSON data."""
    return {
        "name": node.name,
        "kind": node.kind,
        "how": node.how,
        "type": node.type,
        "expression": node.expression,
        "parents": [lineage_fact(p) for p in node.parents],
        "readers": [str(r) for r in node.readers],
    }
