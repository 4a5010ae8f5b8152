"""A spool on a disk: its journal, the segments made of it, and which requests with a key of their own were answered how."""

from __future__ import annotations

import json
import os
import threading
import uuid
from collections import OrderedDict
from contextlib import suppress
from typing import TYPE_CHECKING

from xde.connectors.spool.disk import no_room, publish, sync
from xde.connectors.spool.frames import copied, damaged, whole
from xde.connectors.spool.journal import Journal
from xde.connectors.spool.locking import locked, unlocked
from xde.connectors.spool.segments import NAME, SEGMENTS, STEPS, bound, found_segments, segment_file
from xde.ground.clock import SystemClock
from xde.ground.crash import CrashPoint, crash_point
from xde.ground.errors import UserError
from xde.lifecycle.ingestion.at_the_door import Bound, hashed_otherwise, treated_otherwise
from xde.lifecycle.ingestion.push import NoRoom, Remembered, Waiting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from xde.connectors.spool.frames import Frame
    from xde.ground.clock import Clock
    from xde.lifecycle.ingestion.push import Entry, Push

JOURNAL, REQUESTS = "journal", "requests"


class DiskSpool:
    """One process at a time has it open; what a crash left of it is put in order when it is opened."""

    def __init__(self, folder: Path, push: Push, clock: Clock | None = None, group: int = 1_000_000, treated: Bound | None = None) -> None:
        """`treated` tells how the records were treated that it is given.

        Raises `UserError` where another process has it, what it held is damaged, or was treated in another way.
        """
        self._folder, self._push, self._clock = folder, push, clock or SystemClock()
        for name in (JOURNAL, SEGMENTS, REQUESTS):
            (folder / name).mkdir(parents=True, exist_ok=True)
        self._lock = locked(folder / "LOCK", push.dataset)
        self._known: OrderedDict[str, tuple[str, bytes, float]] = OrderedDict()
        self._answers: dict[bytes, bytes] = {}
        self._last = 0.0  # the newest moment that was written down: never before it
        self._held = threading.Lock()
        self._sealed: dict[int, tuple[int, int]] = {}  # number to rows and bytes
        self._unlanded: dict[int, tuple[int, int]] = {}
        self._since: float | None = None
        try:
            self.name = self._own_name()
            self._recover()
            self._bind(treated or Bound())
        except BaseException:
            unlocked(self._lock)
            raise
        self._newest = max([*self._sealed, *self._unlanded], default=0)
        self._journal = Journal(folder / JOURNAL, self._newest + 1, self._clock, self._keep, group)

    def append(self, entry: Entry, done: Callable[[BaseException | None], None]) -> None:
        """Queue an entry. Raises `NoRoom` where too much waits already."""
        if self.waiting().bytes + len(entry.lines) > self._push.spool_bytes:
            raise NoRoom(f"{self._push.spool_bytes:,} bytes wait to be loaded")
        self._journal.append(entry, done)

    def remembered(self, key: str) -> Remembered | None:
        """The earlier request with a key, where it is within the window; a clock that is set back forgets nothing."""
        with self._held:
            found = self._known.get(key)
            if found is None or found[2] < max(self._last, self._clock.now().timestamp()) - self._push.window:
                return None
            return Remembered(found[0], found[1])

    def waiting(self) -> Waiting:
        """What is not loaded yet."""
        rows, size, since = self._journal.written()
        with self._held:
            parts = [*self._sealed.values(), *self._unlanded.values()]
            since = since if self._since is None else self._since
        return Waiting(rows + sum(p[0] for p in parts), size + sum(p[1] for p in parts), since)

    def deliver(self) -> None:
        """Make segments of what was taken in until now. Raises `NoRoom` where the disk has none; nothing is lost by that."""
        done = self._journal.seal()
        with self._held:
            if done is not None:
                self._sealed[done.number] = (done.rows, done.durable)
                self._since = done.since if self._since is None else self._since
            sealed = sorted(self._sealed)
        for one in sealed:
            path = self._folder / JOURNAL / f"{one:012d}.log"
            frames, end = whole(path)
            if end != self._sealed[one][1]:
                raise damaged(path, end)
            self._make_segment(one, path, frames)

    def _make_segment(self, number: int, path: Path, frames: list[Frame]) -> None:
        target = segment_file(self._folder, number)
        try:
            if any(f.key for f in frames):
                publish(self._folder / REQUESTS / f"{number:012d}.keys", _headers(frames))
            publish(target, copied(path, frames))
            crash_point(CrashPoint.SEGMENT_DELIVERED)
            path.unlink()
        except OSError as error:
            raise no_room(error) from error
        with self._held:
            del self._sealed[number]
            self._unlanded[number] = (sum(f.rows for f in frames), target.stat().st_size)
            self._newest = max(self._newest, number)

    def landed(self, number: int) -> None:
        """Note that the segments up to a number are in the table; drop what is past keeping. The newest stays: numbers go on from it."""
        with self._held:
            self._unlanded = {n: p for n, p in self._unlanded.items() if n > number}
            if not self._unlanded and not self._sealed:
                self._since = None
        now = self._clock.now().timestamp()
        if self._push.keep is not None:
            for one, path in found_segments(self._folder, 0):
                if one > number or one >= self._newest or path.stat().st_mtime > now - self._push.keep:
                    break
                path.unlink()
        for path in sorted((self._folder / REQUESTS).glob("*.keys")):
            if path.stat().st_mtime > now - self._push.window:
                break
            path.unlink()

    def close(self) -> None:
        """Finish what is queued, and let go."""
        self._journal.close()
        with suppress(NoRoom):
            self.deliver()
        unlocked(self._lock)

    def _keep(self, entry: Entry, at: float) -> None:
        with self._held:
            self._remember(entry.key, entry.body, entry.answer, at)

    def _remember(self, key: str, body: str, answer: bytes, at: float) -> None:
        self._known[key] = (body, self._answers.setdefault(answer, answer), at)
        self._known.move_to_end(key)
        self._last = max(self._last, at)
        while len(self._known) > self._push.requests:
            self._known.popitem(last=False)
        if len(self._answers) > 1000:  # most answers are alike
            self._answers.clear()

    def _bind(self, now: Bound) -> None:
        """Note how records are treated from now on; what is there must have been treated in the same way."""
        before = bound(self._folder)
        if self._sealed or self._unlanded:
            if misfits := before.misfits(now):
                raise UserError(treated_otherwise(self._push.dataset, misfits))
            if others := before.other_keys(now):
                raise UserError(hashed_otherwise(self._push.dataset, others))
        if now != before:
            publish(self._folder / STEPS, [now.text()])

    def _own_name(self) -> str:
        """What this spool is called in commits: another one in the same place, made after it was deleted, has another name."""
        path = self._folder / NAME
        with suppress(FileNotFoundError):
            return path.read_text(encoding="ascii").strip()
        name = uuid.uuid4().hex[:8]
        publish(path, [name.encode()])
        return name

    def _recover(self) -> None:
        for path in (*self._folder.glob(f"{REQUESTS}/.*.part"), *self._folder.glob(f"{SEGMENTS}/*/.*.part")):
            path.unlink()
        self._remember_requests()
        for path in sorted((self._folder / JOURNAL).glob("*.log")):
            frames, end = whole(path)
            if not frames:
                path.unlink()
                continue
            _cut(path, end)
            self._sealed[int(path.stem)] = (sum(f.rows for f in frames), end)
            for frame in frames:
                if frame.key:
                    self._remember(frame.key, frame.body, frame.answer, frame.at)
                self._last = max(self._last, frame.at)
        for number, path in found_segments(self._folder, 0):
            if number not in self._sealed:
                self._unlanded[number] = (0, path.stat().st_size)
        if self._sealed:
            self._since = self._clock.monotonic()

    def _remember_requests(self) -> None:
        """The newest files first, as far as the window goes; then told in their order."""
        chosen: list[list[dict[str, object]]] = []
        count = 0
        for path in sorted((self._folder / REQUESTS).glob("*.keys"), reverse=True):
            if count >= self._push.requests:
                break
            chosen.append([json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()])
            count += len(chosen[-1])
        for told in reversed(chosen):
            for request in told:
                at = float(str(request["at"]))
                self._remember(str(request["key"]), str(request["body"]), str(request["answer"]).encode(), at)


def _headers(frames: list[Frame]) -> Iterator[bytes]:
    for frame in frames:
        if frame.key:
            told = {"at": frame.at, "key": frame.key, "body": frame.body, "answer": frame.answer.decode()}
            yield json.dumps(told, separators=(",", ":")).encode() + b"\n"


def _cut(path: Path, end: int) -> None:
    """Take off what was written and never answered for."""
    if path.stat().st_size > end:
        os.truncate(path, end)
        with path.open("rb+") as stream:
            sync(stream.fileno())
