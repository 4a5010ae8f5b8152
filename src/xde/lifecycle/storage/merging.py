"""New rows brought together with old ones: only the files whose statistics touch a key or an interval are written again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from xde.ground.names import quoted
from xde.lifecycle.storage.prune import may_hold, may_overlap

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xde.lifecycle.storage.port import DataFile, Lake, Schema, Snapshot

OLD, NEW = "xde.old", "xde.new"


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


class Merger:
    """Rewrites through an engine; what it gives is published by one commit of adds and removes."""

    def __init__(self, lake: Lake, write: Writer) -> None:
        self._lake = lake
        self._write = write

    def merge(self, before: Snapshot, new: Sequence[DataFile], schema: Schema, key: Sequence[str]) -> Rewritten:
        """Rows of the new files replace the old rows of the same key (NULL equals NULL), the others stay."""
        touched = [f for f in before.files if may_overlap(f, new, key, schema)]
        same = " AND ".join(f"n.{quoted(k)} IS NOT DISTINCT FROM o.{quoted(k)}" for k in key)
        return self._rewritten(before, touched, new, schema, f"NOT EXISTS (SELECT 1 FROM {NEW} AS n WHERE {same})", {})

    def replace_interval(
        self, before: Snapshot, new: Sequence[DataFile], schema: Schema, column: str, bounds: Mapping[str, object]
    ) -> Rewritten:
        """The new files take the place of all old rows with `$__start` <= column < `$__end`."""
        touched = [f for f in before.files if may_hold(f, column, bounds["__start"], bounds["__end"])]
        name = f"o.{quoted(column)}"
        outside = f"({name} < $__start OR {name} >= $__end OR {name} IS NULL)"
        given = {k: bounds[k] for k in ("__start", "__end")}
        return self._rewritten(before, touched, new, schema, outside, given)

    def _rewritten(
        self,
        before: Snapshot,
        touched: Sequence[DataFile],
        new: Sequence[DataFile],
        schema: Schema,
        staying: str,
        bounds: Mapping[str, object],
    ) -> Rewritten:
        if not touched:
            return Rewritten(new, ())
        columns = ", ".join(f"o.{quoted(c.name)}" for c in schema)
        old = (before.schema, tuple(f"{before.folder}/{f.path}" for f in touched))
        fresh = (schema, tuple(f"{before.folder}/{f.path}" for f in new))
        kept = self._write(
            f"SELECT {columns} FROM {OLD} AS o WHERE {staying}", {OLD: old, NEW: fresh}, bounds, self._lake.folder(before.table)
        )
        return Rewritten([*new, *kept], touched)
