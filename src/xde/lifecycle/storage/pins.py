"""The snapshots that a run reads: pinned when the run begins, so that what it computes is consistent across datasets."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from xde.lifecycle.storage.port import TableId

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xde.kernel.plan.ledger import Ledger
    from xde.lifecycle.storage.port import Lake, Snapshot


class Pins:
    """One snapshot a dataset, taken when first asked for; only what the run itself publishes replaces it.

    `versions` says which version of each dataset is meant. The snapshot of a table that this run has not touched is the
    one that was there at the first look, whatever others commit meanwhile.
    """

    def __init__(self, lake: Lake, ledger: Ledger, versions: Mapping[str, str]) -> None:
        self._lake = lake
        self._ledger = ledger
        self._versions = versions
        self._lock = threading.Lock()
        self._pinned: dict[str, Snapshot | None] = {}
        self._data: dict[str, int] = {}

    def table(self, dataset: str) -> TableId:
        """Which table holds a dataset."""
        return TableId(dataset, self._versions[dataset])

    def snapshot(self, dataset: str) -> Snapshot | None:
        """The pinned snapshot; None while the dataset has never been built."""
        if dataset not in self._versions:
            return None
        with self._lock:
            if dataset not in self._pinned:
                self._pinned[dataset] = self._look(dataset)
            return self._pinned[dataset]

    def data_number(self, dataset: str) -> int | None:
        """The commit that last changed the rows of the pinned snapshot; None while there is none."""
        return self._data.get(dataset) if self.snapshot(dataset) else None

    def _look(self, dataset: str) -> Snapshot | None:
        table = self.table(dataset)
        snapshot = self._lake.snapshot(table)
        if snapshot is not None:
            key = (table.dataset, table.version)
            state = self._ledger.states([key]).get(key)
            told = state.facts.get("data") if state is not None and state.number <= snapshot.number else None
            self._data[dataset] = told if isinstance(told, int) else snapshot.number
        return snapshot

    def renew(self, dataset: str) -> Snapshot | None:
        """Look again, after this run published the dataset or lost a race for it."""
        with self._lock:
            self._pinned.pop(dataset, None)
        return self.snapshot(dataset)
