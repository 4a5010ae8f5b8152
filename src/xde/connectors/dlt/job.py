"""What the process that runs a source is told, and what it tells: plain data, over a pipe and in a file."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from typing import Any

REPORT, RECORDS, TABLES = "report.json", "records.ndjson", "tables"
NO_ROOM = 74  # what the process ends with where it has no room on the disk to say so (EX_IOERR of sysexits.h)
MOST_TIES = 1_000  # hashes of records that share the last value of a cursor
LARGEST = 1_000_000  # bytes of a position
LOOKED_PAGES, LOOKED_RECORDS = 5, 20_000  # that are asked for at the most to tell whether there is anything new


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be done: `read` writes records down, `peek` only tells whether there are others than before, `look` tells what there is.

    `state` is dlt's own, as it was after the last load, None for none. `columns` are the names and types that are asked for, with other
    names of each; where `every`, all others too. `report`, `records` and `tables` are where things are written; no tables where nothing
    may lie on a disk. `hidden` are values that must not be told.
    """

    what: str
    parent: int
    root: str
    source: str
    arguments: dict[str, Any]
    resource: str
    mode: str
    state: Any
    report: str
    records: str = ""
    tables: str = ""
    columns: list[tuple[str, str, list[str]]] = field(default_factory=list)
    every: bool = False
    inner: list[list[str]] = field(default_factory=list)
    carried: list[tuple[str, int, list[str]]] = field(default_factory=list)
    known: list[str] = field(default_factory=list)
    tells: bool = False
    rows_per_second: int | None = None
    bytes_per_second: int | None = None
    private: bool = False
    edge: str = ""
    hidden: list[str] = field(default_factory=list)

    def told(self) -> bytes:
        """As one line."""
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def heard(cls, line: bytes) -> Job:
        """From one line."""
        found = json.loads(line)
        return cls(**{f.name: found[f.name] for f in fields(cls)})
