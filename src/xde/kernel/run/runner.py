"""Walks a plan: each step starts when its inputs are done, on a bounded pool; a failed one takes only its readers with it."""

from __future__ import annotations

import random
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from xde.ground.crash import CrashPoint, crash_point
from xde.ground.errors import Bug
from xde.kernel.run.attempt import Attempts, Performer, StepContext
from xde.kernel.run.events import RunFinished, RunStarted, SchemaChanged, StepFinished
from xde.kernel.run.herald import Herald
from xde.kernel.run.schedule import Schedule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from xde.ground.clock import Clock
    from xde.kernel.plan.plan import Plan, Step, StepKind
    from xde.kernel.run.events import Observer, Outcome

__all__ = ["Performer", "StepContext", "run_plan"]

_LOOK = 0.05  # seconds between two looks at whether the run was cancelled


def run_plan(  # noqa: PLR0913 - the one door of the runner; the parts are of different owners
    plan: Plan,
    performers: Mapping[StepKind, Performer],
    *,
    run: str,
    fence: int,
    clock: Clock,
    observers: Sequence[Observer],
    parallel: int,
    retries: int,
    sleep: Callable[[float], None],
    cancelled: threading.Event,
    jitter: Callable[[], float] = random.random,
) -> RunFinished:
    """Carry out a plan, at most `parallel` steps at once, and tell what became of every step; only a bad plan raises (`Bug`).

    A `TemporaryError` is tried again up to `retries` times, after `jitter()` (0 to 1) of a time that doubles (full jitter). Give
    `cancelled.wait` for `sleep` and no cancelled run waits for it. When `cancelled` is set, or on Ctrl-C, nothing more
    starts and what runs is waited for (set your engine's interrupt on the same event); a second Ctrl-C lets it go.
    """
    begun = clock.monotonic()
    herald = Herald(observers)
    schedule = Schedule(plan)
    attempts = Attempts(performers, herald, clock, cancelled, run, plan.environment, fence, retries, sleep, jitter)
    walk = _Walk(schedule, attempts)
    herald.tell(RunStarted(run, plan, _now(clock)))
    crash_point(CrashPoint.RUN_STARTED)
    walk.go(max(1, min(parallel, len(plan.steps))))
    outcomes = tuple(schedule.outcomes[step.id] for step in plan.steps)
    finished = RunFinished(run, _status(outcomes), outcomes, clock.monotonic() - begun, _now(clock), tuple(herald.findings))
    herald.tell(finished)
    crash_point(CrashPoint.RUN_RECORDED)
    return replace(finished, findings=tuple(herald.findings))


def _now(clock: Clock) -> str:
    return clock.now().isoformat(timespec="microseconds")


def _status(outcomes: Iterable[Outcome]) -> str:
    statuses = {outcome.status for outcome in outcomes}
    if "cancelled" in statuses:
        return "cancelled"
    return "failed" if "failed" in statuses else "done"


class _Walk:
    """The threads of a run; each takes the next step that is ready, so that the caller's thread only waits and hears Ctrl-C."""

    def __init__(self, schedule: Schedule, attempts: Attempts) -> None:
        self._schedule = schedule
        self._attempts = attempts
        self._changed = threading.Condition()
        self._impatient = False
        self._broken: BaseException | None = None

    def go(self, parallel: int) -> None:
        """Come back when every step has its outcome, and it was told."""
        try:
            for number in range(parallel):  # daemons: a step that was let go must not keep the process from ending
                threading.Thread(target=self._work, name=f"step-{number}", daemon=True).start()
        except KeyboardInterrupt:
            self._attempts.cancelled.set()
        over = False
        while not over:
            try:
                over = self._watch()
            except KeyboardInterrupt:
                self._impatient = self._attempts.cancelled.is_set()
                self._attempts.cancelled.set()
        if self._broken is not None:
            raise Bug(f"the runner broke: {self._broken!r}") from self._broken

    def _watch(self) -> bool:
        """Wait for a moment, or until something happens; whether all is over."""
        with self._changed:
            if self._attempts.cancelled.is_set():
                self._tell(self._schedule.cancel())
                self._changed.notify_all()
            if self._impatient:
                self._tell(self._schedule.let_go())
            if not self._schedule.finished and self._broken is None:
                self._changed.wait(_LOOK)
            return self._schedule.finished or self._broken is not None

    def _work(self) -> None:
        try:
            while (step := self._next()) is not None:
                self._done(self._attempts.carry_out(step))
        except BaseException as error:  # noqa: BLE001 - a thread that dies in silence would leave the others waiting for ever
            with self._changed:
                self._broken = error
                self._changed.notify_all()

    def _next(self) -> Step | None:
        """Wait for a step that may start; None when there will be none."""
        with self._changed:
            while self._schedule.nothing_ready and not self._schedule.finished and not self._stopped:
                self._changed.wait()
            if self._stopped:
                self._tell(self._schedule.cancel())
            return None if self._schedule.nothing_ready else self._schedule.start()

    @property
    def _stopped(self) -> bool:
        return self._attempts.cancelled.is_set() or self._broken is not None

    def _done(self, outcome: Outcome) -> None:
        with self._changed:
            if outcome.step.id in self._schedule.running:  # else it was let go, and the run has ended without it
                self._tell([outcome])
                self._tell(self._schedule.finish(outcome))
                self._changed.notify_all()

    def _tell(self, outcomes: Iterable[Outcome]) -> None:
        for outcome in outcomes:
            for change in outcome.changes:
                self._attempts.herald.tell(SchemaChanged(self._attempts.run, outcome.step.dataset, change, _now(self._attempts.clock)))
            self._attempts.herald.tell(StepFinished(self._attempts.run, outcome, _now(self._attempts.clock)))
            crash_point(CrashPoint.STEP_RECORDED)
