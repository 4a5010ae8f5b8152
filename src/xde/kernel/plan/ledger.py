"""What we remember (port): pointers of environments, commits seen, runs and steps, claims."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Protocol

from xde.ground.records import dataclass
from xde.kernel.plan.plan import StepKind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xde.kernel.plan.costs import CostRecord, JournalPiece, Reads


@dataclass(frozen=True, slots=True)
class TableState:
    """What the last commit of one version of a dataset said, mirrored from the lake.

    `number` is the snapshot, `rows` and `bytes` the table's size, `facts` the facts that hold of the table as a whole (source files by
    path, done intervals, input snapshots, open letters); JSON data.
    """

    dataset: str
    version: str
    number: int
    rows: int
    bytes: int
    at: str
    facts: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StepRecord:
    """A step as it was carried out; `status` is running, done, failed, skipped or cancelled; times ISO in UTC, JSON facts."""

    run: str
    step: str
    kind: str
    dataset: str
    version: str
    status: str
    started_at: str
    ended_at: str | None = None
    attempt: int = 1
    rows: int = 0
    bytes: int = 0
    letters: int = 0
    seconds: float = 0.0
    reason: str = ""
    facts: Mapping[str, object] = field(default_factory=dict)

    @property
    def tells_costs(self) -> bool:
        """Whether the step came to its end and did work: to take over a version that is there costs nothing and says nothing."""
        return self.status == "done" and self.ended_at is not None and self.kind not in {StepKind.ADOPT, StepKind.COPY}


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run as it was carried out; `plan` is the plan's digest."""

    run: str
    environment: str
    plan: str
    status: str
    started_at: str
    ended_at: str | None = None
    fence: int = 0


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to change an environment: who holds it, until when, and a number that only grows."""

    environment: str
    owner: str
    run: str
    fence: int
    until: str


@dataclass(frozen=True, slots=True)
class Deployment:
    """One switch of all pointers of an environment; `number` counts from 1 in each environment.

    `plan` is the digest of the plan that was carried out before it, `definitions` that of the project's files, which the lake
    keeps under it. `note` says why where that is not plain: a rollback, a breaking change that was allowed.
    """

    environment: str
    number: int
    at: str
    author: str
    plan: str
    definitions: str
    pointers: Mapping[str, str]
    note: str = ""
    facts: Mapping[str, object] = field(default_factory=dict)


NEXT = "~next"
"""After an environment's name: where a deployment builds; no name that a user may choose ends so."""


class Ledger(Protocol):
    """Our own memory. Each call is one transaction; a busy store is waited for, then raises `TemporaryError`."""

    def environments(self) -> tuple[str, ...]:
        """Those that point at anything or are claimed, in order of name."""
        ...

    def pointers(self, environment: str) -> dict[str, str]:
        """Dataset to version, for an environment."""
        ...

    def move(self, environment: str, pointers: Mapping[str, str | None], at: str) -> None:
        """Point datasets at versions, all or none; None takes the dataset out."""
        ...

    def deploy(self, deployment: Deployment, claim: Claim) -> bool:
        """Put down a deployment and point the environment at its versions and no others, all at once.

        False, and nothing is changed, when the claim was lost or another deployment has taken the number.
        """
        ...

    def deployments(self, environment: str, limit: int = 20) -> list[Deployment]:
        """The newest deployments, newest first."""
        ...

    def drop_environment(self, environment: str) -> None:
        """Forget an environment's pointers and deployments; its tables stay until a clean."""
        ...

    def states(self, keys: Sequence[tuple[str, str]] | None = None) -> dict[tuple[str, str], TableState]:
        """What is known of (dataset, version) tables; of all when no keys are given."""
        ...

    def remember(self, states: Sequence[TableState]) -> None:
        """Mirror tables; an older snapshot number never overwrites a newer one."""
        ...

    def forget(self, keys: Sequence[tuple[str, str]]) -> None:
        """Drop the mirrors of tables."""
        ...

    def claim(self, environment: str, owner: str, run: str, *, now: str, seconds: float) -> Claim | None:
        """Take the claim if it is free or has run out, with the next fence; None when another holds it."""
        ...

    def holder(self, environment: str) -> Claim | None:
        """Who holds the claim, run out or not."""
        ...

    def renew(self, claim: Claim, *, now: str, seconds: float) -> bool:
        """Hold a claim for longer; False when it was lost."""
        ...

    def release(self, claim: Claim) -> None:
        """Give a claim back; a lost one is left alone."""
        ...

    def record_run(self, run: RunRecord) -> None:
        """Write or overwrite a run."""
        ...

    def record_step(self, step: StepRecord) -> None:
        """Write or overwrite a step of a run."""
        ...

    def runs(self, environment: str, limit: int = 20) -> list[RunRecord]:
        """The newest runs, newest first."""
        ...

    def steps(self, run: str) -> list[StepRecord]:
        """The steps of a run, in order of start."""
        ...

    def unfinished(self) -> list[StepRecord]:
        """Steps that were started and never ended: what a crash left, to be reconciled with the lake."""
        ...

    def last_costs(self, datasets: Sequence[str]) -> dict[str, StepRecord]:
        """The last done step of each dataset that loaded or computed it, for estimates."""
        ...

    def costs(self, environment: str, since: str) -> list[CostRecord]:
        """What the steps of an environment took that ended since a moment (ISO), and those of deployments to it; in order of time."""
        ...

    def count_reads(self, reads: Sequence[Reads], piece: JournalPiece) -> bool:
        """Add reads that a piece of a journal tells, all and once; False, and nothing is added, when the piece was counted already."""
        ...

    def journals(self) -> dict[str, int]:
        """Up to which byte each journal of reads is counted."""
        ...

    def forget_journals(self, journals: Sequence[str]) -> None:
        """Of journals whose files are gone; their reads stay."""
        ...

    def reads(self, environment: str) -> list[Reads]:
        """How often the datasets of an environment were read, by dataset and day."""
        ...

    def rebuilt(
        self,
        states: Sequence[TableState],
        pointers: Mapping[str, Mapping[str, str]],
        at: str,
        deployments: Sequence[Deployment] = (),
        costs: Sequence[CostRecord] = (),
    ) -> None:
        """Replace all mirrors, pointers and deployments at once by what the lake says; runs, steps and reads stay.

        Of `costs` those are added that are not known, for estimates too.
        """
        ...

    def close(self) -> None:
        """Let go of the store."""
        ...
