"""What a lake must be able to do: snapshots of immutable files, and commits that say what they know."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Protocol

from xde.ground.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True)
class Column:
    """A column of a table: its type in the words of DuckDB (`DECIMAL(15,2)`, `STRUCT(a INTEGER)`), every one nullable.

    Without slots, because thousands are kept with a project (see `app/understanding`).
    """

    name: str
    type: str


Schema = tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class Statistics:
    """What a Parquet file's footer says of a column: bounds as text (None where there is none), exact or only bounds."""

    nulls: int | None = None
    low: str | None = None
    high: str | None = None
    exact: bool = True


@dataclass(frozen=True, slots=True)
class DataFile:
    """A Parquet file of a table; the path is relative to the table's folder, statistics by top-level column name."""

    path: str
    rows: int
    size: int
    statistics: Mapping[str, Statistics] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TableId:
    """One version of one dataset; its folder is `LAKE/schema/name/VERSION`."""

    dataset: str
    version: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A table at one of its commits, pinned: these files and no others; `folder` is where their paths start."""

    table: TableId
    number: int
    schema: Schema
    files: tuple[DataFile, ...]
    folder: str

    @property
    def rows(self) -> int:
        """How many rows the table has."""
        return sum(f.rows for f in self.files)

    @property
    def paths(self) -> tuple[str, ...]:
        """Where an engine finds the files."""
        return tuple(f"{self.folder}/{f.path}" for f in self.files)


@dataclass(frozen=True, slots=True)
class Commit:
    """What is to be published together: files to add and to remove, and the facts known of them.

    `base` is the snapshot number that the writer saw (None: the table must not exist yet). `facts` is JSON data: run,
    step, environment, fence, kind, cursor, source files, rows in and out, checks, letters, inputs, intervals.
    """

    table: TableId
    schema: Schema
    adds: Sequence[DataFile]
    removes: Sequence[DataFile] = ()
    base: int | None = None
    facts: Mapping[str, object] = field(default_factory=dict)
    personal: tuple[str, ...] = ()  # columns kept out of the log's statistics


@dataclass(frozen=True, slots=True)
class CommitRecord:
    """A commit as the log tells it, newest first in a history; `at` is ISO in UTC."""

    number: int
    at: str
    facts: Mapping[str, object]
    rows_added: int = 0
    files_added: int = 0
    files_removed: int = 0


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What a cleaning took away, or would: orphan files, files no snapshot within the retention needs, bytes freed.

    `dropped` says that it was the table as a whole, its log too.
    """

    table: TableId
    files: tuple[str, ...]
    bytes: int
    dropped: bool = False


@dataclass(frozen=True, slots=True)
class Arrangement:
    """How the rows of a table lie in files: rows that differ in a `partition` (SQL) in different ones, in the order of `sort`.

    `file_bytes` is about how large a file may become; None for one file whatever its size.
    """

    partition: tuple[str, ...] = ()
    sort: tuple[str, ...] = ()
    file_bytes: int | None = None


UNARRANGED = Arrangement()


class Lake(Protocol):
    """Tables of immutable files under one log each. Losing a race raises `TemporaryError`, and nothing is published."""

    def tables(self) -> tuple[TableId, ...]:
        """Every table that has at least one commit."""
        ...

    def ruins(self) -> tuple[TableId, ...]:
        """Folders without a table: of builds that never came to a commit, of drops that were cut short. `clean` takes them."""
        ...

    def folder(self, table: TableId) -> str:
        """Where the engine writes a table's new files; made if it is not there."""
        ...

    def snapshot(self, table: TableId, number: int | None = None) -> Snapshot | None:
        """The table now, or at one of its commits; None if there is no such table. An unknown number raises `UserError`."""
        ...

    def commit(self, commit: Commit) -> int:
        """Publish: one atomic entry in the log, all or nothing; gives its number. Refused if `base` is no longer the newest."""
        ...

    def share(self, of: Snapshot, table: TableId) -> None:
        """Put the files of a snapshot into another table's folder under their names, by reference where the store can; no commit."""
        ...

    def history(self, table: TableId, since: int = -1) -> tuple[CommitRecord, ...]:
        """The commits with a number greater than `since`, newest first."""
        ...

    def whole(self, table: TableId) -> tuple[int, ...]:
        """The snapshots whose files are all there, newest first: `clean` takes those that only old ones need."""
        ...

    def sizes(self, table: TableId) -> dict[str, int]:
        """Every file of a table's folder with its bytes, by path: what snapshots need, what only old ones do, orphans, the log."""
        ...

    def clean(self, table: TableId, *, keep_hours: float, dry_run: bool) -> Cleaned:
        """Take away orphans and files that only snapshots older than `keep_hours` need; never a file a reader may hold."""
        ...

    def drop(self, table: TableId, *, dry_run: bool = False) -> Cleaned:
        """Take a whole table away; at every moment a reader finds it whole or not at all."""
        ...

    def keep(self, name: str, text: str) -> None:
        """Keep a small document beside the tables, whole or not at all; `name` is a path such as `deployments/prod/000001.json`."""
        ...

    def kept(self, name: str) -> str | None:
        """A document that was kept; None when there is none of that name."""
        ...

    def all_kept(self, folder: str) -> tuple[str, ...]:
        """The names of all documents under a folder, in order."""
        ...
