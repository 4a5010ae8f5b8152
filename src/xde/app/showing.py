"""Rows of a dataset, as it is in an environment now or was at an older snapshot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from xde.app.planning import known_dataset
from xde.ground.errors import UserError
from xde.ground.findings import Finding
from xde.ground.names import did_you_mean, quoted, quoted_name
from xde.lifecycle.storage.port import TableId
from xde.lifecycle.transformation.port import Input, Query

if TYPE_CHECKING:
    import pyarrow as pa

    from xde.app.understanding import Understanding
    from xde.app.wiring import House


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be shown: a condition in SQL, columns (all when none), at most `limit` rows, a snapshot, a version."""

    dataset: str
    where: str | None
    columns: tuple[str, ...]
    limit: int | None
    at: int | None
    version: str | None


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
    for column in wish.columns:
        if column not in names:
            raise UserError(Finding("XDE0725", f"`{wish.dataset}` has no column `{column}`", hint=did_you_mean(column, names)))
    chosen = ", ".join(quoted(c) for c in (wish.columns or names))
    views = {**known.views(wish.dataset), wish.dataset: known.model(wish.dataset).sql} if view else {}
    sql = f"SELECT {chosen} FROM {quoted_name(wish.dataset)}"
    if wish.where:
        sql += f" WHERE ({wish.where}\n)"
    if wish.limit is not None:
        sql += f" LIMIT {wish.limit:d}"
    given = {**known.project.settings.parameters, "today": house.clock.now().date()}
    return house.engine.read(Query(sql, {}, views, known.view_parameters(views), given), inputs)


def _input(house: House, name: str, version: str | None, at: int | None, pointers: dict[str, str]) -> Input:
    chosen = version or pointers.get(name)
    snapshot = house.lake.snapshot(TableId(name, chosen), at) if chosen else None
    if snapshot is None:
        raise UserError(
            Finding("XDE0724", f"`{name}` has not been built in `{house.environment}` yet", hint=f"build it: `xde run +{name}`")
        )
    return Input(snapshot.schema, snapshot.paths)
