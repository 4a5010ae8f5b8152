"""One row of each key: the newest, or the oldest."""

from __future__ import annotations

from xde.kernel.graph.flows.kinds import ArgumentError, Columns, Relation
from xde.kernel.graph.flows.picture import Picture, table
from xde.kernel.graph.flows.signature import flow
from xde.lifecycle.transformation.flows.ordering import ROW, decided, newest_first, oldest_first

PICTURE = Picture(
    "dedupe(shop.orders, key := id, newest := seen_at)",
    {
        "shop.orders": table("""
            id INTEGER | status VARCHAR | seen_at TIMESTAMP
            1          | placed         | 2024-05-01 09:00:00
            1          | shipped        | 2024-05-03 12:00:00
            2          | placed         | 2024-05-02 10:00:00
            2          | placed         | 2024-05-02 10:00:00
        """)
    },
    table("""
        id INTEGER | status VARCHAR | seen_at TIMESTAMP
        1          | shipped        | 2024-05-03 12:00:00
        2          | placed         | 2024-05-02 10:00:00
    """),
)


@flow(picture=PICTURE)
def dedupe(
    rows: Relation, *, key: Columns, newest: Columns | None = None, oldest: Columns | None = None, ties: Columns | None = None
) -> str:
    """Keep one row of each key: the newest, the oldest, or any one of equal rows.

    Every key stays. Rows whose key is NULL are one key. A time that is NULL counts as older than all (with `oldest`: as later than all).
    Between rows of the same time the whole row decides, column by column, so that the result never depends on the order of the input;
    every column of the input then is part of what decides the rows. Name `ties`, and only those columns decide.

    key: what a row is a duplicate by
    newest: the row with the largest of these is kept
    oldest: the row with the smallest of these is kept
    ties: which columns decide between rows of the same time, the largest first
    """
    if newest is not None and oldest is not None:
        argument = "oldest"
        message = "both `newest` and `oldest`"
        raise ArgumentError(argument, message, "leave one of them")
    order = decided(oldest_first(oldest) if oldest is not None else newest_first(newest), ties)
    return f"""
        SELECT * EXCLUDE (__flow_rank)
        FROM (SELECT *, row_number() OVER (PARTITION BY {key} ORDER BY {order}) AS __flow_rank FROM {rows} AS {ROW}) AS __flow_ranked
        WHERE __flow_rank = 1
    """
