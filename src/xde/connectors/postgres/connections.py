"""Connections to a PostgreSQL server: what its values look like as text is set for each, and none is left open."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg

from xde.connectors.postgres.failures import not_connected, told
from xde.ground.names import literal, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from xde.lifecycle.sources.tables import Ask

LOCK_SECONDS = 10
SETTINGS = {
    "TimeZone": "'UTC'",
    "DateStyle": "'ISO, YMD'",
    "IntervalStyle": "'postgres'",
    "bytea_output": "'hex'",
    "extra_float_digits": "1",
    "lc_monetary": "'C'",
    "lock_timeout": f"'{LOCK_SECONDS}s'",
}


class Connections:
    """Those of one source."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        self._settings = settings
        self._open: list[psycopg.Connection[Any]] = []
        self._lock = threading.Lock()

    def close(self) -> None:
        """Let go of the connections; a transaction that is open is rolled back."""
        with self._lock:
            for connection in self._open:
                connection.close()
            self._open.clear()

    def connected(self, ask: Ask, **how: str) -> psycopg.Connection[Any]:
        """A connection that commits each statement."""
        given = {
            "host": self._settings.get("host"),
            "port": self._settings.get("port"),
            "dbname": self._settings.get("database"),
            "user": self._settings.get("user"),
            "password": self._settings.get("password"),
            "sslmode": self._settings.get("sslMode"),
        }
        try:
            connection: psycopg.Connection[Any] = psycopg.connect(
                **{n: v for n, v in given.items() if v},  # type: ignore[arg-type]  # all of them are texts
                connect_timeout=max(2, int(ask.limits.connect_timeout)),
                application_name="xde",
                client_encoding="utf8",
                autocommit=True,
                **how,  # type: ignore[arg-type]
            )
        except psycopg.Error as error:
            raise not_connected(ask, error) from error
        with self._lock:
            self._open.append(connection)
        return connection

    @contextmanager
    def transaction(self, ask: Ask, snapshot: str = "") -> Iterator[psycopg.Cursor[Any]]:
        """Read-only, and of one snapshot: its own, or one that another transaction holds."""
        connection = self.connected(ask)
        with self._closing(ask, connection), connection.cursor() as cursor:
            cursor.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            if snapshot:
                cursor.execute(f"SET TRANSACTION SNAPSHOT {literal(snapshot)}".encode())
            self._set(cursor, ask, "SET LOCAL")
            yield cursor
            cursor.execute("ROLLBACK")

    @contextmanager
    def session(self, ask: Ask) -> Iterator[psycopg.Cursor[Any]]:
        """Statements that are each a transaction of their own, for what belongs to none: the log and its slots."""
        connection = self.connected(ask)
        with self._closing(ask, connection), connection.cursor() as cursor:
            self._set(cursor, ask, "SET")
            yield cursor

    @contextmanager
    def replication(self, ask: Ask, seconds: int) -> Iterator[psycopg.Connection[Any]]:
        """A connection that understands the commands of replication; it waits so long for others' transactions."""
        connection = self.connected(ask, replication="database", options=f"-c lock_timeout={seconds}s")
        with self._closing(ask, connection):
            yield connection

    def _set(self, cursor: psycopg.Cursor[Any], ask: Ask, word: str) -> None:
        for name, value in self.settings(ask).items():
            cursor.execute(f"{word} {name} = {value}".encode())

    def settings(self, ask: Ask) -> dict[str, str]:
        """What is set for a transaction, by name, as SQL."""
        settings = {**SETTINGS, "search_path": quoted(self._settings.get("schema", "public"))}
        if ask.limits.statement_timeout is not None:
            settings["statement_timeout"] = str(int(ask.limits.statement_timeout * 1000))
        return settings

    @contextmanager
    def _closing(self, ask: Ask, connection: psycopg.Connection[Any]) -> Iterator[None]:
        try:
            yield
        except psycopg.Error as error:
            raise told(ask, error, broken=connection.broken) from error
        finally:
            connection.close()
            with self._lock:
                self._open = [c for c in self._open if c is not connection]
