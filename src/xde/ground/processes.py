"""A process under watch: how much memory it and its children use, how long it takes, how much it says; ended when it is too much."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

LOOK = 0.05  # seconds between two looks
MOST_SAID = 64 << 20  # bytes
KEPT = 16 << 10  # bytes of the end of what was said


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes of memory, and seconds; None for no limit."""

    memory: int
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """How it ended: `why` is `memory`, `time`, `output` or `cancelled` where we ended it; `said` is the end of what it wrote."""

    code: int
    why: str
    said: str
    most: int


class Child:
    """One process in a group of its own; its standard input is a pipe with what it is `told`, which is closed when we are gone.

    `inherited` are descriptors of files that it has by the same numbers.
    """

    def __init__(
        self, command: Sequence[str], folder: Path, environment: dict[str, str], told: bytes = b"", inherited: Sequence[int] = ()
    ) -> None:
        self._said = bytearray()
        self._length = 0
        self._why = ""
        self._process = subprocess.Popen(  # noqa: S603 - ourselves
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=environment,
            start_new_session=os.name == "posix",
            pass_fds=tuple(inherited),
        )
        self._reader = threading.Thread(target=self._listen, name="said", daemon=True)
        self._reader.start()
        self.tell(told)

    @property
    def alive(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def tell(self, words: bytes) -> None:
        """Write to its standard input."""
        if words and self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):  # it is over already, and its end says why
                self._process.stdin.write(words)
                self._process.stdin.flush()

    def end(self, why: str) -> None:
        """End it and all that it started; the first reason counts."""
        self._why = self._why or why
        self._kill()

    def wait(self, limits: Limits, now: Callable[[], float]) -> Ended:
        """Wait until it is over, one way or another; nothing of it is left then."""
        ended = self.until(lambda: False, limits, now)
        assert ended is not None  # noqa: S101 - nothing else ends it
        return ended

    def until(self, done: Callable[[], bool], limits: Limits, now: Callable[[], float]) -> Ended | None:
        """Wait until something is done, and it lives on; or until it is over, and nothing of it is left then."""
        begun, most, well = now(), 0, False
        try:
            while not (well := done()):
                try:
                    self._process.wait(LOOK)
                    break
                except subprocess.TimeoutExpired:
                    used = used_by_group(self._process.pid)
                    most = max(most, used)
                    if used > limits.memory:
                        self.end("memory")
                    elif limits.seconds is not None and now() - begun > limits.seconds:
                        self.end("time")
                    elif self._length > MOST_SAID:
                        self.end("output")
        finally:
            if not well:
                self._gone()
        return None if well else Ended(self._process.returncode, self._why, self._said.decode("utf-8", "replace"), most)

    def close(self) -> None:
        """End it, and let go of what is left of it."""
        self.end("closed")
        self._gone()

    def _gone(self) -> None:
        self._kill()
        self._process.wait()
        if self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
        self._reader.join(1.0)
        if self._process.stdout is not None and not self._reader.is_alive():
            self._process.stdout.close()

    def _kill(self) -> None:
        if os.name == "posix":
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
        else:
            self._process.kill()

    def _listen(self) -> None:
        stream = self._process.stdout
        while stream is not None and (piece := os.read(stream.fileno(), 1 << 16)):
            self._length += len(piece)
            self._said += piece
            if len(self._said) > 2 * KEPT:
                del self._said[:-KEPT]


def memory_there() -> int:
    """Half of the machine's memory, in bytes."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2 if hasattr(os, "sysconf") else 4 << 30


def used_by_group(group: int) -> int:
    """Bytes of memory that the processes of a group have in use."""
    if sys.platform != "linux":
        return _told_by_ps(group)
    total = 0
    page = os.sysconf("SC_PAGE_SIZE")
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            try:
                words = Path(f"/proc/{entry.name}/stat").read_bytes().rpartition(b")")[2].split()
            except OSError:
                continue  # it has just ended
            if int(words[2]) == group:
                total += int(words[21]) * page
    return total


def _told_by_ps(group: int) -> int:
    try:
        told = subprocess.run(["/bin/ps", "-o", "rss=", "-g", str(group)], capture_output=True, text=True, check=False).stdout  # noqa: S603
    except OSError:
        return 0
    return sum(int(w) for w in told.split()) * 1024
