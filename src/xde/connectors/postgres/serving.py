"""What a PostgreSQL server tells a doctor of itself: TLS, clock, how long an answer takes; for a capture, what of its log runs out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xde.ground.names import quoted
from xde.lifecycle.sources.servers import clock_of, round_trip, tls
from xde.lifecycle.sources.tables import Looked

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

_TLS = "SELECT CASE WHEN ssl THEN version || ', ' || cipher ELSE '' END FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
_LOG = """
SELECT current_user::text,
  current_setting('max_replication_slots')::int, (SELECT count(*) FROM pg_replication_slots),
  current_setting('max_wal_senders')::int, (SELECT count(*) FROM pg_stat_replication),
  (SELECT setting::bigint FROM pg_settings WHERE name = 'max_slot_wal_keep_size') * 1048576,
  (SELECT coalesce(max(pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END,
    restart_lsn)), 0)::bigint FROM pg_replication_slots),
  (SELECT string_agg(slot_name::text, ', ' ORDER BY slot_name) FROM pg_replication_slots WHERE NOT active AND restart_lsn IS NOT NULL),
  has_function_privilege('pg_ls_waldir()', 'execute')
"""
NEARLY = 0.8
"""So much of what is allowed is a reason to tell."""


def server(cursor: psycopg.Cursor[Any], host: str) -> list[Looked]:
    """What is the same for all tables of a server, in a transaction."""

    def now() -> Any:  # noqa: ANN401 - what the driver gives
        cursor.execute("SELECT clock_timestamp()")
        return (cursor.fetchone() or (None,))[0]

    def least() -> object:
        return cursor.execute("SELECT 1").fetchone()

    cursor.execute("SELECT current_setting('server_version'), pg_is_in_recovery(), current_user::text")
    version, standby, user = cursor.fetchone() or ("", False, "")
    cursor.execute(_TLS)
    words = str((cursor.fetchone() or ("",))[0])
    mend = "write `xdeSslMode: verify-full` at the server of the contract; one without TLS: ALTER SYSTEM SET ssl = on, with a certificate"
    shown = f"PostgreSQL {version.partition(' ')[0]}{', a standby' if standby else ''}"
    return [Looked(shown, well=True, told=f"as `{user}`"), round_trip(least), tls(words, host, mend), clock_of(now)]


def log(cursor: psycopg.Cursor[Any]) -> Iterator[Looked]:
    """What a capture needs of a server and others take as well: slots, senders, room for what slots hold back."""
    cursor.execute(_LOG)
    row = cursor.fetchone()
    if row is None:
        return
    user, most_slots, slots, most_senders, senders, keep, held, idle, may_list = row
    yield _room("replication slots", slots, most_slots, "max_replication_slots")
    yield _room("wal senders", senders, most_senders, "max_wal_senders")
    yield _kept(held, keep, idle)
    if may_list:
        cursor.execute("SELECT count(*), coalesce(sum(size), 0)::bigint FROM pg_ls_waldir()")
        files, size = cursor.fetchone() or (0, 0)
        yield Looked("log on the server's disk", well=True, told=f"{_size(size)} in {files} files; how much room there is it does not tell")
    else:
        told = f"`{user}` is not shown how much there is; a superuser may allow it: GRANT pg_monitor TO {quoted(user)}"
        yield Looked("log on the server's disk", well=True, told=told)


def _room(what: str, taken: int, most: int, setting: str) -> Looked:
    told = f"{taken} of {most} taken"
    if taken < most and (taken < NEARLY * most or most - taken > 2):
        return Looked(what, well=True, told=told)
    rest = "none is left" if taken >= most else f"{most - taken} left"
    mend = f"run as a superuser: ALTER SYSTEM SET {setting} = {2 * most}; and restart the server"
    return Looked(what, well=True, warns=True, told=f"{told}, {rest}: a capture takes one of each while it loads", mend=mend)


def _kept(held: int, keep: int, idle: str | None) -> Looked:
    """The log that slots hold back, beside what they may."""
    told = f"slots hold back {_size(held)}"
    readers = f"; nobody reads just now: {idle}" if idle else ""
    if keep < 0:
        return Looked("log held", well=True, told=f"{told}, without a limit: a slot that is forgotten fills its disk{readers}")
    if held < NEARLY * keep:
        return Looked("log held", well=True, told=f"{told} of at most {_size(keep)}{readers}")
    mend = f"load soon; or run as a superuser: ALTER SYSTEM SET max_slot_wal_keep_size = '{2 * keep // 1048576}MB'; SELECT pg_reload_conf()"
    told = f"{told} of at most {_size(keep)}: beyond that a slot is lost{readers}"
    return Looked("log held", well=True, warns=True, told=told, mend=mend)


def _size(count: int) -> str:
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} bytes"
