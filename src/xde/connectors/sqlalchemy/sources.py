"""Tables, views and queries of a database by SQLAlchemy: read in one transaction, streamed, written down as CSV."""

from __future__ import annotations

import datetime as dt
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import column as named
from sqlalchemy import create_engine, false, func, literal_column, select, text
from sqlalchemy import table as stored
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from xde.connectors.sqlalchemy import mysql
from xde.connectors.sqlalchemy.addresses import address, label
from xde.connectors.sqlalchemy.declared import chance, declared, relations, some_of
from xde.connectors.sqlalchemy.failures import told
from xde.connectors.sqlalchemy.positions import FIRST, Look, as_data, kept, looks_of, start
from xde.ground.clock import SystemClock
from xde.ground.digests import digest
from xde.ground.errors import TemporaryError, UserError
from xde.ground.findings import Finding, Severity
from xde.lifecycle.sources.pace import Pace
from xde.lifecycle.sources.placing import endless, unplaced
from xde.lifecycle.sources.reaching import reach, shut
from xde.lifecycle.sources.rows import write_rows
from xde.lifecycle.sources.servers import round_trip
from xde.lifecycle.sources.tables import Looked, News, Piece, Portion

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from sqlalchemy import ColumnElement, FromClause
    from sqlalchemy.engine import Connection, Engine

    from xde.kernel.project.catalogues import Declared
    from xde.lifecycle.sources.tables import Ask, AskedColumn, Position

BLOCK = 5_000  # rows
_FLOAT, _BIT = 4, 16  # MySQL's numbers of types, as its driver gives them


class SqlAlchemyTables:
    """See `lifecycle.sources.tables.TableSource`."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        self._settings = settings

    def news(self, ask: Ask, position: Position | None) -> News | None:
        """Whether the rows from where the next load begins are others than those that it would read again."""
        if ask.cursor is None or position is None:
            return News("", "all of it is read")
        with self._connected(ask) as connection:
            of = _relation(ask)
            found = _signature(connection, ask, of, start(ask.cursor, looks_of(position)))
        return None if found == position.get("signature") else News(found, f"`{ask.relation}` has new rows")

    def read(self, ask: Ask, position: Position | None, folder: Path) -> Portion:
        """One transaction, one file."""
        pace, target = Pace(ask.limits), folder / "rows.csv"
        with self._connected(ask) as connection:
            of = _relation(ask)
            types = _types(connection, of)
            ask = ask.resolved(list(types))
            looks = _looked(connection, ask, of, position)
            _begin(connection)
            _all_placed(connection, ask, of)
            least = start(ask.cursor, looks_of(position)) if ask.cursor is not None and position is not None else None
            query = select(*(_written(c, types, connection) for c in ask.columns)).select_from(of)
            if ask.cursor is not None and least is not None:
                query = query.where(named(ask.cursor.columns[0]) >= least)
            if (some := chance(ask, connection)) is not None:
                query = query.where(some)
            with connection.execution_options(stream_results=True).execute(query) as rows:
                blocks = some_of(ask, iter(lambda: rows.fetchmany(BLOCK), []), connection)
                count = write_rows(target, ask.columns, blocks, pace)
            at: dict[str, object] = {"kind": ask.place.kind}
            if ask.cursor is not None:
                at |= {"looks": [x.data() for x in looks], "signature": _signature(connection, ask, of, start(ask.cursor, looks))}
            connection.rollback()
        return Portion((Piece(target, count),), at, pace.cost(), tuple(_rounded(ask, types)))

    def look(self, ask: Ask) -> list[Looked]:
        """The host's name, its port, the login, the table, whether open transactions can be seen."""
        url = address(ask, self._settings)
        looked, there = reach(url.host, url.port, ask.limits.connect_timeout) if url.host and url.port else ([], True)
        if not there:
            return looked
        try:
            with self._connected(ask) as connection:
                looked.append(Looked("login", well=True, told=f"as `{url.username}`" if url.username else ""))
                types = _types(connection, _relation(ask))
                ask.resolved(list(types))
                looked.append(Looked(f"`{ask.relation}`", well=True, told=f"{len(types)} columns"))
                if ask.cursor is not None and _is_mysql(connection) and not mysql.oldest_open(connection)[1]:
                    why = "open transactions cannot be seen: only the lag keeps rows that are committed late"
                    looked.append(Looked("late commits", well=False, told=why, mend=mysql.grant(connection)))
        except (UserError, TemporaryError) as error:
            looked.append(shut(ask.relation, error))
        return looked

    def server(self, ask: Ask) -> list[Looked]:
        """What is the same for all of its tables."""
        with self._connected(ask) as connection:
            return mysql.server(connection, str(connection.engine.url.host or "")) if _is_mysql(connection) else _plain(connection)

    def relations(self, ask: Ask) -> list[str]:
        """The tables and views of its database."""
        with self._connected(ask) as connection:
            return relations(connection, ask)

    def declared(self, ask: Ask, enough: int) -> Declared:
        """What the inspector says of a table."""
        with self._connected(ask) as connection:
            of = _relation(ask)
            ask.resolved(list(_types(connection, of)))
            connection.rollback()
            lag = "" if _is_mysql(connection) and mysql.oldest_open(connection)[1] else "PT1H"
            connection.rollback()
            _begin(connection)
            return declared(connection, ask, of, lag, enough)

    def close(self) -> None:
        """Nothing stays open between two questions."""

    @contextmanager
    def _connected(self, ask: Ask) -> Iterator[Connection]:
        url = address(ask, self._settings)
        try:
            engine = _engine(ask, self._settings)
        except ModuleNotFoundError as error:
            why = f"the package `{error.name}` is not installed"
            raise UserError(
                Finding("XDE0480", f"reading `{label(url)}` needs its driver", ask.place.span, "", why, f"run `pip install {error.name}`")
            ) from None
        except SQLAlchemyError as error:
            raise told(ask, url, error) from error
        try:
            with engine.connect() as connection:
                if _is_mysql(connection):
                    mysql.settle(connection, ask.limits)
                yield connection
        except SQLAlchemyError as error:
            raise told(ask, url, error) from error
        finally:
            engine.dispose()


def _engine(ask: Ask, settings: Mapping[str, str]) -> Engine:
    how: dict[str, Any] = {}
    if ask.place.kind == "mysql":
        told = {"connect_timeout": max(1, int(ask.limits.connect_timeout)), **mysql.encrypted(settings.get("sslMode", "prefer"))}
        how["connect_args"] = told
    return create_engine(address(ask, settings), poolclass=NullPool, hide_parameters=True, **how)


def _plain(connection: Connection) -> list[Looked]:
    """What any server tells: who we are to it, and how long an answer takes."""
    user = connection.engine.url.username
    trip = round_trip(lambda: connection.execute(select(1)).scalar())
    return [Looked(connection.dialect.name, well=True, told=f"as `{user}`" if user else "open"), trip]


def _is_mysql(connection: Connection) -> bool:
    return connection.dialect.name in {"mysql", "mariadb"}


def _begin(connection: Connection) -> None:
    """The transaction that all rows are read in, one snapshot where the database has such."""
    connection.rollback()
    if _is_mysql(connection):
        mysql.begin(connection)
    elif "REPEATABLE READ" in _levels(connection):
        connection.execution_options(isolation_level="REPEATABLE READ")


def _levels(connection: Connection) -> Sequence[str]:
    try:
        return connection.dialect.get_isolation_level_values(connection.connection.dbapi_connection)  # type: ignore[arg-type]
    except NotImplementedError:
        return ()


def _relation(ask: Ask) -> FromClause:
    """What is read. A query's columns have to be named when they are asked for, so they are asked for by name alone."""
    if ask.query is not None:
        query = ask.query.replace(":", r"\:")  # a colon in it stands for itself: it has no parameters of ours
        return text(f"({query}\n) AS asked")  # type: ignore[return-value]  # as good as a table in FROM
    schema, _, name = ask.relation.rpartition(".")
    return stored(name, schema=schema or ask.place.settings.get("schema") or None)


def _types(connection: Connection, of: FromClause) -> dict[str, object]:
    """The columns with the driver's own words for their types."""
    with connection.execute(select(text("*")).select_from(of).where(false())) as found:
        description = found.cursor.description or ()
        return {str(name): kind for (name, kind, *_) in description}


def _written(column: AskedColumn, types: Mapping[str, object], connection: Connection) -> ColumnElement[Any]:
    """A column as a value that can be written exactly."""
    of = next((n for n in types if n.casefold() == column.name.casefold()), column.name)
    if _is_mysql(connection) and types.get(of) == _BIT:
        return literal_column(f"{connection.dialect.identifier_preparer.quote(of)} + 0").label(column.name)
    return named(of).label(column.name)


def _looked(connection: Connection, ask: Ask, of: FromClause, position: Position | None) -> list[Look]:
    """How far the cursor goes before the snapshot is taken, and which of the earlier looks are still needed."""
    if ask.cursor is None:
        return []
    first: ColumnElement[Any] = named(ask.cursor.columns[0])
    if not _is_mysql(connection):  # it does not tell which transactions are open: the lag has to cover them
        return [Look(FIRST, _reached(connection, ask, of, first))]
    at = mysql.now(connection)
    look = Look(at, _reached(connection, ask, of, first))
    connection.rollback()
    then = mysql.now(connection)
    oldest, seen = mysql.oldest_open(connection)
    connection.rollback()
    if not seen and ask.cursor.lag is None:
        raise UserError(_unseen(ask, connection))
    return kept([*looks_of(position), look], min(then, oldest) if oldest is not None else then)


def _reached(connection: Connection, ask: Ask, of: FromClause, first: ColumnElement[Any]) -> object:
    """The greatest value that later ones can follow: after a time that is far ahead none would come."""
    query = select(func.max(first)).select_from(of)
    value = connection.execute(query).scalar()
    endless(ask, str(first.name), value)
    tomorrow = SystemClock().now().replace(tzinfo=None) + dt.timedelta(days=2)  # whatever the zone of the server
    last = value.replace(tzinfo=None) if isinstance(value, dt.datetime) else value
    if isinstance(last, dt.datetime) and last > tomorrow:
        return connection.execute(query.where(first <= tomorrow)).scalar()
    if isinstance(last, dt.date) and not isinstance(last, dt.datetime) and last > tomorrow.date():
        return connection.execute(query.where(first <= tomorrow.date())).scalar()
    return value


def _unseen(ask: Ask, connection: Connection) -> Finding:
    """Without a look at open transactions, and without a lag, a row that is committed late would be lost."""
    why = "a row may be committed after a load that has seen later ones, and its user may not see which transactions are open"
    hint = f"let an administrator run: {mysql.grant(connection)}; or give the cursor a `lag`"
    return Finding("XDE0487", f"open transactions of `{label(connection.engine.url)}` may not be seen", ask.span, "no right", why, hint)


def _all_placed(connection: Connection, ask: Ask, of: FromClause) -> None:
    """Rows with nothing in the cursor would be read by no later load."""
    if ask.cursor is None:
        return
    column = ask.cursor.columns[0]
    count = connection.execute(select(func.count()).select_from(of).where(named(column).is_(None))).scalar()
    if count:
        raise unplaced(ask, column, count)


def _signature(connection: Connection, ask: Ask, of: FromClause, least: object | None) -> str:
    """What changes with every row that comes, or is given a new value of the cursor."""
    columns: list[ColumnElement[Any]] = [named(c) for c in ask.cursor.columns] if ask.cursor is not None else []
    query = select(func.count(), *(func.max(c) for c in columns), *(func.min(c) for c in columns)).select_from(of)
    if least is not None:
        query = query.where(columns[0] >= least)
    row = connection.execute(query).one()
    return digest(ask.relation, ask.query, [as_data(v) for v in row], as_data(least))


def _rounded(ask: Ask, types: Mapping[str, object]) -> Iterator[Finding]:
    """MySQL shows six digits of a FLOAT, which has seven and a half."""
    if ask.place.kind != "mysql":
        return
    for column in ask.columns:
        if types.get(column.name) == _FLOAT:
            why = "it is a FLOAT in the database, of which MySQL gives six digits"
            hint = f"give it as `CAST({column.name} AS DOUBLE)` by `xdeQuery`, or make it a DOUBLE there"
            told_so = f"numbers in `{column.name}` of `{ask.dataset}` are rounded"
            yield Finding("XDE0489", told_so, ask.span, "", why, hint, Severity.WARNING)
