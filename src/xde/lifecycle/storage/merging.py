"""New rows brought together with old ones: only the files whose statistics touch a key or an interval are written again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from xde.ground.errors import DataError
from xde.ground.names import quoted
from xde.ground.records import dataclass
from xde.lifecycle.storage.port import UNARRANGED, Column
from xde.lifecycle.storage.rewrite import (
    GONE,
    NEW,
    OLD,
    compaction,
    doubled_finding,
    doubled_keys,
    learnt,
    merge_by_key,
    replace_interval,
    replace_stretches,
    small_files,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xde.lifecycle.storage.port import Arrangement, DataFile, Lake, Schema, Snapshot
    from xde.lifecycle.storage.rewrite import Rewrite


class Writer(Protocol):
    """Writes the result of a query over Parquet files (schema and absolute paths by name) into a folder, as fresh files."""

    def __call__(
        self,
        sql: str,
        inputs: Mapping[str, tuple[Schema, tuple[str, ...]]],
        parameters: Mapping[str, object],
        folder: str,
        arranged: Arrangement = UNARRANGED,
    ) -> tuple[DataFile, ...]:
        """The files that were written."""
        ...


@dataclass(frozen=True, slots=True)
class Rewritten:
    """The files of a table after new rows were brought together with old ones."""

    adds: Sequence[DataFile]
    removes: Sequence[DataFile]


@dataclass(frozen=True, slots=True)
class Going:
    """How keys go: by a row with `deleted` true, by their absence from new rows that are `complete`."""

    key: tuple[str, ...]
    deleted: str | None = None
    complete: bool = False


@dataclass(frozen=True, slots=True)
class Learnt:
    """A table after a merge, which of its files hold `added` rows, and the files that say what was learnt (to be thrown away)."""

    table: Rewritten
    added: Sequence[DataFile]
    told: Sequence[DataFile]


class Reader(Protocol):
    """Gives the few rows of a query over Parquet files."""

    def __call__(
        self, sql: str, inputs: Mapping[str, tuple[Schema, tuple[str, ...]]], parameters: Mapping[str, object]
    ) -> Sequence[tuple[object, ...]]:
        """The rows."""
        ...


class Merger:
    """Rewrites through an engine; what it gives is published by one commit of adds and removes."""

    def __init__(self, lake: Lake, write: Writer, read: Reader | None = None, arranged: Mapping[str, Arrangement] | None = None) -> None:
        """`arranged` says of each dataset how its rows are to lie, where it is said."""
        self._lake = lake
        self._read = read
        self.write = write
        self._arranged = arranged or {}

    def arrangement(self, dataset: str) -> Arrangement:
        """How the rows of a dataset are to lie in files."""
        return self._arranged.get(dataset, UNARRANGED)

    def read(
        self, sql: str, inputs: Mapping[str, tuple[Schema, tuple[str, ...]]], parameters: Mapping[str, object]
    ) -> Sequence[tuple[object, ...]]:
        """The few rows of a query, for one that was given a reader."""
        if self._read is None:
            msg = "this merger cannot read"
            raise AssertionError(msg)
        return self._read(sql, inputs, parameters)

    def merge(self, before: Snapshot, new: Sequence[DataFile], schema: Schema, key: Sequence[str]) -> Rewritten:
        """Rows of the new files replace the old rows of the same key (NULL equals NULL), the others stay."""
        return self._rewritten(before, merge_by_key(before, new, schema, key), new, schema)

    def merge_and_delete(self, before: Snapshot, new: Sequence[DataFile], schema: Schema, going: Going) -> Learnt:
        """As `merge`, and the rows of keys that are gone go. A key that is there twice among the new rows raises `DataError`.

        The new files are no part of what comes out: they may hold rows that only say that a key is gone.
        """
        folder = self._lake.folder(before.table)
        fresh = (schema, tuple(f"{folder}/{f.path}" for f in new))
        doubled = self.read(doubled_keys(NEW, going.key), {NEW: fresh}, {})
        if doubled:
            raise DataError(doubled_finding(before.table.dataset, going.key, doubled))
        sql = learnt(before, schema, going.key, going.deleted, complete=going.complete)
        told = self.write(sql, {OLD: (before.schema, before.paths), NEW: fresh}, {}, folder)
        seen = ((*schema, Column(GONE, "BOOLEAN")), tuple(f"{folder}/{f.path}" for f in told))
        table, added = self.bring_in(before, told, (seen, schema), going.key)
        return Learnt(table, added, told)

    def bring_in(
        self, before: Snapshot, told: Sequence[DataFile], of: tuple[tuple[Schema, tuple[str, ...]], Schema], key: Sequence[str]
    ) -> tuple[Rewritten, Sequence[DataFile]]:
        """A table with the rows that are told in the place of those of their keys, and without those whose `GONE` is true.

        `of` is how the files that tell it are read, and the columns of the table. Gives its files with new rows, too.
        """
        (seen, schema), folder = of, self._lake.folder(before.table)
        arranged = self.arrangement(before.table.dataset)
        columns = ", ".join(quoted(c.name) for c in schema)
        added = self.write(f"SELECT {columns} FROM {NEW} WHERE NOT {GONE}", {NEW: seen}, {}, folder, arranged) if told else ()
        rewrite = merge_by_key(before, told, schema, key)
        old = (before.schema, tuple(f"{before.folder}/{f.path}" for f in rewrite.removes))
        kept = self.write(rewrite.sql, {OLD: old, NEW: seen}, rewrite.parameters, folder, arranged) if rewrite.removes else ()
        return Rewritten([*added, *kept], rewrite.removes), added

    def replace_interval(
        self, before: Snapshot, new: Sequence[DataFile], schema: Schema, column: str, bounds: Mapping[str, object]
    ) -> Rewritten:
        """The new files take the place of all old rows with `$__start` <= column < `$__end`."""
        return self._rewritten(before, replace_interval(before, schema, column, bounds["__start"], bounds["__end"]), new, schema)

    def replace_stretches(
        self, before: Snapshot, new: Sequence[DataFile], schema: Schema, column: str, stretches: Sequence[tuple[object, object]]
    ) -> Rewritten:
        """The new files take the place of all old rows in which the column is in one of the stretches (the last moment exclusive)."""
        return self._rewritten(before, replace_stretches(before, schema, column, stretches), new, schema)

    def rearrange(self, before: Snapshot) -> Rewritten:
        """All rows in files as they are to lie. To be committed with `kind: compact` in the facts."""
        return self._rewritten(before, compaction(before, before.files), (), before.schema)

    def compact(self, before: Snapshot, target_bytes: int) -> Rewritten:
        """Small files written together; nothing to do gives no removes. To be committed with `kind: compact` in the facts."""
        rewrites = [compaction(before, group) for group in small_files(before, target_bytes)]
        done = [self._rewritten(before, rewrite, (), before.schema) for rewrite in rewrites]
        return Rewritten([f for d in done for f in d.adds], [f for d in done for f in d.removes])

    def _rewritten(self, before: Snapshot, rewrite: Rewrite, new: Sequence[DataFile], schema: Schema) -> Rewritten:
        if not rewrite.removes:
            return Rewritten(new, ())
        old = (before.schema, tuple(f"{before.folder}/{f.path}" for f in rewrite.removes))
        fresh = (schema, tuple(f"{before.folder}/{f.path}" for f in new))
        arranged = self.arrangement(before.table.dataset)
        kept = self.write(rewrite.sql, {OLD: old, NEW: fresh}, rewrite.parameters, self._lake.folder(before.table), arranged)
        return Rewritten([*new, *kept], rewrite.removes)
