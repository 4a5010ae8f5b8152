"""A decoder of `pgoutput`, version 1: the messages of PostgreSQL's own plug-in for logical decoding, as values with types.

The format is that of PostgreSQL's manual, "Logical Replication Message Formats". Only what is said of tables is decoded; origins, types and
messages of programs are passed over.
"""

from __future__ import annotations

import struct
from enum import Enum
from typing import NamedTuple

from xde.ground.errors import Bug


class Kept(Enum):
    """A value that stands apart from its row and did not change: the log does not repeat it."""

    KEPT = "kept"


KEPT = Kept.KEPT
Value = str | None | Kept
Row = tuple[Value, ...]


class Begin(NamedTuple):
    """A transaction begins: where the record of its commit starts, when it was committed (microseconds since 2000), its number."""

    lsn: int
    at: int
    transaction: int


class Commit(NamedTuple):
    """A transaction is whole: where the record of its commit starts and ends."""

    lsn: int
    end: int


class RelationColumn(NamedTuple):
    """A column of a table as it is from here on; `key` says that it is part of the replica identity."""

    name: str
    type: int
    modifier: int
    key: bool


class Relation(NamedTuple):
    """A table's shape, told before its first change and after each change of it.

    `identity` is d (primary key), i (a unique index), f (the whole row) or n (nothing).
    """

    oid: int
    schema: str
    name: str
    identity: str
    columns: tuple[RelationColumn, ...]


class Insert(NamedTuple):
    """A new row."""

    oid: int
    row: Row


class Update(NamedTuple):
    """A row as it is now; `old` is the whole old row or, where the key changed, the old key with nothing in other columns."""

    oid: int
    old: Row | None
    row: Row


class Delete(NamedTuple):
    """A row that went: the whole row or its key."""

    oid: int
    old: Row


class Truncate(NamedTuple):
    """Tables that were emptied."""

    oids: tuple[int, ...]


Message = Begin | Commit | Relation | Insert | Update | Delete | Truncate

_BEGIN = struct.Struct("!QqI")
_COMMIT = struct.Struct("!BQQq")
_OID = struct.Struct("!I")
_COUNT = struct.Struct("!H")
_COLUMN = struct.Struct("!Ii")
_OTHERS = frozenset(b"OYM")  # where a transaction came from, types by name, messages of programs
_B, _C, _R, _I, _U, _D, _T, _N = b"BCRIUDTN"
_NULL, _UNCHANGED, _TEXT = b"nut"


def decode(data: bytes) -> Message | None:
    """The message, or None where it says nothing of tables."""
    kind = data[0]
    if kind == _I:
        return Insert(_oid(data), _row(data, 6)[0])
    if kind == _U:
        return _update(data)
    if kind == _D:
        return Delete(_oid(data), _row(data, 6)[0])
    if kind == _B:
        return Begin(*_BEGIN.unpack_from(data, 1))
    if kind == _C:
        _, lsn, end, _ = _COMMIT.unpack_from(data, 1)
        return Commit(lsn, end)
    return _seldom(data, kind)


def _seldom(data: bytes, kind: int) -> Message | None:
    if kind == _R:
        return _relation(data)
    if kind == _T:
        (count,) = _OID.unpack_from(data, 1)
        return Truncate(struct.unpack_from(f"!{count}I", data, 6))
    if kind in _OTHERS:
        return None
    msg = f"the log says something of a kind that nobody asked for: {bytes([kind])!r}"
    raise Bug(msg)


def _oid(data: bytes) -> int:
    return int(_OID.unpack_from(data, 1)[0])


def _update(data: bytes) -> Update:
    if data[5] == _N:
        return Update(_oid(data), None, _row(data, 6)[0])
    old, after = _row(data, 6)
    return Update(_oid(data), old, _row(data, after + 1)[0])


def _row(data: bytes, at: int) -> tuple[Row, int]:
    """The row that begins there, and where it ends."""
    (count,) = _COUNT.unpack_from(data, at)
    at += 2
    values: list[Value] = []
    for _ in range(count):
        kind = data[at]
        at += 1
        if kind == _TEXT:
            (size,) = _OID.unpack_from(data, at)
            at += 4
            values.append(data[at : at + size].decode())
            at += size
        elif kind == _NULL:
            values.append(None)
        elif kind == _UNCHANGED:
            values.append(KEPT)
        else:
            msg = f"the log has a value of a kind that nobody asked for: {bytes([kind])!r}"
            raise Bug(msg)
    return tuple(values), at


def _relation(data: bytes) -> Relation:
    schema, at = _word(data, 5)
    name, at = _word(data, at)
    identity = chr(data[at])
    (count,) = _COUNT.unpack_from(data, at + 1)
    at += 3
    columns = []
    for _ in range(count):
        key = bool(data[at] & 1)
        column, at = _word(data, at + 1)
        kind, modifier = _COLUMN.unpack_from(data, at)
        at += _COLUMN.size
        columns.append(RelationColumn(column, kind, modifier, key))
    return Relation(_oid(data), schema or "pg_catalog", name, identity, tuple(columns))


def _word(data: bytes, at: int) -> tuple[str, int]:
    end = data.index(0, at)
    return data[at:end].decode(), end + 1
