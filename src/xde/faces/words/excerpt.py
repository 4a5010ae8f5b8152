"""The user's own line under a complaint, with a caret below the place that is meant."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from xde.faces.words.cells import cut, visible, width
from xde.faces.words.ink import PLAIN, Ink

if TYPE_CHECKING:
    from pathlib import Path

    from xde.ground.spans import Span

TAB = "    "
_HEAD, _TAIL = 4, 2  # lines shown of a long span
_FILE_BYTES = 64_000_000  # above this a file is data, and not searched for a line


def excerpt(root: Path, span: Span, label: str = "", *, ink: Ink = PLAIN, cells: int = 100) -> tuple[list[str], int]:
    """The lines below `-->`, each with its gutter, and the digits of that gutter; no lines if the place cannot be read."""
    last = max(span.end_line, span.line)
    lines = _read(root / span.path, span.line, last)
    digits = len(str(min(last, span.line + len(lines) - 1))) if lines else 1
    if not lines:
        return [], digits
    if len(lines) == 1:
        return _one(lines[0], span, label, (digits, cells, ink)), digits
    return _several(lines, span, label, (digits, cells, ink)), digits


def gutter(number: int | None, digits: int, ink: Ink = PLAIN) -> str:
    """The margin of an excerpt: a line's number, or blanks, and the bar."""
    text = "" if number is None else str(number)
    return ink("mark", f" {text:>{digits}} |")


def pointed(line: str, start: int, end: int, cells: int) -> tuple[str, int, int]:
    """A line as a terminal can show it, cut around what is pointed at: the text, the caret's first cell, its length in cells.

    `start` and `end` are character offsets from 0, the end exclusive.
    """
    start = min(start, len(line))
    end = max(start + 1, min(end, len(line)))
    first = max(0, start - 4 * cells)
    kept = line[first : start + 4 * cells]
    start, end = start - first, min(end - first, len(kept) + 1)
    before, under, after = (_flat(kept[:start]), _flat(kept[start:end]), _flat(kept[end:]))
    left_cut = first > 0
    if width(before) + width(under) + width(after) > cells or left_cut:
        room = cells // 3
        under = cut(under, cells // 2)
        if width(before) > room and (left_cut or width(before) + width(under) + min(width(after), room) > cells):
            before = "…" + _last(before, room - 1)
        after = cut(after, max(cells - width(before) - width(under), 1))
    return before + under + after, width(before), max(width(under), 1)


def _last(text: str, cells: int) -> str:
    taken = text[-cells:] if cells > 0 else ""
    while width(taken) > cells:
        taken = taken[1:]
    return taken


def _flat(text: str) -> str:
    return visible(text.replace("\t", TAB))


def _one(line: str, span: Span, label: str, look: tuple[int, int, Ink]) -> list[str]:
    digits, cells, ink = look
    alone = span.end_line in {0, span.line}
    end = span.end_column - 1 if alone else len(line)
    text, start, length = pointed(line, span.column - 1, end, cells)
    caret = ink("error", "^" * length + (f" {visible(label)}" if label else ""))
    return [f"{gutter(span.line, digits, ink)} {text}".rstrip(), f"{gutter(None, digits, ink)} {' ' * start}{caret}"]


def _several(lines: list[str], span: Span, label: str, look: tuple[int, int, Ink]) -> list[str]:
    digits, cells, ink = look
    shown: list[str] = []
    for index, line in enumerate(lines):
        if len(lines) > _HEAD + _TAIL + 1 and _HEAD <= index < len(lines) - _TAIL:
            if index == _HEAD:
                shown.append(f"{ink('mark', '...')}{' ' * (digits + 1)}{ink('error', '|')}")
            continue
        bar = ink("error", "/" if index == 0 else "|")
        shown.append(f"{gutter(span.line + index, digits, ink)} {bar} {cut(_flat(line[: 4 * cells]), cells)}".rstrip())
    ends = len(lines) == max(span.end_line, span.line) - span.line + 1 and span.end_column > 1
    column = span.end_column - 1 if ends else len(lines[-1])
    under = "_" * min(width(_flat(lines[-1][: max(column - 1, 0)])) + 1, cells)
    caret = ink("error", f"|{under}^" + (f" {visible(label)}" if label else ""))
    return [*shown, f"{gutter(None, digits, ink)} {caret}"]


def _read(path: Path, first: int, last: int) -> list[str]:
    """The lines of a text file, without their ends; fewer or none where there are no such lines, or it is no text."""
    try:
        if path.stat().st_size > _FILE_BYTES:
            return []
        with path.open("rb") as stream:
            raw = list(islice(stream, first - 1, last))
    except OSError:
        return []
    if any(b"\0" in line for line in raw):
        return []
    encoding = "utf-8-sig" if first == 1 else "utf-8"
    texts = [line.decode(encoding if i == 0 else "utf-8", errors="replace") for i, line in enumerate(raw)]
    if not texts and first > 1 and last == first:
        return _after_the_end(path, first)
    return [t.removesuffix("\n").removesuffix("\r") for t in texts]


def _after_the_end(path: Path, line: int) -> list[str]:
    """A parser may point one line below the last: show an empty line there."""
    with path.open("rb") as stream:
        count = sum(1 for _ in stream)
    return [""] if line == count + 1 else []
