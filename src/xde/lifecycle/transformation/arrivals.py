"""What has come in the input of a model of windows since it was last built: which rows, in which order, or that nobody can say."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from xde.ground.errors import TemporaryError
from xde.ground.records import dataclass
from xde.kernel.plan.versions import meaning
from xde.lifecycle.storage.port import TableId

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xde.lifecycle.storage.pins import Pins
    from xde.lifecycle.storage.port import Lake, Snapshot


@dataclass(frozen=True, slots=True)
class Arrival:
    """Rows that came by one commit of a dataset: its number, and the paths of their files."""

    number: int
    paths: tuple[str, ...]


def last_read(known: Mapping[str, object], dataset: str, pins: Pins, lake: Lake) -> Snapshot | None:
    """The snapshot of an input that a model has read; None where it means something else now, or is not there any more."""
    version, number = (*cast("Sequence[object]", known.get(dataset, ())), None, None)[:2]
    if version is None or number is None or meaning(str(version)) != meaning(pins.table(dataset).version):
        return None
    table = TableId(dataset, str(version))
    return lake.snapshot(table, int(str(number))) if lake.snapshot(table) is not None else None


def arrivals(lake: Lake, then: Snapshot, now: Snapshot) -> tuple[Arrival, ...] | None:
    """Commit by commit the rows that were added between two snapshots, oldest first; None where rows were taken away or replaced.

    Files that were only written anew hold no new rows.
    """
    if then.table != now.table:
        return None
    found: list[Arrival] = []
    for record in sorted(lake.history(now.table, since=then.number), key=lambda r: r.number):
        if record.number > now.number or record.facts.get("kind") == "compact" or not (record.files_added or record.files_removed):
            continue
        if record.files_removed:
            return None
        before, after = lake.snapshot(now.table, record.number - 1), lake.snapshot(now.table, record.number)
        if before is None or after is None:
            msg = f"the commit {record.number} of `{now.table.dataset}` cannot be read"
            raise TemporaryError(msg)
        there = {f.path for f in before.files}
        found.append(Arrival(record.number, tuple(f"{after.folder}/{f.path}" for f in after.files if f.path not in there)))
    return tuple(found)
