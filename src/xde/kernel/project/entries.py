"""A word of ours as it has to be written: an item of `customProperties`, in one line that can be copied."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from xde.kernel.project.tree import Mapping, Scalar, Sequence

if TYPE_CHECKING:
    from xde.kernel.project.tree import Node

_OURS = re.compile("xde[A-Z]")
_TO_QUOTE = re.compile(r"[:{},\[\]#&*!|>'%@`\"]")
LONGEST = 100  # characters


def is_ours(name: str) -> bool:
    """Whether a word is written as ours are."""
    return _OURS.match(name) is not None


def as_entry(name: str, value: Node | None) -> str:
    """The item that says it."""
    written = "..." if value is None else _in_one_line(value)
    return f"{{property: {name}, value: {written if len(written) <= LONGEST else '...'}}}"


def _in_one_line(node: Node) -> str:
    if isinstance(node, Mapping):
        return "{" + ", ".join(f"{k}: {_in_one_line(v)}" for k, v in node.items.items()) + "}"
    if isinstance(node, Sequence):
        return "[" + ", ".join(_in_one_line(n) for n in node.items) + "]"
    if not isinstance(node, Scalar):
        return "..."
    return f'"{node.text}"' if isinstance(node.value, str) and _TO_QUOTE.search(node.text) else node.text
