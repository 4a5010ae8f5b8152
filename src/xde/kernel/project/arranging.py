"""How a model's rows are to lie in files: what the words `partition` and `sort` of its head say, as SQL and as a digest."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from xde.ground.digests import digest
from xde.ground.names import quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xde.kernel.project.declarations import ModelHead

PART = (
    r"^\s*(?:(?P<unit>year|month|day|hour)\(\s*(?P<of>[^()\s]+)\s*\)"
    r"|bucket\(\s*(?P<number>[1-9][0-9]{0,3})\s*,\s*(?P<key>[^()\s]+)\s*\)|(?P<column>[^()\s]+))\s*$"
)
"""One item of `partition`."""


def columns_of(head: ModelHead) -> dict[str, list[str]]:
    """The columns that each of the two words names."""
    return {"partition": [_parts(item)[2] for item in head.partition], "sort": list(head.sort)}


def times_of(head: ModelHead) -> list[str]:
    """The columns of `partition` that must be times."""
    return [column for unit, _, column in map(_parts, head.partition) if unit in {"year", "month", "day", "hour"}]


def expressions(partition: Sequence[str]) -> tuple[str, ...]:
    """The items of `partition` as DuckDB's SQL: rows for which all are equal belong together."""
    found = []
    for unit, number, column in map(_parts, partition):
        name = quoted(column)
        found.append(f"hash({name}) % {number}" if unit == "bucket" else f"date_trunc('{unit}', {name})" if unit else name)
    return tuple(found)


def layout_digest(head: ModelHead) -> str:
    """Names how rows lie; empty where nothing is said about it."""
    return digest("layout", head.partition, head.sort) if head.partition or head.sort else ""


def _parts(item: str) -> tuple[str, str, str]:
    """The function, the number of buckets and the column of an item."""
    found = re.match(PART, item)
    if found is None:
        return "", "", item
    if found["number"]:
        return "bucket", found["number"], found["key"]
    return found["unit"] or "", "", found["of"] or found["column"]
