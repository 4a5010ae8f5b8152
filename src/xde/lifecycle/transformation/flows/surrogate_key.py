"""One key made of several columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xde.kernel.graph.flows.kinds import Columns, Name, Relation
from xde.kernel.graph.flows.picture import Picture, table
from xde.kernel.graph.flows.signature import flow

if TYPE_CHECKING:
    from collections.abc import Iterable

    from xde.kernel.graph.flows.kinds import Column

PICTURE = Picture(
    "surrogate_key(shop.lines, key := (order_id, item), name := line_id)",
    {
        "shop.lines": table("""
            order_id INTEGER | item VARCHAR | pieces INTEGER
            1                | tea          | 2
            1                |              | 1
        """)
    },
    table("""
        order_id INTEGER | item VARCHAR | pieces INTEGER | line_id VARCHAR
        1                | tea          | 2              | 51a966c72a556f813e2e0d3d6593a700
        1                |              | 1              | 1bd9f849bb989c62bd26743fa86f7ec7
    """),
)


@flow(picture=PICTURE)
def surrogate_key(rows: Relation, *, key: Columns, name: Name | None = None) -> str:
    """Add a key of 32 hexadecimal digits, made of the values of some columns.

    The same values always give the same key, in any project and on any day. NULL is a value of its own, and no two different lists of
    values run together (each text is hashed with its length). Use columns of text, whole numbers, dates and truth values: how an engine
    writes a number with a point is its own affair.

    key: the columns that the key is made of, in this order
    name: what the new column is called; `surrogate_key` if not given
    """
    return f"SELECT *, md5({told(key)}) AS {name or 'surrogate_key'} FROM {rows} AS __flow_input"


def told(columns: Iterable[Column]) -> str:
    """A text that no other list of values has."""
    return " || ".join(
        f"CASE WHEN {c} IS NULL THEN '-' ELSE CAST(length(CAST({c} AS VARCHAR)) AS VARCHAR) || ':' || CAST({c} AS VARCHAR) END"
        for c in columns
    )
