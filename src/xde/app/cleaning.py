"""The lake kept small: orphans and outlived files taken away, small files put together, versions that nobody uses dropped."""

from __future__ import annotations

import uuid
from collections import Counter, defaultdict
from contextlib import ExitStack
from datetime import UTC, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from xde.app.definitions import told_deployments, told_ends
from xde.app.wiring import House
from xde.ground.errors import UserError, XdeError
from xde.ground.findings import Finding, Severity
from xde.ground.names import quoted
from xde.ground.records import dataclass
from xde.kernel.plan.ledger import NEXT
from xde.kernel.run.claims import held_claim
from xde.kernel.run.owners import this_owner
from xde.lifecycle.storage.outlived import outlived
from xde.lifecycle.storage.port import Commit, TableId

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from xde.app.understanding import Understanding
    from xde.kernel.plan.ledger import Deployment, Ledger
    from xde.lifecycle.storage.port import Cleaned, DataFile, Snapshot

ALL = 1_000_000  # deployments
UNNAMED = ""  # stands for the environments that the settings do not name: they have nothing of their own
SMALL = 64 * 1024 * 1024  # bytes; files below it are put together when there are several


@dataclass(frozen=True, slots=True)
class Cleaning:
    """What to keep: the files that snapshots of the last `keep_hours` need, the versions that were in use in the last `keep_days`."""

    keep_hours: float = 168.0
    keep_days: float = 7.0
    compact: bool = False
    dry_run: bool = False
    but: frozenset[TableId] = frozenset()  # tables that are not dropped


def clean(house: House, known: Understanding, wish: Cleaning, warn: Callable[[Finding], None]) -> tuple[Cleaned, ...]:
    """What was taken away of each table, or would be; `warn` hears why no version was dropped, where that could not be."""
    run = uuid.uuid4().hex[:12]
    if wish.dry_run:
        return _all(house, known, wish, run, warn)
    with held_claim(house.ledger, house.environment, str(this_owner()), run, house.clock, 0.0, lambda _: None):
        return _all(house, known, wish, run, warn)


def _all(house: House, known: Understanding, wish: Cleaning, run: str, warn: Callable[[Finding], None]) -> tuple[Cleaned, ...]:
    dropped: tuple[Cleaned, ...] = ()
    try:
        dropped = _drop(house, known, wish, run)
    except XdeError as error:
        warn(not_dropped(error))
    gone = {c.table for c in dropped}
    tables = [t for t in house.lake.tables() if t not in gone]
    if wish.compact and not wish.dry_run:
        for table in tables:
            _compact(house, table, run)
    cleaned = [house.lake.clean(t, keep_hours=wish.keep_hours, dry_run=wish.dry_run) for t in (*tables, *house.lake.ruins())]
    return (*dropped, *(c for c in cleaned if c.files))


def _drop(house: House, known: Understanding, wish: Cleaning, run: str) -> tuple[Cleaned, ...]:
    """Drop versions that nobody uses, while no environment is at work that could take one of them over.

    The ledgers forget a table before it goes: what they know of must be there, what they do not know of they ask the lake for.
    """
    with ExitStack() as stack:
        ledgers = ledgers_of(house, stack)
        unused = unused_versions(house, known, wish, ledgers)
        if not unused or wish.dry_run:
            return tuple(house.lake.drop(t, dry_run=True) for t in unused)
        for url, ledger in ledgers.items():
            for environment in kept_in(house, url, ledger):
                if environment != house.environment:
                    stack.enter_context(held_claim(ledger, environment, str(this_owner()), run, house.clock, 0.0, lambda _: None))
        unused = unused_versions(house, known, wish, ledgers)
        for ledger in ledgers.values():
            ledger.forget([(t.dataset, t.version) for t in unused])
        return tuple(house.lake.drop(t) for t in unused)


def ledgers_of(house: House, stack: ExitStack) -> dict[str, Ledger]:
    """The ledgers of all environments that keep their data in this lake, by their URLs."""
    found: dict[str, Ledger] = {_url(house, house.environment): house.ledger}
    for name in (UNNAMED, *house.settings.environments):
        url, other = _url(house, name), House(house.root, house.settings, name, house.clock)
        if url not in found and other.lake_path.rstrip("/") == house.lake.root:
            stack.callback(other.close)
            found[url] = other.ledger
    return found


def _url(house: House, environment: str) -> str:
    own = house.settings.environments.get(environment)
    return (own and own.ledger) or house.settings.ledger


def kept_in(house: House, url: str, ledger: Ledger) -> list[str]:
    """The environments that a ledger is the ledger of; one that was rebuilt from a lake knows of others too, as they were then."""
    return [e for e in ledger.environments() if _url(house, e) == url]


def unused_versions(house: House, known: Understanding, wish: Cleaning, ledgers: Mapping[str, Ledger]) -> tuple[TableId, ...]:
    """The tables that nobody needs, of datasets that have others."""
    tables = house.lake.tables()
    versions = Counter(t.dataset for t in tables)
    if all(number == 1 for number in versions.values()):
        return ()  # an environment goes on to another version, never to none
    since = (house.clock.now().astimezone(UTC) - timedelta(days=wish.keep_days)).isoformat(timespec="milliseconds")
    deployments = told_deployments(house.lake)
    held = {*known.versions.items()}
    for url, ledger in ledgers.items():
        for environment in (e for e in kept_in(house, url, ledger) if not e.endswith(NEXT)):
            held |= {*ledger.pointers(environment).items()}
            deployments += ledger.deployments(environment, ALL)
    for shown in shown_since(deployments, since):
        held |= {*shown.pointers.items()}
    gone = outlived({t: house.lake.history(t) for t in tables}, {TableId(*pair) for pair in held}, since, told_ends(house.lake))
    return tuple(t for t in gone if t not in wish.but)


def shown_since(deployments: Iterable[Deployment], since: str) -> Iterator[Deployment]:
    """The deployments that their environments showed at some time since a moment: to these can be rolled back."""
    by_environment: dict[str, dict[int, Deployment]] = defaultdict(dict)
    for deployment in deployments:
        by_environment[deployment.environment][deployment.number] = deployment
    for numbered in by_environment.values():
        told = [numbered[n] for n in sorted(numbered)]
        yield told[-1]
        yield from (shown for shown, after in pairwise(told) if after.at >= since)


def not_dropped(error: XdeError) -> Finding:
    """What is told where it cannot be known what is needed."""
    first = error.findings[0] if isinstance(error, UserError) else None
    why = f"{first.message}: {first.why}" if first and first.why else first.message if first else str(error)
    return Finding(
        "XDE0613",
        "versions that nobody uses were not dropped",
        why=why,
        hint="clean again when every environment of this lake is at rest and its ledger can be asked",
        severity=Severity.WARNING,
    )


def _compact(house: House, table: TableId, run: str) -> None:
    """Small files become one; the rows stay, so no reader and no model is told of a change."""
    from xde.lifecycle.storage.publish import Publisher
    from xde.undercurrents.management.quality.verdict import finding_of

    snapshot = house.lake.snapshot(table)
    small = _small(snapshot)
    if snapshot is None or len(small) < 2:
        return
    columns = ", ".join(quoted(c.name) for c in snapshot.schema)
    paths = tuple(f"{snapshot.folder}/{f.path}" for f in small)
    written = house.write(f"SELECT {columns} FROM xde.small", {"xde.small": (snapshot.schema, paths)}, {}, house.lake.folder(table))
    facts = {"kind": "compact", "run": run, "step": f"compact:{table.dataset}", "at": house.clock.now().isoformat()}
    number = house.lake.commit(Commit(table, snapshot.schema, written, small, snapshot.number, facts))
    known = house.ledger.states([(table.dataset, table.version)]).get((table.dataset, table.version))
    if known is not None:
        Publisher(house.lake, house.auditor, house.ledger, house.clock, finding_of).mirror(table, number, facts)


def _small(snapshot: Snapshot | None) -> tuple[DataFile, ...]:
    return tuple(f for f in snapshot.files if f.size < SMALL) if snapshot else ()
