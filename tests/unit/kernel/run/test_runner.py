"""The runner: order, what a failure takes with it, retries, cancelling, and what observers hear."""

from __future__ import annotations

import _thread
import os
import random
import signal
import subprocess
import sys
import threading
import time
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from xde.ground.clock import SetClock
from xde.ground.errors import Bug, DataError, TemporaryError, UserError
from xde.ground.findings import Severity
from xde.kernel.plan.plan import Step, StepKind
from xde.kernel.run.events import Event, Outcome, RunFinished, RunStarted, StepFinished, StepProgress, StepStarted
from xde.kernel.run.runner import StepContext, run_plan

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

from pathlib import Path as _Path

sys.path.insert(0, str(_Path(__file__).parent))

from doing import DIAMOND, FINDING, Doing, Hearing, plan, raising, run, statuses, step


@pytest.fixture
def interruptible() -> Iterator[None]:
    """SIGINT as on a terminal: a shell starts what it puts in the background with SIGINT ignored, and Python leaves it so."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_an_empty_plan_is_done() -> None:
    heard = Hearing()
    finished = run(plan(), Doing(), observers=[heard])
    assert (finished.status, finished.outcomes, finished.findings) == ("done", (), ())
    assert [type(e) for e in heard.events] == [RunStarted, RunFinished]


def test_every_step_is_done_in_the_order_of_the_plan_when_alone() -> None:
    work = Doing()
    assert run(DIAMOND, work, parallel=1).status == "done"
    assert [d for d, _ in work.asked] == ["a", "b", "c", "d", "e"]


def test_inputs_that_the_plan_does_not_build_are_not_waited_for() -> None:
    assert run(plan(step("b", "ready.already")), Doing()).status == "done"


def test_outcomes_stand_in_the_order_of_the_plan() -> None:
    assert [o.step.dataset for o in run(DIAMOND, Doing(), parallel=4).outcomes] == list("abcde")


def test_independent_steps_run_at_once_and_no_more_than_allowed() -> None:
    together = threading.Barrier(3, timeout=10)
    now, most, lock = 0, 0, threading.Lock()

    def work(step: Step, context: StepContext) -> None:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        together.wait()  # comes back only when three are here at once
        with lock:
            now -= 1

    assert run(plan(*(step(f"s{n}") for n in range(9))), Doing(work), parallel=3).status == "done"
    assert most == 3


def test_steps_of_one_dataset_never_run_at_once() -> None:
    order: list[StepKind] = []
    work = Doing(lambda s, c: order.append(s.kind))
    steps = (step("a", kind=StepKind.LOAD), step("a", "a", kind=StepKind.BUILD), step("b", "a"))
    assert run(plan(*steps), work, parallel=4).status == "done"
    assert order[:2] == [StepKind.LOAD, StepKind.BUILD]
    assert len(order) == 3


def test_what_it_is_told() -> None:
    contexts: list[StepContext] = []
    run(plan(step("a")), Doing(lambda s, c: contexts.append(c)))
    (context,) = contexts
    assert (context.run, context.environment, context.fence, context.attempt, context.at) == (
        "r1",
        "dev",
        7,
        1,
        "2026-01-01T00:00:00.000000+00:00",
    )


def test_a_failed_step_takes_its_readers_with_it_and_nothing_else() -> None:
    finished = run(DIAMOND, raising(b=UserError(FINDING)))
    assert statuses(finished) == {"a": "done", "b": "failed", "c": "done", "d": "skipped", "e": "done"}
    assert finished.status == "failed"
    failed, skipped = finished.outcomes[1], finished.outcomes[3]
    assert failed.findings == (FINDING,)
    assert skipped.reason == "`b` failed"


def test_the_far_reader_is_told_of_the_first_failure() -> None:
    finished = run(plan(step("a"), step("b", "a"), step("c", "b")), raising(a=UserError(FINDING)))
    assert [o.reason for o in finished.outcomes[1:]] == ["`a` failed", "`a` failed"]


def test_a_performer_may_say_itself_that_it_failed() -> None:
    finished = run(DIAMOND, Doing(lambda s, c: Outcome(s, "failed", reason="so") if s.dataset == "a" else None))
    assert statuses(finished) == {"a": "failed", "b": "skipped", "c": "skipped", "d": "skipped", "e": "done"}


def test_temporary_trouble_is_tried_again_after_a_time_that_grows() -> None:
    slept: list[float] = []

    def work(step: Step, context: StepContext) -> None:
        if context.attempt < 4:
            raise TemporaryError("busy", retry_in=2.0)

    heard = Hearing()
    finished = run(plan(step("a")), Doing(work), retries=3, sleep=slept.append, jitter=lambda: 0.5, observers=[heard])
    assert finished.status == "done"
    assert slept == [2.0, 4.0, 8.0]
    assert [e.attempt for e in heard.events if isinstance(e, StepStarted)] == [1, 2, 3, 4]


def test_the_time_between_tries_is_bounded_and_jittered() -> None:
    slept: list[float] = []
    run(plan(step("a")), raising(a=TemporaryError("busy")), retries=20, sleep=slept.append, jitter=random.Random(1).random)
    assert len(slept) == 20
    assert max(slept) <= 60.0
    assert len(set(slept)) == 20


def test_too_many_tries_fail() -> None:
    work = raising(a=TemporaryError("the server is away"))
    finished = run(plan(step("a"), step("b", "a")), work, retries=2)
    assert work.asked == [("a", 1), ("a", 2), ("a", 3)]
    assert statuses(finished) == {"a": "failed", "b": "skipped"}
    (finding,) = finished.outcomes[0].findings
    assert finding.code == "XDE0730"
    assert finding.message == "`a` gave up after 3 tries: the server is away"


@pytest.mark.parametrize("error", [UserError(FINDING), DataError(FINDING), Bug("no"), ValueError("no")])
def test_other_trouble_is_never_tried_again(error: Exception) -> None:
    work = raising(a=error)
    assert run(plan(step("a")), work, retries=5).status == "failed"
    assert work.asked == [("a", 1)]


class Panic(BaseException):
    """As a Rust library raises it."""


@pytest.mark.parametrize("error", [KeyError("x"), Bug("cannot be"), Panic("at 'unwrap'"), SystemExit(3), MemoryError()])
def test_our_faults_are_told_with_their_trace_and_hang_nothing(error: BaseException) -> None:
    finished = run(DIAMOND, raising(b=error))
    assert statuses(finished) == {"a": "done", "b": "failed", "c": "done", "d": "skipped", "e": "done"}
    outcome = finished.outcomes[1]
    (finding,) = outcome.findings
    assert finding.code == "XDE0799"
    assert type(error).__name__ in finding.message
    assert "in perform" in str(outcome.facts["trace"])


@pytest.mark.parametrize("answer", ["nothing", Outcome(step("other"), "done"), Outcome(step("a"), "excellent")])
def test_a_performer_that_gives_back_nonsense_is_our_fault(answer: object) -> None:
    finished = run(plan(step("a"), step("b")), Doing(lambda s, c: answer if s.dataset == "a" else None))  # type: ignore[arg-type, return-value]
    assert statuses(finished) == {"a": "failed", "b": "done"}
    assert finished.outcomes[0].findings[0].code == "XDE0799"


def test_a_kind_without_performer_is_our_fault() -> None:
    finished = run_plan(
        plan(step("a")),
        {},
        run="r",
        fence=1,
        clock=SetClock(),
        observers=[],
        parallel=1,
        retries=0,
        sleep=lambda _: None,
        cancelled=threading.Event(),
    )
    assert finished.outcomes[0].findings[0].code == "XDE0799"


@pytest.mark.parametrize("steps", [(step("a", "b"), step("b", "a")), (step("a"), step("a"))])
def test_a_plan_that_cannot_be_walked_is_a_bug_before_anything_starts(steps: tuple[Step, ...]) -> None:
    heard = Hearing()
    with pytest.raises(Bug):
        run(plan(*steps), Doing(), observers=[heard])
    assert heard.events == []


def test_seconds_are_measured_unless_told() -> None:
    clock = SetClock()

    def work(step: Step, context: StepContext) -> Outcome | None:
        clock.advance(timedelta(seconds=2))
        return Outcome(step, "done", seconds=1.5) if step.dataset == "told" else None

    finished = run(plan(step("told"), step("measured")), Doing(work), clock=clock, parallel=1)
    assert [o.seconds for o in finished.outcomes] == [1.5, 2.0]
    assert finished.seconds == 4.0


def test_events_come_one_at_a_time_and_in_order() -> None:
    heard = Hearing()
    work = Doing(lambda s, c: [c.progress(f"{n}", n / 50) for n in range(50)] and None)
    run(DIAMOND, work, parallel=4, observers=[heard])
    assert isinstance(heard.events[0], RunStarted)
    assert isinstance(heard.events[-1], RunFinished)
    for dataset in "abcde":
        own = [e for e in heard.events if isinstance(e, StepStarted | StepProgress) and e.step.dataset == dataset]
        ends = [n for n, e in enumerate(heard.events) if isinstance(e, StepFinished) and e.outcome.step.dataset == dataset]
        assert [type(e) for e in own] == [StepStarted] + [StepProgress] * 50
        assert [e.text for e in own if isinstance(e, StepProgress)] == [str(n) for n in range(50)]
        assert len(ends) == 1
        assert heard.events.index(own[-1]) < ends[0]


class Deaf:
    def __init__(self, first: type[object] = RunStarted) -> None:
        self.first, self.heard = first, 0

    def hear(self, event: Event) -> None:
        if isinstance(event, self.first):
            self.heard += 1
            raise ValueError("no ears")


@pytest.mark.parametrize("first", [RunStarted, StepStarted, StepProgress, StepFinished, RunFinished])
def test_an_observer_that_fails_is_let_go_with_a_warning(first: type[object]) -> None:
    deaf, heard = Deaf(first), Hearing()
    finished = run(DIAMOND, Doing(lambda s, c: c.progress("half", 0.5)), observers=[deaf, heard])
    assert finished.status == "done"
    assert deaf.heard == 1
    (finding,) = finished.findings
    assert (finding.code, finding.severity) == ("XDE0731", Severity.WARNING)
    assert "`Deaf`" in finding.message
    assert isinstance(heard.events[-1], RunFinished)
    assert sum(isinstance(e, StepFinished) for e in heard.events) == 5


def test_cancelled_before_it_starts_nothing_starts() -> None:
    cancelled = threading.Event()
    cancelled.set()
    work = Doing()
    finished = run(DIAMOND, work, cancelled=cancelled)
    assert work.asked == []
    assert finished.status == "cancelled"
    assert set(statuses(finished).values()) == {"cancelled"}


def test_cancelled_while_it_runs_lets_the_running_end_and_starts_no_more() -> None:
    cancelled = threading.Event()
    heard = Hearing()

    def work(step: Step, context: StepContext) -> None:
        if step.dataset == "b":
            cancelled.set()
            raise RuntimeError("INTERRUPT Error: interrupted!")

    finished = run(
        plan(step("a"), step("b", "a"), step("c", "a"), step("d")), Doing(work), cancelled=cancelled, parallel=1, observers=[heard]
    )
    assert statuses(finished) == {"a": "done", "b": "cancelled", "c": "cancelled", "d": "cancelled"}
    assert finished.status == "cancelled"
    assert sum(isinstance(e, StepFinished) for e in heard.events) == 4


def test_a_cancelled_run_does_not_try_again() -> None:
    cancelled = threading.Event()

    def work(step: Step, context: StepContext) -> None:
        cancelled.set()
        raise TemporaryError("busy", retry_in=1000)

    doing = Doing(work)
    assert run(plan(step("a")), doing, cancelled=cancelled, retries=5, sleep=lambda _: pytest.fail("slept")).status == "cancelled"
    assert doing.asked == [("a", 1)]


def test_a_wait_for_the_next_try_ends_when_the_run_is_cancelled() -> None:
    cancelled = threading.Event()
    threading.Timer(0.1, cancelled.set).start()
    started = time.monotonic()
    finished = run(
        plan(step("a")),
        raising(a=TemporaryError("busy", retry_in=100)),
        cancelled=cancelled,
        retries=5,
        sleep=cancelled.wait,
        jitter=lambda: 1.0,
    )
    assert finished.status == "cancelled"
    assert time.monotonic() - started < 5


@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_cancels_and_waits_for_what_runs() -> None:
    cancelled = threading.Event()
    finish = threading.Event()

    def work(step: Step, context: StepContext) -> None:
        _thread.interrupt_main()
        assert cancelled.wait(10)
        finish.set()

    finished = run(plan(step("a"), step("b", "a")), Doing(work), cancelled=cancelled)
    assert finish.is_set()
    assert statuses(finished) == {"a": "done", "b": "cancelled"}


@pytest.mark.usefixtures("interruptible")
def test_a_second_ctrl_c_lets_go_of_what_runs() -> None:
    cancelled = threading.Event()
    release = threading.Event()
    heard = Hearing()

    def work(step: Step, context: StepContext) -> None:
        _thread.interrupt_main()
        assert cancelled.wait(10)
        time.sleep(0.2)
        _thread.interrupt_main()
        release.wait(10)
        context.progress("too late", None)

    finished = run(plan(step("a"), step("b", "a")), Doing(work), cancelled=cancelled, observers=[heard])
    release.set()
    assert statuses(finished) == {"a": "cancelled", "b": "cancelled"}
    time.sleep(0.1)
    assert isinstance(heard.events[-1], RunFinished), "nothing is told after the end"
    assert not any(isinstance(e, StepProgress) for e in heard.events)


POINTS = """
import threading
from xde.ground.clock import SystemClock
from xde.kernel.plan.plan import Plan, Step, StepKind
from xde.kernel.run.events import Outcome
from xde.kernel.run.runner import run_plan
class Telling:
    def hear(self, event): print(type(event).__name__, flush=True)
    def perform(self, step, context): print("perform", flush=True); return Outcome(step, "done")
told = Telling()
plan = Plan("dev", (Step("build:a", StepKind.BUILD, "a", "v", ()),), 0, "")
run_plan(plan, {StepKind.BUILD: told}, run="r", fence=1, clock=SystemClock(), observers=[told], parallel=1, retries=0, sleep=print, cancelled=threading.Event())
"""


@pytest.mark.parametrize(
    ("point", "told"),
    [
        ("run.started", ["RunStarted"]),
        ("step.started", ["RunStarted", "StepStarted"]),
        ("step.recorded", ["RunStarted", "StepStarted", "perform", "StepFinished"]),
        ("run.recorded", ["RunStarted", "StepStarted", "perform", "StepFinished", "RunFinished"]),
    ],
)
def test_every_crash_point_stands_after_its_record(point: str, told: list[str], tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", POINTS], env={**os.environ, "XDE_CRASH_AT": point}, capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.returncode == -signal.SIGKILL
    assert done.stdout.split() == told
