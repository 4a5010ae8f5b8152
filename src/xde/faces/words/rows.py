"""The rows of a dataset as a table for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from xde.faces.words.ink import PLAIN, Ink
from xde.faces.words.table import Column, Drawn, draw
from xde.faces.words.values import column_texts

if TYPE_CHECKING:
    from collections.abc import Sequence


def rows_table(batches: Sequence[pa.RecordBatch], schema: pa.Schema, *, cells: int | None = None, ink: Ink = PLAIN) -> Drawn:
    """All rows of the batches as one table; numbers stand right."""
    table = pa.Table.from_batches(batches, schema)
    texts = [column_texts(column.to_pylist()) for column in table.columns]
    columns = [Column(f.name, right=_is_number(f.type)) for f in schema]
    return draw(columns, list(zip(*texts, strict=True)), cells=cells, ink=ink)


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))
