"""The ledger in one SQLite file: any number of processes of one machine, any number of threads of each."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections import defaultdict
from contextlib import closing
from typing import TYPE_CHECKING, TypeVar

from xde.ground.errors import Bug, TemporaryError, UserError
from xde.ledger import findings
from xde.ledger.queries import queries
from xde.ledger.store import Transaction

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from xde.ground.errors import XdeError

Result = TypeVar("Result")

BUSY_SECONDS = 10.0
_DIALECT = "sqlite"
_OTHERS = "_postgres"  # the end of names of queries that another database is asked
_PARTS = ("-wal", "-shm", "-journal", "")  # the log first: were it left behind, it would be taken for the log of the next database


class SqliteStore:
    """One connection behind a lock; a write takes the file's only writing place at once, so that it never fails half-way for it."""

    dialect = _DIALECT

    def __init__(self, path: Path, label: str, busy_seconds: float = BUSY_SECONDS) -> None:
        self.label = label
        self._path = path
        self._lock = threading.Lock()
        _make_room(path, label)
        try:
            self._connection = sqlite3.connect(path, timeout=busy_seconds, isolation_level=None, check_same_thread=False)
        except sqlite3.Error as error:
            raise self._told(error) from error
        try:
            self._prepare(busy_seconds)
        except sqlite3.Error as error:
            self._connection.close()
            raise self._told(error) from error

    def _prepare(self, busy_seconds: float) -> None:
        """Readers and one writer at once (WAL); a commit survives the death of the process, though not of the power."""
        tries = max(1, int(busy_seconds / 0.02))
        for attempt in range(1, tries + 1):
            try:
                self._connection.execute("PRAGMA journal_mode = WAL")
                break
            except sqlite3.OperationalError as error:  # two processes make the file at once: here SQLite does not wait by itself
                if _code(error) != sqlite3.SQLITE_BUSY or attempt == tries:
                    raise
                time.sleep(0.02)
        self._connection.execute("PRAGMA synchronous = NORMAL")

    def read(self, work: Callable[[Transaction], Result]) -> Result:
        """One look at the file as it was when the look began."""
        return self._in_transaction("BEGIN", work)

    def write(self, work: Callable[[Transaction], Result]) -> Result:
        """All or nothing."""
        return self._in_transaction("BEGIN IMMEDIATE", work)

    def _in_transaction(self, begin: str, work: Callable[[Transaction], Result]) -> Result:
        with self._lock:
            try:
                self._connection.execute(begin)
                try:
                    with closing(self._connection.cursor()) as cursor:
                        result = work(Transaction(cursor, queries()))
                    self._connection.execute("COMMIT")
                except BaseException:  # an interrupt must undo too, and then go on
                    if self._connection.in_transaction:
                        self._connection.execute("ROLLBACK")
                    raise
            except sqlite3.Error as error:
                raise self._told(error) from error
        return result

    def examine(self) -> None:
        """Read the whole file, and try whether whatever we ask of it could be asked. Raises `UserError` for what is damaged."""
        with self._lock:
            try:
                (told,) = self._connection.execute("PRAGMA integrity_check(1)").fetchone()
                for name, query in queries().items():
                    if not name.endswith(_OTHERS):
                        self._connection.execute(f"EXPLAIN {query}", defaultdict(lambda: None))
            except sqlite3.Error as error:
                raise self._told(error) from error
        if told != "ok":
            raise UserError(findings.damaged(self.label, str(told)))

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._connection.close()

    def _told(self, error: sqlite3.Error) -> XdeError:
        """What SQLite complains of, by the kind of its code (https://www.sqlite.org/rescode.html)."""
        why = str(error)
        match _code(error):
            case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
                return TemporaryError(f"the ledger `{self.label}` is held by another process", retry_in=1.0)
            case sqlite3.SQLITE_FULL:
                return UserError(findings.disk_full(self.label))
            case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM | sqlite3.SQLITE_AUTH:
                return UserError(findings.not_writable(self.label, why))
            case sqlite3.SQLITE_NOTADB:
                return UserError(findings.not_a_database(self.label))
            case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_FORMAT:
                return UserError(findings.damaged(self.label, why))
            case sqlite3.SQLITE_IOERR:
                return UserError(findings.disk_failed(self.label, why))
            case None if "decode to UTF-8" in why:
                return UserError(findings.damaged(self.label, why))
            case sqlite3.SQLITE_ERROR if "no such" in why or "has no column" in why:  # the file was changed by hand
                return UserError(findings.damaged(self.label, why))
            case _:
                return Bug(f"SQLite, {type(error).__name__}: {why}")


def _code(error: sqlite3.Error) -> int | None:
    """The primary result code: the last byte of the extended one."""
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def _make_room(path: Path, label: str) -> None:
    if path.is_dir():
        raise UserError(findings.is_folder(label))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(findings.not_writable(label, f"its folder cannot be made: {error.strerror}")) from error


def set_aside(path: Path) -> Path | None:
    """Move a broken ledger out of the way, under a name that is free; None when there is nothing to move.

    Nobody may have it open. Killed half-way it can be done again: the database itself goes last.
    """
    number = 1
    while any(path.with_name(f"{path.name}.broken-{number}{part}").exists() for part in _PARTS):
        number += 1
    target = path.with_name(f"{path.name}.broken-{number}")
    moved = False
    for part in _PARTS:
        old = path.with_name(path.name + part)
        if old.exists():
            old.rename(target.with_name(target.name + part))
            moved = True
    return target if moved else None
