"""A view has no table: its query is checked against its contract, and the environment is pointed at it."""

from __future__ import annotations

import shutil
import tempfile
from typing import TYPE_CHECKING

from xde.ground.errors import DataError
from xde.kernel.plan.checks import Action
from xde.kernel.plan.ledger import TableState
from xde.kernel.run.events import Outcome
from xde.lifecycle.storage.publish import Publication
from xde.lifecycle.transformation.port import Layout
from xde.lifecycle.transformation.reach import pinned_input
from xde.lifecycle.transformation.task import inputs_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xde.kernel.plan.checks import CheckResult
    from xde.kernel.plan.plan import Step
    from xde.kernel.run.attempt import StepContext
    from xde.lifecycle.storage.pins import Pins
    from xde.lifecycle.storage.publish import Publisher
    from xde.lifecycle.transformation.port import Engine
    from xde.lifecycle.transformation.work import ModelWork


class ViewPerformer:
    """Performs VIEW steps. What it knows of a view is in the ledger alone: after a rebuild of it, views are checked again."""

    def __init__(self, engine: Engine, publisher: Publisher, pins: Pins, work: Mapping[str, ModelWork]) -> None:
        self._engine = engine
        self._publisher = publisher
        self._pins = pins
        self._work = work

    def perform(self, step: Step, context: StepContext) -> Outcome:
        """Check the view's rows as they are now, where its contract has rules, and point at it."""
        work = self._work[step.dataset]
        results = self._checked(work) if work.checks else ()
        failed = [r for r in results if not r.passed]
        stopping = [r for r in failed if not r.waived and r.check.action is not Action.WARN]
        if stopping:
            raise DataError(*(self._publisher.tell(r) for r in stopping))
        now = self._publisher.clock.now().isoformat()
        facts = {"inputs": {n: pinned_input(self._pins, n) for n in work.reads}, "checks_digest": work.checks_digest}
        self._publisher.ledger.remember([TableState(step.dataset, step.version, self._next(step), 0, 0, now, facts)])
        self._publisher.ledger.move(context.environment, {step.dataset: step.version}, now)
        return Outcome(step, "done", checks=results, findings=tuple(self._publisher.tell(r) for r in failed))

    def _next(self, step: Step) -> int:
        known = self._publisher.ledger.states([(step.dataset, step.version)]).get((step.dataset, step.version))
        return known.number + 1 if known else 0

    def _checked(self, work: ModelWork) -> tuple[CheckResult, ...]:
        """The rows are written aside, looked at, and thrown away."""
        folder = tempfile.mkdtemp(prefix="xde-view-")
        try:
            files = self._engine.write(work.query(work.model.sql, {}), inputs_of(work, self._pins), folder, Layout(types=work.types))
            publication = Publication(
                self._pins.table(work.model.name), work.types, files, files, (), None, {}, work.checks, personal=work.personal
            )
            return self._publisher.audit(publication, self._pins, folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
