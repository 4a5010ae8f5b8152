"""Processes under way, so that who is asked to stop can end them; those that have done their work may be kept for more of it."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from xde.ground.processes import Child


@dataclass(slots=True)
class Running:
    """The processes under way, and one for each thread that waits for more work of the kind that it was begun for.

    A process ends with the thread that began it (on Linux), so that no other thread may have it.
    """

    children: set[Child] = field(default_factory=set)
    idle: dict[int, tuple[object, Child]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def cancel(self) -> None:
        """End all that are under way."""
        with self.lock:
            children = list(self.children)
        for one in children:
            one.end("cancelled")

    @contextmanager
    def working(self, kind: object, begin: Callable[[], Child]) -> Iterator[Child]:
        """A process for some work, which may have done other before; kept where it is alive afterwards, and the work did not fail."""
        child = self._kept(kind) or begin()
        with self.lock:
            self.children.add(child)
        try:
            yield child
        except BaseException:
            child.close()
            raise
        finally:
            with self.lock:
                self.children.discard(child)
        if child.alive:
            with self.lock:
                self.idle[threading.get_ident()] = (kind, child)

    def _kept(self, kind: object) -> Child | None:
        with self.lock:
            known, child = self.idle.pop(threading.get_ident(), (None, None))
        if child is None:
            return None
        if known == kind and child.alive:
            return child
        child.close()
        return None

    def close(self) -> None:
        """End those that wait."""
        with self.lock:
            idle, self.idle = list(self.idle.values()), {}
        for _, child in idle:
            child.close()
