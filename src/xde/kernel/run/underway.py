"""Which thread carries out which step: by it whoever computes for a thread can be asked how far he is."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from xde.kernel.run.events import RunFinished, StepFinished, StepStarted

if TYPE_CHECKING:
    from xde.kernel.run.events import Event


class Underway:
    """An observer. That a step begins is told in the thread that carries it out, before it does."""

    def __init__(self) -> None:
        self._threads: dict[str, int] = {}

    def hear(self, event: Event) -> None:
        """Note who begins, and who has ended."""
        match event:
            case StepStarted():
                self._threads[event.step.id] = threading.get_ident()
            case StepFinished():
                self._threads.pop(event.outcome.step.id, None)
            case RunFinished():
                self._threads.clear()
            case _:
                pass

    def threads(self) -> dict[str, int]:
        """The identifiers of threads by the ids of the steps that run now."""
        return dict(self._threads)
