"""What a relational database must do to hold a ledger (port): named queries, in transactions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Value = str | int | float | None
    Row = tuple[Any, ...]

Result = TypeVar("Result")


class Cursor(Protocol):
    """What we use of a driver's cursor (PEP 249)."""

    @property
    def rowcount(self) -> int:
        """How many rows the last statement changed."""
        ...

    def execute(self, sql: Any, values: Any = ..., /) -> Any:  # noqa: ANN401 - each driver has types of its own
        """Carry out one statement."""
        ...

    def executemany(self, sql: Any, values: Any, /) -> Any:  # noqa: ANN401 - each driver has types of its own
        """Carry out one statement for each row of values."""
        ...

    def fetchall(self) -> list[Any]:
        """The rows of the last statement."""
        ...


class Transaction:
    """An open transaction, spoken to by the names of `queries.sql`."""

    def __init__(self, cursor: Cursor, texts: Mapping[str, str]) -> None:
        self._cursor = cursor
        self._texts = texts

    def select(self, query: str, **values: Value) -> list[Row]:
        """The rows of a query."""
        self._cursor.execute(self._texts[query], values)
        return self._cursor.fetchall()

    def change(self, query: str, **values: Value) -> int:
        """Carry out a change; how many rows it touched."""
        self._cursor.execute(self._texts[query], values)
        return self._cursor.rowcount

    def change_many(self, query: str, rows: Sequence[Mapping[str, Value]]) -> None:
        """Carry out a change for each row of values."""
        if rows:
            self._cursor.executemany(self._texts[query], rows)

    def define(self, statement: str) -> None:
        """Carry out a statement of a migration."""
        self._cursor.execute(statement)


class Store(Protocol):
    """A database; several threads may use it. What goes wrong comes out as a finding or a `TemporaryError`."""

    dialect: str
    label: str  # how messages name it; never with a password

    def read(self, work: Callable[[Transaction], Result]) -> Result:
        """Carry out work that changes nothing."""
        ...

    def write(self, work: Callable[[Transaction], Result]) -> Result:
        """Carry out work that is kept all or none; it may be called again when a connection breaks."""
        ...

    def close(self) -> None:
        """Let go of the database."""
        ...
