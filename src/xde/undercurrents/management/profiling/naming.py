"""Names for tables and columns from those of files and headers, and which files are deliveries of one table."""

from __future__ import annotations

import glob
import re
import unicodedata
from dataclasses import dataclass
from fnmatch import fnmatch
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

PACKED = (".gz", ".zst")
FORMATS = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".psv": "csv",
    ".json": "json",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".parquet": "parquet",
    ".xlsx": "excel",
}
_LETTERS = str.maketrans({"ß": "ss", "æ": "ae", "Æ": "Ae", "œ": "oe", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D"})
_PART = re.compile(r"([-_. ]+\d|(?<=[A-Za-z])\d{4})[\d\-_.T:Z]*$")


@dataclass(frozen=True, slots=True)
class Group:
    """Files of one table: its name, their format, the pattern that names them all in their folder."""

    name: str
    format: str
    folder: Path
    pattern: str
    files: tuple[Path, ...]


def format_of(path: Path) -> str | None:
    """The format that a file's ending says; None for one that says nothing to us."""
    return FORMATS.get(_ending(path).removesuffix(".gz").removesuffix(".zst"))


def grouped(paths: Iterable[Path], beside: Iterable[Path] = ()) -> tuple[Group, ...]:
    """Files by table: those of a folder that differ in a number or day at the end of their names are deliveries of one.

    `beside` are other files, which no pattern shall take.
    """
    paths = list(paths)
    known = {*paths, *beside}
    found: dict[tuple[Path, str, str], list[Path]] = {}
    for path in sorted(paths):
        ending = _ending(path)
        stem = path.name[: -len(ending)] if ending else path.name
        found.setdefault((path.parent, _PART.sub("", stem) or stem, ending), []).append(path)
    taken: set[str] = set()
    groups = []
    for (folder, stem, ending), files in found.items():
        name = free(identifier(stem), taken)
        taken.add(name)
        others = {p.name for p in known if p.parent == folder and p not in files}
        pattern = glob.escape(files[0].name) if len(files) == 1 else _pattern([f.name for f in files], ending, others)
        groups.append(Group(name, format_of(files[0]) or "csv", folder, pattern, tuple(files)))
    return tuple(groups)


def identifier(text: str) -> str:
    """A name in lower case, digits and underscores: `Traffic Report ID` is `traffic_report_id`, `Größe` is `grosse`."""
    parted = unicodedata.normalize("NFKD", text.strip().translate(_LETTERS))
    bare = "".join(c for c in parted if not unicodedata.combining(c))
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", bare)
    plain = re.sub(r"[^0-9A-Za-z]+", "_", words).strip("_").lower()
    return f"_{plain}" if not plain or plain[0].isdigit() else plain


def free(name: str, taken: Iterable[str]) -> str:
    """A name that is not taken: with the first number that makes it one."""
    known = set(taken)
    return next(n for n in (name, *(f"{name}_{i}" for i in range(2, len(known) + 3))) if n not in known)


def _ending(path: Path) -> str:
    packed = path.suffix.lower() if path.suffix.lower() in PACKED else ""
    inner = path.name[: -len(packed)] if packed else path.name
    dot = inner.rfind(".")
    return (inner[dot:] if dot > 0 else "").lower() + packed


def _pattern(names: Sequence[str], ending: str, others: Iterable[str]) -> str:
    """What the names begin with, a star, and their ending; with a digit before the star where it would take others too."""
    first, last = min(names), max(names)
    same = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last)))
    begin = re.sub(r"\d+$|\d[\d\-_.]*$", "", first[:same])
    wide, narrow = (f"{glob.escape(begin)}{part}*{names[0][len(names[0]) - len(ending) :]}" for part in ("", "[0-9]"))
    return narrow if any(fnmatch(o, wide) for o in others) and all(fnmatch(n, narrow) for n in names) else wide
