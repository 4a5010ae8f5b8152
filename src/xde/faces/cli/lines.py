"""Progress where no terminal is: one line for each step that ends, flushed at once, and now and then one for a step that still runs."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from xde.faces.words.run import StepLines
from xde.ground.clock import SystemClock
from xde.kernel.run.events import RunFinished, RunStarted, StepFinished, StepStarted

if TYPE_CHECKING:
    from xde.faces.cli.session import Session
    from xde.ground.clock import Clock
    from xde.kernel.plan.plan import Plan, Step
    from xde.kernel.run.events import Event

EVERY = 10.0  # seconds between two lines about a step that still runs


class StepReporter:
    """An observer that writes finished steps to stdout, and to stderr what takes long; a thread of its own looks for that."""

    def __init__(self, plan: Plan, session: Session, *, clock: Clock | None = None, look: float = 1.0) -> None:
        self._lines = StepLines.of(plan, session.ink())
        self._session = session
        self._clock = clock or SystemClock()
        self._look = look
        self._running: dict[str, tuple[Step, float, float]] = {}  # since when, and when it was said last
        self._over = threading.Event()

    def hear(self, event: Event) -> None:
        """Say how a step ended; the plan that counts is the one that the run made under its claim."""
        match event:
            case RunStarted():
                self._lines = StepLines.of(event.plan, self._session.ink())
                threading.Thread(target=self._watch, name="still", daemon=True).start()
            case StepStarted():
                now = self._clock.monotonic()
                self._running[event.step.id] = (event.step, now, now)
            case StepFinished():
                self._running.pop(event.outcome.step.id, None)
                self._session.result(self._lines.line(event.outcome))
            case RunFinished():
                self._over.set()
            case _:
                pass

    def _watch(self) -> None:
        while not self._over.wait(self._look):
            now = self._clock.monotonic()
            for step, since, said in list(self._running.values()):
                if now - said >= EVERY and step.id in self._running:
                    self._running[step.id] = (step, since, now)
                    self._session.talk(self._lines.still(step, now - since))
