"""Files as Delta's actions and back, with their statistics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from xde.connectors.delta.bounds import counts_nulls, literals, object_of, read_back, told_of
from xde.connectors.delta.types import storable
from xde.lifecycle.storage.port import DataFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from arro3.core import Table
    from deltalake.transaction import AddAction, RemoveAction

    from xde.lifecycle.storage.port import Commit, Schema, Statistics


def changes_data(commit: Commit) -> bool:
    """Whether a commit brings or takes rows; a compaction only lays them out anew, and streaming readers pass over it."""
    return commit.facts.get("kind") != "compact"


def add_action(file: DataFile, commit: Commit, types: Mapping[str, str], milliseconds: int) -> AddAction:
    """A file as an `add`; `types` are the storable types by column name."""
    from deltalake.transaction import AddAction

    return AddAction(file.path, file.size, {}, milliseconds, changes_data(commit), statistics_json(file, types, commit.personal))


def remove_action(file: DataFile, commit: Commit, milliseconds: int) -> RemoveAction:
    """A file as a `remove`."""
    from deltalake.transaction import RemoveAction

    return RemoveAction(file.path, changes_data(commit), milliseconds, file.size, {})


def statistics_json(file: DataFile, types: Mapping[str, str], personal: Iterable[str] = ()) -> str:
    """What the log says of a file; nothing of personal columns, and no bound that may be wrong."""
    low, high, nulls = _told(file, types, personal)
    counted = {name: str(number) for name, number in nulls.items()}
    parts = {"numRecords": str(file.rows), "minValues": object_of(low), "maxValues": object_of(high), "nullCount": object_of(counted)}
    return object_of(parts)


def as_logged(file: DataFile, types: Mapping[str, str], personal: Iterable[str] = ()) -> dict[str, Statistics]:
    """The statistics of a file as they come back when what `statistics_json` says of it is read."""
    low, high, nulls = _told(file, types, personal)
    told = {n: told_of(read_back(low.get(n), kind), read_back(high.get(n), kind), nulls.get(n), kind) for n, kind in types.items()}
    return {n: t for n, t in told.items() if t is not None}


def _told(file: DataFile, types: Mapping[str, str], personal: Iterable[str]) -> tuple[dict[str, str], dict[str, str], dict[str, int]]:
    """Low and high as JSON literals, and the count of nulls, by column."""
    hidden = set(personal)
    low: dict[str, str] = {}
    high: dict[str, str] = {}
    nulls: dict[str, int] = {}
    for name, told in file.statistics.items():
        kind = types.get(name)
        if kind is None or name in hidden:
            continue
        if told.nulls is not None and counts_nulls(kind):
            nulls[name] = told.nulls
        bounds = literals(told, kind)
        if bounds is not None:
            low[name], high[name] = bounds
    return low, high, nulls


def storable_types(schema: Schema) -> dict[str, str]:
    """The type each column is stored in, by name."""
    return {c.name: storable(c.type) for c in schema}


def files_of(actions: Table, schema: Schema) -> tuple[DataFile, ...]:
    """The files of delta-rs's add actions, not flattened: a name with a dot would be taken for a part of a struct."""
    types = {c.name: c.type for c in schema}
    return tuple(_file(row, types) for row in actions.to_struct_array().to_pylist())


def _file(row: Mapping[str, Any], types: Mapping[str, str]) -> DataFile:
    lows, highs, nulls = (row.get(part) or {} for part in ("min", "max", "null_count"))
    told = {
        n: told_of(lows.get(n), highs.get(n), nulls.get(n), kind)
        for n, kind in types.items()
        if not kind.endswith((")", "]")) or _plain(kind)
    }
    lists = {n: told_of(None, None, nulls.get(n), kind) for n, kind in types.items() if n not in told and counts_nulls(kind)}
    return DataFile(
        unquote(row["path"]),
        int(row["num_records"] or 0),
        int(row["size_bytes"]),
        {n: t for n, t in {**told, **lists}.items() if t is not None},
    )


def _plain(kind: str) -> bool:
    return kind.startswith("DECIMAL(") and kind.endswith(")")
