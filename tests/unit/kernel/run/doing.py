"""Plans and performers for the tests of the runner."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING


from xde.ground.clock import SetClock
from xde.ground.findings import Finding
from xde.kernel.plan.plan import Plan, Reason, Step, StepKind
from xde.kernel.run.events import Event, Outcome, RunFinished
from xde.kernel.run.runner import StepContext, run_plan

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def step(dataset: str, *after: str, kind: StepKind = StepKind.BUILD) -> Step:
    return Step(f"{kind}:{dataset}", kind, dataset, "v", (Reason("new", "new"),), after)


def plan(*steps: Step) -> Plan:
    return Plan("dev", steps, 0, "2026-01-01T00:00:00")


class Doing:
    """A performer that does what a function says, and keeps what it was asked."""

    def __init__(self, work: Callable[[Step, StepContext], Outcome | None] = lambda s, c: None) -> None:
        self.work = work
        self.asked: list[tuple[str, int]] = []

    def perform(self, step: Step, context: StepContext) -> Outcome:
        self.asked.append((step.dataset, context.attempt))
        return self.work(step, context) or Outcome(step, "done")


class Hearing:
    def __init__(self) -> None:
        self.events: list[Event] = []
        self.busy = False

    def hear(self, event: Event) -> None:
        assert not self.busy, "two threads at once"
        self.busy = True
        self.events.append(event)
        time.sleep(0)
        self.busy = False


def run(a_plan: Plan, work: Doing, *, parallel: int = 2, retries: int = 0, observers: Sequence[object] = (), **more: object) -> RunFinished:
    given_ = {"clock": SetClock(), "sleep": lambda _: None, "cancelled": threading.Event(), "fence": 7, **more}
    return run_plan(a_plan, dict.fromkeys(StepKind, work), run="r1", observers=observers, parallel=parallel, retries=retries, **given_)  # type: ignore[arg-type]


def statuses(finished: RunFinished) -> dict[str, str]:
    return {o.step.dataset: o.status for o in finished.outcomes}


def raising(**errors: BaseException) -> Doing:
    def work(step: Step, context: StepContext) -> None:
        if step.dataset in errors:
            raise errors[step.dataset]

    return Doing(work)


FINDING = Finding("XDE0301", "the rows do not pass")
DIAMOND = plan(step("a"), step("b", "a"), step("c", "a"), step("d", "b", "c"), step("e"))
