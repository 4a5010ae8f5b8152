"""What happens in a run, as typed events: the terminal, the ledger and every monitor see the same stream."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Protocol

from xde.ground.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xde.ground.findings import Finding
    from xde.kernel.plan.checks import CheckResult
    from xde.kernel.plan.plan import Plan, Step


@dataclass(frozen=True, slots=True)
class ColumnsChange:
    """Columns of a delivery beside those before it.

    `new` are those that the table has got, with their types; `missing` those of the contract that the source no longer gives, `back`
    those that it gives again.
    """

    new: Mapping[str, str]
    missing: tuple[str, ...]
    back: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a step; `status` is done, failed, skipped or cancelled; times in seconds. `changes` are in order of commits."""

    step: Step
    status: str
    rows: int = 0
    bytes: int = 0
    letters: int = 0
    seconds: float = 0.0
    snapshot: int | None = None
    reason: str = ""
    checks: tuple[CheckResult, ...] = ()
    findings: tuple[Finding, ...] = ()
    facts: dict[str, object] = field(default_factory=dict)
    changes: tuple[ColumnsChange, ...] = ()


@dataclass(frozen=True, slots=True)
class RunStarted:
    """A run begins."""

    run: str
    plan: Plan
    at: str


@dataclass(frozen=True, slots=True)
class StepStarted:
    """A step begins; `attempt` counts from 1."""

    run: str
    step: Step
    attempt: int
    at: str


@dataclass(frozen=True, slots=True)
class StepProgress:
    """A step says how far it is."""

    run: str
    step: Step
    text: str
    fraction: float | None = None


@dataclass(frozen=True, slots=True)
class SchemaChanged:
    """What a source delivers has other columns than before; told after the load is published, and before its step has finished."""

    run: str
    dataset: str
    columns: ColumnsChange
    at: str


@dataclass(frozen=True, slots=True)
class StepFinished:
    """A step ends, well or badly."""

    run: str
    outcome: Outcome
    at: str


@dataclass(frozen=True, slots=True)
class RunFinished:
    """A run ends; `status` is done, failed or cancelled; `findings` are of the run itself and of no step."""

    run: str
    status: str
    outcomes: tuple[Outcome, ...]
    seconds: float
    at: str
    findings: tuple[Finding, ...] = ()


Event = RunStarted | StepStarted | StepProgress | SchemaChanged | StepFinished | RunFinished


class Observer(Protocol):
    """Hears events; must not fail the run, and is called by one thread at a time."""

    def hear(self, event: Event) -> None:
        """Take note of an event."""
        ...
