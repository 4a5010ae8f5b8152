"""Rows of a dataset, as it is in an environment now or was at an older snapshot."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from xde.app.planning import known_dataset
from xde.ground.errors import UserError
from xde.ground.findings import Finding
from xde.ground.names import did_you_mean, listed, ranges
from xde.lifecycle.storage.port import TableId
from xde.lifecycle.transformation.port import Input, Query

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa

    from xde.app.understanding import Understanding
    from xde.app.wiring import House
    from xde.lifecycle.serving.reading import Wish


def show(house: House, known: Understanding, wish: Wish) -> pa.RecordBatchReader:
    """The rows, streamed."""
    known_dataset(known, wish.dataset)
    pointers = house.ledger.pointers(house.environment)
    view = known.is_view(wish.dataset)
    if wish.dataset not in pointers and not wish.version and not known.is_ephemeral(wish.dataset):
        raise UserError(_not_built(house, wish.dataset))
    if view and (wish.at is not None or wish.version is not None):
        raise UserError(_no_snapshots(known, wish))
    needed = known.reads(wish.dataset) if view else (wish.dataset,)
    inputs = {n: _input(house, pointers, replace(wish, dataset=n)) for n in needed}
    names = [c.name for c in known.schemas[wish.dataset]] if view else [c.name for c in inputs[wish.dataset].schema]
    views = {**known.views(wish.dataset), wish.dataset: known.model(wish.dataset).sql} if view else {}
    given = {**known.project.settings.parameters, "today": house.clock.now().date()}
    return house.local.read(Query(wish.sql(names), {}, views, known.view_parameters(views), given), inputs)


def _input(house: House, pointers: Mapping[str, str], wish: Wish) -> Input:
    name, chosen = wish.dataset, wish.version or pointers.get(wish.dataset)
    snapshot = house.lake.snapshot(TableId(name, chosen), wish.at) if chosen else None
    if snapshot is None:
        raise UserError(_no_version(house, wish) if wish.version else _not_built(house, name))
    if wish.at is not None:
        whole = house.lake.whole(snapshot.table)
        if wish.at not in whole:
            raise UserError(_cleaned_away(wish, sorted(whole)))
    return Input(snapshot.schema, snapshot.paths)


def _not_built(house: House, name: str) -> Finding:
    return Finding("XDE0724", f"`{name}` has not been built in `{house.environment}` yet", hint=f"build it: `xde run +{name}`")


def _no_version(house: House, wish: Wish) -> Finding:
    there = sorted(t.version for t in house.lake.tables() if t.dataset == wish.dataset)
    why = f"it has {listed([f'`{v}`' for v in there])}" if there else "it has none of them"
    hint = did_you_mean(str(wish.version), there) or f"see the one in use with `xde history {wish.dataset}`"
    return Finding("XDE0611", f"the lake has no version `{wish.version}` of `{wish.dataset}`", why=why, hint=hint)


def _no_snapshots(known: Understanding, wish: Wish) -> Finding:
    first, at = next(iter(known.reads(wish.dataset)), ""), "" if wish.at is None else f" --at {wish.at}"
    hint = f"read what it reads as it was: `xde show {first}{at}`" if first else "read it without `--at` and `--version`"
    return Finding(
        "XDE0612",
        f"`{wish.dataset}` is {'ephemeral' if known.is_ephemeral(wish.dataset) else 'a view'}: it stores no rows and has no snapshots",
        hint=hint,
    )


def _cleaned_away(wish: Wish, there: Sequence[int]) -> Finding:
    newest = there[-1] if there else 0
    gone = [n for n in range(max(newest, wish.at or 0) + 1) if n not in set(there)]
    is_are = "is" if len(there) == 1 else "are"
    why = f"the snapshots {ranges(gone)} are gone" if len(gone) > 1 else ""
    still = f"{ranges(there)} {is_are} still there" if there else ""
    after = next((n for n in there if n > (wish.at or 0)), newest)
    hint = f"`xde show {wish.dataset} --at {after}` reads the next one" if after != newest else "read it as it is now, without `--at`"
    message = f"the files of snapshot {wish.at} of `{wish.dataset}` were cleaned away"
    return Finding("XDE0610", message, why=", ".join(part for part in (why, still) if part), hint=hint)
