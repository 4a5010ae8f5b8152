"""Patterns of dates and times as contracts write them, by the letters of the JDK, in the words of strptime."""

from __future__ import annotations

import re

JDK = {
    "yyyy": "%Y",
    "uuuu": "%Y",
    "yy": "%y",
    "MMMM": "%B",
    "MMM": "%b",
    "MM": "%m",
    "M": "%-m",
    "dd": "%d",
    "d": "%-d",
    "EEEE": "%A",
    "EEE": "%a",
    "E": "%a",
    "HH": "%H",
    "H": "%-H",
    "hh": "%I",
    "h": "%-I",
    "mm": "%M",
    "m": "%-M",
    "ss": "%S",
    "s": "%-S",
    "SSS": "%g",
    "SSSSSS": "%f",
    "SSSSSSSSS": "%n",
    "a": "%p",
    "X": "%z",
    "XX": "%z",
    "XXX": "%z",
    "x": "%z",
    "xx": "%z",
    "xxx": "%z",
    "Z": "%z",
}
PIECE = re.compile(r"'(?P<said>[^']*)'|(?P<word>([A-Za-z])\3*)|(?P<other>.)", re.DOTALL)


def is_iso(pattern: str) -> bool:
    """Whether a pattern says what is read without one."""
    return pattern in {"yyyy-MM-dd", "yyyy-MM-dd HH:mm:ss", "yyyy-MM-dd'T'HH:mm:ss", "yyyy-MM-dd'T'HH:mm:ssXXX", "yyyy-MM-dd'T'HH:mm:ss'Z'"}


def strptime(pattern: str) -> str | None:
    """A JDK date pattern (java.time.format.DateTimeFormatter) in the words of strptime, or None; literal text stands in single quotes."""
    result = ""
    for piece in PIECE.finditer(pattern):
        if (word := piece["word"]) is not None:
            if word not in JDK:
                return None
            result += JDK[word]
        else:
            said = piece["said"]
            result += (piece["other"] if said is None else said or "'").replace("%", "%%")
    return result
