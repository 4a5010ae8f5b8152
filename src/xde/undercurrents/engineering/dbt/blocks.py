"""The blocks that dbt adds to Jinja (tests, snapshots, docs, materializations) and macros, cut out of files with their lines kept."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_KINDS = "macro|test|data_test|materialization|snapshot|docs"
_TAG = re.compile(
    r"\{#.*?#\}"
    r"|\{%-?\s*raw\s*-?%\}.*?\{%-?\s*endraw\s*-?%\}"
    rf"|\{{%[-+]?\s*(?P<end>end)?(?P<kind>{_KINDS})\b(?P<rest>.*?)[-+]?%\}}",
    re.DOTALL,
)
_NAME = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]*)")


@dataclass(frozen=True, slots=True)
class Block:
    """A block: what stands between its tags, the line of its first tag, and all of its text with the tags."""

    kind: str
    name: str
    line: int
    body_line: int
    body: str
    whole: str

    @property
    def template(self) -> str:
        """The block as a macro, with as many empty lines before it as there are lines above it in its file."""
        text = self.whole
        if self.kind in {"test", "data_test"}:
            text = re.sub(rf"(\{{%[-+]?\s*){self.kind}(\s+)", r"\1macro\2test_", text, count=1)
            text = re.sub(rf"(\{{%[-+]?\s*)end{self.kind}(\s*[-+]?%\}})\Z", r"\1endmacro\2", text)
        return "\n" * (self.line - 1) + text

    @property
    def macro(self) -> str:
        """The name that the macro has."""
        return f"test_{self.name}" if self.kind in {"test", "data_test"} else self.name


def blocks(text: str) -> Iterator[Block]:
    """The outermost blocks of a file, in their order; one that is never closed ends with the file."""
    opened: re.Match[str] | None = None
    depth = 0
    for tag in _TAG.finditer(text):
        kind = tag["kind"]
        if kind is None:
            continue
        if opened is None:
            if tag["end"] is None:
                opened, depth = tag, 1
        elif kind == opened["kind"]:
            depth += -1 if tag["end"] else 1
            if depth == 0:
                yield _block(text, opened, tag.start(), tag.end())
                opened = None
    if opened is not None:
        yield _block(text, opened, len(text), len(text))


def _block(text: str, opened: re.Match[str], body_end: int, end: int) -> Block:
    name = _NAME.match(opened["rest"])
    return Block(
        opened["kind"],
        name[1] if name else "",
        text.count("\n", 0, opened.start()) + 1,
        text.count("\n", 0, opened.end()) + 1,
        text[opened.end() : body_end],
        text[opened.start() : end],
    )
