"""The whole graph on a sample of real rows, in a lake of its own: does it run from end to end?"""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from xde.app.throwaway import Throwaway
from xde.ground.names import quoted
from xde.kernel.plan.checks import Action, CheckKind
from xde.lifecycle.storage.port import TableId
from xde.lifecycle.transformation.port import Input

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from xde.app.understanding import Understanding
    from xde.app.wiring import House
    from xde.kernel.plan.checks import Check
    from xde.kernel.run.events import Observer, RunFinished
    from xde.lifecycle.storage.port import Snapshot

ABOUT_ALL = {CheckKind.COUNT, CheckKind.FRESH, CheckKind.QUERY}  # rules that a sample need not keep


@dataclass(frozen=True, slots=True)
class Smoked:
    """What came of it: `sampled` rows of each source of so many, and the run over them."""

    sampled: dict[str, tuple[int, int]]
    finished: RunFinished | None


def smoke(house: House, known: Understanding, rows: int = 1_000, observers: Sequence[Observer] = ()) -> Smoked:
    """Build every model from about `rows` rows of each source, such that every reference that holds in the whole holds in the sample.

    Sources are sampled as they are loaded in the environment; those that are not are loaded into the throw-away lake by their contract.
    Rules about the whole of a table (counts, freshness, queries) are not held; all others are.
    """
    with tempfile.TemporaryDirectory(prefix="xde-smoke-") as folder, _stage(house, known, Path(folder)) as stage:
        missing = [n for n in known.project.sources if _loaded(house, n) is None]
        if missing:
            _load(stage, known, missing)
        sampled = _sample(house, stage, known, rows)
        finished = _build(stage, observers)
    return Smoked(sampled, finished)


@contextmanager
def _stage(house: House, known: Understanding, folder: Path) -> Iterator[Throwaway]:
    checks = {n: tuple(c for c in cs if c.kind not in ABOUT_ALL) for n, cs in known.checks.items()}
    stage = Throwaway.make(replace(known, checks=checks), house, folder, house.clock, {})
    stage.house.hash_like(house)  # the rows are real ones
    try:
        yield stage
    finally:
        stage.house.ledger.close()


def _loaded(house: House, name: str) -> Snapshot | None:
    pointers = house.ledger.pointers(house.environment)
    return house.lake.snapshot(TableId(name, pointers[name])) if name in pointers else None


def _load(stage: Throwaway, known: Understanding, names: Sequence[str]) -> None:
    """Load whole sources into the throw-away lake, from where the project has its files."""
    root = known.project.root
    readings = {
        n: replace(r, root=str((root / r.root).resolve()), ask=r.ask and r.ask.seen_from(root).once()) for n, r in known.readings.items()
    }
    checks = {n: tuple(_warning(c) for c in cs) for n, cs in stage.known.checks.items()}
    _run(stage, replace(stage.known, readings=readings, checks=checks), frozenset(names), ())


def _warning(check: Check) -> Check:
    """What stops a load is the load's business; here the rows are only to be sampled."""
    return replace(check, action=Action.WARN) if check.action is Action.STOP else check


def _sample(house: House, stage: Throwaway, known: Understanding, rows: int) -> dict[str, tuple[int, int]]:
    """Sources that refer to others first, so that of those the rows are kept that are referred to."""
    found: dict[str, tuple[int, int]] = {}
    kept: dict[str, Input] = {}
    for name in reversed([n for n in known.order if n in known.project.sources]):
        snapshot = _loaded(house, name) or stage.house.lake.snapshot(TableId(name, known.versions[name]))
        schema = known.schemas[name]
        whole = Input(schema, snapshot.paths if snapshot else ())
        wanted = [f"SELECT * FROM (SELECT * FROM {name} AS r ORDER BY hash(r) LIMIT {rows})"]
        inputs = {name: whole}
        for child, check in _references(known, name):
            if child in kept:
                inputs[child] = kept[child]
                pairs = " AND ".join(f"p.{quoted(b)} = c.{quoted(a)}" for a, b in zip(check.columns, check.to_columns, strict=True))
                wanted.append(f"SELECT * FROM {name} AS p WHERE EXISTS (FROM {child} AS c WHERE {pairs})")
        number = stage.publish(name, " UNION ".join(wanted), inputs)
        sampled = stage.house.lake.snapshot(TableId(name, known.versions[name]))
        kept[name] = Input(schema, sampled.paths if sampled else ())
        found[name] = (number, sum(f.rows for f in snapshot.files) if snapshot else 0)
    return {n: found[n] for n in known.project.sources}


def _references(known: Understanding, name: str) -> list[tuple[str, Check]]:
    return [(n, c) for n in known.project.sources for c in known.checks[n] if c.kind is CheckKind.REFERENCE and c.to_dataset == name != n]


def _build(stage: Throwaway, observers: Sequence[Observer]) -> RunFinished | None:
    models = frozenset(stage.known.project.models)
    return _run(stage, stage.known, models, observers) if models else None


def _run(stage: Throwaway, known: Understanding, names: frozenset[str], observers: Sequence[Observer]) -> RunFinished:
    from xde.app import planning
    from xde.app.running import Manner, carry_out

    def replan() -> planning.Planned:
        return planning.make(stage.house, known, names, full=False)

    return carry_out(stage.house, known, replan, Manner(observers))
