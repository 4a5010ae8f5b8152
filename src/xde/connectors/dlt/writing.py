"""Pages as they are given, written down for the loader: records as lines of JSON that keep every value exactly, Arrow as Parquet."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import math
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from uuid import UUID

import pyarrow as pa
from pyarrow import parquet

from xde.connectors.dlt.job import LOOKED_RECORDS
from xde.ground.crash import CrashPoint, crash_point
from xde.ground.raw_json import steps
from xde.lifecycle.sources.apis import Carried
from xde.lifecycle.sources.pace import Pace
from xde.lifecycle.sources.rows import BLOBS, text_of
from xde.lifecycle.sources.tables import Limits
from xde.lifecycle.sources.tallies import Tally, record_digest
from xde.lifecycle.sources.within import lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from xde.connectors.dlt.job import Job

SHOWN = 20  # members
PAGE = 1_000  # records that are given one by one and counted as a page
_PARTS = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
_PLAIN = (
    pa.types.is_null,
    pa.types.is_boolean,
    pa.types.is_integer,
    pa.types.is_float32,
    pa.types.is_float64,
    pa.types.is_string,
    pa.types.is_large_string,
    pa.types.is_binary,
    pa.types.is_large_binary,
    pa.types.is_date,
    pa.types.is_time,
    pa.types.is_timestamp,
    pa.types.is_decimal128,
)


@dataclass(slots=True)
class _Meant:
    """Which records are meant; see `Within`."""

    inner: Sequence[tuple[str, ...]]
    carried: Sequence[Carried]


@dataclass(slots=True)
class Given:
    """All that was given, to be told from what is given another time; where it is too much for that, only its number."""

    tally: Tally = field(default_factory=Tally)

    def add(self, raw: str) -> None:
        """Take in a record as it is written."""
        if self.tally.count < LOOKED_RECORDS:
            self.tally.add(record_digest(raw))
        else:
            self.tally.count += 1

    def take(self, item: Any) -> None:  # noqa: ANN401 - whatever somebody's code gives
        """Take in what was given at once."""
        if isinstance(item, list):
            for each in item:
                self.take(each)
        elif not _is_table(item):
            self.add(written(item))
        elif self.tally.count + len(item) <= LOOKED_RECORDS:
            for record in _arrow(item).to_pylist():
                self.add(written(record))
        else:
            self.tally.count += len(item)

    @property
    def known(self) -> bool:
        """Whether it can be told from something else."""
        return self.tally.count <= LOOKED_RECORDS

    def __str__(self) -> str:
        return str(self.tally)


@dataclass(slots=True)
class Written:
    """What a run of a resource has given so far: files, rows, and a tally of all that was given."""

    job: Job
    out: IO[str]
    rows: int = 0
    pages: int = 0
    parts: list[tuple[int, str]] = field(default_factory=list)
    new: dict[str, None] = field(default_factory=dict)
    tables: list[tuple[str, int, list[tuple[int, str]]]] = field(default_factory=list)
    tally: Given = field(default_factory=Given)
    _open: parquet.ParquetWriter | None = None
    _waiting: list[Any] = field(default_factory=list)
    _pace: Pace | None = None
    _meant: _Meant | None = None
    _blobs: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        """Take from the job what each record needs."""
        job = self.job
        self._pace = Pace(Limits(rows_per_second=job.rows_per_second, bytes_per_second=job.bytes_per_second))
        self._meant = _Meant([tuple(i) for i in job.inner], [Carried(n, up, tuple(path)) for n, up, path in job.carried])
        self._blobs = frozenset(name for name, kind, _ in job.columns if kind.strip().upper() in BLOBS)

    def take(self, item: Any) -> None:  # noqa: ANN401 - whatever somebody's code gives
        """Write down what was given at once: a page, or a record."""
        if isinstance(item, list) and not any(map(_is_table, item)):
            self._flush()
            self._page(item)
        elif isinstance(item, list):
            for each in item:
                self.take(each)
        elif _is_table(item):
            self._flush()
            self._table(_arrow(item))
        else:
            self._waiting.append(item)
            if len(self._waiting) >= PAGE:
                self._flush()

    def finish(self) -> None:
        """Write down the rest."""
        self._flush()
        self._close()

    def cost(self) -> dict[str, object]:
        """What it took."""
        return {**(self._pace.cost() if self._pace else {}), "pages": self.pages}

    def _flush(self) -> None:
        if self._waiting:
            waiting, self._waiting = self._waiting, []
            self._page(waiting)

    def _page(self, records: list[Any]) -> None:
        self._begin_page()
        begun, size = self.rows, self.out.tell()
        for record in records:
            raw = written(record, self._blobs)
            self.tally.add(raw)
            for line, value in self._lines(raw, record):
                self.rows += 1
                self.out.write(f"{line}\n")
                self._note(value)
        if self.rows > begun:
            self.parts.append((begun + 1, self._page_name))
        self._read(self.rows - begun, self.out.tell() - size)

    def _lines(self, raw: str, record: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - whatever somebody's code gives
        if self._meant is None or not self._meant.inner:
            return iter([(raw, record)])
        return lines(self._meant, raw, json.loads(raw))

    def _note(self, value: Any) -> None:  # noqa: ANN401 - whatever somebody's code gives
        if self.job.tells and isinstance(value, dict) and len(self.new) < SHOWN:
            self.new |= {str(n): None for n in value if n not in self.job.known}

    def _table(self, table: pa.Table) -> None:
        if self.job.inner or not self.job.tables or self._within_columns(table) or not all(_fits(f.type) for f in table.schema):
            self._page(table.to_pylist())
            return
        self._begin_page()
        if self.job.tells:
            self.new |= {n: None for n in table.column_names[:SHOWN] if n not in self.job.known}
        self.tally.take(table)
        chosen = self._chosen(table)
        if self._open is not None and not self._open.schema.equals(chosen.schema):
            self._close()
        if self._open is None:
            path = Path(self.job.tables) / f"{len(self.tables) + 1}.parquet"
            path.parent.mkdir(exist_ok=True)
            self._open = parquet.ParquetWriter(path, chosen.schema, compression="snappy")
            self.tables.append((str(path), 0, []))
        self._open.write_table(chosen)
        name, rows, parts = self.tables[-1]
        if chosen.num_rows:
            parts.append((rows + 1, self._page_name))
        self.tables[-1] = (name, rows + chosen.num_rows, parts)
        self._read(chosen.num_rows, chosen.nbytes)

    def _chosen(self, table: pa.Table) -> pa.Table:
        """The columns that are asked for, or all where others are asked for too."""
        asked = {n for name, _, others in self.job.columns for n in (name, *others)}
        chosen = [n for n in table.column_names if n in asked]
        return table if self.job.every or not chosen else table.select(chosen)

    def _within_columns(self, table: pa.Table) -> bool:
        """Whether some of what is asked for stands within a column: then records go as lines, which dead letters can be read from again."""
        asked = (n for name, _, others in self.job.columns for n in (name, *others))
        return any((steps(n) or (n,))[0] in table.column_names for n in asked if n not in table.column_names)

    @property
    def _page_name(self) -> str:
        return f"{self.job.resource} page {self.pages}"

    def _begin_page(self) -> None:
        self.pages += 1

    def _read(self, rows: int, size: int) -> None:
        crash_point(CrashPoint.PAGE_READ)
        if self._pace is not None:
            self._pace.took(rows, size)

    def _close(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None


def _fits(kind: pa.DataType) -> bool:
    """Whether Parquet keeps it as it is, for the engine to read."""
    if pa.types.is_dictionary(kind):
        return _fits(kind.value_type)
    if any(is_one(kind) for is_one in _PARTS):
        return _fits(kind.value_type)
    if pa.types.is_struct(kind):
        return kind.num_fields > 0 and all(_fits(kind.field(n).type) for n in range(kind.num_fields))
    return any(is_one(kind) for is_one in _PLAIN)


def _is_table(item: object) -> bool:
    return isinstance(item, (pa.Table, pa.RecordBatch)) or type(item).__name__ == "DataFrame"


def _arrow(item: Any) -> pa.Table:  # noqa: ANN401 - a table of one of several libraries
    if isinstance(item, pa.Table):
        return item
    if isinstance(item, pa.RecordBatch):
        return pa.Table.from_batches([item])
    return item.to_arrow() if hasattr(item, "to_arrow") else pa.Table.from_pandas(item, preserve_index=False)


def written(record: Any, blobs: frozenset[str] = frozenset()) -> str:  # noqa: ANN401 - whatever somebody's code gives
    """A record as one line of JSON. What JSON has no form for stands there as text, with all of its digits."""
    plain = _members(record)
    if not isinstance(plain, dict):
        if not isinstance(plain, _VALUES):
            raise TypeError(f"the resource gives a `{type(record).__name__}`, which is no record")
        plain = {"value": plain}
    for name in blobs.intersection(plain):
        if isinstance(plain[name], (bytes, bytearray, memoryview)):
            plain = {**plain, name: "".join(f"\\x{byte:02x}" for byte in bytes(plain[name]))}
    try:
        return _ENCODER.encode(plain)
    except (ValueError, TypeError):  # a number that is none, or a name that is no text
        return _ENCODER.encode(_sound(plain))


_VALUES = (str, int, float, Decimal, dt.date, dt.time, dt.timedelta, bytes, UUID, list, tuple)


def _members(value: Any) -> Any:  # noqa: ANN401 - whatever somebody's code gives
    if isinstance(value, dict):
        return value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
    if hasattr(value, "model_dump"):
        return value.model_dump()
    return value._asdict() if hasattr(value, "_asdict") else value


def _as_json(value: Any) -> Any:  # noqa: ANN401 - whatever somebody's code gives
    """A value that JSON does not know."""
    match value:
        case Decimal():
            return f"{value:f}"
        case Enum():
            return value.value
        case set() | frozenset():
            return sorted(value, key=str)
        case dt.datetime() | dt.date() | dt.time() | dt.timedelta() | bytes() | bytearray() | memoryview():
            return text_of(value)
    found = _members(value)
    if found is not value:
        return found
    return value.tolist() if type(value).__module__ == "numpy" else str(value)


def _sound(value: Any) -> Any:  # noqa: ANN401 - whatever somebody's code gives
    """The same with texts for numbers that JSON cannot say (infinity, not a number), and for names."""
    match value:
        case float() if not math.isfinite(value):
            return str(value)
        case dict():
            return {n if isinstance(n, str) else str(n): _sound(v) for n, v in value.items()}
        case list() | tuple():
            return [_sound(v) for v in value]
    return value


_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, default=_as_json, separators=(", ", ": "))
