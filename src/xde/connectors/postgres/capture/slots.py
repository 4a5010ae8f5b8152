"""Replication slots: how far the server keeps its log for us. A slot that lost something is told, and never made again in silence."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from xde.connectors.postgres.failures import label
from xde.ground.errors import TemporaryError, UserError
from xde.ground.findings import Finding, Severity
from xde.ground.names import literal
from xde.ground.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import psycopg

    from xde.lifecycle.sources.tables import Ask, Position

MUCH = 1 << 30  # bytes of log that a slot may hold back before it is told
LOST, PLUGIN = "lost", "pgoutput"
_SLOTS = """
SELECT slot_name::text, coalesce(plugin::text, ''), coalesce(database::text, ''), active, coalesce(wal_status, 'lost'),
  coalesce((confirmed_flush_lsn - '0/0')::bigint, 0), coalesce(pg_current_wal_flush_lsn() - restart_lsn, 0)::bigint
FROM pg_replication_slots
WHERE slot_type = 'logical' AND (slot_name = %(name)s OR slot_name ~ %(pattern)s)
ORDER BY slot_name
"""


@dataclass(frozen=True, slots=True)
class Slot:
    """A slot as the server has it: whether somebody reads it now, up to where it was confirmed, how many bytes of log it holds back."""

    name: str
    plugin: str
    database: str
    active: bool
    status: str
    confirmed: int
    held: int


def lsn_text(lsn: int) -> str:
    """A place in the log as PostgreSQL writes it."""
    return f"{lsn >> 32:X}/{lsn & 0xFFFFFFFF:X}"


def lsn_number(text: object) -> int:
    """A place in the log as a number."""
    high, _, low = str(text).partition("/")
    return (int(high, 16) << 32) | int(low, 16)


def find(cursor: psycopg.Cursor[Any], name: str) -> Slot | None:
    """The slot of that name."""
    cursor.execute(_SLOTS, {"name": name, "pattern": "^$"})
    row = cursor.fetchone()
    return Slot(*row) if row is not None else None


def kin(cursor: psycopg.Cursor[Any], ask: Ask) -> Sequence[Slot]:
    """All slots that were made for this dataset, by whatever lake and for whatever version of it."""
    stem = ask.capture.slot if ask.capture is not None else ""
    cursor.execute(_SLOTS, {"name": "", "pattern": f"^{re.escape(stem)}_[0-9a-f]{{10}}$"})
    return [Slot(*row) for row in cursor.fetchall()]


def named(ask: Ask, position: Position | None) -> str:
    """The slot that was read up to a position, or the one to make."""
    said = position.get("slot") if position is not None else None
    return str(said) if said else ask.capture.name if ask.capture is not None else ""


def flushed(cursor: psycopg.Cursor[Any]) -> int:
    """The end of the log."""
    cursor.execute("SELECT (pg_current_wal_flush_lsn() - '0/0')::bigint")
    return _number(cursor)


def system(cursor: psycopg.Cursor[Any]) -> str:
    """Which server it is: another one may have a slot of the same name, and places of the same numbers."""
    cursor.execute("SELECT system_identifier::text FROM pg_control_system()")
    row = cursor.fetchone()
    return str(row[0]) if row else ""


def checked(cursor: psycopg.Cursor[Any], ask: Ask, position: Position) -> Slot:
    """The slot that can give all that comes after a position. Raises `UserError` where nobody can any more."""
    name, reached = named(ask, position), lsn_number(position["lsn"])
    if position.get("system") != system(cursor):
        raise UserError(lost(ask, name, "it is another server than the one that was read"))
    found = find(cursor, name)
    if found is None:
        raise UserError(lost(ask, name, "somebody dropped it, or the server was restored or replaced by one that did not have it"))
    if found.status == LOST:
        raise UserError(lost(ask, name, f"its `wal_status` is `{found.status}`: more log was written than `max_slot_wal_keep_size` keeps"))
    if found.confirmed > reached:
        why = f"it went on from {position['lsn']} to {lsn_text(found.confirmed)} without us, and what it passed over stands in no lake"
        raise UserError(lost(ask, name, why))
    if flushed(cursor) < reached:
        raise UserError(
            lost(ask, name, f"the server's log ends before {position['lsn']}, which was read already: it is restored from an older state")
        )
    return found


def lost(ask: Ask, name: str, why: str) -> Finding:
    """That changes are lost, and what gets the lake right again."""
    hint = f"changes since the last load are lost: load all of it once more by `xde run --full {ask.dataset}`"
    return Finding("XDE0425", f"the replication slot `{name}` of `{label(ask)}` is lost", ask.span, "changes are lost", why, hint)


def holding(ask: Ask, slots: Sequence[Slot], own: str) -> list[Finding]:
    """What is told of slots that hold back much of the log."""
    found = []
    for slot in slots:
        if slot.held >= MUCH or slot.status == "unreserved":
            why = (
                "the server cannot take away what comes after it, and its disk fills"
                if slot.name == own
                else "no load of this version and lake reads it"
            )
            hint = (
                "load more often"
                if slot.name == own
                else f"if nobody needs it any more, run: SELECT pg_drop_replication_slot({literal(slot.name)})"
            )
            told = f"the slot `{slot.name}` of `{label(ask)}` holds back {slot.held / (1 << 30):.1f} GiB of log"
            found.append(Finding("XDE0430", told, ask.span, "", why, hint, Severity.WARNING))
    return found


def make(connection: psycopg.Connection[Any], ask: Ask, name: str) -> tuple[int, str]:
    """Make a slot: where it begins, and the name of the snapshot that has all from before and nothing from after.

    The snapshot can be taken as long as the connection, which speaks the protocol of replication, does nothing else.
    """
    import psycopg
    from psycopg import errors

    try:
        with connection.cursor() as cursor:
            cursor.execute(f'CREATE_REPLICATION_SLOT "{name}" LOGICAL pgoutput EXPORT_SNAPSHOT'.encode())
            row = cursor.fetchone()
    except errors.LockNotAvailable as error:
        why = "a transaction that has written something is open for too long"
        how = "find it: SELECT pid, usename, xact_start FROM pg_stat_activity ORDER BY xact_start"
        raise TemporaryError(f"no slot can be made on `{label(ask)}` just now: {why}; {how}", retry_in=5.0) from error
    if row is None:
        raise psycopg.OperationalError("the server made a slot and said nothing of it")
    return lsn_number(row[1]), str(row[2])


def drop(cursor: psycopg.Cursor[Any], name: str) -> None:
    """Take a slot away, if it is there and nobody reads it."""
    cursor.execute("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = %s AND NOT active", (name,))


def idle(cursor: psycopg.Cursor[Any], wanted: Mapping[str, str]) -> list[Slot]:
    """Of some slots (the server that each was made on, by its name) those that are here and that nobody reads just now."""
    here = system(cursor)
    found = [find(cursor, name) for name, made_on in wanted.items() if made_on == here]
    cursor.execute("SELECT current_database()::text")
    (database,) = cursor.fetchone() or ("",)
    return [s for s in found if s is not None and not s.active and s.plugin == PLUGIN and s.database == database]


def advance(cursor: psycopg.Cursor[Any], slot: Slot, lsn: int) -> None:
    """Let the server forget what stands before a place. Only ever called with one that stands in a commit."""
    if slot.confirmed < lsn:
        cursor.execute("SELECT pg_replication_slot_advance(%s, %s::pg_lsn)", (slot.name, lsn_text(lsn)))


def _number(cursor: psycopg.Cursor[Any]) -> int:
    row = cursor.fetchone()
    return int(row[0]) if row else 0
