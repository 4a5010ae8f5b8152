"""Rows that belong together in files of their own: `partition` of a layout, as Spark writes it.

Which bucket a row falls into is Spark's own affair: nobody finds a file by it, readers go by the smallest and the largest values.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from xde.connectors.spark.portable.types import ticked

if TYPE_CHECKING:
    from xde.lifecycle.storage.port import Schema
    from xde.lifecycle.transformation.port import Layout

PART = "xde_part"
_NAME = r'"(?P<name>(?:[^"]|"")*)"'
_FORMS = (
    (re.compile(rf"date_trunc\('(?P<unit>year|month|day|hour)', {_NAME}\)"), "date_trunc('{unit}', {name})"),
    (re.compile(rf"hash\({_NAME}\) % (?P<number>\d+)"), "pmod(xxhash64({name}), {number})"),
    (re.compile(_NAME), "{name}"),
)
_WIDTHS = {"BOOLEAN": 1, "TINYINT": 1, "SMALLINT": 2, "INTEGER": 4, "FLOAT": 4, "DATE": 4, "BIGINT": 8, "DOUBLE": 8}
_OTHER_WIDTH = 16


def parted(frame: Any, layout: Layout) -> Any:  # noqa: ANN401 - of a library without types
    """The rows with the column that tells parts apart, those of a part together and in order."""
    from pyspark.sql.functions import expr

    items = [spark_expression(p) for p in layout.partition]
    told = ", ".join(f"{i} IS NULL, {i}" for i in items)  # a NULL by itself would not change the hash
    marked = frame.withColumn(PART, expr(f"hex(xxhash64({told}))"))
    return marked.repartition(PART).sortWithinPartitions(PART, *(ticked(c) for c in layout.sort))


def spark_expression(partition: str) -> str:
    """An item of `partition` in Spark's words."""
    for form, wanted in _FORMS:
        found = form.fullmatch(partition)
        if found is not None:
            parts = found.groupdict()
            return wanted.format(**{**parts, "name": ticked(parts["name"].replace('""', '"'))})
    msg = f"`{partition}` is no item of a layout"
    raise AssertionError(msg)


def rows_of(file_bytes: int, types: Schema) -> int:
    """About how many rows make a file of a size: a compressed value takes about half of what it takes in memory."""
    row = sum(_WIDTHS.get(c.type.upper(), _OTHER_WIDTH) for c in types) / 2
    return max(1, int(file_bytes / max(row, 1.0)))
