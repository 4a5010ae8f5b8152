"""The last row of each key among the changes that are read: in memory, and beyond a limit in a scratch file."""

from __future__ import annotations

import marshal
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any, NamedTuple

from xde.connectors.postgres.capture.pgoutput import KEPT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from xde.connectors.postgres.capture.pgoutput import Row

FRONT = 200_000  # keys in memory
Key = tuple[str | None, ...]


class Known(NamedTuple):
    """A row as the changes left it: the number of its shape, its values, what is told of it.

    The lake has the values that are `KEPT`, under the key `origin`.
    """

    shape: int
    row: Row
    origin: Key | None
    told: tuple[str | None, ...]


class Latest:
    """Rows by key; None says that the key is gone."""

    def __init__(self, folder: Path, *, private: bool = False) -> None:
        """Of a `private` source nothing may lie on a disk."""
        self._path = ":memory:" if private else folder / "latest.sqlite"
        self._limit = FRONT
        self._front: dict[Key, Known | None] = {}
        self._file: sqlite3.Connection | None = None

    def put(self, key: Key, row: Known | None) -> None:
        """What is the last of a key."""
        self._front[key] = row
        if len(self._front) > self._limit:
            self._spill()

    def get(self, key: Key) -> Known | None:
        """The last of a key; None where it is gone, or no change told of it."""
        if key in self._front or self._file is None:
            return self._front.get(key)
        with closing(self._file.execute("SELECT row FROM latest WHERE key = ?", (_text(key),))) as cursor:
            found = cursor.fetchone()
        return _unpacked(found[0]) if found else None

    def clear(self) -> None:
        """Forget all."""
        self._front.clear()
        if self._file is not None:
            self._file.execute("DELETE FROM latest")

    def all(self) -> Iterator[tuple[Key, Known | None]]:
        """Every key with its last row."""
        if self._file is None:
            yield from self._front.items()
            return
        self._spill()
        with closing(self._file.execute("SELECT key, row FROM latest")) as cursor:
            for key, row in cursor:
                yield _key(key), _unpacked(row)

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()

    def _spill(self) -> None:
        if self._file is None:
            self._file = sqlite3.connect(self._path, isolation_level=None)
            self._file.execute("PRAGMA journal_mode = OFF")
            self._file.execute("PRAGMA temp_store = MEMORY")
            self._file.execute("PRAGMA synchronous = OFF")
            self._file.execute("CREATE TABLE latest (key TEXT PRIMARY KEY, row BLOB) WITHOUT ROWID")
        self._file.execute("BEGIN")
        self._file.executemany("INSERT OR REPLACE INTO latest VALUES (?, ?)", ((_text(k), _packed(r)) for k, r in self._front.items()))
        self._file.execute("COMMIT")
        self._front.clear()


def _text(key: Key) -> str:
    """A key as one text: no value of PostgreSQL has a NUL in it."""
    return "\0".join(["-" if v is None else "+" + v for v in key])


def _key(text: str) -> Key:
    return tuple([None if v == "-" else v[1:] for v in text.split("\0")])


def _packed(known: Known | None) -> bytes:
    if known is None:
        return marshal.dumps(None)
    row: tuple[Any, ...] = tuple([0 if v is KEPT else v for v in known.row]) if KEPT in known.row else known.row
    return marshal.dumps((known.shape, row, known.origin, known.told), 2)


def _unpacked(packed: bytes) -> Known | None:
    found = marshal.loads(packed)  # noqa: S302 - written by this process
    if found is None:
        return None
    shape, row, origin, told = found
    return Known(shape, tuple([KEPT if v == 0 else v for v in row]) if 0 in row else row, origin, told)
