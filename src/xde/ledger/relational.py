"""The ledger over a relational database, written once for every dialect: each call is one transaction."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from xde.ground.errors import UserError
from xde.kernel.plan.ledger import NEXT
from xde.ledger import findings, rows

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from xde.kernel.plan.costs import CostRecord, JournalPiece, Reads
    from xde.kernel.plan.ledger import Claim, Deployment, RunRecord, StepRecord, TableState
    from xde.ledger.store import Row, Store, Transaction

FEW = 20  # so many tables are asked for one by one, more are read all at once

Record = TypeVar("Record")


class RelationalLedger:
    """Implements the port `kernel.plan.ledger.Ledger`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def environments(self) -> tuple[str, ...]:
        return tuple(sorted(row[0] for row in self._store.read(lambda t: t.select("environments"))))

    def pointers(self, environment: str) -> dict[str, str]:
        return dict(self._store.read(lambda t: t.select("pointers", environment=environment)))

    def move(self, environment: str, pointers: Mapping[str, str | None], at: str) -> None:
        put = [{"environment": environment, "dataset": d, "version": v, "at": at} for d, v in sorted(pointers.items()) if v is not None]
        drop = [{"environment": environment, "dataset": d} for d, v in sorted(pointers.items()) if v is None]

        def work(t: Transaction) -> None:
            t.change_many("put_pointer", put)
            t.change_many("drop_pointer", drop)

        self._store.write(work)

    def deploy(self, deployment: Deployment, claim: Claim) -> bool:
        ready, environment = rows.values(deployment), deployment.environment
        same = (claim.environment, claim.owner, claim.run, claim.fence)
        where = {"environment": environment, "at": deployment.at}
        put = [{**where, "dataset": d, "version": v} for d, v in sorted(deployment.pointers.items())]

        def work(t: Transaction) -> bool:
            if [row[:4] for row in t.select("claim", environment=environment)] != [same]:
                return False
            newest = t.select("deployments", environment=environment, most=1)
            if (newest[0][1] if newest else 0) != deployment.number - 1:
                return False
            t.change("put_deployment", **ready)
            t.change("drop_environment", environment=environment)
            t.change("drop_environment", environment=environment + NEXT)
            t.change_many("put_pointer", put)
            return True

        return self._store.write(work)

    def deployments(self, environment: str, limit: int = 20) -> list[Deployment]:
        return self._records(rows.deployment, self._store.read(lambda t: t.select("deployments", environment=environment, most=limit)))

    def drop_environment(self, environment: str) -> None:
        def work(t: Transaction) -> None:
            for name in (environment, environment + NEXT):
                t.change("drop_environment", environment=name)
                t.change("drop_deployments", environment=name)

        self._store.write(work)

    def states(self, keys: Sequence[tuple[str, str]] | None = None) -> dict[tuple[str, str], TableState]:
        if keys is None or len(keys) > FEW:
            wanted = None if keys is None else set(keys)
            found = self._store.read(lambda t: t.select("states"))
            found = [row for row in found if wanted is None or (row[0], row[1]) in wanted]
        else:
            found = self._store.read(lambda t: [row for d, v in keys for row in t.select("state", dataset=d, version=v)])
        return {(s.dataset, s.version): s for s in self._records(rows.state, found)}

    def remember(self, states: Sequence[TableState]) -> None:
        # in one order everywhere, so that two processes never wait for each other's rows in a circle
        ready = [rows.values(s) for s in sorted(states, key=lambda s: (s.dataset, s.version))]
        self._store.write(lambda t: t.change_many("put_state", ready))

    def forget(self, keys: Sequence[tuple[str, str]]) -> None:
        gone = [{"dataset": d, "version": v} for d, v in sorted(keys)]
        self._store.write(lambda t: t.change_many("drop_state", gone))

    def claim(self, environment: str, owner: str, run: str, *, now: str, seconds: float) -> Claim | None:
        wish = {"environment": environment, "owner": owner, "run": run}
        now, until = rows.moment(now), rows.moment(now, seconds)

        def work(t: Transaction) -> list[Row]:
            taken = t.change("take_claim", **wish, now=now, until=until)
            return t.select("claim", environment=environment) if taken else []

        return next(map(rows.claim, self._store.write(work)), None)

    def holder(self, environment: str) -> Claim | None:
        return next(map(rows.claim, self._store.read(lambda t: t.select("claim", environment=environment))), None)

    def renew(self, claim: Claim, *, now: str, seconds: float) -> bool:
        same = {**rows.values(claim), "until": rows.moment(now, seconds)}
        return self._store.write(lambda t: t.change("renew_claim", **same)) > 0

    def release(self, claim: Claim) -> None:
        same = rows.values(claim)
        self._store.write(lambda t: t.change("release_claim", **same))

    def record_run(self, run: RunRecord) -> None:
        ready = rows.values(run)
        self._store.write(lambda t: t.change("put_run", **ready))

    def record_step(self, step: StepRecord) -> None:
        ready = rows.values(step)
        cost = rows.cost_of(step)

        def work(t: Transaction) -> None:
            t.change("put_step", **ready)
            if step.tells_costs:
                t.change("put_last_done", **ready)
            if cost is not None:
                t.change("put_cost", **rows.values(cost))

        self._store.write(work)

    def runs(self, environment: str, limit: int = 20) -> list[RunRecord]:
        return [rows.run(r) for r in self._store.read(lambda t: t.select("runs", environment=environment, most=limit))]

    def steps(self, run: str) -> list[StepRecord]:
        return self._records(rows.step, self._store.read(lambda t: t.select("steps", run=run)))

    def unfinished(self) -> list[StepRecord]:
        return self._records(rows.step, self._store.read(lambda t: t.select("unfinished")))

    def last_costs(self, datasets: Sequence[str]) -> dict[str, StepRecord]:
        wanted = set(datasets)
        found = self._records(rows.step, self._store.read(lambda t: t.select("last_done")))
        return {s.dataset: s for s in found if s.dataset in wanted}

    def costs(self, environment: str, since: str) -> list[CostRecord]:
        since = rows.moment(since)
        names = (environment, environment + NEXT)
        found = self._store.read(lambda t: [r for name in names for r in t.select("costs", environment=name, since=since)])
        return sorted(map(rows.cost, found), key=lambda c: (c.ended_at, c.run, c.step))

    def count_reads(self, reads: Sequence[Reads], piece: JournalPiece) -> bool:
        ready = [rows.values(r) for r in sorted(reads, key=lambda r: (r.environment, r.dataset, r.how, r.day))]

        def work(t: Transaction) -> bool:
            if not t.change("count_journal", journal=piece.journal, start=piece.start, end=piece.end):
                return False
            t.change_many("add_reads", ready)
            return True

        return self._store.write(work)

    def journals(self) -> dict[str, int]:
        return dict(self._store.read(lambda t: t.select("journals")))

    def forget_journals(self, journals: Sequence[str]) -> None:
        gone = [{"journal": j} for j in sorted(journals)]
        self._store.write(lambda t: t.change_many("drop_journal", gone))

    def reads(self, environment: str) -> list[Reads]:
        return [rows.reads(r) for r in self._store.read(lambda t: t.select("reads", environment=environment))]

    def rebuilt(
        self,
        states: Sequence[TableState],
        pointers: Mapping[str, Mapping[str, str]],
        at: str,
        deployments: Sequence[Deployment] = (),
        costs: Sequence[CostRecord] = (),
    ) -> None:
        known = [replace(c, ended_at=rows.moment(c.ended_at)) for c in costs]
        spent = [rows.values(c) for c in known]
        steps = [rows.values(step) for step in map(rows.step_of, known) if step.tells_costs]
        deployed = [rows.values(d) for d in deployments]
        mirrors = [rows.values(s) for s in states]
        pointed = [
            {"environment": environment, "dataset": dataset, "version": version, "at": at}
            for environment, versions in pointers.items()
            for dataset, version in versions.items()
        ]

        def work(t: Transaction) -> None:
            t.change("drop_states")
            t.change("drop_pointers")
            t.change_many("put_state", mirrors)
            t.change_many("put_pointer", pointed)
            t.change("drop_all_deployments")
            t.change_many("put_deployment", deployed)
            t.change_many("add_cost", spent)
            t.change_many("put_last_done", steps)

        self._store.write(work)

    def close(self) -> None:
        self._store.close()

    def _records(self, make: Callable[[Row], Record], found: Sequence[Row]) -> list[Record]:
        try:
            return [make(row) for row in found]
        except ValueError as error:  # a database does not notice every flipped bit; JSON does
            raise UserError(findings.damaged(self._store.label, str(error))) from error
