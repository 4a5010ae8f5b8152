"""Tells every observer every event, one at a time and in one order; an observer that fails is let go, the run goes on."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from xde.ground.findings import Finding, Severity
from xde.kernel.run.events import RunFinished

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xde.kernel.run.events import Event, Observer


class Herald:
    """The one voice of a run; `findings` grows by a warning for each observer that was let go."""

    def __init__(self, observers: Sequence[Observer]) -> None:
        self._observers = list(observers)
        self._lock = threading.RLock()  # an observer may itself make a step's progress known
        self._over = False
        self.findings: list[Finding] = []

    def tell(self, event: Event) -> None:
        """Say an event; comes back when all have heard it. After the end of the run nothing is said: a step that was let go may try."""
        with self._lock:
            if self._over:
                return
            self._over = isinstance(event, RunFinished)
            for observer in list(self._observers):
                try:
                    observer.hear(event)
                except Exception as error:  # noqa: BLE001 - whatever is wrong with a listener, the data must go on; it becomes a warning
                    self._observers.remove(observer)
                    self.findings.append(_let_go(observer, error))


def _let_go(observer: Observer, error: Exception) -> Finding:
    name = type(observer).__name__
    return Finding(
        "XDE0731",
        f"the observer `{name}` failed and heard no more of this run",
        why=f"{type(error).__name__}: {error}",
        hint="the data is not touched by this; mend the observer for the next run",
        severity=Severity.WARNING,
    )
