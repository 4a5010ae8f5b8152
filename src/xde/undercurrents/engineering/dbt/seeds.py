"""Seeds: which type each column of a CSV file has, by dbt's own way of telling (agate's order of types), and as DuckDB names it."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Seed:
    """A seed's file with what is configured of it: the types of columns that are told, and the delimiter."""

    path: str
    text: str
    types: Mapping[str, str]
    delimiter: str = ","

    @property
    def csv(self) -> str:
        """The CSV as a seed of xde: as it is, or with commas, and with nothing where dbt reads the word `null` as missing."""
        return seed_text(self.text, self.types, self.delimiter)


_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)\Z")
_INT = range(-(2**31), 2**31)


def read_csv(text: str, delimiter: str = ",") -> tuple[list[str], list[list[str]]]:
    """The names of the columns and the records. Raises `csv.Error`."""
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), delimiter=delimiter, strict=True)
    header = next(reader, [])
    return header, [row for row in reader if row]


def column_types(header: Sequence[str], rows: Sequence[Sequence[str]], told: Mapping[str, str]) -> dict[str, str]:
    """The type of each column: what `column_types` tells, else the first that fits all values."""
    given = {name.casefold(): kind for name, kind in told.items()}
    return {name: given.get(name.casefold()) or _type([row[i] for row in rows if i < len(row)]) for i, name in enumerate(header)}


def seed_text(text: str, told: Mapping[str, str], delimiter: str) -> str:
    """The CSV as a seed of xde: as it is, or with commas, and with nothing where dbt reads the word `null` as missing."""
    header, rows = read_csv(text, delimiter)
    kinds = column_types(header, rows, told)
    typed = [not kinds[h].upper().startswith(("VARCHAR", "TEXT", "CHAR")) for h in header]
    changed = [["" if typed[i] and v.strip().casefold() == "null" else v for i, v in enumerate(row) if i < len(typed)] for row in rows]
    if delimiter == "," and changed == rows:
        return text.removeprefix("\ufeff")
    into = io.StringIO()
    csv.writer(into, lineterminator="\n").writerows([header, *changed])
    return into.getvalue()


def _type(values: Sequence[str]) -> str:
    there = [v.strip() for v in values if v.strip().casefold() not in {"", "null"}]
    if all(_NUMBER.match(v) for v in there):
        whole = all("." not in v or not v.partition(".")[2].strip("0") for v in there)
        if not whole:
            return "DOUBLE"
        return "INTEGER" if all(int(float(v)) in _INT for v in there) else "BIGINT"
    for kind, form in (("DATE", "%Y-%m-%d"), ("TIMESTAMP", "%Y-%m-%d %H:%M:%S")):
        if all(_is(v, form) for v in there):
            return kind
    if all(_iso(v) for v in there):
        return "TIMESTAMP"
    if all(v.casefold() in {"true", "false"} for v in there):
        return "BOOLEAN"
    return "VARCHAR"


def _is(text: str, form: str) -> bool:
    try:
        datetime.strptime(text, form)  # noqa: DTZ007 - only whether it fits
    except ValueError:
        return False
    return True


def _iso(text: str) -> bool:
    if "T" not in text:
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True
