"""A version that is there already comes into use: a commit that says so, and no rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xde.ground.errors import TemporaryError
from xde.kernel.run.events import Outcome
from xde.lifecycle.storage.port import Commit

if TYPE_CHECKING:
    from xde.kernel.plan.plan import Step
    from xde.kernel.run.attempt import StepContext
    from xde.lifecycle.storage.pins import Pins
    from xde.lifecycle.storage.publish import Publisher


class AdoptPerformer:
    """Performs ADOPT steps. The pointer's move is a commit too, so that the ledger can be rebuilt from the lake."""

    def __init__(self, publisher: Publisher, pins: Pins) -> None:
        self._publisher = publisher
        self._pins = pins

    def perform(self, step: Step, context: StepContext) -> Outcome:
        """Point the environment at the table that is there."""
        snapshot = self._pins.renew(step.dataset)
        if snapshot is None:
            msg = f"the table of `{step.dataset}` that was to be adopted is gone"
            raise TemporaryError(msg)
        table = self._pins.table(step.dataset)
        facts = {
            "kind": "adopt",
            "run": context.run,
            "step": step.id,
            "fence": context.fence,
            "at": context.at,
            "environment": context.environment,
        }
        number = self._publisher.lake.commit(Commit(table, snapshot.schema, (), (), snapshot.number, facts))
        self._publisher.note(table, number, facts, context.environment)
        self._pins.renew(step.dataset)
        return Outcome(step, "done", rows=snapshot.rows, snapshot=number)
