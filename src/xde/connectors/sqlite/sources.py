"""Tables of an SQLite file as a source: opened read-only, read in one transaction, written down as CSV.

SQLite lets any value stand in any column. Each is written as the text that it is; what is not of the contract's type is the loader's to
refuse, record by record.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote as in_uri

from xde.connectors.sqlite.declared import chance, declared, relations
from xde.ground.digests import digest
from xde.ground.errors import TemporaryError, UserError
from xde.ground.findings import Finding
from xde.ground.names import quoted
from xde.lifecycle.sources.pace import Pace
from xde.lifecycle.sources.placing import endless, out_of_order, unplaced
from xde.lifecycle.sources.rows import write_rows
from xde.lifecycle.sources.tables import Looked, News, Piece, Portion

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from xde.ground.errors import XdeError
    from xde.kernel.project.catalogues import Declared
    from xde.lifecycle.sources.tables import Ask, Cursor, Position

BLOCK = 5_000  # rows
BUSY_SECONDS = 10.0
_NUMBERS = ("TINY", "SMALL", "INT", "BIGINT", "HUGE", "UT", "US", "UI", "UB", "UH", "DECIMAL", "NUMERIC", "DOUBLE", "FLOAT", "REAL")
_AWAY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_SCHEMA}


class SqliteTables:
    """See `lifecycle.sources.tables.TableSource`."""

    def __init__(self, settings: Mapping[str, str], root: Path) -> None:
        self._shown = settings.get("database", "")
        self._path = root / self._shown

    def news(self, ask: Ask, position: Position | None) -> News | None:
        """A file that is as it was holds nothing new; else the table is asked."""
        signature = self._signature(ask)
        if position is not None and position.get("signature") == signature:
            return None
        told = f"`{ask.relation}` has changed" if ask.query is None else "what its query reads has changed"
        with closing(self._connect(ask)) as connection:
            try:
                where, values = _after(ask.cursor, position)
                if where:
                    query = f"SELECT 1 FROM {_relation(ask)} WHERE {where} LIMIT 1"
                    if connection.execute(query, values).fetchone() is None:
                        return None
                    told = f"`{ask.relation}` has new rows"
            except sqlite3.Error as error:
                raise self._told(ask, error) from error
        return News(signature, told)

    def read(self, ask: Ask, position: Position | None, folder: Path) -> Portion:
        """One read transaction, one file."""
        signature = self._signature(ask)  # before the rows are: what changes meanwhile is news again
        pace = Pace(ask.limits)
        target = folder / "rows.csv"
        with closing(self._connect(ask)) as connection:
            try:
                connection.execute("BEGIN")
                ask = self._resolved(ask, connection)
                _all_placed(ask, position, connection)
                try:
                    rows = _write(ask, position, connection, target, pace)
                except sqlite3.OperationalError as error:
                    if "decode to UTF-8" not in str(error):
                        raise
                    connection.text_factory = _any_text
                    rows = _write(ask, position, connection, target, pace)
                at = _reached(ask, position, connection)
                connection.execute("ROLLBACK")
            except sqlite3.Error as error:
                raise self._told(ask, error) from error
        return Portion((Piece(target, rows),), {"kind": "sqlite", "signature": signature, **at}, pace.cost())

    def look(self, ask: Ask) -> list[Looked]:
        """The file, the table and its columns."""
        try:
            with closing(self._connect(ask)) as connection:
                self._resolved(ask, connection)
                count = connection.execute(f"SELECT count(*) FROM (SELECT 1 FROM {_relation(ask)} LIMIT 1)").fetchone()
        except sqlite3.Error as error:
            raise self._told(ask, error) from error
        return [Looked(self._shown, well=True, told="opened read-only"), Looked(ask.relation, well=True, told="read" if count else "")]

    def relations(self, ask: Ask) -> list[str]:
        """The tables and views of the file."""
        with self._asked(ask) as connection:
            return relations(connection)

    def declared(self, ask: Ask, enough: int) -> Declared:  # noqa: ARG002 - a file is counted
        """What the file says of a table."""
        with self._asked(ask) as connection:
            self._resolved(ask, connection)
            return declared(connection, ask)

    @contextmanager
    def _asked(self, ask: Ask) -> Iterator[sqlite3.Connection]:
        try:
            with closing(self._connect(ask)) as connection:
                yield connection
        except sqlite3.Error as error:
            raise self._told(ask, error) from error

    def close(self) -> None:
        """Nothing stays open between two questions."""

    def _connect(self, ask: Ask) -> sqlite3.Connection:
        if not self._path.is_file():
            hint = "mend `database` of the server: it is a path from the folder of the project"
            raise UserError(Finding("XDE0480", f"there is no database `{self._shown}`", ask.place.span, "no such file", hint=hint))
        try:
            connection = sqlite3.connect(
                f"file:{in_uri(str(self._path))}?mode=ro", uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            connection.execute("PRAGMA query_only = ON")
        except sqlite3.Error as error:
            raise self._told(ask, error) from error
        if ask.limits.statement_timeout is not None:
            pace = Pace(ask.limits)
            limit = ask.limits.statement_timeout
            connection.set_progress_handler(lambda: int(pace.seconds > limit), 100_000)
        return connection

    def _signature(self, ask: Ask) -> str:
        """What changes with every commit: size and time of the file and of its log, the file's counter, the index of the log."""
        if not self._path.is_file():
            return ""
        found: list[object] = [ask.relation, ask.query]
        for ending, head in (("", 100), ("-wal", 32), ("-shm", 136)):
            part = Path(f"{self._path}{ending}")
            try:
                told = part.stat()
                with part.open("rb") as stream:
                    began = stream.read(head).hex()
            except OSError:
                continue
            if told.st_size and ending != "-shm":
                found += [ending, told.st_size, told.st_mtime_ns, began]
            elif ending == "-shm" and "-wal" in found:
                found += [ending, began[16:64]]
        return digest(*found)

    def _resolved(self, ask: Ask, connection: sqlite3.Connection) -> Ask:
        """Every column by its name: SQLite takes a name in quotes that it does not know for a text."""
        with closing(connection.execute(f"SELECT * FROM {_relation(ask)} LIMIT 0")) as cursor:
            return ask.resolved([d[0] for d in cursor.description])

    def _told(self, ask: Ask, error: sqlite3.Error) -> XdeError:
        """What SQLite complains of (https://www.sqlite.org/rescode.html)."""
        why = str(error)
        code = getattr(error, "sqlite_errorcode", None)
        kind = code & 0xFF if isinstance(code, int) else None
        if kind in _AWAY:
            return TemporaryError(f"`{self._shown}` cannot be read just now: {why}", retry_in=1.0)
        if kind == sqlite3.SQLITE_INTERRUPT:
            hint = "raise `statementTimeout` of `xdeLimits`, or give the cursor's columns an index"
            told = f"`{ask.relation}` was not read within {ask.limits.statement_timeout:g} seconds"
            return UserError(Finding("XDE0485", told, ask.span, "too slow", hint=hint))
        if kind in {sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH}:
            hint = "look whether it is the right file, whole, and may be read"
            return UserError(Finding("XDE0480", f"`{self._shown}` cannot be read as a database", ask.place.span, "not read", why, hint))
        hint = "mend `physicalName`, or `xdeQuery`, in the contract"
        return UserError(Finding("XDE0482", f"`{ask.relation}` of `{self._shown}` cannot be read", ask.span, "not read", why, hint))


def _relation(ask: Ask) -> str:
    if ask.query is not None:
        return f"({ask.query}\n)"
    return ".".join(quoted(p) for p in ask.relation.split("."))


def _after(cursor: Cursor | None, position: Position | None) -> tuple[str, tuple[object, ...]]:
    """The condition of the rows after a position. Ties are read again where the cursor is not unique: they are merged."""
    last = position.get("cursor") if position is not None else None
    if cursor is None or not isinstance(last, list) or len(last) != len(cursor.columns):
        return "", ()
    if cursor.lag is not None:
        return f"{quoted(cursor.columns[0])} >= ?", (_earlier(last[0], cursor),)
    columns, marks = ", ".join(quoted(c) for c in cursor.columns), ", ".join("?" for _ in last)
    return f"({columns}) {'>' if cursor.unique else '>='} ({marks})", tuple(last)


def _earlier(value: object, cursor: Cursor) -> object:
    lag = cursor.lag or 0.0
    if isinstance(value, (int, float)):
        return value - (int(lag) if lag == int(lag) else lag)
    text = str(value)
    try:
        then = datetime.fromisoformat(text) - timedelta(seconds=lag)
    except ValueError:
        return value
    shown = then.isoformat(sep="T" if "T" in text else " ")
    return shown[: len(text)] if len(text) == 10 else shown


def _all_placed(ask: Ask, position: Position | None, connection: sqlite3.Connection) -> None:
    """Rows with nothing in the cursor would be told from those read before by no later load."""
    if ask.cursor is None:
        return
    for column in ask.cursor.columns:
        count = connection.execute(f"SELECT count(*) FROM {_relation(ask)} WHERE {quoted(column)} IS NULL").fetchone()[0]
        if count:
            raise unplaced(ask, column, count)
        _in_order(ask, column, position, connection)


def _in_order(ask: Ask, column: str, position: Position | None, connection: sqlite3.Connection) -> None:
    """SQLite puts every text after all numbers, and texts in the order of their characters: among the rows that are read now."""
    where, values = _after(ask.cursor, position)
    kind = next((c.type.upper() for c in ask.columns if c.name.casefold() == column.casefold()), "VARCHAR")
    day = kind.startswith(("DATE", "TIMESTAMP"))
    name = quoted(column)
    shape = f"CASE WHEN {name} GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*' THEN substr({name}, 11, 1) ELSE '?' END" if day else "''"
    classes = f"CASE typeof({name}) WHEN 'integer' THEN 'number' WHEN 'real' THEN 'number' ELSE typeof({name}) END"
    query = f"SELECT {classes}, {shape}, max({name}) FROM {_relation(ask)}" + (f" WHERE {where}" if where else "") + " GROUP BY 1, 2"
    found = connection.execute(query, values).fetchall()
    last = dict(zip(ask.cursor.columns if ask.cursor is not None else (), values, strict=False)).get(column)
    if isinstance(last, str):  # numbers stand before all texts: none of them is read then
        numbers = f"SELECT 'number', '', {name} FROM {_relation(ask)} WHERE {name} < '' LIMIT 1"
        found += [*connection.execute(numbers).fetchall(), ("text", "", last)]
    for of, _, value in found:
        endless(ask, column, value)
        if of != "number" and kind.startswith(_NUMBERS):
            why = "it is no number, and SQLite puts texts after all numbers: every row that comes later would be passed over"
            raise out_of_order(ask, column, value, why)
    if len({of for of, _, _ in found}) > 1:
        kinds = "its values are of several kinds, and SQLite puts texts after all numbers and bytes after all texts"
        why = f"{kinds}: what comes later of an earlier kind would be passed over"
        raise out_of_order(ask, column, next(v for of, _, v in found if of != "number"), why)
    shapes = {after for of, after, _ in found if of == "text" and after} if day else set()
    if "?" in shapes or {" ", "T"} <= shapes:
        why = "not all of its times are written alike, year first: the order of such texts is not that of the times"
        raise out_of_order(ask, column, next(v for _, after, v in found if after in {"?", "T"}), why)


def _reached(ask: Ask, position: Position | None, connection: sqlite3.Connection) -> dict[str, object]:
    if ask.cursor is None:
        return {}
    columns = [quoted(c) for c in ask.cursor.columns]
    order = ", ".join(f"{c} DESC" for c in columns)
    past = f"typeof({columns[0]}) <> 'text' OR substr({columns[0]}, 1, 10) <= date('now', '+1 day')"
    where = past if ask.cursor.timed and ask.merges else "1"  # after a time that is far ahead none would come
    found = connection.execute(f"SELECT {', '.join(columns)} FROM {_relation(ask)} WHERE {where} ORDER BY {order} LIMIT 1").fetchone()
    before = position.get("cursor") if position is not None else None
    if found is None:
        return {"cursor": before} if before is not None else {}
    return {"cursor": [v.decode("utf-8", "replace") if isinstance(v, bytes) else v for v in found]}


def _write(ask: Ask, position: Position | None, connection: sqlite3.Connection, target: Path, pace: Pace) -> int:
    where, values = _after(ask.cursor, position)
    where = " AND ".join(w for w in (where, chance(ask)) if w)
    columns = ", ".join(quoted(c.name) for c in ask.columns)
    query = f"SELECT {columns} FROM {_relation(ask)}" + (f" WHERE {where}" if where else "")
    with closing(connection.execute(query, values)) as cursor:
        return write_rows(target, ask.columns, iter(lambda: cursor.fetchmany(BLOCK), []), pace)


def _any_text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")
