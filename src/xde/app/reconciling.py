"""The ledger brought in line with the lake: after a crash for what was under way, after its loss for everything."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from xde.app.definitions import tell_newest, told_deployments, told_ends
from xde.app.switching import KIND, settle_switch, told_switches
from xde.kernel.plan.costs import CostRecord, spent_by_commits
from xde.kernel.plan.ledger import NEXT
from xde.kernel.run.owners import parse_owner
from xde.lifecycle.storage.mirror import read_state
from xde.lifecycle.storage.port import TableId

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from xde.app.wiring import House
    from xde.kernel.plan.ledger import StepRecord, TableState
    from xde.lifecycle.storage.port import CommitRecord


def reconcile(house: House) -> None:
    """Look at the tables of steps that were begun and never ended, unless their run is still at work."""
    ledger = house.ledger
    if house.environment != house.settings.environment:
        tell_newest(house.lake, ledger.deployments(house.environment, 1))
    unfinished = ledger.unfinished()
    if not unfinished:
        _rebuild_if_new(house)
        return
    alive = _at_work(house)
    for step in unfinished:
        if step.run not in alive:
            (settle_switch if step.kind == KIND else _settle)(house, step)


def _at_work(house: House) -> set[str]:
    """The runs, in whatever environment, whose process is there and holds its claim."""
    now = house.clock.now().isoformat()
    found: set[str] = set()
    for environment in house.ledger.environments():
        holder = house.ledger.holder(environment)
        owner = parse_owner(holder.owner) if holder else None
        if holder is not None and holder.until > now and not (owner is not None and owner.is_dead):
            found.add(holder.run)
    return found


def _settle(house: House, step: StepRecord) -> None:
    """Mirror the step's table as the lake has it; point at it if the step's own commit is there."""
    ledger, now = house.ledger, house.clock.now().isoformat()
    table = TableId(step.dataset, step.version)
    state = read_state(house.lake, table)
    done = False
    if state is not None:
        ledger.remember([state])
        newest = house.lake.history(table, since=state.number - 1)[0]
        done = newest.facts.get("run") == step.run and newest.facts.get("environment") == house.environment
        if done:
            ledger.move(house.environment, {step.dataset: step.version}, now)
            step = _with_usage(step, house.lake.history(table))
    ledger.record_step(
        replace(step, status="done" if done else "failed", ended_at=now, reason="" if done else "the process ended before the step did")
    )


def _with_usage(step: StepRecord, history: Sequence[CommitRecord]) -> StepRecord:
    """The step with what it took, as its commits say."""
    _, usage = spent_by_commits((r.at, r.facts) for r in history).get((step.run, step.step), ("", None))
    if usage is None:
        return step
    return replace(step, seconds=usage.seconds, rows=usage.rows, bytes=usage.bytes, facts={**step.facts, "usage": usage.fact()})


def _rebuild_if_new(house: House) -> None:
    """A ledger that knows nothing beside a lake that has tables is a lost ledger."""
    known = house.ledger.pointers(house.environment) or house.ledger.states()
    if not known and house.has_lake and "://" not in house.lake_path and house.lake.tables():
        rebuild(house)


def rebuild(house: House) -> int:
    """Replace mirrors and pointers by what the commits say: an environment points where its newest commit stands."""
    for name in house.ledger.environments():
        tell_newest(house.lake, house.ledger.deployments(name, 1))
    ends = told_ends(house.lake)
    states: list[TableState] = []
    costs: list[CostRecord] = []
    newest: dict[tuple[str, str], tuple[str, str]] = {}
    for table in house.lake.tables():
        state = read_state(house.lake, table)
        if state is None:
            continue
        states.append(state)
        history = house.lake.history(table)
        costs += _costs(table, history)
        for record in history:
            environment = record.facts.get("environment")
            if isinstance(environment, str) and not environment.endswith(NEXT) and record.at > ends.get(environment, ""):
                key = (environment, table.dataset)
                newest[key] = max(newest.get(key, ("", "")), (record.at, table.version))
    for key, told in _switched(house, ends):
        newest[key] = max(newest.get(key, ("", "")), told)
    pointers: dict[str, dict[str, str]] = {}
    for (environment, dataset), (_, version) in newest.items():
        pointers.setdefault(environment, {})[dataset] = version
    deployments = told_deployments(house.lake)
    for deployment in deployments:  # in order of their numbers: the newest holds
        pointers[deployment.environment] = dict(deployment.pointers)
    house.ledger.rebuilt(states, pointers, house.clock.now().isoformat(), deployments, costs)
    return len(states)


def _costs(table: TableId, history: Sequence[CommitRecord]) -> Iterator[CostRecord]:
    """What the steps took that made the commits of a table."""
    steps = {(str(r.facts.get("run", "")), str(r.facts.get("step", ""))): r for r in history}
    for key, (at, usage) in spent_by_commits((r.at, r.facts) for r in history).items():
        facts = steps[key].facts
        where, kind = str(facts.get("environment", "")), str(facts.get("kind", ""))
        yield CostRecord(*key, where, table.dataset, table.version, kind, "done", at, usage)


def _switched(house: House, ends: Mapping[str, str]) -> Iterator[tuple[tuple[str, str], tuple[str, str]]]:
    """What environments that nothing is deployed to were pointed at besides their own commits: environment and dataset, when and where."""
    for made in told_switches(house.lake):
        if made.at > ends.get(made.environment, ""):
            yield from (((made.environment, dataset), (made.at, version)) for dataset, version in made.pointers.items())
