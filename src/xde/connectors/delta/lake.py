"""The lake: Delta tables whose log is written by delta-rs and whose Parquet files are written by an engine."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from xde.connectors.delta.cleaning import leftovers, uses
from xde.connectors.delta.commits import Committer, lost
from xde.connectors.delta.handles import Handles, snapshot_of
from xde.connectors.delta.log import Told, lives, read_entry, read_told, record
from xde.connectors.delta.stores import DROPPED, store_of
from xde.connectors.delta.types import storable
from xde.ground.clock import SystemClock
from xde.ground.crash import CrashPoint, crash_point
from xde.ground.errors import TemporaryError, UserError
from xde.ground.findings import Finding
from xde.lifecycle.storage.port import Cleaned, TableId

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xde.connectors.delta.stores import Stored
    from xde.ground.clock import Clock
    from xde.lifecycle.storage.port import Commit, CommitRecord, Snapshot

OLD_SNAPSHOTS = 64  # kept in memory; a snapshot never changes


class DeltaLake:
    """Tables under one folder or URL: `ROOT/schema/name/VERSION`."""

    def __init__(self, root: str, options: Mapping[str, str] | None = None, clock: Clock | None = None) -> None:
        self.root = root.rstrip("/")
        self._clock = clock or SystemClock()
        self._store = store_of(root, options or {})
        self._handles = Handles(self._store, options or {})
        self._committer = Committer(self._store, self._handles, options or {}, self._clock)
        self._lock = threading.Lock()
        self._old: dict[tuple[str, object, int], Snapshot] = {}

    def storable(self, kind: str) -> str:
        """The type in which a column of a type is stored."""
        return storable(kind)

    def tables(self) -> tuple[TableId, ...]:
        """Every table with a log, in order of its name."""
        parts = (folder.split("/") for folder in self._store.tables())
        return tuple(TableId(f"{schema}.{name}", version) for schema, name, version in parts)

    def ruins(self) -> tuple[TableId, ...]:
        """Folders without a table: of builds that never came to a commit, of drops that were cut short."""
        parts = (folder.split("/") for folder in self._store.ruins())
        return tuple(TableId(f"{schema}.{name}", version) for schema, name, version in parts)

    def folder(self, table: TableId) -> str:
        """Where an engine writes; made if it is a disk's."""
        folder = _folder(table)
        self._store.make(folder)
        return self._store.where(folder)

    def snapshot(self, table: TableId, number: int | None = None) -> Snapshot | None:
        """The table at its newest or at an older commit."""
        folder = _folder(table)
        with self._handles.newest(folder) as opened:
            if opened is None:
                return None
            if opened.snapshot is None or opened.snapshot.number != opened.number:
                opened.snapshot = snapshot_of(opened.handle, table, self._store.where(folder))
            newest = opened.snapshot
            birth = opened.birth
        return newest if number is None or number == newest.number else self._older(table, (folder, birth, number), newest.number)

    def commit(self, commit: Commit) -> int:
        """Publish adds and removes with their facts, or raise `TemporaryError` when somebody else was first."""
        folder = _folder(commit.table)
        lacking = self._store.missing(folder, commit.adds)
        if lacking is not None:
            raise TemporaryError(f"`{lacking}` of `{commit.table.dataset}` is not there as it was written: it must be written again")
        before = self.snapshot(commit.table)
        if (before.number if before else None) != commit.base:
            raise lost(commit, commit.base)
        crash_point(CrashPoint.BEFORE_COMMIT)
        number = self._committer.create(commit, folder) if before is None else self._committer.follow(commit, folder, before)
        crash_point(CrashPoint.AFTER_COMMIT)
        return number

    def share(self, of: Snapshot, table: TableId) -> None:
        """Hard links on a disk, copies elsewhere: what becomes of either table, the other keeps its files."""
        self._store.share(_folder(of.table), _folder(table), [f.path for f in of.files])

    def history(self, table: TableId, since: int = -1) -> tuple[CommitRecord, ...]:
        """The commits after `since`, newest first."""
        folder = _folder(table)
        entries = ((n, read_entry(self._store, folder, n)) for n in range(self._newest(folder), since, -1))
        return tuple(record(n, told) for n, told in entries if told is not None)

    def whole(self, table: TableId) -> tuple[int, ...]:
        """The snapshots whose files are all there, newest first, as far back as the log goes."""
        newest = self.snapshot(table)
        if newest is None:
            return ()
        folder = _folder(table)
        there = {f.path for f in self._store.listing(folder)}
        return tuple(n for n, files in lives(self._store, folder, newest.number, {f.path for f in newest.files}) if files <= there)

    def sizes(self, table: TableId) -> dict[str, int]:
        """Every file of a table's folder with its bytes."""
        return {f.path: f.size for f in self._store.listing(_folder(table))}

    def clean(self, table: TableId, *, keep_hours: float, dry_run: bool) -> Cleaned:
        """Take away what no snapshot of the last `keep_hours` needs, and orphans that no writer can still mean to commit.

        The folder is listed before the log is read, so that a file committed meanwhile is known to be in use.
        """
        folder = _folder(table)
        stored = list(self._store.listing(folder))
        newest = self.snapshot(table)
        told = read_told(self._store, folder, newest.number) if newest else Told()
        live = {f.path for f in newest.files} if newest else set()
        known = uses(live, told, self._clock.now().timestamp(), keep_hours)
        dropped = table.version.startswith(DROPPED)
        left = stored if dropped else leftovers(stored, known)
        crash_point(CrashPoint.CLEAN_LISTED)
        if not dry_run:
            forsaken = newest is None and len(left) == len(stored)
            if dropped or (forsaken and self._store.idle(folder, known.written_since)):
                self._store.drop(folder)
            else:
                self._store.remove(folder, (f.path for f in left))
        return _taken(table, left)

    def keep(self, name: str, text: str) -> None:
        """Keep a document beside the tables."""
        folder, _, file = name.rpartition("/")
        self._store.write(f"_{folder}", file, text)

    def kept(self, name: str) -> str | None:
        """A document that was kept."""
        folder, _, file = name.rpartition("/")
        return self._store.read(f"_{folder}", file)

    def all_kept(self, folder: str) -> tuple[str, ...]:
        """The names of all documents under a folder, in order."""
        found = (s.path for s in self._store.listing(f"_{folder}"))
        return tuple(sorted(f"{folder}/{path}" for path in found if not path.rpartition("/")[2].startswith("_")))

    def drop(self, table: TableId, *, dry_run: bool = False) -> Cleaned:
        """Take the whole folder away; a reader finds the table whole or does not find it."""
        folder = _folder(table)
        stored = list(self._store.listing(folder))
        if not dry_run:
            self._handles.forget(folder)
            self._store.drop(folder)
        return replace(_taken(table, stored), dropped=True)

    def _newest(self, folder: str) -> int:
        with self._handles.newest(folder) as opened:
            return opened.number if opened else -1

    def _older(self, table: TableId, key: tuple[str, object, int], newest: int) -> Snapshot:
        folder, _, number = key
        found = self._old.get(key)
        if found is None:
            if not 0 <= number < newest:
                raise UserError(
                    Finding(
                        "XDE0604",
                        f"`{table.dataset}` has no snapshot {number}",
                        why=f"its snapshots are 0 to {newest}" if newest else "its only snapshot is 0",
                        hint=f"see them with `xde history {table.dataset}`",
                    )
                )
            found = snapshot_of(self._handles.at(folder, number), table, self._store.where(folder))
            with self._lock:
                self._old[key] = found
                while len(self._old) > OLD_SNAPSHOTS:
                    del self._old[next(iter(self._old))]
        return found


def _taken(table: TableId, files: Sequence[Stored]) -> Cleaned:
    return Cleaned(table, tuple(f.path for f in files), sum(f.size for f in files))


def _folder(table: TableId) -> str:
    schema, _, name = table.dataset.partition(".")
    return f"{schema}/{name}/{table.version}"
