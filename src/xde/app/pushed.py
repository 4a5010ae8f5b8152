"""What was pushed, as the deliveries of a plan: the segments of a source's spool that its table does not have."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from xde.lifecycle.ingestion.push import landed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xde.app.wiring import House
    from xde.kernel.plan.ledger import TableState
    from xde.lifecycle.sources.port import FoundFile


def pushed(
    house: House, spool: str, dataset: str, state: TableState | None, before: TableState | None, *, reload: bool
) -> list[tuple[FoundFile, str]]:
    """The segments to load, each with its digest. Raises `UserError` where one is gone that a whole table needs."""
    fresh = state is None or reload
    done = landed_in(None if fresh else state)
    found = house.spooled.segments(spool, done)
    earlier = landed_in(state or before)
    if fresh and earlier:
        from xde.ground.errors import UserError
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
