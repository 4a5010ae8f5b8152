"""Contracts as they are written now, held against the deliveries of before: what would they have stopped or put aside?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from xde.app.treated import against_kept
from xde.ground.errors import UserError
from xde.ground.findings import Finding
from xde.ground.names import did_you_mean
from xde.kernel.plan.checks import Action
from xde.lifecycle.storage.audit_port import Audit
from xde.lifecycle.storage.port import TableId

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xde.app.understanding import Understanding
    from xde.app.wiring import House
    from xde.kernel.plan.checks import CheckResult
    from xde.lifecycle.storage.port import Schema, Snapshot

SAMPLES = 3


@dataclass(frozen=True)
class Tried:
    """One commit of a dataset and the checks that its new rows do not pass; `limit` says why a load would stop at its dead letters."""

    dataset: str
    number: int
    at: str
    rows: int
    failed: tuple[CheckResult, ...]
    limit: str = ""

    @property
    def stopped(self) -> bool:
        """Whether nothing of it would have been published."""
        return bool(self.limit) or any(r.check.action is Action.STOP and not r.waived for r in self.failed)

    @property
    def aside(self) -> int:
        """How many rows at least would have become dead letters: as many as the check that most of them break."""
        return max((r.failing for r in self.failed if r.check.action is Action.DEAD_LETTER and not r.waived), default=0)


@dataclass(frozen=True)
class Backtest:
    """What was tried; `unknown` are datasets of the contracts that hold no rows here."""

    tried: tuple[Tried, ...]
    unknown: tuple[str, ...] = ()

    @property
    def harmless(self) -> bool:
        """Whether everything would have been published whole."""
        return not any(t.stopped or t.aside for t in self.tried)


def backtest(house: House, known: Understanding, contract: str | None, last: int) -> Backtest:
    """The `last` deliveries of every dataset of a contract (its path or the name of its source), or of all. Raises `UserError`."""
    names = _datasets(known, contract)
    pointers = house.ledger.pointers(house.environment)
    tried: list[Tried] = []
    unknown: list[str] = []
    for name in names:
        table = TableId(name, pointers[name]) if name in pointers else None
        found = _tried(house, known, table, pointers, last) if table and house.lake.snapshot(table) is not None else None
        if found is None:
            unknown.append(name)
        tried += found or []
    if not tried and contract is not None:
        message = f"`{contract}` has nothing to be held against: none of its datasets holds rows in `{house.environment}`"
        raise UserError(Finding("XDE0384", message, hint=f"load them first: `xde run {names[0]}`"))
    return Backtest(tuple(tried), tuple(unknown))


def _datasets(known: Understanding, contract: str | None) -> list[str]:
    own = {n: d.contract.path for n, d in known.project.datasets.items() if d.contract is not None}
    if contract is None:
        return sorted(own)
    wanted = contract.removeprefix("./")
    names = sorted(n for n, path in own.items() if wanted in {path, n, n.partition(".")[0]})
    if not names:
        hint = (
            did_you_mean(wanted, {*own.values(), *own, *(n.partition(".")[0] for n in own)})
            or "name it by its path, such as `sources/nyc.yaml`"
        )
        raise UserError(Finding("XDE0383", f"no contract of the project is called `{contract}`", hint=hint))
    return names


def _tried(house: House, known: Understanding, table: TableId, pointers: Mapping[str, str], last: int) -> list[Tried]:
    """The commits that brought rows and whose files are all there, the oldest first; each with what was there before it."""
    whole = set(house.lake.whole(table))
    commits = [c for c in house.lake.history(table) if c.rows_added and c.number in whole][:last]
    found = []
    for commit in reversed(commits):
        snapshot = house.lake.snapshot(table, commit.number)
        if snapshot is None:
            continue
        before = house.lake.snapshot(table, commit.number - 1) if commit.number - 1 in whole else None
        found.append(_one(house, known, (snapshot, before), commit.at, pointers))
    return found


def _one(house: House, known: Understanding, snapshots: tuple[Snapshot, Snapshot | None], at: str, pointers: Mapping[str, str]) -> Tried:
    snapshot, before = snapshots
    name = snapshot.table.dataset
    old = {f.path for f in before.files} if before else set()
    new = [f for f in snapshot.files if f.path not in old]
    checks = against_kept(known.readings.get(name), known.checks.get(name, ()))
    others = _others(house, {c.to_dataset for c in checks if c.to_dataset} - {name}, pointers)
    audit = Audit(name, snapshot.schema, snapshot.folder, new, [f for f in snapshot.files if f.path in old], checks, at, others, SAMPLES)
    failed = tuple(r for r in house.auditor.audit(audit) if not r.passed)
    tried = Tried(name, snapshot.number, at, sum(f.rows for f in new), failed)
    return Tried(name, tried.number, at, tried.rows, failed, _limit(known, tried))


def _others(house: House, names: set[str], pointers: Mapping[str, str]) -> dict[str, tuple[Schema, tuple[str, ...]]]:
    found = {}
    for name in sorted(names & pointers.keys()):
        snapshot = house.lake.snapshot(TableId(name, pointers[name]))
        if snapshot is not None:
            found[name] = (snapshot.schema, snapshot.paths)
    return found


def _limit(known: Understanding, tried: Tried) -> str:
    """Whether the dead letters would be more than a load may have."""
    reading = known.readings.get(tried.dataset)
    if reading is None or not tried.aside:
        return ""
    limit = reading.limit
    if limit.records is not None and tried.aside > limit.records:
        return f"a load may have {limit.records:,} dead letters"
    if limit.percent is not None and 100 * tried.aside > limit.percent * tried.rows:
        return f"a load may have {limit.percent:g} % dead letters"
    return ""
