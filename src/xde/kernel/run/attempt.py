"""The carrying out of one step: tried again while its trouble may pass, every other trouble told as findings."""

from __future__ import annotations

from dataclasses import field, replace
from typing import TYPE_CHECKING, Protocol

from xde.ground.crash import CrashPoint, crash_point
from xde.ground.errors import DISK_FULL, Bug, DataError, TemporaryError, UserError
from xde.ground.findings import Finding
from xde.ground.records import dataclass
from xde.ground.secrets import trace_of
from xde.kernel.plan.plan import StepKind
from xde.kernel.run.events import Outcome, StepProgress, StepStarted
from xde.kernel.run.metering import Meter, Meters

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Mapping

    from xde.ground.clock import Clock
    from xde.kernel.plan.plan import Step
    from xde.kernel.run.herald import Herald

LONGEST_WAIT = 60.0  # seconds between two tries, however many there were


@dataclass(frozen=True, slots=True)
class StepContext:
    """What a performer is told beside its step; `at` is the moment of the attempt, an ISO text in UTC.

    `progress` says in words, and where known as a fraction of 1, how far the step is.
    """

    run: str
    environment: str
    fence: int
    attempt: int
    at: str
    progress: Callable[[str, float | None], None]


class Performer(Protocol):
    """Carries out steps of one kind, on several threads at once.

    Trouble is raised: `TemporaryError` to be tried again, `UserError` and `DataError` to fail with their findings. Nothing may be
    published when it raises.
    """

    def perform(self, step: Step, context: StepContext) -> Outcome:
        """Do all of a step."""
        ...


@dataclass(frozen=True, slots=True)
class Attempts:
    """How the steps of one run are carried out."""

    performers: Mapping[StepKind, Performer]
    herald: Herald
    clock: Clock
    cancelled: threading.Event
    run: str
    environment: str
    fence: int
    retries: int
    sleep: Callable[[float], None]
    jitter: Callable[[], float]
    meters: Meters = field(default_factory=Meters)

    def carry_out(self, step: Step) -> Outcome:
        """The step's outcome, whatever happens; each attempt is known to every observer before it begins."""
        with self.meters.running(self.clock.monotonic) as meter:
            outcome = self._outcome(step, meter)
            taken = meter.whole()
        seconds = outcome.seconds or taken.seconds
        usage = replace(taken, seconds=seconds, rows=outcome.rows, bytes=taken.bytes or outcome.bytes)
        return replace(outcome, seconds=seconds, facts={**outcome.facts, "usage": usage.fact()})

    def _outcome(self, step: Step, meter: Meter) -> Outcome:
        attempt = 1
        while True:
            try:
                meter.again()
                return self._try(step, attempt)
            except TemporaryError as error:
                if attempt > self.retries and not self.cancelled.is_set():
                    return _gave_up(step, error, attempt)
                if not self.cancelled.is_set():
                    self.sleep(self.jitter() * min(LONGEST_WAIT, error.retry_in * 2**attempt))
                if self.cancelled.is_set():
                    return _cancelled(step)
                attempt += 1
            except UserError as error:
                temper = {"temper": "data"} if isinstance(error, DataError) else {}
                return Outcome(step, "failed", reason=_reason(error), findings=tuple(error.findings), facts={**temper})
            except BaseException as error:  # noqa: BLE001 - not only Exception: a panic in a Rust library is none, and a thread that dies hangs the run
                if self.cancelled.is_set():
                    return _cancelled(step)
                return _full_disk(step, error) if _is_full(error) else _our_fault(step, error)

    def _try(self, step: Step, attempt: int) -> Outcome:
        at = self.clock.now().isoformat(timespec="microseconds")
        self.herald.tell(StepStarted(self.run, step, attempt, at))
        crash_point(CrashPoint.STEP_STARTED)

        def progress(text: str, fraction: float | None = None) -> None:
            self.herald.tell(StepProgress(self.run, step, text, fraction))

        context = StepContext(self.run, self.environment, self.fence, attempt, at, progress)
        match self.performers[step.kind].perform(step, context):
            case Outcome(status="done" | "failed" | "cancelled") as outcome if outcome.step.id == step.id:
                return outcome
            case other:
                raise Bug(f"the performer of `{step.kind}` gave back {other!r}")


def _cancelled(step: Step) -> Outcome:
    """Once a run is cancelled, engines are interrupted and complain in many ways; none of those is a fault."""
    return Outcome(step, "cancelled", reason="the run was cancelled while it ran")


def _reason(error: UserError) -> str:
    return error.findings[0].message if error.findings else "it was refused"


def _gave_up(step: Step, error: TemporaryError, attempts: int) -> Outcome:
    finding = Finding(
        "XDE0730",
        f"`{step.dataset}` gave up after {attempts} {'try' if attempts == 1 else 'tries'}: {error}",
        why="what hindered it may pass by itself, and did not in this time",
        hint="`xde doctor` goes the way to it step by step; then: xde run" if step.kind == StepKind.LOAD else "xde run",
    )
    return Outcome(step, "failed", reason=finding.message, findings=(finding,))


def _is_full(error: BaseException) -> bool:
    """Whether a disk had no room; what the engine says of it in words of its own comes as a `UserError`."""
    return isinstance(error, OSError) and error.errno in DISK_FULL


def _full_disk(step: Step, error: BaseException) -> Outcome:
    why = f"{step.dataset}: {error}"
    hint = "free some space, or give the project's folder more of it: what is there stays as it was, and the next run goes on"
    finding = Finding("XDE0803", "the disk is full", why=why, hint=hint)
    return Outcome(step, "failed", reason=finding.message, findings=(finding,))


def _our_fault(step: Step, error: BaseException) -> Outcome:
    finding = Finding(
        "XDE0799",
        f"this is a fault of xde: `{step.dataset}` failed with {type(error).__name__}: {error}",
        why="no project, however wrong, should lead here",
        hint="report it with the step's `trace`, which its run keeps",
    )
    return Outcome(step, "failed", reason=finding.message, findings=(finding,), facts={"trace": trace_of(error)})
