"""The journal of a spool: a thread writes what is queued, makes it durable by one sync for all of it, and then tells those who wait."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

from xde.connectors.spool.disk import no_room, sync, sync_folder
from xde.connectors.spool.frames import written
from xde.ground.crash import CrashPoint, crash_point
from xde.ground.records import dataclass
from xde.lifecycle.ingestion.push import NoRoom

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from xde.ground.clock import Clock
    from xde.lifecycle.ingestion.push import Entry

    Done = Callable[[BaseException | None], None]

TOGETHER = 8 << 20  # bytes that are written before a sync, where so much is queued
QUEUED = 64 << 20  # bytes that may wait for the disk


@dataclass(slots=True)
class Open:
    """The file that is written to: `durable` is what of it is on the disk."""

    number: int
    descriptor: int
    durable: int = 0
    rows: int = 0
    since: float = 0.0


class Journal:
    """One writer for one folder. `group` is how many entries may share a sync (a test and the benchmark set it)."""

    def __init__(self, folder: Path, following: int, clock: Clock, kept: Callable[[Entry, float], None], group: int = 1_000_000) -> None:
        self._folder = folder
        self._following = following
        self._clock = clock
        self._kept = kept
        self._group = group
        self._queue: list[tuple[Entry, Done]] = []
        self._queued = 0
        self._more = threading.Condition()
        self._files = threading.Lock()  # held while the open file is written to, or changed for another
        self._open: Open | None = None
        self._over = False
        self._last = 0.0
        self._broken = ""
        self._thread = threading.Thread(target=self._work, name=f"journal {folder.parent.name}", daemon=True)
        self._thread.start()

    def append(self, entry: Entry, done: Done) -> None:
        """Queue an entry. Raises `NoRoom` where too much is queued already, or the journal is closed."""
        with self._more:
            if self._over:
                raise NoRoom("the door is closed")
            if self._broken:
                raise NoRoom(self._broken)
            if self._queued + len(entry.lines) > QUEUED and self._queue:
                raise NoRoom("the disk does not keep up")
            self._queue.append((entry, done))
            self._queued += len(entry.lines)
            self._more.notify()

    def written(self) -> tuple[int, int, float | None]:
        """Rows and bytes of the open file, and since when there are any (monotonic)."""
        now = self._open
        return (now.rows, now.durable, now.since) if now is not None and now.rows else (0, 0, None)

    def seal(self) -> Open | None:
        """Close the open file, if it has anything, and give it; what comes goes to the next."""
        with self._files:
            now = self._open
            if now is None or not now.rows:
                return None
            os.close(now.descriptor)
            self._open = None
            return now

    def close(self) -> None:
        """Write what is queued, and end."""
        with self._more:
            self._over = True
            self._more.notify()
        self._thread.join()

    def _work(self) -> None:
        while True:
            with self._more:
                while not self._queue and not self._over:
                    self._more.wait()
                batch = self._taken()
            if not batch:
                return
            with self._files:
                failed = self._write(batch)
            for _, done in batch:
                done(failed)

    def _taken(self) -> list[tuple[Entry, Done]]:
        size = 0
        for number, (entry, _) in enumerate(self._queue):
            size += len(entry.lines)
            if size > TOGETHER or number >= self._group:
                batch = self._queue[: max(1, number)]
                break
        else:
            batch = self._queue
        self._queue = self._queue[len(batch) :]
        self._queued -= sum(len(e.lines) for e, _ in batch)
        return batch

    def _write(self, batch: list[tuple[Entry, Done]]) -> NoRoom | None:
        at = self._last = max(self._last, self._clock.now().timestamp())  # a clock that is set back does not make what comes later older
        try:
            now = self._file()
            content = b"".join(written(e, at, now.durable) for e, _ in batch)
            _write_all(now.descriptor, content, now.durable)
            crash_point(CrashPoint.PUSH_WRITTEN)
            sync(now.descriptor)
        except OSError as error:
            return self._back(error)
        crash_point(CrashPoint.PUSH_DURABLE)
        if not now.rows:
            now.since = self._clock.monotonic()
        now.durable += len(content)
        now.rows += sum(e.rows for e, _ in batch)
        for entry, _ in batch:
            if entry.key:
                self._kept(entry, at)
        return None

    def _file(self) -> Open:
        if self._open is None:
            path = self._folder / f"{self._following:012d}.log"
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
            self._open = Open(self._following, descriptor)
            self._following += 1
            sync_folder(self._folder)
        return self._open

    def _back(self, error: OSError) -> NoRoom:
        """Cut the file back to what was answered for. A file that cannot even be cut takes nothing any more: nobody knows what is in it."""
        now = self._open
        if now is not None:
            try:
                os.ftruncate(now.descriptor, now.durable)
                sync(now.descriptor)
            except OSError as worse:
                self._broken = f"the disk fails: {worse.strerror or worse}"
        return no_room(error)


def _write_all(descriptor: int, content: bytes, at: int) -> None:
    rest = memoryview(content)
    os.lseek(descriptor, at, os.SEEK_SET)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
