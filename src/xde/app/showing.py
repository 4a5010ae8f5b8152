"""Rows of a dataset, as it is in an environment now or was at an older snapshot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xde.app.planning import known_dataset
from xde.ground.errors import UserError
from xde.ground.findings import Finding
from xde.lifecycle.storage.port import TableId
from xde.lifecycle.transformation.port import Input, Query

if TYPE_CHECKING:
    import pyarrow as pa

    from xde.app.understanding import Understanding
    from xde.app.wiring import House
    from xde.lifecycle.serving.reading import Wish


def show(house: House, known: Understanding, wish: Wish) -> pa.RecordBatchReader:
    """The rows, streamed."""
    known_dataset(known, wish.dataset)
    pointers = house.ledger.pointers(house.environment)
    view = known.is_view(wish.dataset)
    if wish.dataset not in pointers and not wish.version:
        raise UserError(
            Finding(
                "XDE0724", f"`{wish.dataset}` has not been built in `{house.environment}` yet", hint=f"build it: `xde run +{wish.dataset}`"
            )
        )
    needed = known.reads(wish.dataset) if view else (wish.dataset,)
    inputs = {
        n: _input(house, n, wish.version if n == wish.dataset else None, wish.at if n == wish.dataset else None, pointers) for n in needed
    }
    names = [c.name for c in known.schemas[wish.dataset]] if view else [c.name for c in inputs[wish.dataset].schema]
    views = {**known.views(wish.dataset), wish.dataset: known.model(wish.dataset).sql} if view else {}
    given = {**known.project.settings.parameters, "today": house.clock.now().date()}
    return house.engine.read(Query(wish.sql(names), {}, views, known.view_parameters(views), given), inputs)


def _input(house: House, name: str, version: str | None, at: int | None, pointers: dict[str, str]) -> Input:
    chosen = version or pointers.get(name)
    snapshot = house.lake.snapshot(TableId(name, chosen), at) if chosen else None
    if snapshot is None:
        raise UserError(
            Finding("XDE0724", f"`{name}` has not been built in `{house.environment}` yet", hint=f"build it: `xde run +{name}`")
        )
    return Input(snapshot.schema, snapshot.paths)
