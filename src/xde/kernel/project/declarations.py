"""The datasets that a project declares: sources by contract, models by SQL or by a Python function."""

from __future__ import annotations

from dataclasses import field
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from xde.ground.records import dataclass
from xde.kernel.project.settings import NOTHING_ALLOWED, Allowance, Settings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from xde.ground.spans import Span
    from xde.kernel.project.contract import Contract, SchemaObject
    from xde.kernel.project.python_code import PythonCode


class Kind(StrEnum):
    """How a model's table comes about."""

    VIEW = "view"
    TABLE = "table"
    INCREMENTAL = "incremental"
    APPEND = "append"
    HISTORY = "history"
    SEED = "seed"
    EPHEMERAL = "ephemeral"


@dataclass(frozen=True)
class SourceDataset:
    """A dataset that is loaded: one schema object of a contract under `sources/`."""

    name: str
    contract: Contract
    object: SchemaObject


@dataclass(frozen=True)
class ModelHead:
    """The YAML comment at the head of a model; what concerns data flow, and nothing of business logic.

    `time` and `key` are alternatives of an incremental model; `lookback` and `grain` are in days (grain 1 = a day,
    `hour` grain is 1/24 and written so); `start` and `end` bound the intervals (ISO dates or None).
    A history goes by `updated` (when a row became true) or by `columns` (those whose change begins a version; empty for all but
    the key); `deleted` is a column that is true where a row says that its key is gone, `missing` what a key is that is not there.
    `watermark` (seconds) makes a model of windows: `late` is what becomes of rows whose window has closed, `emit` when a window is told.
    `partition` (columns, or `month(column)` and the like) says whose rows lie in files of their own, `sort` how rows lie within a
    file: neither is part of what the model means.
    """

    kind: Kind = Kind.TABLE
    time: str | None = None
    key: tuple[str, ...] = ()
    lookback_days: float = 0.0
    grain: str = "day"
    start: str | None = None
    end: str | None = None
    batch_intervals: int | None = None
    updated: str | None = None
    columns: tuple[str, ...] = ()
    deleted: str | None = None
    missing: str = "keep"
    watermark: float | None = None
    late: str = "update"
    emit: str = "on_update"
    partition: tuple[str, ...] = ()
    sort: tuple[str, ...] = ()
    description: str = ""
    tags: tuple[str, ...] = ()
    spans: Mapping[str, Span] = field(default_factory=dict)
    lint: Allowance = NOTHING_ALLOWED

    @property
    def stored(self) -> bool:
        """Whether the model has a table; where it has none its readers compute it."""
        return self.kind not in {Kind.VIEW, Kind.EPHEMERAL}


class Stretch(NamedTuple):
    """Where a stretch of a model's SQL (`start` to `end`) was written: as it stands when `verbatim`, else by the call of a flow there.

    A `free` one is no argument of a flow: what it says stands in the SQL only once.
    """

    start: int
    end: int
    origin: int
    length: int
    verbatim: bool
    free: bool = False


@dataclass(frozen=True)
class Expansion:
    """What was put in the place of calls of flows: the SQL as the user wrote it, and whence each stretch of what stands there now comes.

    Lines are where they were. `calls` are the places in the SQL that stand for whole calls. A `broken` one could not be put in place,
    and was told of.
    """

    written: str
    stretches: tuple[Stretch, ...] = ()
    flows: tuple[str, ...] = ()
    calls: tuple[tuple[int, int], ...] = ()
    broken: bool = False

    def origin(self, start: int, length: int) -> tuple[int, int]:
        """The place in the text as written of a place in the SQL: its start and length."""
        for stretch in self.stretches:
            if stretch.start <= start < stretch.end:
                if not stretch.verbatim:
                    return stretch.origin, stretch.length
                return stretch.origin + start - stretch.start, min(length, stretch.end - start)
        return len(self.written), 1

    def is_free(self, start: int) -> bool:
        """Whether the user wrote what stands at a place of the SQL, and gave it to no flow as an argument."""
        return any(s.free and s.start <= start < s.end for s in self.stretches)

    def in_call(self, start: int) -> bool:
        """Whether a place of the SQL stands in what a call of a flow became."""
        return any(first <= start < last for first, last in self.calls)


@dataclass(frozen=True)
class ModelDataset:
    """A dataset that is computed: `sql` is the file's text without its head, its first line is `sql_line` of the file.

    Where that text calls flows, `sql` has plain SQL in their place once the project is understood, and `expansion` says what was written.
    Of a seed the SQL gives the rows of its file; `lines` are those of the file on which they stand, in the order in which it gives them.
    With `python` a function computes the rows, and `sql` only reads them from `RESULT`.
    """

    name: str
    path: str
    sql: str
    sql_line: int
    head: ModelHead
    digest: str
    contract: Contract | None = None
    object: SchemaObject | None = None
    span: Span | None = None
    expansion: Expansion | None = None
    python: PythonCode | None = None
    lines: tuple[int, ...] = ()

    @property
    def written(self) -> str:
        """The SQL as the user wrote it, or the Python."""
        if self.python is not None:
            return self.python.files[0][1]
        return self.sql if self.expansion is None else self.expansion.written


Dataset = SourceDataset | ModelDataset


class FlowFile(NamedTuple):
    """A file of the project's own flow functions: its path in the project, and its text."""

    path: str
    text: str


@dataclass(frozen=True)
class Project:
    """Everything that a team wrote, by dataset name; `digest` changes when any file of it does."""

    root: Path
    settings: Settings
    datasets: Mapping[str, Dataset]
    digest: str
    flows: tuple[FlowFile, ...] = ()

    @property
    def sources(self) -> dict[str, SourceDataset]:
        """The datasets that are loaded."""
        return {n: d for n, d in self.datasets.items() if isinstance(d, SourceDataset)}

    @property
    def models(self) -> dict[str, ModelDataset]:
        """The datasets that are computed."""
        return {n: d for n, d in self.datasets.items() if isinstance(d, ModelDataset)}
