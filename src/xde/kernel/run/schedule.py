"""Which step of a plan may start now: the state of a run's steps, and nothing of threads or time."""

from __future__ import annotations

from collections import defaultdict
from graphlib import CycleError, TopologicalSorter
from heapq import heappop, heappush
from typing import TYPE_CHECKING

from xde.ground.errors import Bug
from xde.kernel.run.events import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xde.kernel.plan.plan import Plan, Step


class Schedule:
    """Gives steps out in the plan's order as their inputs get done; not for several threads at once.

    A step waits for all steps of the datasets in its `after`, and for the plan's earlier steps of its own dataset.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._steps = {step.id: step for step in plan.steps}
        if len(self._steps) != len(plan.steps):
            raise Bug("a plan has two steps of one id")
        self._inputs = _inputs(plan)
        self._waits = {step: len(inputs) for step, inputs in self._inputs.items()}
        self._readers: dict[str, list[str]] = defaultdict(list)
        for step, inputs in self._inputs.items():
            for i in inputs:
                self._readers[i].append(step)
        self._place = {step: place for place, step in enumerate(self._steps)}
        self._ready = [self._place[step] for step, waits in self._waits.items() if not waits]  # a heap
        self.running: dict[str, Step] = {}
        self.outcomes: dict[str, Outcome] = {}

    @property
    def finished(self) -> bool:
        """Whether every step has its outcome."""
        return len(self.outcomes) == len(self._steps)

    @property
    def nothing_ready(self) -> bool:
        """Whether no step can start before another ends."""
        return not self._ready

    def start(self) -> Step:
        """The next step, in the order of the plan."""
        step = self._plan.steps[heappop(self._ready)]
        self.running[step.id] = step
        return step

    def finish(self, outcome: Outcome) -> list[Outcome]:
        """Take a step's outcome; what must now be skipped because of it, nearest first."""
        del self.running[outcome.step.id]
        self.outcomes[outcome.step.id] = outcome
        if outcome.status == "done":
            for reader in self._readers[outcome.step.id]:
                self._waits[reader] -= 1
                if not self._waits[reader] and reader not in self.outcomes:
                    heappush(self._ready, self._place[reader])
            return []
        return [self._lost(step, "skipped", f"`{outcome.step.dataset}` {_became(outcome)}") for step in self._downstream(outcome.step.id)]

    def cancel(self) -> list[Outcome]:
        """Let nothing more start; the steps that now never will."""
        self._ready.clear()
        never = [step for step in self._steps if step not in self.outcomes and step not in self.running]
        return [self._lost(step, "cancelled", "the run was cancelled before it began") for step in never]

    def let_go(self) -> list[Outcome]:
        """Wait no longer for the steps that run."""
        running = list(self.running)
        self.running.clear()
        return [self._lost(step, "cancelled", "the run was cancelled and did not wait for it") for step in running]

    def _lost(self, step: str, status: str, reason: str) -> Outcome:
        outcome = Outcome(self._steps[step], status, reason=reason)
        self.outcomes[step] = outcome
        return outcome

    def _downstream(self, step: str) -> Iterator[str]:
        """All that read it, directly or not, and have no outcome yet: in the order of the plan, inputs before readers."""
        found: dict[str, None] = {}
        left = [step]
        while left:
            for reader in self._readers[left.pop()]:
                if reader not in found and reader not in self.outcomes:
                    found[reader] = None
                    left.append(reader)
        return iter(sorted(found, key=self._place.__getitem__))


def _became(outcome: Outcome) -> str:
    return "was cancelled" if outcome.status == "cancelled" else "failed"


def _inputs(plan: Plan) -> dict[str, set[str]]:
    by_dataset: dict[str, list[str]] = defaultdict(list)
    inputs: dict[str, set[str]] = {}
    for step in plan.steps:
        inputs[step.id] = set(by_dataset[step.dataset])
        by_dataset[step.dataset].append(step.id)
    for step in plan.steps:
        inputs[step.id].update(s for dataset in step.after if dataset != step.dataset for s in by_dataset.get(dataset, ()))
    try:
        TopologicalSorter(inputs).prepare()
    except CycleError as error:
        raise Bug(f"the steps of a plan wait for each other: {' > '.join(error.args[1])}") from error
    return inputs
