"""What an engine must be able to do: read Parquet files, write Parquet files. Nothing of Delta, environments or contracts."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Protocol

from xde.ground.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa

    from xde.kernel.project.declarations import ModelDataset
    from xde.lifecycle.storage.port import DataFile, Schema


@dataclass(frozen=True, slots=True)
class Input:
    """A dataset as a query may read it: absolute paths of Parquet files, and the schema (all there is when there are no files)."""

    schema: Schema
    paths: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Call:
    """A function with the values of its parameters; `types` is what it must give back, in the engine's words.

    `interval` bounds the rows of the input that has a `time` (values of that column's type, the last exclusive), None for all of them.
    """

    model: ModelDataset
    types: Schema
    values: Mapping[str, object] = field(default_factory=dict)
    interval: tuple[object, object] | None = None


@dataclass(frozen=True, slots=True)
class Query:
    """A query in the engine's dialect with `$name` parameters; dataset names are written as `schema.name`.

    `views` are datasets that have no files: their name to their own query text, in an order in which they can be made;
    `view_parameters` names the parameters that each of them uses, `parameters_of_views` has their values.
    With a `call` of a function, the query reads what that gives back, and nothing else.
    """

    sql: str
    parameters: Mapping[str, object] = field(default_factory=dict)
    views: Mapping[str, str] = field(default_factory=dict)
    view_parameters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    parameters_of_views: Mapping[str, object] = field(default_factory=dict)
    call: Call | None = None


@dataclass(frozen=True, slots=True)
class Layout:
    """How the files of a table are laid out: `sort` columns, `file_rows` a file at most, `types` every column is cast to.

    Rows that differ in a `partition` (SQL over the columns) lie in different files; `file_bytes` is about how large one may become.
    """

    sort: tuple[str, ...] = ()
    file_rows: int | None = None
    types: Schema = ()
    partition: tuple[str, ...] = ()
    file_bytes: int | None = None


class Engine(Protocol):
    """Computes. Every method is safe to call from several threads; `cancel` stops all that is under way."""

    dialect: str

    def columns(self, query: Query, inputs: Mapping[str, Input]) -> Schema:
        """Names and types of the result, without computing it; a query that does not bind raises `UserError`."""
        ...

    def write(self, query: Query, inputs: Mapping[str, Input], folder: str, layout: Layout) -> tuple[DataFile, ...]:
        """Write the result into the folder as fresh Parquet files (none for an empty result) with their statistics."""
        ...

    def read(self, query: Query, inputs: Mapping[str, Input]) -> pa.RecordBatchReader:
        """The result, streamed."""
        ...

    def rows(self, query: Query, inputs: Mapping[str, Input]) -> Sequence[tuple[object, ...]]:
        """The result, whole: for the few rows of a check or a count."""
        ...

    def progress(self) -> Mapping[int, float]:
        """How far the queries under way are, 0 to 1 by the identifiers of the threads that asked; without those that cannot tell."""
        ...

    def cancel(self) -> None:
        """Interrupt every query under way; they raise `KeyboardInterrupt` in their threads."""
        ...
