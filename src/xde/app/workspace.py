"""A project, opened: every use case that a face can ask for is one method here."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Self

from xde.ground.errors import UserError
from xde.ground.findings import Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    import pyarrow as pa

    from xde.app.answers import DatasetLine, Diagnosis, HistoryLine, LetterLine, LineageNode, ReplayOutcome
    from xde.app.backfilling import Backfill, Backfilled, Demand
    from xde.app.deploying import Deployed, Order, Proposal
    from xde.app.expiring import Expired
    from xde.app.leftover_slots import Freed
    from xde.app.planning import Planned
    from xde.app.recording import Recorded
    from xde.app.smoking import Smoked
    from xde.app.understanding import Understanding
    from xde.app.wiring import House
    from xde.ground.findings import Finding
    from xde.kernel.plan.ledger import Claim, RunRecord, StepRecord
    from xde.kernel.plan.plan import Plan
    from xde.kernel.plan.restating import Restatement
    from xde.kernel.run.events import Observer, RunFinished
    from xde.lifecycle.storage.port import Cleaned
    from xde.undercurrents.dataops.cost.spending import CostReport


class Workspace:
    """A project and one of its environments. Errors that a user can mend come as `UserError` with findings."""

    def __init__(self, known: Understanding, house: House) -> None:
        self.known = known
        self.house = house
        self.warnings: tuple[Finding, ...] = known.warnings
        self.freed: tuple[Freed, ...] = ()
        self._watchers: list[Observer] = []

    @classmethod
    def open(cls, root: Path, *, environment: str | None = None, working_tree: bool = False) -> Workspace:
        """Read a project's folder (nothing is parsed again that has not changed) and reconcile what a crash left.

        In an environment that was deployed to, the project is what was deployed: the working tree is looked at only in the environment
        that is one's own, in those that nothing was deployed to, and with `working_tree`.
        """
        from xde.app.opening import opened

        known, house = opened(root.resolve(), environment, working_tree=working_tree)
        return cls(known, house)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of ledger and engine."""
        self.house.close()

    def plan(self, selection: Sequence[str] = (), *, full: bool = False, until: str = "", reason: str = "") -> Plan:
        """What would be done, and why; writes nothing. Models by time are built up to `until`, exclusive.

        `reason` says why `full` may take away what cannot be computed again.
        """
        planned = self._planned(selection, full=full, until=until, reason=reason)
        self.warnings = planned.warnings
        return planned.plan

    def _planned(self, selection: Sequence[str], *, full: bool, until: str, reason: str) -> Planned:
        from xde.app import planning
        from xde.ground.garbage import no_garbage

        with no_garbage():
            chosen = planning.select(self.known, selection)
            moment = planning.read_moment("--until", until)
            return planning.make(self.house, self.known, chosen, full=full, until=moment, reason=reason)

    def run(  # noqa: PLR0913 - what may be asked of a run
        self,
        plan: Plan | None = None,
        *,
        selection: Sequence[str] = (),
        full: bool = False,
        until: str = "",
        reason: str = "",
        observers: Sequence[Observer] = (),
        wait: float = 0.0,
        waiting: Callable[[Claim], None] = lambda _: None,
    ) -> RunFinished:
        """Load what is new, build what is stale, publish what passes.

        What is done is planned again under the claim, by the same words. Who gives a `plan` has taken in what is to be loaded.
        """
        from xde.app.running import Manner, carry_out

        def replan() -> Planned:
            planned = self._planned(selection, full=full, until=until, reason=reason)
            self.warnings = (*planned.warnings, *(f for f in taken if f.severity is not Severity.ERROR))
            return planned

        taken = self.take_in(selection) if plan is None else ()
        finished = carry_out(self.house, self.known, replan, Manner([*self._watchers, *observers], wait, waiting))
        if wrong := [f for f in taken if f.severity is Severity.ERROR]:  # all else is done first
            raise UserError(*wrong)
        return finished

    def take_in(self, selection: Sequence[str] = ()) -> tuple[Finding, ...]:
        """Have brokers hand over what they keep for us, so that a plan sees it. Gives what kept one from it, and what is to be told."""
        if not any(r.push is not None and r.push.subscription is not None for r in self.known.readings.values()):
            return ()
        from xde.app import planning
        from xde.app.listening import take_in

        return tuple(take_in(self.house, self.known, planning.select(self.known, selection)))

    def watch(self) -> Callable[[], Mapping[str, float]]:
        """Have the runs to come watched; gives how to ask how far the queries of running steps are, 0 to 1 by the steps' ids."""
        from xde.kernel.run.underway import Underway

        underway = Underway()
        self._watchers = [underway]
        self.house.session.watch()

        def ask() -> dict[str, float]:
            told = self.house.engine.progress()
            return {step: told[thread] for step, thread in underway.threads().items() if thread in told}

        return ask

    def datasets(self) -> tuple[DatasetLine, ...]:
        """Every dataset, with what there is of it in this environment."""
        from xde.app.asking import datasets

        return datasets(self.house, self.known)

    def show(
        self,
        dataset: str,
        *,
        where: str | None = None,
        columns: Sequence[str] = (),
        limit: int | None = 20,
        at: int | None = None,
        version: str | None = None,
    ) -> pa.RecordBatchReader:
        """Rows of a dataset, of an older snapshot if `at` is given."""
        from xde.app.showing import show
        from xde.lifecycle.serving.reading import Wish

        return show(self.house, self.known, Wish(dataset, where, tuple(columns), limit, at, version))

    def note_read(self, dataset: str, how: str) -> None:
        """Count a dataset as read by somebody, for `cost`: `how` is show or export."""
        from xde.app.readers import count_if_many, note_read

        note_read(self.house, dataset, how)
        count_if_many(self.house)

    def cost(self, selection: Sequence[str] = (), *, days: int = 30) -> CostReport:
        """What datasets cost in the last days, and who reads them, the dearest first."""
        from xde.app.costing import cost
        from xde.app.planning import select

        return cost(self.house, self.known, select(self.known, selection), days)

    def history(self, dataset: str) -> tuple[HistoryLine, ...]:
        """The commits of a dataset's table in this environment, newest first."""
        from xde.app.asking import history

        return history(self.house, self.known, dataset)

    def lineage(self, target: str, *, downstream: bool = False, depth: int | None = None) -> LineageNode:
        """Where a dataset or one of its columns comes from, or goes."""
        from xde.app.lineage import lineage

        return lineage(self.known, target, downstream=downstream, depth=depth)

    def letters(self, dataset: str | None = None, *, status: str | None = "open") -> tuple[LetterLine, ...]:
        """Dead letters, of one dataset or of all."""
        from xde.app.letters import letters

        return letters(self.house, self.known, dataset, status)

    def replay(
        self, ids: Sequence[str], *, dataset: str | None = None, corrected: Mapping[str, bytes] | None = None
    ) -> tuple[ReplayOutcome, ...]:
        """Read letters again by the contract as it is now; those that pass become rows in the commit that closes them."""
        from xde.app.letters import replay

        return replay(self.house, self.known, ids, dataset, corrected or {})

    def discard(self, ids: Sequence[str], *, dataset: str | None = None, reason: str) -> int:
        """Close letters for good, with a reason that is kept."""
        from xde.app.letters import discard

        return discard(self.house, self.known, ids, dataset, reason)

    def doctor(self, engine: str | None = None) -> Iterator[Diagnosis]:
        """Whether sources, lake, ledger and engine can be reached, written and read; and which models `engine` would not be given."""
        from xde.app.doctor import doctor

        return doctor(self.house, self.known, engine)

    def clean(
        self, *, keep_hours: float = 168.0, keep_days: float = 7.0, dry_run: bool = False, compact: bool = False
    ) -> tuple[Cleaned, ...]:
        """Take away what no environment and no recent snapshot needs; with `compact`, put small files together first.

        Replication slots that nothing loads by go first (`freed`), for the tables hold what is known of them.
        """
        from xde.app.cleaning import Cleaning, clean, not_dropped
        from xde.app.leftover_slots import release

        said: list[Finding] = []
        wish = Cleaning(keep_hours, keep_days, compact, dry_run)
        released = release(self.house, self.known, wish, said.append)
        self.freed = released.freed
        cleaned = clean(self.house, self.known, replace(wish, but=released.kept), said.append)
        if released.failed is not None and not said:
            said.append(not_dropped(released.failed))
        self.warnings = tuple(said)
        return cleaned

    def expire(self, *, dry_run: bool = False) -> tuple[Expired, ...]:
        """Drop the environments that nobody has used for as long as they live, or only tell which they are."""
        from xde.app.expiring import drop_expired, expired

        return (expired if dry_run else drop_expired)(self.house.root, self.house.environment)

    def rebuild_ledger(self) -> int:
        """Put the ledger's mirrors and pointers in place again from the lake; gives the number of tables found."""
        from xde.app.reconciling import rebuild

        return rebuild(self.house)

    def propose(self, until: str = "") -> Proposal:
        """What deploying this project to the environment would do; writes nothing. Models by time are built up to `until`, exclusive."""
        from xde.app.deploying import may_be_deployed_to, propose

        may_be_deployed_to(self.house)
        return propose(self.house, self.known, until)

    def deploy(self, order: Order) -> Deployed:
        """Build what is missing, audit it, switch every pointer at once."""
        from xde.app.deploying import deploy

        return deploy(self.house, self.known, self.known.project.root, order)

    def plan_backfill(self, asked: Backfill) -> Restatement:
        """What a backfill would do; writes nothing."""
        from xde.app.backfilling import plan_backfill

        return plan_backfill(self.house, self.known, asked)

    def backfill(self, asked: Backfill, demand: Demand) -> Backfilled:
        """Compute rows anew in tables of their own, audit them, and show them all at once."""
        from xde.app.backfilling import backfill

        return backfill(self.house, self.known, asked, demand)

    def record(self, dataset: str, name: str, *, rows: int = 5) -> Recorded:
        """Freeze what a model does with a few real rows as a case."""
        from xde.app.recording import record

        return record(self.house, self.known, dataset, name, rows)

    def smoke(self, *, rows: int = 1_000, observers: Sequence[Observer] = ()) -> Smoked:
        """Build every model from a sample of the sources, in a lake of its own."""
        from xde.app.smoking import smoke

        return smoke(self.house, self.known, rows, observers)

    def new_model(self, name: str, inputs: Sequence[str] = ()) -> tuple[str, ...]:
        """Write a model that reads some datasets, its contract and a failing case; gives their paths."""
        from xde.app.drafting import new_model

        return new_model(self.known, name, inputs)

    def new_case(self, dataset: str) -> tuple[str, str]:
        """Add a failing case of a dataset; gives its file and its name."""
        from xde.app.drafting import new_case

        return new_case(self.known, dataset)

    def runs(self, limit: int = 20) -> list[RunRecord]:
        """The newest runs of this environment."""
        return self.house.ledger.runs(self.house.environment, limit)

    def steps(self, run: str) -> list[StepRecord]:
        """The steps of a run."""
        return self.house.ledger.steps(run)
