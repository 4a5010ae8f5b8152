"""What a test needs of an engine: a place where tables can be filled by hand and a query be asked, gone afterwards."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractContextManager

    import pyarrow as pa

    from xde.undercurrents.engineering.testing.case import Cell


class CellError(Exception):
    """A cell that the type of its column cannot be made of; `row` counts from 0."""

    def __init__(self, row: int, column: str, kind: str, why: str) -> None:
        super().__init__(why)
        self.row, self.column, self.kind, self.why = row, column, kind, why


class QueryError(Exception):
    """A query that the engine refuses or that fails on these rows; the engine's own words."""


@dataclass(frozen=True, slots=True)
class Result:
    """The rows of a query as Python values, with the names and types of their columns."""

    columns: tuple[tuple[str, str], ...]
    rows: tuple[tuple[object, ...], ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """A query with the views that it reads, in an order in which they can be made, and the values of its parameters.

    `views` maps a view's name to its text and the parameters that it uses.
    """

    sql: str
    parameters: Mapping[str, object] = field(default_factory=dict)
    views: Mapping[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict)
    view_parameters: Mapping[str, object] = field(default_factory=dict)


class Scratch(Protocol):
    """A database of its own. Names of tables are datasets' (`schema.name`); made again, a table or view takes the place of the old one."""

    def table(self, name: str, types: Mapping[str, str], rows: Sequence[Sequence[Cell]]) -> None:
        """A table of these columns and rows (cells in the order of `types`). Raises `CellError`."""
        ...

    def parquet(self, name: str, types: Mapping[str, str], paths: Sequence[str]) -> None:
        """A table of the rows of Parquet files; a column that they have not is NULL. Raises `QueryError`."""
        ...

    def replace(self, name: str, sql: str) -> None:
        """A table of the rows of a query, which may read the table of that name that it replaces."""
        ...

    def keep(self, name: str, asked: Asked) -> None:
        """A table of the rows of a question, which may read the table of that name that it replaces. Raises `QueryError`."""
        ...

    def values(self, types: Mapping[str, str], rows: Sequence[Sequence[Cell]]) -> tuple[tuple[object, ...], ...]:
        """Cells as the engine sees them by the types of their columns. Raises `CellError`."""
        ...

    def save(self, name: str, path: str) -> None:
        """The rows of a table as a Parquet file."""
        ...

    def ask(self, asked: Asked) -> Result:
        """The rows of a query. Raises `QueryError`."""
        ...


class FrameScratch(Scratch, Protocol):
    """A scratch database that takes and gives Arrow tables too."""

    def frame(self, name: str, types: Mapping[str, str], rows: pa.Table) -> None:
        """A table of the rows of an Arrow table with all of these columns. Raises `QueryError`."""
        ...

    def ask_frame(self, asked: Asked) -> pa.Table:
        """The rows of a query as an Arrow table. Raises `QueryError`."""
        ...


class Sandbox(Protocol):
    """Makes scratch databases; safe to use from several threads."""

    def scratch(self) -> AbstractContextManager[Scratch]:
        """A fresh database, gone at the end."""
        ...
