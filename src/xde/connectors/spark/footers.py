"""What the footer of a Parquet file says of its columns, as statistics of a data file; nothing of the rows is read."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from xde.lifecycle.storage.port import DataFile, Statistics

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def data_file(path: Path, name: str) -> DataFile:
    """A file that was just written, under the name that it is to have."""
    import pyarrow.parquet as pq

    told = pq.read_metadata(path)
    return DataFile(name, told.num_rows, path.stat().st_size, dict(_statistics(told)))


def _statistics(told: Any) -> Iterator[tuple[str, Statistics]]:  # noqa: ANN401 - of a library without types
    groups = [told.row_group(i) for i in range(told.num_row_groups)]
    for at in range(told.num_columns):
        leaf = told.schema.column(at)
        if leaf.path != leaf.name or leaf.max_repetition_level or leaf.max_definition_level > 1:
            continue  # a part of a nested column
        parts = [g.column(at).statistics for g in groups]
        if not parts or any(p is None or not p.has_null_count for p in parts):
            continue
        nulls = sum(p.null_count for p in parts)
        full = [p for p in parts if p.num_values]
        bounds = [(p.min, p.max) for p in full if p.has_min_max]
        if len(bounds) < len(full) or not bounds:
            yield leaf.name, Statistics(nulls=nulls)
            continue
        low, high = _text(min(b[0] for b in bounds)), _text(max(b[1] for b in bounds))
        known = low is not None and high is not None
        yield leaf.name, Statistics(nulls, low if known else None, high if known else None)


def _text(value: object) -> str | None:
    """In DuckDB's words; None for what has no order that both have."""
    match value:
        case bool():
            return str(value).lower()
        case int() | str():
            return str(value)
        case float():
            return repr(value)
        case Decimal():
            return format(value, "f")
        case datetime():
            plain = value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
            shown = plain.isoformat(sep=" ")
            return (shown.rstrip("0") if plain.microsecond else shown) + ("+00" if value.tzinfo else "")
        case date():
            return value.isoformat()
        case _:
            return None
