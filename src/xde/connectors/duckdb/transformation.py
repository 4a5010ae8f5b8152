"""DuckDB as an engine: reads the Parquet files of snapshots, writes Parquet files, knows nothing else."""

from __future__ import annotations

import re
import shutil
import uuid
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from xde.connectors.duckdb.metering import note
from xde.connectors.duckdb.session import DuckdbSession, Scope, translated
from xde.connectors.duckdb.statistics import data_file_from_copy
from xde.connectors.duckdb.streaming import streamed
from xde.ground.names import literal, quoted
from xde.lifecycle.storage.port import Column
from xde.lifecycle.transformation.port import Query

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import pyarrow as pa

    from xde.lifecycle.storage.port import DataFile, Schema
    from xde.lifecycle.transformation.port import Input, Layout


class DuckdbEngine:
    """The default engine; see `lifecycle.transformation.port.Engine` for what each method owes."""

    dialect = "duckdb"

    def __init__(self, session: DuckdbSession) -> None:
        self._session = session

    def columns(self, query: Query, inputs: Mapping[str, Input]) -> Schema:
        """Names and types of the result, by `DESCRIBE` over empty tables."""
        if not (inputs or query.views):
            with self._session.kept_scope() as scope:
                return _described(scope.cursor, query)
        with self.describing() as columns:
            return columns(query, inputs)

    @contextmanager
    def describing(self) -> Iterator[Callable[[Query, Mapping[str, Input]], Schema]]:
        """`columns` for many queries: the empty table of an input is made once and seen by all that read it."""
        made: dict[str, Schema] = {}
        with self._session.scope() as scope:
            cursor = scope.cursor

            def columns(query: Query, inputs: Mapping[str, Input]) -> Schema:
                new = {n: g for n, g in inputs.items() if made.get(n) != g.schema}
                if new:
                    cursor.execute("; ".join(_empty_table(scope, n, g) for n, g in new.items()))
                    made.update({n: g.schema for n, g in new.items()})
                try:
                    make_views(scope, query)
                    return _described(cursor, query)
                except duckdb.Error as error:
                    raise translated(error) from error

            yield columns

    def write(self, query: Query, inputs: Mapping[str, Input], folder: str, layout: Layout) -> tuple[DataFile, ...]:
        """Write by one `COPY`, which also gives the statistics."""
        with self._session.kept_scope() as scope:
            _bind(scope, inputs)
            make_views(scope, query)
            return _copy(scope.cursor, query, folder, layout)

    def read(self, query: Query, inputs: Mapping[str, Input]) -> pa.RecordBatchReader:
        """Stream the result; the instance stays until the last batch is read."""
        import pyarrow as pa

        batches = self._batches(query, inputs)
        schema = next(batches)
        if not isinstance(schema, pa.Schema):
            msg = "a stream begins with its schema"
            raise TypeError(msg)
        return pa.RecordBatchReader.from_batches(schema, batches)

    def _batches(self, query: Query, inputs: Mapping[str, Input]) -> Iterator[pa.Schema | pa.RecordBatch]:
        with self._session.scope() as scope:
            _bind(scope, inputs)
            make_views(scope, query)
            yield from streamed(scope.cursor, query.sql, query.parameters)

    def rows(self, query: Query, inputs: Mapping[str, Input]) -> Sequence[tuple[object, ...]]:
        """The result, whole."""
        with self._session.kept_scope() as scope:
            _bind(scope, inputs)
            make_views(scope, query)
            found = scope.cursor.execute(query.sql, dict(query.parameters)).fetchall()
            note(scope.cursor)
            return found

    def progress(self) -> Mapping[int, float]:
        """How far the queries under way are."""
        return self._session.progress()

    def cancel(self) -> None:
        """Interrupt every query under way."""
        self._session.cancel()


def _empty_table(scope: Scope, name: str, given: Input) -> str:
    columns = ", ".join(f"{quoted(c.name)} {c.type}" for c in given.schema)
    return f"CREATE OR REPLACE TABLE {scope.place(name)} ({columns})"


def _bind(scope: Scope, inputs: Mapping[str, Input]) -> None:
    for name, given in inputs.items():
        try:
            scope.show(name, given, relation(given))
        except duckdb.BinderException:
            scope.show(name, given, relation_with_gaps(given))


def relation(given: Input) -> str:
    """The SQL of an input: its files read by the schema that its table has now, or no rows of that schema."""
    if not given.paths:
        empty = ", ".join(f"CAST(NULL AS {c.type}) AS {quoted(c.name)}" for c in given.schema)
        return f"SELECT {empty} WHERE false"
    columns = ", ".join(quoted(c.name) for c in given.schema)
    files = ", ".join(literal(p) for p in given.paths)
    return f"SELECT {columns} FROM read_parquet([{files}], union_by_name = {str(len(given.paths) > 1).lower()})"


def relation_with_gaps(given: Input) -> str:
    """As `relation`, also where a column of the schema is in none of the files: its table had it later. Costs more to bind."""
    empty = ", ".join(f"CAST(NULL AS {c.type}) AS {quoted(c.name)}" for c in given.schema)
    if not given.paths:
        return f"SELECT {empty} WHERE false"
    files = ", ".join(literal(p) for p in given.paths)
    found = f"SELECT {empty} WHERE false UNION ALL BY NAME SELECT * FROM read_parquet([{files}], union_by_name = true)"
    return f"SELECT {', '.join(quoted(c.name) for c in given.schema)} FROM ({found})"


def make_views(scope: Scope, query: Query) -> None:
    """Views cannot take parameters: a view that names one reads it from a variable of the connection, with its type."""
    for name, sql in query.views.items():
        text = sql
        for parameter in query.view_parameters.get(name, ()):
            scope.cursor.execute(f"SET VARIABLE {quoted('xde ' + parameter)} = $value", {"value": query.parameters_of_views[parameter]})
            text = variable_in(text, parameter)
        scope.show(name, None, text)


def variable_in(sql: str, parameter: str) -> str:
    """A query with `$parameter` replaced by its variable wherever it stands outside of quotes and comments."""
    pieces = TOKENS.split(sql)
    wanted = re.compile(rf"\${re.escape(parameter)}\b")
    return "".join(p if i % 2 else wanted.sub(f"getvariable({literal('xde ' + parameter)})", p) for i, p in enumerate(pieces))


# what is not code: texts, quoted names, comments of both kinds
TOKENS = re.compile(r"""('(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|/\*.*?\*/)""", re.DOTALL)


def _described(cursor: duckdb.DuckDBPyConnection, query: Query) -> Schema:
    rows = cursor.execute(f"DESCRIBE {query.sql}", dict(query.parameters)).fetchall()
    return tuple(Column(name, kind) for name, kind, *_ in rows)


def _copy(cursor: duckdb.DuckDBPyConnection, query: Query, folder: str, layout: Layout) -> tuple[DataFile, ...]:
    select = query.sql
    if layout.types:
        casts = ", ".join(f"CAST({quoted(c.name)} AS {c.type}) AS {quoted(c.name)}" for c in layout.types)
        select = f"SELECT {casts} FROM ({query.sql}\n)"
    if layout.file_bytes is not None and "://" not in folder:
        return _arranged(cursor, Query(select, query.parameters), folder, layout)
    order = [*layout.partition, *(quoted(c) for c in layout.sort)]
    if order:
        select = f"SELECT * FROM ({select}\n) ORDER BY {', '.join(order)}"
    target = f"{folder}/{uuid.uuid4().hex}.parquet"
    try:
        rows = cursor.execute(
            f"COPY ({select}\n) TO {literal(target)} (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, RETURN_STATS)",
            dict(query.parameters),
        ).fetchall()
    except BaseException as error:
        Path(target).unlink(missing_ok=True)
        if isinstance(error, duckdb.Error):
            raise translated(error) from error
        raise
    note(cursor)
    files = tuple(data_file_from_copy(row) for row in rows)
    for file in files:
        if file.rows == 0:
            Path(folder, file.path).unlink(missing_ok=True)
    return tuple(f for f in files if f.rows)


PART = "xde_part"


def _arranged(cursor: duckdb.DuckDBPyConnection, query: Query, folder: str, layout: Layout) -> tuple[DataFile, ...]:
    """Files of rows that belong together: DuckDB makes a folder for each partition, in a folder aside, and the files move out of it."""
    aside = Path(folder, f"_making_{uuid.uuid4().hex}")
    options = f"FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, RETURN_STATS, FILE_SIZE_BYTES {layout.file_bytes}"
    options += ", FILENAME_PATTERN '{uuid}'"
    parts = ""
    if layout.partition:
        parts = f", printf('%x', hash({', '.join(layout.partition)})) AS {PART}"
        options += f", PARTITION_BY ({PART}), WRITE_PARTITION_COLUMNS false"
    order = f" ORDER BY {', '.join(quoted(c) for c in layout.sort)}" if layout.sort else ""
    select = f"SELECT *{parts} FROM ({query.sql}\n){order}"
    try:
        aside.mkdir()
        rows = cursor.execute(f"COPY ({select}\n) TO {literal(str(aside))} ({options})", dict(query.parameters)).fetchall()
        for path, *_ in rows:
            Path(str(path)).rename(Path(folder, Path(str(path)).name))
    except duckdb.Error as error:
        raise translated(error) from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    files = tuple(data_file_from_copy(row) for row in rows)
    for file in files:
        if file.rows == 0:
            Path(folder, file.path).unlink(missing_ok=True)
    return tuple(f for f in files if f.rows)
