"""Which paths a pattern means, where no disk is there to ask: as `pathlib` does, by names and folders."""

from __future__ import annotations

import fnmatch
import re
from pathlib import PurePosixPath

PARTIAL = (".part", ".partial", ".tmp", ".crdownload", ".swp", "~")
_MAGIC = re.compile(r"[*?\[]")


def whole(path: PurePosixPath) -> bool:
    """Whether it is neither hidden nor half delivered, nor the lock of an office program."""
    return not any(part.startswith((".", "~$")) for part in path.parts) and not path.name.endswith(PARTIAL)


def matcher(pattern: str) -> re.Pattern[str]:
    """What a path must match; `**` stands for folders of any depth.

    Raises `ValueError` for a pattern that leads out of its folder, or is none.
    """
    parts = PurePosixPath(pattern).parts
    if not parts or ".." in parts or parts[0] == "/":
        msg = "it leads out of the folder"
        raise ValueError(msg)
    made = ""
    for number, part in enumerate(parts):
        last = number == len(parts) - 1
        if part == "**":
            made += "(?:[^/]*/)*" + ("[^/]+" if last else "")  # in a store a folder may have an empty name
        else:
            made += _name(part) + ("" if last else "/")
    try:
        return re.compile(made + r"\Z")
    except re.error as error:
        raise ValueError(str(error)) from error


def plain_start(pattern: str) -> str:
    """As much of a pattern as stands for itself: what all its paths begin with."""
    found = _MAGIC.search(pattern)
    return pattern if found is None else pattern[: found.start()]


_PIECE = re.compile(r"\[!?\]?[^\]]*\]|.", re.DOTALL)


def _name(part: str) -> str:
    """A pattern of one name as an expression: nothing in it goes beyond a `/`."""
    made = ""
    for piece in _PIECE.findall(part):
        if piece == "*":
            made += "[^/]*"
        elif piece == "?":
            made += "[^/]"
        elif len(piece) > 2 and piece[0] == "[":
            made += "(?!/)" + _set(piece)
        else:
            made += re.escape(piece)
    return made


def _set(piece: str) -> str:
    """A choice of characters as the standard library means it: of ranges that are empty nothing is left, and `--` means no difference."""
    return fnmatch.translate(piece).removeprefix("(?s:").rpartition(")")[0]
