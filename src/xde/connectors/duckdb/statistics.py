"""What DuckDB says of a Parquet file that it has just written, as a data file with its statistics."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from xde.lifecycle.storage.port import DataFile, Statistics

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TOP_LEVEL = re.compile(r'"(?:[^"]|"")*"')


DATA_FILE = "FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, RETURN_STATS"
"""How `COPY` writes a file that a load adds to a table, and tells of it what `data_file_from_copy` reads."""


def data_file_from_copy(row: Sequence[Any]) -> DataFile:
    """From a row of `COPY ... (FORMAT parquet, RETURN_STATS)`: filename, count, size, footer size, statistics by column.

    Only top-level columns are kept; a part of a nested one is named by several quoted names (`"st"."a"`).
    """
    filename, count, size, _, columns, *_ = row
    told = {_name(path): _statistics(values) for path, values in columns.items() if TOP_LEVEL.fullmatch(path)}
    return DataFile(str(filename).rsplit("/", 1)[-1], int(count), int(size), told)


def _name(path: str) -> str:
    return path[1:-1].replace('""', '"')


def _statistics(values: Mapping[str, str]) -> Statistics:
    """A column with NaN has no bounds: DuckDB sorts NaN above all numbers and leaves it out of the maximum."""
    exact = values.get("min_is_exact", "true") == "true" and values.get("max_is_exact", "true") == "true"
    nan = values.get("has_nan") == "true"
    return Statistics(
        nulls=int(values["null_count"]) if "null_count" in values else None,
        low=None if nan else values.get("min"),
        high=None if nan else values.get("max"),
        exact=exact,
    )
