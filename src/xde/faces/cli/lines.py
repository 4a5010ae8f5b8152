"""Progress where no terminal is: one line for each step that ends, flushed at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xde.faces.words.run import StepLines
from xde.kernel.run.events import RunStarted, StepFinished

if TYPE_CHECKING:
    from xde.faces.cli.session import Session
    from xde.kernel.plan.plan import Plan
    from xde.kernel.run.events import Event


class StepReporter:
    """An observer that writes finished steps to stdout."""

    def __init__(self, plan: Plan, session: Session) -> None:
        self._lines = StepLines.of(plan, session.ink())
        self._session = session

    def hear(self, event: Event) -> None:
        """Say how a step ended; the plan that counts is the one that the run made under its claim."""
        if isinstance(event, RunStarted):
            self._lines = StepLines.of(event.plan, self._session.ink())
        if isinstance(event, StepFinished):
            self._session.result(self._lines.line(event.outcome))
