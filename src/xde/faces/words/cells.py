"""How many cells of a terminal a text takes, and how to show what would move the cursor or lie to the reader."""

from __future__ import annotations

import unicodedata

_NAMED = {"\n": "↵", "\r": "␍", "\t": "␉", "\x7f": "␡"}
_HIDDEN = frozenset({"Cc", "Cs", "Zl", "Zp"})
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f")  # reorder what stands beside them


def visible(text: str) -> str:
    """The text with every control character, lone surrogate and change of direction made visible; never a raw escape."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else _shown(c) for c in text)


def _shown(char: str) -> str:
    if char in _NAMED:
        return _NAMED[char]
    if ord(char) < 0x20:
        return chr(0x2400 + ord(char))
    if char in _TURNING or unicodedata.category(char) in _HIDDEN:
        return f"\\u{ord(char):04x}" if ord(char) > 0xFF else f"\\x{ord(char):02x}"
    return char


def width(text: str) -> int:
    """Cells of a text without control characters; wide East Asian characters take two (UAX #11), combining ones none."""
    if text.isascii():
        return len(text)
    return sum(_cells(c) for c in text)


def _cells(char: str) -> int:
    if char < "\u0300":
        return 1
    if unicodedata.combining(char) or unicodedata.category(char) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(char) in {"W", "F"} else 1


def cut(text: str, cells: int) -> str:
    """The text, or as much of it as goes into the cells with `…` at its end."""
    if width(text) <= cells:
        return text
    if text.isascii():
        return text[: max(cells - 1, 0)] + "…"
    taken, used = [], 0
    for char in text:
        used += _cells(char)
        if used > cells - 1:
            break
        taken.append(char)
    return "".join(taken) + "…"


def fitted(text: str, cells: int, *, right: bool = False) -> str:
    """The text cut or filled to just these cells."""
    if not text.isascii():
        return pad(cut(text, cells), cells, right=right)
    if len(text) > cells:
        text = cut(text, cells)
    return text.rjust(cells) if right else text.ljust(cells)


def pad(text: str, cells: int, *, right: bool = False) -> str:
    """The text filled with blanks to the cells, on its left if it is to stand right."""
    blanks = " " * (cells - width(text))
    return blanks + text if right else text + blanks
