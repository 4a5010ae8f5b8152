"""New rows brought together with old ones: only the files whose statistics touch a key or an interval are written again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from xde.ground.records import dataclass
from xde.lifecycle.storage.rewrite import NEW, OLD, compaction, merge_by_key, replace_interval, small_files

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xde.lifecycle.storage.port import DataFile, Lake, Schema, Snapshot
    from xde.lifecycle.storage.rewrite import Rewrite


class Writer(Protocol):
    """Writes the result of a query over Parquet files (schema and absolute paths by name) into a folder, as fresh files."""

    def __call__(
        self, sql: str, inputs: Mapping[str, tuple[Schema, tuple[str, ...]]], parameters: Mapping[str, object], folder: str
    ) -> tuple[DataFile, ...]:
        """The files that were written."""
        ...


@dataclass(frozen=True, slots=True)
class Rewritten:
    """The files of a table after new rows were brought together with old ones."""

    adds: Sequence[DataFile]
    removes: Sequence[DataFile]


class Reader(Protocol):
    """Gives the few rows of a query over Parquet files."""

    def __call__(
        self, sql: str, inputs: Mapping[str, tuple[Schema, tuple[str, ...]]], parameters: Mapping[str, object]
    ) -> Sequence[tuple[object, ...]]:
        """The rows."""
        ...


class Merger:
    """Rewrites through an engine; what it gives is published by one commit of adds and removes."""

    def __init__(self, lake: Lake, write: Writer, read: Reader | None = None) -> None:
        self._lake = lake
        self.write = write
        self._read = read

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

    def replace_interval(
        self, before: Snapshot, new: Sequence[DataFile], schema: Schema, column: str, bounds: Mapping[str, object]
    ) -> Rewritten:
        """The new files take the place of all old rows with `$__start` <= column < `$__end`."""
        return self._rewritten(before, replace_interval(before, schema, column, bounds["__start"], bounds["__end"]), new, schema)

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
        kept = self.write(rewrite.sql, {OLD: old, NEW: fresh}, rewrite.parameters, self._lake.folder(before.table))
        return Rewritten([*new, *kept], rewrite.removes)
