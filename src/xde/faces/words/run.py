"""A run in words: a line for each step that ends, a table at the end, and whether it was the data that did not pass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from xde.faces.words.cells import pad, visible
from xde.faces.words.findings import finding_fact
from xde.faces.words.ink import PLAIN, Ink, Role
from xde.faces.words.numbers import amount, count, duration, size
from xde.faces.words.plan import extent
from xde.faces.words.table import Column, draw
from xde.kernel.plan.checks import Action
from xde.kernel.plan.plan import StepKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from xde.ground.findings import Finding
    from xde.kernel.plan.checks import CheckResult
    from xde.kernel.plan.plan import Plan, SourceFile, Step
    from xde.kernel.run.events import Outcome, RunFinished

_ROLES: dict[str, Role] = {"done": "good", "failed": "error", "skipped": "warning", "cancelled": "warning"}


@dataclass(frozen=True, slots=True)
class StepLines:
    """Says how each step ended, in lines that stand below each other; made for one plan, whose names give the widths."""

    dataset_cells: int
    extent_cells: int
    ink: Ink = PLAIN

    @classmethod
    def of(cls, plan: Plan, ink: Ink = PLAIN) -> StepLines:
        """The lines for a plan's steps."""
        names = max((len(s.dataset) for s in plan.steps), default=0)
        extents = max((len(_extent(s.files)) for s in plan.steps), default=0)
        return cls(names, extents, ink)

    def line(self, outcome: Outcome) -> str:
        """`done  nyc.flights  load  12 files  336,776 rows  0 dead letters  2.1 s`; why, where it did not end well."""
        step = outcome.step
        status = _ROLES.get(outcome.status, "strong")
        parts = [self.ink(status, pad(outcome.status, 7)), pad(step.dataset, self.dataset_cells), pad(step.kind.value, 5)]
        if outcome.status != "done":
            return "  ".join([*parts, visible(_why(outcome))]).rstrip()
        parts += [pad(_extent(step.files), self.extent_cells)] if self.extent_cells else []
        parts.append(pad(amount(outcome.rows, "row") if _stores(outcome) else "", 16, right=True))
        letters = amount(outcome.letters, "dead letter") if step.kind.value == "load" or outcome.letters else ""
        parts += [pad(letters, 15), pad(duration(outcome.seconds), 8, right=True)]
        return "  ".join(parts)

    def still(self, step: Step, seconds: float) -> str:
        """`running  nyc.flights  load  20.1 s`; plain, for it goes beside the results."""
        return "  ".join([pad("running", 7), pad(step.dataset, self.dataset_cells), pad(step.kind.value, 5), duration(seconds)])


def _stores(outcome: Outcome) -> bool:
    """Whether the step is of a table; a view has no rows of its own, not even none."""
    return outcome.step.kind is not StepKind.VIEW


def _extent(files: tuple[SourceFile, ...]) -> str:
    return amount(len(files), files[0].what) if files else ""


def _why(outcome: Outcome) -> str:
    if outcome.reason:
        return outcome.reason
    return outcome.findings[0].message if outcome.findings else ""


def summary_table(finished: RunFinished, ink: Ink = PLAIN, cells: int | None = None) -> str:
    """Every step of a run as a table, for a terminal; ends with a line end."""
    rows = [
        [
            o.status,
            o.step.dataset,
            o.step.kind.value,
            extent(o.step),
            count(o.rows) if o.status == "done" and _stores(o) else "",
            size(o.bytes) if o.status == "done" and o.bytes else "",
            count(o.letters) if (o.step.kind.value == "load" or o.letters) and o.status == "done" else "",
            duration(o.seconds) if o.seconds else "",
        ]
        for o in finished.outcomes
    ]
    columns = [
        Column("status"),
        Column("dataset"),
        Column("step"),
        Column("what"),
        *(Column(t, right=True) for t in ("rows", "size", "dead letters", "time")),
    ]
    return "\n".join(draw(columns, rows, ink=ink, cells=cells).lines) + "\n"


def run_line(finished: RunFinished, ink: Ink = PLAIN) -> str:
    """The last line of a run: `done: 17 steps in 12.3 s, 336,776 rows, 1 dead letter`."""
    outcomes = finished.outcomes
    others = [o.status for o in outcomes if o.status != "done"]
    parts = [f"{amount(len(outcomes) - len(others), 'step')} done in {duration(finished.seconds)}"]
    parts += [f"{count(others.count(s))} {s}" for s in ("failed", "skipped", "cancelled") if s in others]
    parts.append(amount(sum(o.rows for o in outcomes), "row"))
    letters = sum(o.letters for o in outcomes)
    if letters:
        parts.append(f"{amount(letters, 'dead letter')} (`xde letters list`)")
    role = _ROLES.get(finished.status, "strong")
    return f"{ink(role, finished.status)}: {', '.join(parts)}"


def run_findings(finished: RunFinished) -> list[Finding]:
    """Every finding of every step and of the run itself, each once."""
    return list(dict.fromkeys([*(f for o in finished.outcomes for f in o.findings), *finished.findings]))


def traces(outcomes: Iterable[Outcome]) -> list[str]:
    """The traces of steps that failed by a fault of ours."""
    return [str(o.facts["trace"]) for o in outcomes if "trace" in o.facts]


def data_did_not_pass(outcomes: Iterable[Outcome]) -> bool:
    """Whether a step failed because of its data, not because of what the user wrote or the machine did.

    True where a check that stops did not hold, or the step says so (`facts["temper"] == "data"`).
    """
    failed = [o for o in outcomes if o.status == "failed"]
    return any(o.facts.get("temper") == "data" or any(_stops(c) for c in o.checks) for o in failed)


def _stops(result: CheckResult) -> bool:
    return not result.passed and not result.waived and result.check.action is Action.STOP


def run_fact(finished: RunFinished) -> dict[str, object]:
    """The report of a run as JSON data."""
    return {
        "run": finished.run,
        "status": finished.status,
        "seconds": round(finished.seconds, 3),
        "at": finished.at,
        "steps": [outcome_fact(o) for o in finished.outcomes],
        "findings": [finding_fact(f) for f in finished.findings],
    }


def outcome_fact(outcome: Outcome) -> dict[str, object]:
    """A step as it ended, as JSON data; the checks with their figures, never with sample rows."""
    return {
        "id": outcome.step.id,
        "dataset": outcome.step.dataset,
        "version": outcome.step.version,
        "kind": outcome.step.kind.value,
        "status": outcome.status,
        "files": len(outcome.step.files),
        "rows": outcome.rows,
        "bytes": outcome.bytes,
        "letters": outcome.letters,
        "seconds": round(outcome.seconds, 3),
        "snapshot": outcome.snapshot,
        "reason": outcome.reason,
        "checks": [_check_fact(c) for c in outcome.checks],
        "findings": [finding_fact(f) for f in outcome.findings],
    }


def _check_fact(result: CheckResult) -> dict[str, object]:
    return {
        "id": result.check.id,
        "message": result.check.message,
        "action": result.check.action.value,
        "passed": result.passed,
        "waived": result.waived,
        "failing": result.failing,
        "rows": result.rows,
        "value": result.value,
        "how": result.how,
    }
