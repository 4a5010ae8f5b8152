"""Processes under way, so that who is asked to stop can end them."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xde.ground.processes import Child


@dataclass(slots=True)
class Running:
    """The processes under way, for who wants to end them."""

    children: set[Child] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def cancel(self) -> None:
        """End them all."""
        with self.lock:
            children = list(self.children)
        for one in children:
            one.end("cancelled")

    @contextmanager
    def watching(self, child: Child) -> Iterator[None]:
        """Within, it can be cancelled."""
        with self.lock:
            self.children.add(child)
        try:
            yield
        finally:
            with self.lock:
                self.children.discard(child)
