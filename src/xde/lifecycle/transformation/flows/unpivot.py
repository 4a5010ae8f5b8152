"""Columns turned into rows."""

from __future__ import annotations

from typing import Literal

from xde.kernel.graph.flows.kinds import Columns, Name, Relation
from xde.kernel.graph.flows.picture import Picture, table
from xde.kernel.graph.flows.signature import flow

PICTURE = Picture(
    "unpivot(shop.months, columns := (jan, feb), name := month, value := amount)",
    {
        "shop.months": table("""
            item VARCHAR | jan INTEGER | feb INTEGER
            tea          | 3           | 4
            cake         | 5           |
        """)
    },
    table("""
        item VARCHAR | month VARCHAR | amount INTEGER
        tea          | jan           | 3
        tea          | feb           | 4
        cake         | jan           | 5
    """),
)


@flow(picture=PICTURE)
def unpivot(
    rows: Relation, *, columns: Columns, name: Name | None = None, value: Name | None = None, nulls: Literal["drop", "keep"] = "drop"
) -> str:
    """One row for each of the columns that are named; the other columns stand in each of them.

    The columns must be of types that go together. What is NULL makes no row, unless `nulls := keep`.

    columns: the columns that become rows
    name: the new column with their names; `name` if not given
    value: the new column with their values; `value` if not given
    nulls: `drop` or `keep` what is NULL
    """
    keep = "INCLUDE NULLS" if nulls == "keep" else ""
    return f"SELECT * FROM {rows} UNPIVOT {keep} ({value or 'value'} FOR {name or 'name'} IN ({columns}))"
