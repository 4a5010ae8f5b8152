"""Questions about datasets: which there are, and what happened to one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xde.app.answers import DatasetLine, HistoryLine
from xde.app.letters import of_model
from xde.app.planning import known_dataset
from xde.kernel.project.declarations import SourceDataset
from xde.lifecycle.storage.port import TableId

if TYPE_CHECKING:
    from xde.app.understanding import Understanding
    from xde.app.wiring import House
    from xde.kernel.plan.ledger import TableState


def datasets(house: House, known: Understanding) -> tuple[DatasetLine, ...]:
    """A line a dataset, in order of name."""
    pointers = house.ledger.pointers(house.environment)
    states = house.ledger.states()
    lines: list[DatasetLine] = []
    for name, dataset in sorted(known.project.datasets.items()):
        version = pointers.get(name)
        state = states.get((name, version)) if version else None
        view = known.is_view(name)
        source = isinstance(dataset, SourceDataset)
        lines.append(
            DatasetLine(
                name,
                "source" if isinstance(dataset, SourceDataset) else str(dataset.head.kind),
                version,
                state.rows if state and not view else None,
                state.bytes if state and not view else None,
                state.at if state else None,
                int(str(state.facts.get("letters", 0))) if state and source else _of_model(house, name, state),
                dataset.object.description if isinstance(dataset, SourceDataset) else dataset.head.description,
            )
        )
    return tuple(lines)


def _of_model(house: House, name: str, state: TableState | None) -> int:
    """How many dead letters of a model are open; they are looked at only where there are any."""
    if state is None or not state.facts.get("letter_files"):
        return 0
    return sum(x.status == "open" for x in of_model(house, TableId(name, state.version)))


def history(house: House, known: Understanding, dataset: str) -> tuple[HistoryLine, ...]:
    """The commits of the table that the environment points at."""
    known_dataset(known, dataset)
    version = house.ledger.pointers(house.environment).get(dataset)
    if version is None:
        return ()
    return tuple(HistoryLine(dataset, version, r) for r in house.lake.history(TableId(dataset, version)))
