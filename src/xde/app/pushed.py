"""What was pushed, as the deliveries of a plan: the segments of a source's spool that its table does not have."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from xde.ground.errors import UserError
from xde.lifecycle.ingestion.at_the_door import Bound, bound_by, hashed_otherwise, treated_otherwise
from xde.lifecycle.ingestion.push import landed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xde.app.wiring import House
    from xde.kernel.plan.ledger import TableState
    from xde.lifecycle.ingestion.declare import Reading
    from xde.lifecycle.ingestion.port import Field
    from xde.lifecycle.sources.port import FoundFile


def pushed(
    house: House, at: tuple[str, Reading], state: TableState | None, before: TableState | None, *, reload: bool
) -> list[tuple[FoundFile, str]]:
    """The segments to load, each with its digest, from the folder of a spool.

    Raises `UserError` where one is gone that a whole table needs, or where they were treated in another way than the contract says.
    """
    spool, reading = at
    dataset, clear = reading.dataset, reading.as_they_come
    fresh = state is None or reload
    _treated_alike(house, spool, dataset, None if fresh else state, clear)
    done = landed_in(None if fresh else state)
    found = house.spooled.segments(spool, done)
    earlier = landed_in(state or before)
    if fresh and earlier:
        from xde.lifecycle.sources.deliveries import gone_files

        there = landed(f.path for f in found)
        first = int(found[0].path.rpartition("/")[2].partition(".")[0]) if found else 0
        gone = [f"{name}/..." for name, last in earlier.items() if there.get(name, 0) < last] or ([found[0].path] if first > 1 else [])
        if gone:
            raise UserError(gone_files(dataset, gone))
    return [(f, house.files.digest(f)) for f in found]


def landed_in(state: TableState | None) -> Mapping[str, int]:
    """The last segment of each spool that a table has."""
    return cast("Mapping[str, int]", state.facts.get("landed", {})) if state is not None else {}


def _treated_alike(house: House, spool: str, dataset: str, state: TableState | None, fields: Sequence[Field]) -> None:
    """Raise where the contract says to treat values in another way than those of the spool were, or the table has other hashes."""
    there = house.spooled.bound(spool)
    anything = bool(house.spooled.segments(spool, {}))
    if anything and (misfits := there.misfits(bound_by(fields))):
        raise UserError(treated_otherwise(dataset, misfits))
    known = state.facts.get("hashed_with", {}) if state is not None else {}
    if isinstance(known, dict) and (others := there.other_keys(Bound(hashed_with=known))):
        raise UserError(hashed_otherwise(dataset, others))


def hashed_at_the_door(house: House, reading: Reading) -> Mapping[str, str]:
    """The fingerprints of the keys that the records of a source were hashed with as they were pushed."""
    return house.spooled.bound(str((house.root / reading.root).resolve())).hashed_with if reading.clear else {}
