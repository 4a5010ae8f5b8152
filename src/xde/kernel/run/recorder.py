"""The observer that writes a run and its steps to the ledger; a step is on record before it is begun."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, assert_never

from xde.ground.errors import TemporaryError
from xde.kernel.plan.ledger import RunRecord, StepRecord
from xde.kernel.run.events import RunFinished, RunStarted, SchemaChanged, StepFinished, StepProgress, StepStarted

if TYPE_CHECKING:
    from collections.abc import Callable

    from xde.ground.findings import Finding
    from xde.kernel.plan.checks import CheckResult
    from xde.kernel.plan.ledger import Ledger
    from xde.kernel.plan.plan import Step
    from xde.kernel.run.events import Event, Outcome


class Recorder:
    """Hears one run. What a busy ledger does not take is written with the next event, and at the last of them must be."""

    def __init__(self, ledger: Ledger, fence: int) -> None:
        self._ledger = ledger
        self._fence = fence
        self._run: RunRecord | None = None
        self._steps: dict[str, StepRecord] = {}
        self._late: dict[str, Callable[[], None]] = {}

    def hear(self, event: Event) -> None:
        """Write what the event says; `TemporaryError` only for the end of the run."""
        match event:
            case RunStarted():
                self._write_run(RunRecord(event.run, event.plan.environment, event.plan.digest, "running", event.at, fence=self._fence))
            case StepStarted():
                self._write_step(_begun(event, self._steps.get(event.step.id)))
            case StepFinished():
                known = self._steps.get(event.outcome.step.id)
                self._write_step(_ended(event, known or _record(event.run, event.outcome.step, event.at)))
            case RunFinished():
                if self._run is not None:
                    self._write_run(replace(self._run, status=event.status, ended_at=event.at))
                if self._late:
                    raise TemporaryError(f"the ledger was busy: {len(self._late)} records of the run are not written")
            case StepProgress() | SchemaChanged():  # a change stands in the facts of its step, too
                pass
            case _:
                assert_never(event)

    def _write_run(self, record: RunRecord) -> None:
        self._run = record
        self._late["run"] = lambda: self._ledger.record_run(record)
        self._write_late()

    def _write_step(self, record: StepRecord) -> None:
        self._steps[record.step] = record
        self._late[f"step {record.step}"] = lambda: self._ledger.record_step(record)
        self._write_late()

    def _write_late(self) -> None:
        try:
            while self._late:
                name = next(iter(self._late))
                self._late[name]()
                del self._late[name]
        except TemporaryError:
            pass  # each record is written whole and over its older self: it can wait


def _record(run: str, step: Step, at: str) -> StepRecord:
    return StepRecord(run, step.id, step.kind, step.dataset, step.version, "running", at, reason="; ".join(r.text for r in step.reasons))


def _begun(event: StepStarted, before: StepRecord | None) -> StepRecord:
    record = before or _record(event.run, event.step, event.at)
    return replace(record, attempt=event.attempt)


def _ended(event: StepFinished, record: StepRecord) -> StepRecord:
    outcome = event.outcome
    return replace(
        record,
        status=outcome.status,
        ended_at=event.at,
        rows=outcome.rows,
        bytes=outcome.bytes,
        letters=outcome.letters,
        seconds=outcome.seconds,
        reason=outcome.reason or record.reason,
        facts=_facts(outcome),
    )


def _facts(outcome: Outcome) -> dict[str, object]:
    """The outcome's own facts, and its snapshot, checks and findings as plain data; never a sample row."""
    facts = dict(outcome.facts)
    if outcome.snapshot is not None:
        facts["snapshot"] = outcome.snapshot
    if outcome.changes:
        facts["columns"] = [{"new": dict(c.new), "missing": list(c.missing), "back": list(c.back)} for c in outcome.changes]
    if outcome.checks:
        facts["checks"] = [_check(result) for result in outcome.checks]
    if outcome.findings:
        facts["findings"] = [_finding(finding) for finding in outcome.findings]
    return facts


def _check(result: CheckResult) -> dict[str, object]:
    return {
        "id": result.check.id,
        "passed": result.passed,
        "failing": result.failing,
        "rows": result.rows,
        "value": result.value,
        "how": result.how,
        "waived": result.waived,
    }


def _finding(finding: Finding) -> dict[str, object]:
    where = str(finding.span) if finding.span else ""
    return {
        "code": finding.code,
        "severity": finding.severity,
        "message": finding.message,
        "where": where,
        "why": finding.why,
        "hint": finding.hint,
    }
