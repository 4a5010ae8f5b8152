"""Tables of another DuckDB file as a source: opened read-only, written down as CSV by the engine itself, in one query."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from xde.connectors.duckdb.declared import chance, declared, relations
from xde.ground.digests import digest
from xde.ground.errors import TemporaryError, UserError
from xde.ground.findings import Finding
from xde.ground.names import literal, quoted
from xde.lifecycle.sources.pace import Pace
from xde.lifecycle.sources.placing import endless, unplaced
from xde.lifecycle.sources.tables import NULL, Looked, News, Piece, Portion

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from xde.ground.errors import XdeError
    from xde.kernel.project.catalogues import Declared
    from xde.lifecycle.sources.tables import Ask, AskedColumn, Position


class DuckdbTables:
    """See `lifecycle.sources.tables.TableSource`. No program writes such a file while another has it open: a snapshot misses nothing."""

    def __init__(self, settings: Mapping[str, str], root: Path) -> None:
        self._shown = settings.get("database", "")
        self._schema = settings.get("schema", "main")
        self._path = root / self._shown

    def news(self, ask: Ask, position: Position | None) -> News | None:
        """A file that is as it was holds nothing new; else the table is asked."""
        state = self._signature(ask)
        if position is not None and position.get("signature") == state:
            return None
        with self._opened(ask) as connection:
            where = _after(ask, position)
            if where and not connection.execute(f"SELECT 1 FROM {self._relation(ask)} WHERE {where} LIMIT 1").fetchall():
                return None
        return News(state, f"`{ask.relation}` has new rows" if where else f"`{ask.relation}` has changed")

    def read(self, ask: Ask, position: Position | None, folder: Path) -> Portion:
        """One query, one file."""
        state, pace, target = self._signature(ask), Pace(ask.limits), folder / "rows.csv"
        with self._opened(ask) as connection:
            connection.execute("BEGIN TRANSACTION")
            types = self._types(ask, connection)
            ask = ask.resolved(list(types))
            at = self._reached(ask, position, connection, types)
            where = " AND ".join(w for w in (_after(ask, position), chance(ask)) if w)
            folded = {n.casefold(): t for n, t in types.items()}
            columns = ", ".join(f"{_written(c, folded[c.name.casefold()])} AS {quoted(c.name)}" for c in ask.columns)
            query = f"SELECT {columns} FROM {self._relation(ask)}" + (f" WHERE {where}" if where else "")
            how = f"FORMAT csv, HEADER true, NULLSTR {literal(NULL)}, FORCE_QUOTE *, USE_TMP_FILE false"
            rows = int(connection.execute(f"COPY ({query}) TO {literal(str(target))} ({how})").fetchall()[0][0])
        pace.took(rows, target.stat().st_size)
        return Portion((Piece(target, rows),), {"kind": "duckdb", "signature": state, **at}, pace.cost())

    def look(self, ask: Ask) -> list[Looked]:
        """The file, the table and its columns."""
        with self._opened(ask) as connection:
            ask.resolved(list(self._types(ask, connection)))
        return [Looked(self._shown, well=True, told="opened read-only"), Looked(ask.relation, well=True, told="read")]

    def relations(self, ask: Ask) -> list[str]:
        """The tables and views of its schema."""
        with self._opened(ask) as connection:
            return relations(connection, self._schema)

    def declared(self, ask: Ask, enough: int) -> Declared:  # noqa: ARG002 - a file is counted
        """What the file says of a table."""
        with self._opened(ask) as connection:
            ask.resolved(list(self._types(ask, connection)))
            return declared(connection, ask, self._schema)

    def close(self) -> None:
        """Nothing stays open between two questions."""

    def _signature(self, ask: Ask) -> str:
        found: list[object] = [ask.relation, ask.query]
        for path in (self._path, Path(f"{self._path}.wal")):
            if path.is_file():
                found += [path.name, path.stat().st_size, path.stat().st_mtime_ns]
        return digest(*found)

    @contextmanager
    def _opened(self, ask: Ask) -> Iterator[duckdb.DuckDBPyConnection]:
        if not self._path.is_file():
            hint = "mend `database` of the server: it is a path from the folder of the project"
            raise UserError(Finding("XDE0480", f"there is no database `{self._shown}`", ask.place.span, "no such file", hint=hint))
        try:
            with duckdb.connect(str(self._path), read_only=True) as connection:
                connection.execute("SET TimeZone = 'UTC'")
                if ask.private:
                    connection.execute("SET temp_directory = ''")
                connection.execute(f"SET schema = {literal(self._schema)}")
                yield connection
        except duckdb.Error as error:
            raise self._told(ask, error) from error

    def _told(self, ask: Ask, error: duckdb.Error) -> XdeError:
        why = " ".join(str(error).split())[:300]
        if "lock" in why.lower():
            return TemporaryError(f"`{self._shown}` is open in another program: {why}", retry_in=1.0)
        if isinstance(error, duckdb.IOException):
            hint = "look whether it is the right file, whole, and may be read"
            return UserError(Finding("XDE0480", f"`{self._shown}` cannot be read as a database", ask.place.span, "not read", why, hint))
        hint = "mend `physicalName`, or `xdeQuery`, in the contract"
        return UserError(Finding("XDE0482", f"`{ask.relation}` of `{self._shown}` cannot be read", ask.span, "not read", why, hint))

    def _relation(self, ask: Ask) -> str:
        return f"({ask.query}\n)" if ask.query is not None else ".".join(quoted(p) for p in ask.relation.split("."))

    def _types(self, ask: Ask, connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
        return {str(r[0]): str(r[1]) for r in connection.execute(f"DESCRIBE SELECT * FROM {self._relation(ask)}").fetchall()}

    def _reached(
        self, ask: Ask, position: Position | None, connection: duckdb.DuckDBPyConnection, types: Mapping[str, str]
    ) -> dict[str, object]:
        """The greatest values of the cursor, as texts."""
        if ask.cursor is None:
            return {}
        columns = [quoted(c) for c in ask.cursor.columns]
        for name, column in zip(ask.cursor.columns, columns, strict=True):
            count = connection.execute(f"SELECT count(*) FROM {self._relation(ask)} WHERE {column} IS NULL").fetchall()[0][0]
            if count:
                raise unplaced(ask, name, count)
        texts = ", ".join(f"CAST({c} AS VARCHAR)" for c in columns)
        order = ", ".join(f"{c} DESC" for c in columns)
        found = connection.execute(
            f"SELECT {texts} FROM {self._relation(ask)} WHERE {_past(ask, types)} ORDER BY {order} LIMIT 1"
        ).fetchall()
        for name, value in zip(ask.cursor.columns, found[0] if found else (), strict=False):
            endless(ask, name, value)
        before = position.get("cursor") if position is not None else None
        return {"cursor": list(found[0])} if found else {"cursor": before} if before is not None else {}


def _past(ask: Ask, types: Mapping[str, str]) -> str:
    """Where rows that are read again do no harm: that a time is not far ahead, for after such a one none would come."""
    if ask.cursor is None or not ask.merges:
        return "true"
    first = ask.cursor.columns[0]
    of = next((t for n, t in types.items() if n.casefold() == first.casefold()), "")
    return f"{quoted(first)} <= now() + INTERVAL 1 DAY" if of.startswith(("DATE", "TIMESTAMP")) else "true"


def _after(ask: Ask, position: Position | None) -> str:
    last = position.get("cursor") if position is not None else None
    if ask.cursor is None or not isinstance(last, list) or len(last) != len(ask.cursor.columns):
        return ""
    columns = [quoted(c) for c in ask.cursor.columns]
    if ask.cursor.lag is not None:
        lag = f"to_seconds({ask.cursor.lag})" if ask.cursor.timed else f"{ask.cursor.lag:.15g}"
        kind = "TIMESTAMPTZ" if ask.cursor.timed else "DECIMAL(38,9)"
        return f"{columns[0]} >= CAST({literal(last[0])} AS {kind}) - {lag}"
    values = [literal(v) for v in last]  # a literal takes the type of the column that it is compared with
    found = f"{columns[-1]} {'>' if ask.cursor.unique else '>='} {values[-1]}"
    for column, value in zip(columns[-2::-1], values[-2::-1], strict=True):
        found = f"({column} > {value} OR ({column} = {value} AND {found}))"
    return found


def _written(column: AskedColumn, given: str) -> str:
    """As text that the loader takes for the very same value."""
    kind = given.upper()
    name = quoted(column.name)
    if kind.endswith("]") or kind.startswith(("STRUCT(", "MAP(")):
        return f"CAST(to_json({name}) AS VARCHAR)"
    return f"CAST({name} AS VARCHAR)"
