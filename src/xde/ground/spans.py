"""Where in a user's file a thing was said, so that every complaint can point at it."""

from __future__ import annotations

from xde.ground.records import dataclass


@dataclass(frozen=True)
class Span:
    """A stretch of a text file; lines and columns count from 1 in characters, the end column is exclusive.

    The path is relative to the project where it can be; the excerpt is read from the file when it is shown.
    """

    path: str
    line: int = 1
    column: int = 1
    end_line: int = 0
    end_column: int = 0

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"
