"""The ledger's twin for tests: speaks the same port, forgets all when it is let go of."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from xde.kernel.plan.ledger import NEXT, Claim, Deployment, RunRecord, StepRecord, TableState
from xde.ledger.rows import cost_of, moment, step_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xde.kernel.plan.costs import CostRecord, JournalPiece, Reads

Record = TypeVar("Record", TableState, StepRecord)


class MemoryLedger:
    """Implements the port `kernel.plan.ledger.Ledger` with dictionaries."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pointers: dict[str, dict[str, str]] = {}
        self._states: dict[tuple[str, str], TableState] = {}
        self._claims: dict[str, Claim] = {}
        self._runs: dict[str, RunRecord] = {}
        self._steps: dict[tuple[str, str], StepRecord] = {}
        self._last_done: dict[str, StepRecord] = {}
        self._deployments: dict[str, list[Deployment]] = {}
        self._costs: dict[tuple[str, str], CostRecord] = {}
        self._reads: dict[tuple[str, str, str, str], Reads] = {}
        self._journals: dict[str, int] = {}

    def environments(self) -> tuple[str, ...]:
        with self._lock:
            return tuple(
                sorted(
                    {e for e, known in self._pointers.items() if known}
                    | {c.environment for c in self._claims.values() if c.owner}
                    | {e for e, known in self._deployments.items() if known}
                )
            )

    def pointers(self, environment: str) -> dict[str, str]:
        with self._lock:
            return dict(sorted(self._pointers.get(environment, {}).items()))

    def move(self, environment: str, pointers: Mapping[str, str | None], at: str) -> None:  # noqa: ARG002 - the port's; nobody asks for it back
        with self._lock:
            known = self._pointers.setdefault(environment, {})
            for dataset, version in pointers.items():
                if version is None:
                    known.pop(dataset, None)
                else:
                    known[dataset] = version

    def deploy(self, deployment: Deployment, claim: Claim) -> bool:
        with self._lock:
            known = self._deployments.setdefault(deployment.environment, [])
            if not self._same(claim) or claim.environment != deployment.environment or deployment.number != len(known) + 1:
                return False
            known.append(_copied(deployment))
            self._pointers[deployment.environment] = dict(deployment.pointers)
            self._pointers.pop(deployment.environment + NEXT, None)
            return True

    def deployments(self, environment: str, limit: int = 20) -> list[Deployment]:
        with self._lock:
            return [_copied(d) for d in reversed(self._deployments.get(environment, []))][:limit]

    def drop_environment(self, environment: str) -> None:
        with self._lock:
            for name in (environment, environment + NEXT):
                self._pointers.pop(name, None)
                self._deployments.pop(name, None)

    def states(self, keys: Sequence[tuple[str, str]] | None = None) -> dict[tuple[str, str], TableState]:
        with self._lock:
            return {k: _through_json(s) for k, s in sorted(self._states.items()) if keys is None or k in keys}

    def remember(self, states: Sequence[TableState]) -> None:
        ready = [_through_json(s) for s in states]
        with self._lock:
            for state in ready:
                known = self._states.get((state.dataset, state.version))
                if known is None or known.number <= state.number:
                    self._states[state.dataset, state.version] = state

    def forget(self, keys: Sequence[tuple[str, str]]) -> None:
        with self._lock:
            for key in keys:
                self._states.pop(key, None)

    def claim(self, environment: str, owner: str, run: str, *, now: str, seconds: float) -> Claim | None:
        with self._lock:
            known = self._claims.get(environment, Claim(environment, "", "", 0, ""))
            if known.owner and known.until > moment(now) and (known.owner, known.run) != (owner, run):
                return None
            taken = Claim(environment, owner, run, known.fence + 1, moment(now, seconds))
            self._claims[environment] = taken
            return taken

    def holder(self, environment: str) -> Claim | None:
        with self._lock:
            known = self._claims.get(environment)
            return known if known and known.owner else None

    def renew(self, claim: Claim, *, now: str, seconds: float) -> bool:
        with self._lock:
            if not self._same(claim):
                return False
            self._claims[claim.environment] = replace(claim, until=moment(now, seconds))
            return True

    def release(self, claim: Claim) -> None:
        with self._lock:
            if self._same(claim):
                self._claims[claim.environment] = replace(claim, owner="", run="", until="")

    def _same(self, claim: Claim) -> bool:
        known = self._claims.get(claim.environment)
        return known is not None and (known.owner, known.run, known.fence) == (claim.owner, claim.run, claim.fence)

    def record_run(self, run: RunRecord) -> None:
        with self._lock:
            self._runs[run.run] = run

    def record_step(self, step: StepRecord) -> None:
        ready = _through_json(step)
        with self._lock:
            self._steps[step.run, step.step] = ready
            self._keep_last(ready)
            run = self._runs.get(step.run)
            cost = cost_of(ready, run.environment if run else "")
            if cost is not None:
                self._costs[step.run, step.step] = cost

    def _keep_last(self, step: StepRecord) -> None:
        known = self._last_done.get(step.dataset)
        if step.tells_costs and (known is None or (known.ended_at or "") <= (step.ended_at or "")):
            self._last_done[step.dataset] = step

    def runs(self, environment: str, limit: int = 20) -> list[RunRecord]:
        with self._lock:
            known = [r for r in self._runs.values() if r.environment == environment]
        return sorted(known, key=lambda r: (r.started_at, r.run), reverse=True)[:limit]

    def steps(self, run: str) -> list[StepRecord]:
        return [s for s in self._all_steps() if s.run == run]

    def unfinished(self) -> list[StepRecord]:
        return [s for s in self._all_steps() if s.status == "running"]

    def _all_steps(self) -> list[StepRecord]:
        with self._lock:
            known = [_through_json(s) for s in self._steps.values()]
        return sorted(known, key=lambda s: (s.started_at, s.run, s.step))

    def last_costs(self, datasets: Sequence[str]) -> dict[str, StepRecord]:
        with self._lock:
            return {d: _through_json(s) for d, s in self._last_done.items() if d in datasets}

    def costs(self, environment: str, since: str) -> list[CostRecord]:
        names = (environment, environment + NEXT)
        with self._lock:
            known = [c for c in self._costs.values() if c.environment in names and c.ended_at >= moment(since)]
        return sorted(known, key=lambda c: (c.ended_at, c.run, c.step))

    def count_reads(self, reads: Sequence[Reads], piece: JournalPiece) -> bool:
        with self._lock:
            if self._journals.get(piece.journal, piece.start) != piece.start:
                return False
            self._journals[piece.journal] = piece.end
            for each in reads:
                key = (each.environment, each.dataset, each.how, each.day)
                known = self._reads.get(key)
                times, last = (known.times, known.last) if known else (0, "")
                self._reads[key] = replace(each, times=times + each.times, last=max(last, each.last))
            return True

    def journals(self) -> dict[str, int]:
        with self._lock:
            return dict(self._journals)

    def forget_journals(self, journals: Sequence[str]) -> None:
        with self._lock:
            for journal in journals:
                self._journals.pop(journal, None)

    def reads(self, environment: str) -> list[Reads]:
        with self._lock:
            known = [r for r in self._reads.values() if r.environment == environment]
        return sorted(known, key=lambda r: (r.dataset, r.day, r.how))

    def rebuilt(
        self,
        states: Sequence[TableState],
        pointers: Mapping[str, Mapping[str, str]],
        at: str,  # noqa: ARG002 - as in `move`
        deployments: Sequence[Deployment] = (),
        costs: Sequence[CostRecord] = (),
    ) -> None:
        ready = {(s.dataset, s.version): _through_json(s) for s in states}
        with self._lock:
            self._states = ready
            self._pointers = {environment: dict(versions) for environment, versions in pointers.items()}
            self._deployments = {}
            for deployment in deployments:
                self._deployments.setdefault(deployment.environment, []).append(_copied(deployment))
            for cost in costs:
                told = replace(cost, ended_at=moment(cost.ended_at))
                self._costs.setdefault((cost.run, cost.step), told)
                self._keep_last(step_of(told))

    def close(self) -> None:
        """There is nothing to let go of."""


def _through_json(record: Record) -> Record:
    """Facts come back as a database gives them: lists for tuples, and nobody's to change."""
    return replace(record, facts=json.loads(json.dumps(record.facts)))


def _copied(deployment: Deployment) -> Deployment:
    """As a database would give it back."""
    return replace(deployment, pointers=dict(deployment.pointers), facts=json.loads(json.dumps(deployment.facts)))
