"""Files as Delta's actions and back, with their statistics (Delta protocol, "Per-file Statistics")."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xde.ground.clock import SystemClock
from xde.lifecycle.storage.port import DataFile, Statistics

if TYPE_CHECKING:
    from collections.abc import Mapping

    from deltalake.transaction import AddAction, RemoveAction

    from xde.lifecycle.storage.port import Commit, Schema

NUMBERS = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT"}
FLOATS = {"FLOAT", "DOUBLE"}


def add_action(file: DataFile, commit: Commit) -> AddAction:
    """A file as an `add`; the statistics of personal columns are left out."""
    from deltalake.transaction import AddAction

    types = {c.name: c.type for c in commit.schema}
    low: dict[str, object] = {}
    high: dict[str, object] = {}
    nulls: dict[str, int] = {}
    for name, told in file.statistics.items():
        kind = types.get(name)
        if kind is None or name in commit.personal:
            continue
        if (told.nulls is not None and not kind.endswith(("]", ")"))) or kind.startswith("DECIMAL"):
            nulls[name] = told.nulls or 0
        bounds = (_bound(told.low, kind), _bound(told.high, kind))
        if None not in bounds and told.exact:
            low[name], high[name] = bounds
    stats = json.dumps({"numRecords": file.rows, "minValues": low, "maxValues": high, "nullCount": nulls})
    return AddAction(file.path, file.size, {}, _now(), data_change=True, stats=stats)


def remove_action(file: DataFile) -> RemoveAction:
    """A file as a `remove`."""
    from deltalake.transaction import RemoveAction

    return RemoveAction(file.path, data_change=True, deletion_timestamp=_now(), size=file.size, partition_values={})


def _now() -> int:
    """Milliseconds since 1970."""
    return int(SystemClock().now().timestamp() * 1000)


def _bound(text: str | None, kind: str) -> object:
    """A bound as JSON: numbers as numbers, dates and moments as ISO text; None where there is none."""
    if text is None:
        return None
    if kind in NUMBERS:
        return int(text)
    if kind in FLOATS:
        value = float(text)
        return value if value - value == 0 else None
    if kind.startswith("DECIMAL"):
        return float(text) if "." in text else int(text)
    if kind == "TIMESTAMP WITH TIME ZONE":
        return text.replace(" ", "T").removesuffix("+00") + "Z" if text.endswith("+00") else None
    if kind == "TIMESTAMP":
        return text.replace(" ", "T")
    return text if kind in {"VARCHAR", "DATE"} else None


def file_of_row(row: Mapping[str, Any], schema: Schema) -> DataFile:
    """A file from a row of delta-rs's flattened add actions."""
    told: dict[str, Statistics] = {}
    for column in schema:
        low, high, nulls = (row.get(f"{part}.{column.name}") for part in ("min", "max", "null_count"))
        if low is not None or high is not None or nulls is not None:
            told[column.name] = Statistics(nulls if isinstance(nulls, int) else None, _text(low), _text(high))
    return DataFile(Path(row["path"]).name, int(row["num_records"] or 0), int(row["size_bytes"]), told)


def _text(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    return value.isoformat() if isinstance(value, date) else str(value)
