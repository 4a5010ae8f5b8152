"""Replication slots that we made and nothing loads by any more: found by what the lake's own commits say, and never by a name alone."""

from __future__ import annotations

import uuid
from contextlib import ExitStack, closing
from datetime import UTC, timedelta
from typing import TYPE_CHECKING

from xde.app.cleaning import ALL, kept_in, ledgers_of, shown_since, unused_versions
from xde.app.connecting import opened
from xde.app.definitions import told_deployments
from xde.ground.errors import TemporaryError, UserError, XdeError
from xde.ground.findings import Finding, Severity
from xde.ground.names import literal
from xde.ground.records import dataclass
from xde.kernel.plan.ledger import NEXT
from xde.kernel.run.claims import held_claim
from xde.kernel.run.owners import this_owner
from xde.lifecycle.ingestion.declare_tables import kind_of, place_of
from xde.lifecycle.sources.tables import Ask, Capture, Keeping, Limits
from xde.lifecycle.storage.port import TableId

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from xde.app.cleaning import Cleaning
    from xde.app.understanding import Understanding
    from xde.app.wiring import House
    from xde.kernel.plan.ledger import Ledger

LOG = "postgres-log"


@dataclass(frozen=True, slots=True)
class Leftover:
    """A slot that the newest position of a table names, on the server of that number; nothing loads the table any more."""

    slot: str
    system: str
    table: TableId


@dataclass(frozen=True, slots=True)
class Freed:
    """A slot that was dropped, or would be: the table that was loaded by it, and the bytes of log that it held back."""

    slot: str
    table: TableId
    held: int


@dataclass(frozen=True, slots=True)
class Release:
    """What became of the slots: those that are gone, and the tables whose slots could not be asked for; their record stays."""

    freed: tuple[Freed, ...]
    kept: frozenset[TableId]
    failed: XdeError | None = None


def release(house: House, known: Understanding, wish: Cleaning, warn: Callable[[Finding], None]) -> Release:
    """Drop the slots that nothing loads by, or only tell which. Of the project's servers each is asked once.

    Where an environment cannot be asked what it needs, all stays as it is, with every record of it.
    """
    try:
        return _released_at_rest(house, known, wish, warn)
    except XdeError as error:
        return Release((), frozenset(house.lake.tables()), error)


def _released_at_rest(house: House, known: Understanding, wish: Cleaning, warn: Callable[[Finding], None]) -> Release:
    run = uuid.uuid4().hex[:12]
    with ExitStack() as stack:
        ledgers = ledgers_of(house, stack)
        if not _leftovers(house, known, wish, ledgers):
            return Release((), frozenset())
        for url, ledger in ledgers.items() if not wish.dry_run else ():
            for environment in kept_in(house, url, ledger):
                stack.enter_context(held_claim(ledger, environment, str(this_owner()), run, house.clock, 0.0, lambda _: None))
        return _released(house, known, _leftovers(house, known, wish, ledgers), warn, dry_run=wish.dry_run)


def _released(house: House, known: Understanding, left: Sequence[Leftover], warn: Callable[[Finding], None], *, dry_run: bool) -> Release:
    by_slot = {x.slot: x for x in left}
    wanted = {x.slot: x.system for x in left}
    freed, asked, systems, silent = list[Freed](), set[str](), set[str](), False
    for ask in _servers(known):
        try:
            with closing(opened(house.revealed, house.root, ask, house.apis())) as source:
                if not isinstance(source, Keeping):
                    continue
                systems.add(source.system(ask))
                there = source.left(ask, wanted)
                gone = list(there) if dry_run else source.drop(ask, {n: wanted[n] for n in there})
        except (UserError, TemporaryError) as error:
            silent = True
            warn(_unasked(ask, error))
            continue
        freed += [Freed(n, by_slot[n].table, there[n]) for n in gone]
        asked |= {*gone}
    kept = frozenset(x.table for x in left if x.slot not in asked) if silent else frozenset()
    for each in left:
        if not silent and each.system not in systems:
            warn(_nowhere(each))
    return Release(tuple(freed), kept)


def _leftovers(house: House, known: Understanding, wish: Cleaning, ledgers: Mapping[str, Ledger]) -> list[Leftover]:
    """The slots of tables that no environment shows or could go back to, or whose dataset is in no project any more."""
    since = (house.clock.now().astimezone(UTC) - timedelta(days=wish.keep_days)).isoformat(timespec="milliseconds")
    used = _used(house, known, ledgers, since)
    unused = set(unused_versions(house, known, wish, ledgers))
    found = []
    for table in house.lake.tables():
        if table in used and table not in unused:
            continue
        told = sorted(house.lake.history(table), key=lambda c: -c.number)
        position = next((c.facts["position"] for c in told if isinstance(c.facts.get("position"), dict)), None)
        if isinstance(position, dict) and position.get("kind") == LOG and told[0].at < since:
            found.append(Leftover(str(position.get("slot")), str(position.get("system")), table))
    return found


def _used(house: House, known: Understanding, ledgers: Mapping[str, Ledger], since: str) -> set[TableId]:
    """The tables that some project means, some environment shows, or some deployment could be taken back to.

    What our own environment shows of a dataset that the project does not have any more is loaded by nobody.
    """
    pairs = {*known.versions.items()}
    deployments = list(told_deployments(house.lake))
    for url, ledger in ledgers.items():
        for environment in (e for e in kept_in(house, url, ledger) if not e.endswith(NEXT)):
            own = environment == house.environment
            pairs |= {(d, v) for d, v in ledger.pointers(environment).items() if not own or d in known.versions}
            deployments += ledger.deployments(environment, ALL)
    for shown in shown_since(deployments, since):
        pairs |= {*shown.pointers.items()}
    return {TableId(*pair) for pair in pairs}


def _servers(known: Understanding) -> Iterator[Ask]:
    """Each PostgreSQL server of the project's contracts, as it is asked for its slots."""
    seen = set[tuple[tuple[str, str], ...]]()
    for name, dataset in known.project.sources.items():
        for server in dataset.contract.servers:
            if kind_of(server) != "postgres":
                continue
            place = place_of(server, "postgres")
            if (where := tuple(sorted(place.settings.items()))) not in seen:
                seen.add(where)
                yield Ask(name, place, server.name, None, (), limits=Limits(), span=server.span, capture=Capture("", "", None))


def _unasked(ask: Ask, error: UserError | TemporaryError) -> Finding:
    why = error.findings[0].message if isinstance(error, UserError) else str(error)
    told = f"the server `{ask.relation}` could not be asked for slots that nothing loads by any more"
    hint = "clean again when it can be reached; what is known of them stays in the lake until then"
    return Finding("XDE0346", told, ask.span, "", why, hint, Severity.WARNING)


def _nowhere(left: Leftover) -> Finding:
    told = f"the slot `{left.slot}`, by which `{left.table.dataset}` was loaded, is on a server that no contract names any more"
    why = "it has its server keep the log until somebody drops it, and fills its disk"
    hint = f"if it is still there, run on that server: SELECT pg_drop_replication_slot({literal(left.slot)})"
    return Finding("XDE0346", told, None, "", why, hint, Severity.WARNING)
