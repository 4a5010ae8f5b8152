"""Tables, views and queries of a PostgreSQL server as a source: read by `COPY` in one read-only transaction, written down as CSV.

`COPY` writes what the type's own output writes, so that a number has all of its digits and a missing value is not an empty text; the
settings that this output depends on are set for the transaction. Before anything is read the table is locked against changes of its shape
(`ACCESS SHARE`, as every query does), so that what the catalogue says of it holds until its last row.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from xde.connectors.postgres.catalogue import describe, inexact, name_of, relation, written
from xde.connectors.postgres.connections import Connections
from xde.connectors.postgres.connectorx.reading import INSTALL, ConnectorxReader, installed
from xde.connectors.postgres.declared import declared, relations, sampled
from xde.connectors.postgres.failures import grant, label, needed
from xde.connectors.postgres.serving import server
from xde.connectors.postgres.windows import signature, window
from xde.ground.digests import digest
from xde.ground.errors import TemporaryError, UserError
from xde.ground.names import literal, quoted
from xde.ground.underway import Running
from xde.lifecycle.sources.pace import Pace
from xde.lifecycle.sources.reaching import reach, shut
from xde.lifecycle.sources.tables import CONNECTORX, NULL, Looked, News, Piece, Portion

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import psycopg

    from xde.connectors.postgres.catalogue import Described
    from xde.connectors.postgres.windows import Window
    from xde.kernel.project.catalogues import Declared
    from xde.lifecycle.sources.tables import Ask, Position

STEP = 1000  # rows between two looks at the limits
FEWEST_PAGES = 128  # for each connection: less is not worth another one


class PostgresTables:
    """See `lifecycle.sources.tables.TableSource`."""

    def __init__(self, settings: Mapping[str, str], running: Running | None = None) -> None:
        self._settings = settings
        self._running = running or Running()
        self.connections = Connections(settings)

    def news(self, ask: Ask, position: Position | None) -> News | None:
        """Whether a transaction that is over since has written rows; of what is read as a whole nobody can tell cheaply."""
        if ask.cursor is None or position is None:
            return News("", "all of it is read")
        with self.connections.transaction(ask) as cursor:
            ask, described = self.described(cursor, ask)
            found = window(cursor, ask, described, position)
            if not described.stored and position.get("signature") == signature(cursor, ask, position):
                return None
            if described.stored and found.where:
                cursor.execute(f"SELECT 1 FROM {relation(ask)} WHERE {found.where} LIMIT 1".encode())
                if cursor.fetchone() is None:
                    return _held(cursor, ask, found)
        return News(digest(dict(position)), f"`{ask.relation}` has new rows")

    def read(self, ask: Ask, position: Position | None, folder: Path) -> Portion:
        """One snapshot, by as many connections as the limits allow and the table is worth."""
        with self.connections.transaction(ask) as cursor:
            ask, described = self.described(cursor, ask)
            taken = window(cursor, ask, described, position)
            if by_connectorx(ask, position):
                reader = ConnectorxReader(self.connections.settings(ask), self._running)
                pieces, cost = reader.read(cursor, ask, described, taken.where, folder)
            else:
                pieces, cost = self.copied(cursor, ask, described, taken.where, folder)
        return Portion(tuple(pieces), taken.position, cost, tuple(inexact(ask, described)))

    def copied(
        self, cursor: psycopg.Cursor[Any], ask: Ask, described: Described, where: str, folder: Path, besides: str = ""
    ) -> tuple[list[Piece], dict[str, object]]:
        """The rows of a transaction's snapshot, with expressions `besides` after their columns, and what they cost."""
        pace = Pace(ask.limits)
        query = _query(ask, described, where, besides)
        ranges = _ranges(described, ask.limits.connections)
        if len(ranges) == 1:
            pieces = [_copied(cursor, query, folder / "rows.csv", pace)]
        else:
            pieces = self._at_once(cursor, ask, [_with(query, r, where) for r in ranges], folder, pace)
        return pieces, {**pace.cost(), "connections": len(ranges)}

    def look(self, ask: Ask) -> list[Looked]:
        """The host's name, its port, the login, the table, the right on each column, how late transactions are."""
        host, port = self._settings.get("host", "localhost"), self._settings.get("port", "5432")
        looked, there = reach(host, port, ask.limits.connect_timeout)
        if not there:
            return looked
        try:
            with self.connections.transaction(ask) as cursor:
                looked.append(Looked("login", well=True, told=f"as `{self._settings.get('user', '')}`"))
                described = describe(cursor, ask)
                looked.append(Looked(f"`{ask.relation}`", well=True, told=f"{len(described.columns)} columns"))
                looked.append(_rights(cursor, ask.resolved(list(described.columns), str)))
            if ask.reader == CONNECTORX and not installed():
                looked.append(Looked("reader", well=False, told="ConnectorX is not installed", mend=INSTALL))
        except (UserError, TemporaryError) as error:
            looked.append(shut(ask.relation, error))
        return looked

    def server(self, ask: Ask) -> list[Looked]:
        """What is the same for all of its tables."""
        with self.connections.transaction(ask) as cursor:
            return server(cursor, self._settings.get("host", "localhost"))

    def relations(self, ask: Ask) -> list[str]:
        """The tables and views of its schema."""
        with self.connections.transaction(ask) as cursor:
            return relations(cursor, ask)

    def declared(self, ask: Ask, enough: int) -> Declared:
        """What the catalogue says of a table."""
        with self.connections.transaction(ask) as cursor:
            return declared(cursor, ask, enough)

    def close(self) -> None:
        """Let go of the connections; a transaction that is open is rolled back."""
        self.connections.close()

    def described(self, cursor: psycopg.Cursor[Any], ask: Ask) -> tuple[Ask, Described]:
        """What the catalogue says, and will until the transaction is over.

        To read no row locks the table. If it was written anew between the snapshot and the lock, the snapshot sees none of its rows.
        """
        described = describe(cursor, ask)
        ask = ask.resolved(list(described.columns), str)
        columns = ", ".join(quoted(c.name) for c in ask.columns)
        cursor.execute(f"SELECT {columns} FROM {relation(ask)} LIMIT 0".encode())
        if described.files:
            parts = ", ".join(described.files)
            cursor.execute(f"SELECT oid::bigint, pg_relation_filenode(oid)::bigint FROM unnest(ARRAY[{parts}]::oid[]) AS t (oid)".encode())
            if any(described.files[str(part)] != (file or 0) for part, file in cursor.fetchall()):
                raise TemporaryError(f"`{ask.relation}` of `{label(ask)}` is being written anew", retry_in=1.0)
        return ask, described

    def _at_once(self, cursor: psycopg.Cursor[Any], ask: Ask, queries: list[str], folder: Path, pace: Pace) -> list[Piece]:
        """Several connections that see the same rows."""
        cursor.execute("SELECT pg_export_snapshot()")
        row = cursor.fetchone()
        snapshot = str(row[0]) if row else ""

        def part(number: int) -> Piece:
            target = folder / f"rows-{number}.csv"
            if number == 0:
                return _copied(cursor, queries[0], target, pace)
            with self.connections.transaction(ask, snapshot) as own:
                return _copied(own, queries[number], target, pace)

        with ThreadPoolExecutor(len(queries), "copy") as pool:
            return list(pool.map(part, range(len(queries))))


def by_connectorx(ask: Ask, position: Position | None) -> bool:
    """Whether all of a table is read, and its contract wants another reader for that; what is new since a position comes by `COPY`."""
    return ask.reader == CONNECTORX and ask.sample is None and (position is None or ask.cursor is None)


def _held(cursor: psycopg.Cursor[Any], ask: Ask, found: Window) -> News | None:
    """Whether there are rows that a later load will take."""
    if found.held:
        cursor.execute(f"SELECT 1 FROM {relation(ask)} WHERE {found.held} LIMIT 1".encode())
        if cursor.fetchone() is not None:
            return News(
                "", "a transaction that began before they were written is not over yet, and may write rows that come before them", held=True
            )
    return None


def _query(ask: Ask, described: Described, where: str, besides: str = "") -> str:
    columns = ", ".join(f"{written(c, described.columns[c.name])} AS {quoted(c.name)}" for c in ask.columns)
    some, chance = sampled(ask, described)
    where = " AND ".join(w for w in (where, chance) if w)
    return f"SELECT {columns}{besides} FROM {relation(ask)}{some}" + (f" WHERE {where}" if where else "")


def _ranges(described: Described, connections: int) -> list[str]:
    """Conditions that part a table by its pages; the last has no end, for the table may have grown."""
    count = max(1, min(connections, described.pages // FEWEST_PAGES))
    if count == 1:
        return [""]
    bounds = [described.pages * n // count for n in range(count)]
    ends = [f" AND ctid < '({b},0)'::tid" for b in bounds[1:]] + [""]
    return [f"ctid >= '({b},0)'::tid{end}" for b, end in zip(bounds, ends, strict=True)]


def _with(query: str, condition: str, where: str) -> str:
    return f"{query} {'AND' if where else 'WHERE'} {condition}"


def _copied(cursor: psycopg.Cursor[Any], query: str, target: Path, pace: Pace) -> Piece:
    command = f"COPY ({query}) TO STDOUT (FORMAT csv, HEADER, NULL {literal(NULL)}, ENCODING 'UTF8')"
    rows = 0
    with target.open("wb") as out, cursor.copy(command.encode()) as copy:
        for block in copy:
            out.write(block)
            rows += 1
            if rows % STEP == 0:
                pace.took(STEP, out.tell() - pace.bytes)
    return Piece(target, cursor.rowcount)


def _rights(cursor: psycopg.Cursor[Any], ask: Ask) -> Looked:
    if ask.query is not None:
        return Looked("rights", well=True, told="its query is understood")
    names = needed(ask)
    cursor.execute("SELECT n FROM unnest(%s::text[]) AS n WHERE NOT has_column_privilege(%s, n, 'SELECT')", (names, name_of(ask)))
    missing = [str(n) for (n,) in cursor.fetchall()]
    if missing:
        return Looked("rights", well=False, told="may not read " + ", ".join(f"`{m}`" for m in missing), mend=grant(ask))
    return Looked("rights", well=True, told="every column may be read")
