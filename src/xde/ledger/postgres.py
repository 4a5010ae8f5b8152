"""The ledger in PostgreSQL: a team, on several machines, shares one memory."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, TypeVar

import psycopg
from psycopg import errors
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from xde.ground.errors import Bug, TemporaryError, UserError
from xde.ground.secrets import scrubbed
from xde.ledger import findings
from xde.ledger.queries import pyformat_queries
from xde.ledger.store import Transaction

if TYPE_CHECKING:
    from collections.abc import Callable

    from xde.ground.errors import XdeError

Result = TypeVar("Result")

BUSY_SECONDS = 10.0
_AGAIN = (errors.LockNotAvailable, errors.SerializationFailure, errors.DeadlockDetected, errors.TooManyConnections, errors.CannotConnectNow)
_REFUSED = (errors.InvalidPassword, errors.InvalidAuthorizationSpecification, errors.InvalidCatalogName)
_NOT_PERMITTED = (errors.InsufficientPrivilege, errors.ReadOnlySqlTransaction, errors.InvalidSchemaName)


class PostgresStore:
    """One connection behind a lock, made again when it breaks."""

    dialect = "postgres"

    def __init__(self, url: str, busy_seconds: float = BUSY_SECONDS) -> None:
        self._lock = threading.Lock()
        self._busy_seconds = busy_seconds
        try:
            settings = conninfo_to_dict(url)
        except psycopg.ProgrammingError as error:
            scrubbed(error)
            raise UserError(findings.wrong_url(without_password(url), "postgresql")) from error
        self.label = f"{settings.get('host', 'localhost')}:{settings.get('port', 5432)}/{settings.get('dbname', '')}"
        self._conninfo = make_conninfo(
            "connect_timeout=10 application_name=xde", **{k: str(v) for k, v in settings.items() if v is not None}
        )
        self._closed = False
        self._connection = self._connect()

    def _connect(self) -> psycopg.Connection:
        try:
            connection = psycopg.connect(self._conninfo, autocommit=True)
        except psycopg.Error as error:
            raise self._unreachable(error) from error
        connection.execute(f"SET lock_timeout = '{int(self._busy_seconds * 1000)}ms'".encode())
        return connection

    def read(self, work: Callable[[Transaction], Result]) -> Result:
        """One transaction."""
        return self.write(work)

    def write(self, work: Callable[[Transaction], Result]) -> Result:
        """All or nothing.

        A connection that broke is made again and the work is done once more. That is right even when the first time had been
        committed after all: every write of the ledger can be done twice, and a claim taken twice is ours with a later fence.
        """
        with self._lock:
            if self._closed:
                raise Bug("the ledger is closed")
            try:
                if self._connection.closed:
                    self._connection = self._connect()
                try:
                    return self._once(work)
                except psycopg.OperationalError:
                    if not self._connection.closed:
                        raise
                self._connection = self._connect()
                return self._once(work)
            except psycopg.Error as error:
                raise self._told(error) from error

    def _once(self, work: Callable[[Transaction], Result]) -> Result:
        with self._connection.transaction(), self._connection.cursor() as cursor:
            return work(Transaction(cursor, pyformat_queries()))

    def close(self) -> None:
        """Let go of the connection."""
        with self._lock:
            self._closed = True
            self._connection.close()

    def _unreachable(self, error: psycopg.Error) -> XdeError:
        why = _one_line(error)
        match error:
            case _ if isinstance(error, _AGAIN) or "starting up" in why or "too many clients" in why:
                return TemporaryError(f"the ledger's server `{self.label}` is not ready: {why}", retry_in=1.0)
            case _ if isinstance(error, _REFUSED) or "FATAL" in why or "no password" in why:
                return UserError(findings.refused(self.label, why))
            case _:
                return UserError(findings.server_away(self.label, why))

    def _told(self, error: psycopg.Error) -> XdeError:
        """What PostgreSQL complains of, by its class of SQLSTATE (PostgreSQL, appendix A)."""
        why = _one_line(error)
        match error:
            case _ if isinstance(error, _AGAIN):
                return TemporaryError(f"the ledger `{self.label}` is held by another process", retry_in=1.0)
            case errors.DiskFull():
                return UserError(findings.disk_full(self.label))
            case _ if isinstance(error, _NOT_PERMITTED):
                return UserError(findings.not_permitted(self.label, why))
            case errors.UndefinedTable() | errors.UndefinedColumn():
                return UserError(findings.damaged(self.label, why))
            case psycopg.OperationalError() if self._connection.closed:
                return TemporaryError(f"the ledger's server `{self.label}` broke the connection: {why}", retry_in=1.0)
            case _:
                return Bug(f"PostgreSQL, {type(error).__name__}: {why}")


def without_password(url: str) -> str:
    """An address fit to be shown."""
    scheme, slashes, rest = url.partition("://")
    who, at, where = rest.rpartition("@")
    return f"{scheme}{slashes}{who.partition(':')[0]}{at}{where}"


def _one_line(error: psycopg.Error) -> str:
    scrubbed(error)
    return " ".join(str(error).split())
