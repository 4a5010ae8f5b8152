"""What MySQL and MariaDB need besides: exact texts, one snapshot that reads only, a limit of time, and which transactions are open."""

from __future__ import annotations

import datetime as dt
import ssl
from typing import TYPE_CHECKING

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from xde.lifecycle.sources.servers import clock_of, round_trip, tls
from xde.lifecycle.sources.tables import Looked

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from xde.lifecycle.sources.tables import Limits

_NOW = "SELECT CONVERT_TZ(UTC_TIMESTAMP(6), '+00:00', 'SYSTEM')"  # in the zone that `innodb_trx` shows
_OLDEST = "SELECT min(trx_started) FROM information_schema.innodb_trx WHERE trx_is_read_only = 0"
_NO_RIGHT = 1227
_MARIADB = "mariadb"


def encrypted(mode: str) -> dict[str, object]:
    """The driver's words for a mode of TLS (those of PostgreSQL); by `prefer` and `allow` it is used where the server has it."""
    if mode == "disable":
        return {"ssl_disabled": True}
    if mode not in {"require", "verify-ca", "verify-full"}:
        return {}
    context = ssl.create_default_context()
    context.check_hostname = mode == "verify-full"
    context.verify_mode = ssl.CERT_NONE if mode == "require" else ssl.CERT_REQUIRED
    return {"ssl": context}


def settle(connection: Connection, limits: Limits) -> None:
    """Times in UTC; a query that takes too long is ended by the server."""
    connection.exec_driver_sql("SET SESSION time_zone = '+00:00'")
    if limits.statement_timeout is None:
        return
    version = str(connection.exec_driver_sql("SELECT version()").scalar()).lower()
    if _MARIADB in version:
        connection.exec_driver_sql(f"SET SESSION max_statement_time = {limits.statement_timeout:.3f}")
    else:
        connection.exec_driver_sql(f"SET SESSION max_execution_time = {int(limits.statement_timeout * 1000)}")


def begin(connection: Connection) -> None:
    """One snapshot of all tables, from now on, and no right to write."""
    connection.exec_driver_sql("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    connection.exec_driver_sql("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")


def server(connection: Connection, host: str) -> list[Looked]:
    """What is the same for all tables of a server."""

    def utc() -> dt.datetime:
        found = connection.exec_driver_sql("SELECT UTC_TIMESTAMP(6)").scalar()
        return (found if isinstance(found, dt.datetime) else dt.datetime.fromisoformat(str(found))).replace(tzinfo=dt.UTC)

    told = {str(n): str(v) for n, v in connection.exec_driver_sql("SHOW STATUS WHERE Variable_name IN ('Ssl_cipher', 'Ssl_version')")}
    version, user = connection.exec_driver_sql("SELECT version(), current_user()").one()
    words = f"{told.get('Ssl_version', '')}, {told['Ssl_cipher']}" if told.get("Ssl_cipher") else ""
    mend = "write `xdeSslMode: verify-full` at the server of the contract; a server without TLS needs `ssl_cert` and `ssl_key`"
    trip = round_trip(lambda: connection.exec_driver_sql("SELECT 1").scalar())
    shown = f"{'MariaDB' if _MARIADB in str(version).lower() else 'MySQL'} {str(version).partition('-')[0]}"
    return [Looked(shown, well=True, told=f"as `{user}`"), trip, tls(words, host, mend), clock_of(utc)]


def now(connection: Connection) -> dt.datetime:
    """The server's clock."""
    found = connection.execute(text(_NOW)).scalar()
    return found if isinstance(found, dt.datetime) else dt.datetime.fromisoformat(str(found))


def oldest_open(connection: Connection) -> tuple[dt.datetime | None, bool]:
    """When the oldest transaction began that may write, with whether the server tells it us; it shows whole seconds, rounded down."""
    try:
        found = connection.execute(text(_OLDEST)).scalar()
    except DBAPIError as error:
        if error.orig is not None and error.orig.args and error.orig.args[0] == _NO_RIGHT:
            return None, False
        raise
    return (found if isinstance(found, dt.datetime) else None), True


def grant(connection: Connection) -> str:
    """What an administrator has to say, so that the account that we are logged in by may see open transactions."""
    user, _, host = str(connection.exec_driver_sql("SELECT current_user()").scalar()).rpartition("@")
    return f"GRANT PROCESS ON *.* TO '{user}'@'{host}'"
