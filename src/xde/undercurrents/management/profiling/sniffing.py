"""How the bytes of a file are to be read, told from their beginning: for a draft that a person confirms, never while loading."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from dataclasses import dataclass

DELIMITERS = (",", ";", "\t", "|")
_RECORDS = 200
_NUMBER = re.compile(r"\s*[+-]?\d+([.,]\d+)?\s*\Z")
_MOMENT = re.compile(r"\s*\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}")
_DECIMAL_COMMA = re.compile(r"\s*[+-]?\d+,\d+\s*\Z")


@dataclass(frozen=True, slots=True)
class Guess:
    """The words of a dialect, and what was seen. `whole` says that every record stands in quotes as a whole: one field each."""

    delimiter: str = ","
    quote: str = '"'
    escape: str = '"'
    header: bool = True
    skip: int = 0
    comment: str | None = None
    decimal: str = "."
    columns: tuple[str, ...] = ()
    whole: bool = False


def guess(text: str) -> Guess:
    """The dialect of a file of separated values from its first lines; the last of them may be cut."""
    lines = text.split("\n")
    head = "\n".join(lines[:-1]) if len(lines) > 1 else text
    comment = "#" if head.startswith("#") else None
    if comment:
        head = "\n".join(line for line in head.split("\n") if not line.startswith("#"))
    quote = _quote(head)
    escape = "\\" if quote and f"\\{quote}" in head and f"{quote}{quote}" not in head else quote
    shapes = {d: _records(head, d, quote, escape) for d in DELIMITERS}
    delimiter, share = max(((d, _agreement(r)) for d, r in shapes.items()), key=lambda found: found[1])
    records = shapes[delimiter]
    if share[0] == 0:
        return _single(head, quote, escape, comment)
    width = _mode(records)
    skip = next((i for i, r in enumerate(records) if len(r) == width), 0) if not comment else 0
    body = records[skip:]
    names = _names(body)
    decimal = "," if delimiter != "," and _has_decimal_commas(body[1:]) else "."
    return Guess(
        delimiter, quote, escape, names is not None, skip, comment, decimal, names or tuple(f"column_{i + 1}" for i in range(width))
    )


def _single(head: str, quote: str, escape: str, comment: str | None) -> Guess:
    """One column; where its first line has more names than the others have fields, every record is quoted as a whole."""
    free = next((d for d in ("\t", "|", ";", "~", "^") if d not in head), "\t")
    records = _records(head, free, quote, escape)
    first = records[0][0] if records and records[0] else ""
    whole = (
        any(first.count(d) for d in DELIMITERS)
        and bool(quote)
        and all(line.startswith(quote) for line in head.split("\n")[1:] if line.strip())
    )
    named = _names(records) is not None
    return Guess(free, quote, escape, named, 0, comment, ".", (first,) if named else ("column_1",), whole)


def _quote(head: str) -> str:
    if '"' not in head and re.search(r"(^|[,;\t|\n])'[^'\n]*'($|[,;\t|\r\n])", head):
        return "'"
    return '"'


def _records(head: str, delimiter: str, quote: str, escape: str) -> list[list[str]]:
    double = escape == quote
    reader = csv.reader(
        io.StringIO(head, newline=""), delimiter=delimiter, quotechar=quote, doublequote=double, escapechar=None if double else escape
    )
    found: list[list[str]] = []
    try:
        for record in reader:
            if record:
                found.append(record)
            if len(found) >= _RECORDS:
                break
    except csv.Error:
        return found
    return found


def _mode(records: list[list[str]]) -> int:
    return Counter(len(r) for r in records).most_common(1)[0][0] if records else 0


def _agreement(records: list[list[str]]) -> tuple[float, bool, int]:
    """The share of records with as many fields as most have, whether no blank follows (a comma of prose), and how many fields that are.

    Nothing where most have one field.
    """
    width = _mode(records)
    if width < 2:
        return (0.0, False, 0)
    tight = not all(c.startswith(" ") for r in records for c in r[1:])
    return (round(sum(len(r) == width for r in records) / len(records), 2), tight, width)


def _names(records: list[list[str]]) -> tuple[str, ...] | None:
    """The first record, if it is a header: names that differ, none a number or a day, and not one of the values below it."""
    if not records:
        return None
    first, below = [n.strip() for n in records[0]], records[1:]
    if not all(first) or len({n.casefold() for n in first}) < len(first):
        return None
    if any(_NUMBER.match(n) or _MOMENT.match(n) for n in first):
        return None
    again = sum(any(i < len(r) and r[i].strip() == n for r in below) for i, n in enumerate(first))
    return None if again > len(first) / 2 else tuple(records[0])


def _has_decimal_commas(records: list[list[str]]) -> bool:
    cells = [c for r in records for c in r if c.strip()]
    return any(_DECIMAL_COMMA.match(c) for c in cells) and not any(re.fullmatch(r"\s*[+-]?\d+\.\d+\s*", c) for c in cells)
