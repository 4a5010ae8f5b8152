"""Where a piece of code was running when it raised."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from traceback import FrameSummary


def place_of(frame: FrameSummary) -> tuple[str, int, int, int]:
    """File, line and columns of what was running, in characters from 1; the end is 0 where it is in another line."""
    line = frame.lineno or 1
    if frame.colno is None or frame.end_colno is None:
        return frame.filename, line, 1, 0
    lines = Path(frame.filename).read_bytes().splitlines()
    text = lines[line - 1] if line <= len(lines) else b""
    first, last = (len(text[:n].decode(errors="replace")) + 1 for n in (frame.colno, frame.end_colno))
    return frame.filename, line, first, last if frame.end_lineno == line else 0
