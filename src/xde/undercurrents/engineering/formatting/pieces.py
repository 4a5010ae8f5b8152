"""A text as pieces: each token as it is written, with the comments and the line ends that stand before it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from sqlglot import Dialect
from sqlglot.errors import TokenError

DIALECT = "duckdb"
QUOTED = frozenset(["STRING", "IDENTIFIER", "HEREDOC_STRING", "NATIONAL_STRING", "BYTE_STRING", "RAW_STRING"])
"""Kinds of tokens whose letters must stay as they are."""
_COMMENT = re.compile(r"--[^\n]*|/\*")


class UnreadableError(Exception):
    """A text that cannot be divided into tokens and comments without a rest."""


@dataclass(slots=True)
class Comment:
    """A comment as it is written; `lines` are the line ends between it and what stands before."""

    text: str
    lines: int

    @property
    def to_line_end(self) -> bool:
        """Whether nothing can follow it in its line."""
        return self.text.startswith("--")


@dataclass(slots=True)
class Piece:
    """A token: `text` as it will be written, `kind` by the tokenizer, `lines` the line ends before it (and after its last comment)."""

    text: str
    kind: str
    comments: list[Comment] = field(default_factory=list)
    lines: int = 0
    gap: bool = False

    @property
    def word(self) -> str:
        """In small letters; nothing for what stands in quotes."""
        return "" if self.kind in QUOTED else self.text.lower()

    @property
    def broken(self) -> bool:
        """Whether a line ends before it."""
        return self.lines > 0 or any(c.lines for c in self.comments)

    @property
    def blank(self) -> bool:
        """Whether an empty line stands before it, or before its first comment in a line of its own."""
        own = [c.lines for c in self.comments if c.lines]
        return (own[0] if own else self.lines) > 1

    @property
    def forces(self) -> bool:
        """Whether a comment makes it begin a line."""
        return any(c.to_line_end or c.lines or "\n" in c.text for c in self.comments)


def pieces_of(sql: str) -> tuple[list[Piece], list[Comment]]:
    """The tokens of a text, and the comments after the last. Raises `UnreadableError`."""
    try:
        tokens = Dialect.get_or_raise(DIALECT).tokenize(sql)
    except TokenError as error:
        raise UnreadableError(str(error).splitlines()[0]) from error
    found: list[Piece] = []
    at = 0
    for token in tokens:
        comments, lines = _comments(sql[at : token.start])
        text = sql[token.start : token.end + 1]
        kind = token.token_type.name
        spaced = " ".join(text.split()) if kind not in QUOTED else text
        found.append(Piece(spaced, kind, comments, lines, gap=token.start > at))
        at = token.end + 1
    return found, _comments(sql[at:])[0]


def _comments(gap: str) -> tuple[list[Comment], int]:
    """What stands between two tokens, and the line ends after the last comment."""
    found: list[Comment] = []
    at = 0
    while True:
        match = _COMMENT.search(gap, at)
        blank = gap[at : match.start() if match is not None else len(gap)]
        if blank.strip():
            msg = f"`{blank.strip()[:20]}` is no token"
            raise UnreadableError(msg)
        if match is None:
            return found, blank.count("\n")
        end = match.end() if match.group() != "/*" else _closed(gap, match.start())
        found.append(Comment(gap[match.start() : end].rstrip(), blank.count("\n")))
        at = end


def _closed(gap: str, begin: int) -> int:
    """Where a comment in `/*` ends; one may stand inside another."""
    depth = 0
    for match in re.compile(r"/\*|\*/").finditer(gap, begin):
        depth += 1 if match.group() == "/*" else -1
        if depth == 0:
            return match.end()
    msg = "a comment is not closed"
    raise UnreadableError(msg)
