"""What a step takes of the machine: noted by whoever works for it, in the thread that carries it out."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from xde.kernel.plan.costs import Usage, together

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_here = threading.local()


def meter() -> Meter | None:
    """The meter of the step that this thread carries out; None where it carries out none."""
    return getattr(_here, "meter", None)


class Meter:
    """Adds up what one step takes. A commit of the step tells the part since the one before (`part`), the step's end the whole."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._since = now()
        self._now_taking = Usage()
        self._parts: list[Usage] = []
        self.alone = True

    def again(self) -> None:
        """The step is tried again: what it is given is told again too."""
        self._now_taking = replace(self._now_taking, rows_in=None, bytes_in=None)

    def given(self, rows: int | None, size: int | None) -> None:
        """Note files that the step is to read: the rows and bytes they hold."""
        self._add(Usage(rows_in=rows, bytes_in=size))

    def queried(self, *, memory: int, read: int | None = None, spilled: int | None = None) -> None:
        """Note a query, or a call of a function: the most that was held in memory and on disk meanwhile, and the bytes read."""
        self._add(Usage(bytes_read=read, memory=memory, spilled=spilled))

    def part(self, rows: int, size: int) -> Usage:
        """What was taken since the last part; `rows` and bytes are written now."""
        now = self._now()
        taken = together([self._now_taking, Usage(seconds=now - self._since, rows=rows, bytes=size, alone=self.alone)])
        self._since, self._now_taking = now, Usage()
        self._parts.append(taken)
        return taken

    def whole(self) -> Usage:
        """What the step took up to now."""
        return together([*self._parts, self._now_taking, Usage(seconds=self._now() - self._since, alone=self.alone)])

    def _add(self, usage: Usage) -> None:
        self._now_taking = together([self._now_taking, usage])


class Meters:
    """The meters of one run: of steps that work at the same time, none is alone."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: list[Meter] = []

    @contextmanager
    def running(self, now: Callable[[], float]) -> Iterator[Meter]:
        """A meter for a step that this thread carries out."""
        mine = Meter(now)
        with self._lock:
            self._running.append(mine)
            if len(self._running) > 1:
                for each in self._running:
                    each.alone = False
        _here.meter = mine
        try:
            yield mine
        finally:
            _here.meter = None
            with self._lock:
                self._running.remove(mine)
