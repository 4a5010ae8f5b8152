"""What is known of a table now: the ledger's word, or the lake's where another ledger's environment has worked on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xde.lifecycle.storage.mirror import read_state
from xde.lifecycle.storage.port import TableId

if TYPE_CHECKING:
    from xde.app.wiring import House
    from xde.kernel.plan.ledger import TableState


def newest_state(house: House, states: dict[tuple[str, str], TableState], key: tuple[str, str]) -> TableState | None:
    """What is known of a table, from its own log where that says more than the ledger; the same object where it does not."""
    state = states.get(key)
    if state is None:
        return None
    table = TableId(*key)
    snapshot = house.lake.snapshot(table)
    if snapshot is not None and snapshot.number == state.number:
        return state
    found = read_state(house.lake, table) if snapshot is not None else None
    house.ledger.forget([key])
    del states[key]
    if found is not None:
        house.ledger.remember([found])
        states[key] = found
    return found
