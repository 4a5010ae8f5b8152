r"""Rows of a database driver, written down as the CSV that the loader takes: a missing value unquoted, all else as exact text.

Bytes are written as `\xNN` where the contract has a BLOB, and elsewhere as the text that they are: those that are no text at all make a
dead letter. Numbers keep all of their digits, times are ISO 8601.
"""

from __future__ import annotations

import csv
import datetime as dt
import json
from decimal import Decimal
from typing import TYPE_CHECKING

from xde.lifecycle.sources.tables import NULL

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from xde.lifecycle.sources.pace import Pace
    from xde.lifecycle.sources.tables import AskedColumn

BLOBS = {"BLOB", "BYTEA", "BINARY", "VARBINARY"}


class _Missing:
    """What the CSV writer writes without quotes, because it takes it for a number."""

    def __float__(self) -> float:
        return 0.0

    def __str__(self) -> str:
        return NULL


_MISSING = _Missing()


def write_rows(target: Path, columns: Sequence[AskedColumn], blocks: Iterable[Sequence[Sequence[object]]], pace: Pace) -> int:
    """Write blocks of rows with a header, no faster than the source may be read. Gives how many rows there were."""
    blobs = [n for n, c in enumerate(columns) if c.type.strip().upper() in BLOBS]
    count = 0
    with target.open("w", encoding="utf-8", errors="surrogateescape", newline="") as out:
        writer = csv.writer(out, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
        writer.writerow([c.name for c in columns])
        for rows in blocks:
            writer.writerows([_cells(row, blobs) for row in rows])
            size = out.tell()
            pace.took(len(rows), size - pace.bytes)
            count += len(rows)
    return count


def _cells(row: Sequence[object], blobs: Sequence[int]) -> list[object]:
    cells = [v if type(v) in _PLAIN else _MISSING if v is None else text_of(v) for v in row]
    for n in blobs:
        cells[n] = _escaped(row[n])
    return cells


_PLAIN = {str, int, float}


def text_of(value: object) -> str | int | float:
    """A value as the loader reads it back; a number is written by the CSV writer, which keeps its digits."""
    match value:
        case bool():
            return "true" if value else "false"
        case str() | int() | float():
            return value
        case Decimal():
            return f"{value:f}"
        case dt.datetime():
            return value.isoformat(sep=" ")
        case dt.date() | dt.time():
            return value.isoformat()
        case dt.timedelta():
            return _clock(value)
        case bytes() | bytearray() | memoryview():
            return bytes(value).decode("utf-8", "surrogateescape")
        case dict() | list():
            return json.dumps(value, default=str, ensure_ascii=False)
        case _:
            return str(value)


def _clock(value: dt.timedelta) -> str:
    """A stretch of time as hours, minutes and seconds: how MySQL's drivers give a TIME."""
    micros = value // dt.timedelta(microseconds=1)
    sign, micros = ("-", -micros) if micros < 0 else ("", micros)
    seconds, micros = divmod(micros, 1_000_000)
    return f"{sign}{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}" + (f".{micros:06}" if micros else "")


def _escaped(value: object) -> object:
    """Bytes as the engine reads them from a text."""
    if value is None:
        return _MISSING
    if isinstance(value, str):
        value = value.encode("utf-8", "surrogateescape")
    return "".join(f"\\x{byte:02x}" for byte in bytes(value)) if isinstance(value, (bytes, bytearray, memoryview)) else value
