"""The lake kept small: orphans and outlived files taken away, small files put together, versions nobody points at dropped."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from xde.ground.names import quoted
from xde.kernel.run.claims import held_claim
from xde.kernel.run.owners import this_owner
from xde.lifecycle.storage.port import Commit

if TYPE_CHECKING:
    from xde.app.understanding import Understanding
    from xde.app.wiring import House
    from xde.lifecycle.storage.port import Cleaned, DataFile, Snapshot, TableId

SMALL = 64 * 1024 * 1024  # bytes; files below it are put together when there are several


def clean(house: House, known: Understanding, *, keep_hours: float, dry_run: bool, compact: bool) -> tuple[Cleaned, ...]:
    """What was taken away of each table, or would be."""
    del known
    if dry_run:
        return _cleaned(house, keep_hours, dry_run=True)
    run = uuid.uuid4().hex[:12]
    with held_claim(house.ledger, house.environment, str(this_owner()), run, house.clock, 0.0, lambda _: None):
        if compact:
            for table in house.lake.tables():
                _compact(house, table, run)
        return _cleaned(house, keep_hours, dry_run=False)


def _cleaned(house: House, keep_hours: float, *, dry_run: bool) -> tuple[Cleaned, ...]:
    found = [house.lake.clean(t, keep_hours=keep_hours, dry_run=dry_run) for t in house.lake.tables()]
    return tuple(c for c in found if c.files)


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
