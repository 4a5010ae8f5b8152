"""What the ledger keeps of a table, read from the lake, which is the truth."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xde.kernel.plan.facts import fold_history
from xde.kernel.plan.ledger import TableState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xde.lifecycle.storage.port import Lake, Snapshot, TableId


def state_of(snapshot: Snapshot, facts: Mapping[str, object], at: str) -> TableState:
    """The mirror of a table, given what its commits together say."""
    size = sum(f.size for f in snapshot.files)
    return TableState(snapshot.table.dataset, snapshot.table.version, snapshot.number, snapshot.rows, size, at, facts)


def read_state(lake: Lake, table: TableId) -> TableState | None:
    """The mirror of a table from its log alone; None if it has no commit."""
    snapshot = lake.snapshot(table)
    if snapshot is None:
        return None
    history = lake.history(table)
    facts = fold_history((r.number, r.facts) for r in reversed(history))
    return state_of(snapshot, facts, history[0].at)
