"""A table as it changes, read from the log of a PostgreSQL server: a snapshot first, then every change after it, once.

The slot is made together with a snapshot, which holds all that was committed before the place where the slot begins and nothing of what was
committed after it. From there on changes are *looked at* (`pg_logical_slot_peek_binary_changes`), which changes nothing on the server.
Only what stands in a commit of the lake is let go (`pg_replication_slot_advance`). Who is killed in between looks at the same changes once
more, and passes over those that his position says were taken.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from psycopg import errors

from xde.connectors.postgres.capture import setup, slots
from xde.connectors.postgres.capture.changes import READ, Changes
from xde.connectors.postgres.capture.pgoutput import decode
from xde.connectors.postgres.capture.pieces import Pieces
from xde.connectors.postgres.capture.shapes import compared, shape_of
from xde.connectors.postgres.capture.shaping import shaped
from xde.connectors.postgres.catalogue import describe, inexact, types_of
from xde.connectors.postgres.failures import label
from xde.connectors.postgres.serving import log
from xde.connectors.postgres.sources import PostgresTables
from xde.ground.crash import CrashPoint, crash_point
from xde.ground.digests import digest
from xde.ground.errors import Bug, TemporaryError, UserError
from xde.ground.findings import Finding
from xde.ground.names import literal, quoted
from xde.lifecycle.sources.pace import Pace
from xde.lifecycle.sources.tables import COMMITTED, LSN, OPERATION, SEQUENCE, TRANSACTION, Looked, News, Portion

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    import psycopg

    from xde.connectors.postgres.capture.pgoutput import Relation
    from xde.connectors.postgres.capture.shaping import Shaped
    from xde.connectors.postgres.catalogue import Described
    from xde.lifecycle.sources.tables import Ask, Capture, Position

WAIT = 60  # seconds for transactions that are open when a slot is made
PROBE = 10_000  # messages that are looked at to know whether there is anything
IDLE = 16 << 20  # bytes of log, one file of it, that a table in which nothing happens may hold back
STEP = 1000  # messages between two looks at the limits
HEAD = b"PGCOPY\n\xff\r\n\0"
_PEEK = "pg_logical_slot_peek_binary_changes({slot}, {upto}, {count}, 'proto_version', '1', 'publication_names', {publication})"
_ANY = """
SELECT count(*), count(*) FILTER (WHERE get_byte(data, 0) IN (73, 85, 68) AND substring(data FROM 2 FOR 4) = int4send({oid})
  OR get_byte(data, 0) = 84 AND position(int4send({oid}) IN data) > 0)
FROM {peek}
"""


class PostgresCapture:
    """See `lifecycle.sources.tables.TableSource` and `Captured`."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        self._tables = PostgresTables(settings)
        self._connections = self._tables.connections

    def news(self, ask: Ask, position: Position | None) -> News | None:
        """Whether the log has a change of the table after a position, or so much else that the slot should go on."""
        if position is None:
            return News("", "all of it is read")
        with self._connections.session(ask) as cursor:
            _, described = self._checked(cursor, ask, position)
            slot = slots.checked(cursor, ask, position)
            end, reached = slots.flushed(cursor), slots.lsn_number(position["lsn"])
            if end <= reached:
                return None
            peek = _peek(_capture(ask), slot.name, end, PROBE)
            cursor.execute(_ANY.format(oid=_signed(described.oid), peek=peek).encode())
            messages, changes = cursor.fetchone() or (0, 0)
        signature = digest(dict(position))
        if changes:
            return News(signature, f"`{ask.relation}` has changed")
        if messages >= PROBE or end - reached >= IDLE:
            return News(signature, f"its slot holds back {(end - reached) >> 20:,} MiB of log")
        return None

    def read(self, ask: Ask, position: Position | None, folder: Path) -> Portion:
        """The rows as they are where a new slot begins, or the changes after a position, up to the end of the log as the run found it."""
        if position is None:
            return self._snapshot(ask, folder)
        with self._connections.session(ask) as cursor, self._connections.session(ask) as beside:
            findings, described = self._checked(beside, ask, position)
            slot = slots.checked(beside, ask, position)
            reached = slots.lsn_number(position["lsn"])
            slots.advance(beside, slot, reached)
            slots.drop(beside, _capture(ask).other)
            until = slots.lsn_number(position["until"]) if "until" in position else slots.flushed(beside)
            findings += slots.holding(ask, slots.kin(beside, ask), slot.name)
            shape = shape_of(beside, described)
            at = {**position, **shape.fact()}
            at.pop("until", None)
            pieces = Pieces(folder, _capture(ask).told, lambda kind, texts: _as_json(beside, kind, texts))

            def shape_from(relation: Relation, number: int) -> Shaped:
                return shaped(ask, relation, number, types_of(beside, [c.type for c in relation.columns]), _capture(ask).key)

            with closing(pieces), closing(Changes(ask, described.oid, reached, shape_from, pieces, folder)) as changes:
                pace = Pace(ask.limits)
                count = _taken(cursor, _peek(_capture(ask), slot.name, until, _capture(ask).batch), changes, pace) if until > reached else 0
                gone = changes.written()
                whole, unfinished = pieces.written()
        crash_point(CrashPoint.CHANGES_READ)
        more = count >= _capture(ask).batch and changes.reached < until
        at["lsn"] = slots.lsn_text(changes.reached if more else max(changes.reached, until))
        if more:
            at["until"] = slots.lsn_text(until)
        cost = {**pace.cost(), "connections": 2, "changes": {k: n for k, n in changes.counts.items() if n}, "held": slot.held}
        return Portion(whole, at, cost, tuple(findings), unfinished, gone, changes.anew, more)

    def look(self, ask: Ask) -> list[Looked]:
        """The way to the table, and all that its log needs."""
        looked = self._tables.look(ask)
        if all(x.well for x in looked):
            with self._connections.session(ask) as cursor:
                looked += [n.looked for n in setup.needed(cursor, ask, describe(cursor, ask).oid, first=not slots.kin(cursor, ask))]
        return looked

    def server(self, ask: Ask) -> list[Looked]:
        """What is the same for all tables of the server, and what of its log runs out."""
        looked = self._tables.server(ask)
        with self._connections.transaction(ask) as cursor:
            return [*looked, *log(cursor)]

    def settle(self, ask: Ask, position: Position) -> None:
        """Let the server forget the log before a position."""
        with self._connections.session(ask) as cursor:
            slot = slots.find(cursor, slots.named(ask, position))
            crash_point(CrashPoint.SLOT_BEHIND)
            if slot is not None:
                slots.advance(cursor, slot, slots.lsn_number(position["lsn"]))
            slots.drop(cursor, _capture(ask).other)
            crash_point(CrashPoint.SLOT_ADVANCED)

    def abandon(self, ask: Ask) -> None:
        """Take away the slot that was made for a first load, which came to nothing."""
        with self._connections.session(ask) as cursor:
            slots.drop(cursor, _capture(ask).name)

    def system(self, ask: Ask) -> str:
        """Which server it is."""
        with self._connections.session(ask) as cursor:
            return slots.system(cursor)

    def left(self, ask: Ask, wanted: Mapping[str, str]) -> dict[str, int]:
        """Of some slots those that are on this server and that nobody reads, with the bytes of log that they hold back."""
        with self._connections.session(ask) as cursor:
            return {s.name: s.held for s in slots.idle(cursor, wanted)}

    def drop(self, ask: Ask, wanted: Mapping[str, str]) -> list[str]:
        """Take such slots away."""
        with self._connections.session(ask) as cursor:
            found = [s.name for s in slots.idle(cursor, wanted)]
            for name in found:
                slots.drop(cursor, name)
                crash_point(CrashPoint.SLOT_DROPPED)
            return found

    def close(self) -> None:
        """Let go of the connections."""
        self._tables.close()

    def _snapshot(self, ask: Ask, folder: Path) -> Portion:
        capture = _capture(ask)
        with self._connections.session(ask) as cursor:
            described = describe(cursor, ask)
            setup.demand(cursor, ask.resolved(list(described.columns), str), described.oid, first=not capture.once)
            there = slots.find(cursor, capture.name)
            if there is not None and there.active:
                raise TemporaryError(f"somebody reads the slot `{capture.name}` of `{label(ask)}` just now", retry_in=5.0)
            slots.drop(cursor, capture.name)  # of a load that was killed: no position names it
            cursor.execute("SELECT clock_timestamp()::text")
            (began,) = cursor.fetchone() or ("",)
            at = {"kind": "postgres-log", "slot": capture.name, "system": slots.system(cursor)}
            end = slots.flushed(cursor)
        if capture.key is None:  # one connection numbers the rows
            ask = replace(ask, limits=replace(ask.limits, connections=1))
        if capture.once:
            return self._copied(ask, folder, at, (end, ""), began)
        with self._connections.replication(ask, WAIT) as maker:
            begin = slots.make(maker, ask, capture.name)
            crash_point(CrashPoint.SLOT_MADE)
            portion = self._copied(ask, folder, at, begin, began)
        crash_point(CrashPoint.CHANGES_READ)
        return portion

    def _copied(self, ask: Ask, folder: Path, at: Mapping[str, object], begin: tuple[int, str], began: str) -> Portion:
        """All rows, as they are in a snapshot that belongs to a place in the log."""
        lsn, snapshot = begin
        with self._connections.transaction(ask, snapshot) as cursor:
            ask, described = self._tables.described(cursor, ask)
            publication = setup.signature(cursor, ask, described.oid)
            position = {**at, "lsn": slots.lsn_text(lsn), "publication": publication, **shape_of(cursor, described).fact()}
            pieces, cost = self._tables.copied(cursor, ask, described, "", folder, _besides(_capture(ask), lsn, began))
        return Portion(tuple(pieces), position, cost, tuple(inexact(ask, described)), anew=True)

    def _checked(self, cursor: psycopg.Cursor[Any], ask: Ask, position: Position) -> tuple[list[Finding], Described]:
        """What is to be told of the table as it is now, held against how it was. Raises `UserError` where its log does not tell all."""
        if "lsn" not in position:
            hint = f"load all of it once more by `xde run --full {ask.dataset}`"
            raise UserError(
                Finding("XDE0425", f"what the lake has of `{ask.relation}` was not read from its log", ask.span, "no position", hint=hint)
            )
        described = describe(cursor, ask)
        ask = ask.resolved(list(described.columns), str)
        findings = compared(ask, position, shape_of(cursor, described))
        setup.demand(cursor, ask, described.oid, first=False)
        if setup.signature(cursor, ask, described.oid) != position.get("publication"):
            why = "it was altered or made anew, or the table was taken out and put back: changes of that time may stand in no log"
            hint = f"load all of it once more by `xde run --full {ask.dataset}`"
            told = f"the publication `{_capture(ask).publication}` is not as it was when `{ask.relation}` was read"
            raise UserError(Finding("XDE0425", told, ask.span, "changes may be lost", why, hint))
        return findings, described


def _capture(ask: Ask) -> Capture:
    if ask.capture is None:
        raise Bug("nothing says how this is captured")
    return ask.capture


def _signed(oid: int) -> str:
    return f"({oid if oid < 1 << 31 else oid - (1 << 32)})::int4"


def _peek(capture: Capture, slot: str, upto: int, count: int) -> str:
    publication = literal(quoted(capture.publication))
    return _PEEK.format(slot=literal(slot), upto=literal(slots.lsn_text(upto)), count=count, publication=publication)


def _taken(cursor: psycopg.Cursor[Any], peek: str, changes: Changes, pace: Pace) -> int:
    """Have every message taken; gives how many there were."""
    count = size = 0
    try:
        for data in _messages(cursor, f"COPY (SELECT data FROM {peek}) TO STDOUT (FORMAT binary)"):
            message = decode(data)
            if message is not None:
                changes.take(message)
            count += 1
            size += len(data)
            if count % STEP == 0:
                pace.took(STEP, size)
                size = 0
    except errors.ObjectNotInPrerequisiteState as error:  # its log was taken away while we read: the next look finds the slot lost
        raise TemporaryError(f"the slot broke off: {' '.join(str(error).split())[:200]}") from error
    pace.took(count % STEP, size)
    return count


def _messages(cursor: psycopg.Cursor[Any], command: str) -> Iterator[bytes]:
    """The one binary column of a `COPY`: each block is a row (how many columns, how long, the bytes), the first begins with a head."""
    with cursor.copy(command.encode()) as copy:
        for block in copy:
            data = bytes(block)
            if data.startswith(HEAD):
                data = data[19:]
            if len(data) < 6:  # the end
                continue
            if int.from_bytes(data[2:6]) != len(data) - 6:
                raise Bug("a message of the log came in parts")
            yield data[6:]


def _as_json(cursor: psycopg.Cursor[Any], kind: str, texts: Sequence[str | None]) -> Sequence[str | None]:
    """Values of a type as the server writes them as JSON, in a query too."""
    cursor.execute(
        f"SELECT to_json(v::{kind})::text FROM unnest(%s::text[]) WITH ORDINALITY AS t (v, n) ORDER BY n".encode(), (list(texts),)
    )
    return [t for (t,) in cursor.fetchall()]


def _besides(capture: Capture, lsn: int, began: str) -> str:
    """What is told of a row that was there before the log begins."""
    said = {
        OPERATION: literal(READ),
        LSN: f"{lsn - 1}::bigint",
        SEQUENCE: "row_number() OVER ()",
        TRANSACTION: "NULL::bigint",
        COMMITTED: f"{literal(began)}::timestamptz",
    }
    return "".join(f", {said[w]} AS {quoted(w)}" for w in capture.told)
