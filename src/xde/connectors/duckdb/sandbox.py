"""DuckDB as the sandbox of tests: tables in memory, made of cells as they are written."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import duckdb

from xde.connectors.duckdb.transformation import make_views
from xde.ground.names import literal, quoted
from xde.lifecycle.transformation.port import Query
from xde.undercurrents.engineering.testing.case import Nested
from xde.undercurrents.engineering.testing.sandbox import CellError, QueryError, Result

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pyarrow as pa

    from xde.connectors.duckdb.session import DuckdbSession, Scope
    from xde.undercurrents.engineering.testing.case import Cell
    from xde.undercurrents.engineering.testing.sandbox import Asked

_FRAME = "xde_given_frame"
ZONED = "TIMESTAMP WITH TIME ZONE"


class DuckdbSandbox:
    """Scratch databases in one in-memory instance."""

    def __init__(self, session: DuckdbSession) -> None:
        self._session = session

    @contextmanager
    def scratch(self) -> Iterator[DuckdbScratch]:
        """A fresh database, gone at the end."""
        with self._session.scope() as scope:
            yield DuckdbScratch(scope)


class DuckdbScratch:
    """See `undercurrents.engineering.testing.sandbox.Scratch`."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._cursor = scope.cursor
        self._views: dict[str, object] = {}
        self._last: tuple[tuple[str, str], ...] = ()

    def table(self, name: str, types: Mapping[str, str], rows: Sequence[Sequence[Cell]]) -> None:
        """A table of cells as they are written."""
        target = self._scope.place(name)
        columns = ", ".join(f"{quoted(c)} {t}" for c, t in types.items())
        self._cursor.execute(f"CREATE OR REPLACE TABLE {target} ({columns})")
        if not rows:
            return
        try:
            self._cursor.execute(f"INSERT INTO {target} {_values(types, rows)}")
        except duckdb.Error as error:
            raise self._culprit(types, rows, error) from error

    def replace(self, name: str, sql: str) -> None:
        """A table of the rows of a query."""
        self._cursor.execute(f"CREATE OR REPLACE TABLE {self._scope.place(name)} AS {sql}")

    def keep(self, name: str, asked: Asked) -> None:
        """A table of the rows of a question."""
        self._make_views(asked)
        try:
            self._cursor.execute(f"CREATE OR REPLACE TABLE {self._scope.place(name)} AS {asked.sql}", dict(asked.parameters))
        except duckdb.Error as error:
            raise QueryError(_words(error)) from error

    def parquet(self, name: str, types: Mapping[str, str], paths: Sequence[str]) -> None:
        """A table of the rows of Parquet files."""
        if not paths:
            return self.table(name, types, ())
        source = f"read_parquet([{', '.join(literal(p) for p in paths)}], union_by_name = true)"
        try:
            there = {row[0] for row in self._cursor.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()}
            columns = ", ".join(f"CAST({quoted(c) if c in there else 'NULL'} AS {t}) AS {quoted(c)}" for c, t in types.items())
            self._cursor.execute(f"CREATE OR REPLACE TABLE {self._scope.place(name)} AS SELECT {columns} FROM {source}")
        except duckdb.Error as error:
            raise QueryError(_words(error)) from error
        return None

    def values(self, types: Mapping[str, str], rows: Sequence[Sequence[Cell]]) -> tuple[tuple[object, ...], ...]:
        """Cells as the engine sees them."""
        if not rows or not types:
            return tuple(() for _ in rows)
        try:
            return self._fetched(_values(types, rows), {}).rows
        except duckdb.Error as error:
            raise self._culprit(types, rows, error) from error

    def save(self, name: str, path: str) -> None:
        """The rows of a table as a Parquet file."""
        self._cursor.execute(f"COPY {self._scope.place(name)} TO {literal(path)} (FORMAT parquet)")

    def ask(self, asked: Asked) -> Result:
        """The rows of a query."""
        self._make_views(asked)
        again = self._fetched_again(asked.sql, dict(asked.parameters))
        if again is not None:
            return again
        try:
            result = self._fetched(asked.sql, dict(asked.parameters))
        except duckdb.Error as error:
            raise QueryError(_words(error)) from error
        self._last = result.columns
        return result

    def frame(self, name: str, types: Mapping[str, str], rows: pa.Table) -> None:
        """A table of the rows of an Arrow table."""
        columns = ", ".join(f"CAST({quoted(c)} AS {t}) AS {quoted(c)}" for c, t in types.items())
        self._cursor.register(_FRAME, rows)
        try:
            self._cursor.execute(f"CREATE OR REPLACE TABLE {self._scope.place(name)} AS SELECT {columns} FROM {_FRAME}")
        except duckdb.Error as error:
            raise QueryError(_words(error)) from error
        finally:
            self._cursor.unregister(_FRAME)

    def ask_frame(self, asked: Asked) -> pa.Table:
        """The rows of a query as an Arrow table."""
        self._make_views(asked)
        try:
            return self._cursor.sql(asked.sql, params=dict(asked.parameters) or None).to_arrow_table()
        except duckdb.Error as error:
            raise QueryError(_words(error)) from error

    def _fetched_again(self, sql: str, parameters: dict[str, object]) -> Result | None:
        """The rows of a query with the columns of the one before: planned once, in half the time. None when it is another or fails."""
        zoned = [n for n, t in self._last if t == ZONED]
        if not self._last or any(ZONED in t and t != ZONED for _, t in self._last):
            return None
        moments = ", ".join(f"timezone('UTC', {quoted(n)}) AS {quoted(n)}" for n in zoned)
        text = f"SELECT * REPLACE ({moments}) FROM ({sql}\n)" if zoned else sql
        try:
            cursor = self._cursor.execute(text, parameters) if parameters else self._cursor.execute(text)
            columns = tuple((str(d[0]), str(d[1])) for d in cursor.description or ())
            if columns != tuple((n, "TIMESTAMP" if t == ZONED else t) for n, t in self._last):
                cursor.abort()
                return None
            rows = cursor.fetchall()
        except duckdb.Error:
            return None  # told by the way that keeps the engine's words
        places = {i for i, (_, t) in enumerate(self._last) if t == ZONED}
        if not places:
            return Result(self._last, tuple(rows))
        return Result(self._last, tuple(tuple(_moment(v) if i in places else v for i, v in enumerate(row)) for row in rows))

    def _fetched(self, sql: str, parameters: dict[str, object]) -> Result:
        """The rows of a query. A moment with a zone is fetched as one of UTC, for the engine needs a package more to make it itself."""
        relation = self._cursor.sql(sql, params=parameters or None)
        columns = tuple((n, str(t)) for n, t in zip(relation.columns, relation.types, strict=True))
        zoned = [i for i, (_, t) in enumerate(columns) if ZONED in t]
        if not zoned:
            return Result(columns, tuple(relation.fetchall()))
        fetched = relation.select(*(_without_zone(n, t) for n, t in columns)).fetchall()
        moments = {i for i in zoned if columns[i][1] == ZONED}
        return Result(columns, tuple(tuple(_moment(v) if i in moments else v for i, v in enumerate(row)) for row in fetched))

    def _make_views(self, asked: Asked) -> None:
        new = {n: v for n, v in asked.views.items() if self._views.get(n) != (v, asked.view_parameters)}
        if not new:
            return
        query = Query("", {}, {n: s for n, (s, _) in new.items()}, {n: p for n, (_, p) in new.items()}, asked.view_parameters)
        try:
            make_views(self._scope, query)
        except duckdb.Error as error:
            raise QueryError(_words(error)) from error
        self._views.update({n: (v, asked.view_parameters) for n, v in new.items()})

    def _culprit(self, types: Mapping[str, str], rows: Sequence[Sequence[Cell]], error: duckdb.Error) -> CellError | QueryError:
        """Which cell it was: the first that does not become a value of its type by itself."""
        for number, row in enumerate(rows):
            for (column, kind), cell in zip(types.items(), row, strict=True):
                try:
                    self._cursor.execute(f"SELECT {_cell(cell, kind)}").fetchall()
                except duckdb.Error as single:
                    return CellError(number, column, kind, _words(single))
        return QueryError(_words(error))


def _without_zone(name: str, kind: str) -> duckdb.Expression:
    column = duckdb.ColumnExpression(name)
    if kind == ZONED:
        return duckdb.FunctionExpression("timezone", duckdb.ConstantExpression("UTC"), column).alias(name)
    return column.cast("VARCHAR").alias(name) if ZONED in kind else column


def _moment(value: object) -> object:
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) else value


def _values(types: Mapping[str, str], rows: Sequence[Sequence[Cell]]) -> str:
    kinds = list(types.values())
    written = ", ".join("(" + ", ".join(_cell(c, k) for c, k in zip(row, kinds, strict=True)) + ")" for row in rows)
    return f"VALUES {written}"


def _cell(cell: Cell, kind: str) -> str:
    match cell:
        case None:
            return f"CAST(NULL AS {kind})"
        case Nested(json):
            return f"CAST(CAST({literal(json)} AS JSON) AS {kind})"
        case str() if kind == "BLOB":
            return f"encode({literal(cell)})"
        case str():
            return f"CAST({literal(cell)} AS {kind})"


def _words(error: duckdb.Error) -> str:
    text = str(error).split("\n\nLINE ")[0]
    return " ".join(text.split())[:600]
