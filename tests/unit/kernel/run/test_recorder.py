"""The recorder: what stands in the ledger before, during and after a run."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from xde.ground.clock import SetClock
from xde.ground.errors import TemporaryError, UserError
from xde.ground.findings import Finding
from xde.ground.spans import Span
from xde.kernel.plan.checks import Action, Check, CheckKind, CheckResult
from xde.kernel.plan.plan import Plan, Reason, Step, StepKind
from xde.kernel.run.events import Outcome
from xde.kernel.run.recorder import Recorder
from xde.kernel.run.runner import StepContext, run_plan
from xde.ledger.memory import MemoryLedger

if TYPE_CHECKING:
    from collections.abc import Callable

    from xde.kernel.plan.ledger import RunRecord, StepRecord
    from xde.kernel.run.events import RunFinished

A = Step(
    "load:n.a", StepKind.LOAD, "n.a", "v1", (Reason("new", "not in this environment yet"), Reason("files", "2 files are not loaded yet"))
)
B = Step("build:m.b", StepKind.BUILD, "m.b", "v2", (Reason("upstream", "`n.a` is loaded by this plan"),), ("n.a",))
PLAN = Plan("dev", (A, B), 0, "2026-01-01T00:00:00")
AT = "2026-01-01T00:00:00.000000+00:00"


class Doing:
    def __init__(self, work: Callable[[Step, StepContext], Outcome]) -> None:
        self.perform = work


def carry_out(ledger: MemoryLedger, work: Callable[[Step, StepContext], Outcome]) -> RunFinished:
    return run_plan(
        PLAN,
        dict.fromkeys(StepKind, Doing(work)),
        run="r1",
        fence=4,
        clock=SetClock(),
        observers=[Recorder(ledger, 4)],
        parallel=2,
        retries=2,
        sleep=lambda _: None,
        cancelled=threading.Event(),
    )


def test_a_run_and_its_steps_are_on_record() -> None:
    ledger = MemoryLedger()
    check = Check("c1", "n.a", CheckKind.ROW, Action.WARN, "m")
    result = CheckResult(check, passed=False, failing=2, rows=9, samples=({"secret": "x"},))

    def work(step: Step, context: StepContext) -> Outcome:
        return Outcome(step, "done", rows=9, bytes=90, letters=1, seconds=1.5, snapshot=3, checks=(result,), facts={"own": 1})

    assert carry_out(ledger, work).findings == ()
    (run,) = ledger.runs("dev")
    assert (run.run, run.plan, run.status, run.started_at, run.ended_at, run.fence) == ("r1", PLAN.digest, "done", AT, AT, 4)
    build, load = ledger.steps("r1")
    assert (load.status, load.attempt, load.rows, load.bytes, load.letters, load.seconds) == ("done", 1, 9, 90, 1, 1.5)
    assert (load.kind, load.dataset, load.version) == ("load", "n.a", "v1")
    assert load.reason == "not in this environment yet; 2 files are not loaded yet"
    assert load.facts["snapshot"] == 3
    assert load.facts["own"] == 1
    assert load.facts["checks"] == [{"id": "c1", "passed": False, "failing": 2, "rows": 9, "value": "", "how": "scan", "waived": False}]
    assert "secret" not in str(load.facts), "samples stay out of the ledger"
    assert build.dataset == "m.b"
    assert ledger.unfinished() == []


def test_a_step_is_on_record_as_running_before_it_begins() -> None:
    ledger = MemoryLedger()
    seen: list[tuple[str, str, int]] = []

    def work(step: Step, context: StepContext) -> Outcome:
        seen.extend((s.step, s.status, s.attempt) for s in ledger.unfinished())
        assert ledger.runs("dev")[0].status == "running"
        if context.attempt == 1 and step is B:
            raise TemporaryError("once")
        return Outcome(step, "done")

    carry_out(ledger, work)
    assert seen == [(A.id, "running", 1), (B.id, "running", 1), (B.id, "running", 2)]
    assert {s.step: s.attempt for s in ledger.steps("r1")} == {A.id: 1, B.id: 2}


def test_failures_and_what_they_skip() -> None:
    ledger = MemoryLedger()

    def work(step: Step, context: StepContext) -> Outcome:
        raise UserError(Finding("XDE0301", "too bad", Span("a.yaml", 3, 4), why="so", hint="mend"))

    carry_out(ledger, work)
    build, load = ledger.steps("r1")
    assert (load.status, load.reason) == ("failed", "too bad")
    assert load.facts["findings"] == [
        {"code": "XDE0301", "severity": "error", "message": "too bad", "where": "a.yaml:3:4", "why": "so", "hint": "mend"}
    ]
    assert (build.status, build.reason, build.started_at, build.ended_at) == ("skipped", "`n.a` failed", AT, AT)
    assert ledger.runs("dev")[0].status == "failed"


class BusyLedger(MemoryLedger):
    """Is busy for the first so many writes."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.times = times

    def _busy(self) -> None:
        self.times -= 1
        if self.times >= 0:
            raise TemporaryError("held by another process")

    def record_run(self, run: RunRecord) -> None:
        self._busy()
        super().record_run(run)

    def record_step(self, step: StepRecord) -> None:
        self._busy()
        super().record_step(step)


def done(step: Step, context: StepContext) -> Outcome:
    return Outcome(step, "done")


def test_what_a_busy_ledger_does_not_take_is_written_later() -> None:
    busy, calm = BusyLedger(4), MemoryLedger()
    assert carry_out(busy, done).findings == ()
    carry_out(calm, done)
    assert busy.steps("r1") == calm.steps("r1")
    assert busy.runs("dev") == calm.runs("dev")


def test_a_ledger_that_stays_busy_is_a_warning_and_the_run_is_done() -> None:
    finished = carry_out(BusyLedger(1000), done)
    assert finished.status == "done"
    assert [f.code for f in finished.findings] == ["XDE0731"]
    assert "3 records" in finished.findings[0].why


def test_a_run_that_is_resumed_under_its_own_name_is_overwritten() -> None:
    ledger = MemoryLedger()
    ledger.record_step(replace(StepRecordOf(A), status="running"))
    carry_out(ledger, done)
    assert ledger.unfinished() == []


def StepRecordOf(step: Step) -> StepRecord:  # noqa: N802 - reads as a constructor
    from xde.kernel.plan.ledger import StepRecord

    return StepRecord("r1", step.id, step.kind, step.dataset, step.version, "done", AT)
