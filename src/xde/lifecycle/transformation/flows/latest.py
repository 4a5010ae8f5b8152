"""The state of each key at a moment, from rows that each tell a state or a deletion."""

from __future__ import annotations

from xde.kernel.graph.flows.kinds import Column, Columns, Expression, Relation, Value
from xde.kernel.graph.flows.picture import Picture, table
from xde.kernel.graph.flows.signature import flow
from xde.lifecycle.transformation.flows.ordering import ROW, decided

PICTURE = Picture(
    "latest(shop.prices, key := item, at := changed_at, until := TIMESTAMP '2024-05-31 00:00:00', deleted := removed)",
    {
        "shop.prices": table("""
            item VARCHAR | price INTEGER | removed BOOLEAN | changed_at TIMESTAMP
            tea          | 3             | false           | 2024-05-01 00:00:00
            tea          | 4             | false           | 2024-05-20 00:00:00
            tea          | 9             | false           | 2024-06-02 00:00:00
            cake         | 5             | false           | 2024-05-02 00:00:00
            cake         |               | true            | 2024-05-09 00:00:00
        """)
    },
    table("""
        item VARCHAR | price INTEGER | removed BOOLEAN | changed_at TIMESTAMP
        tea          | 4             | false           | 2024-05-20 00:00:00
    """),
)


@flow(picture=PICTURE)
def latest(
    rows: Relation,
    *,
    key: Columns,
    at: Column,
    until: Value | None = None,
    deleted: Expression | None = None,
    ties: Columns | None = None,
) -> str:
    """The newest row of each key, as things stood at a moment; a key whose newest row is a deletion is left out.

    A row without a time is taken only where its key has no other, and never with `until`. Rows whose key is NULL are one key. Between
    rows of the same time the whole row decides (or the columns of `ties`).

    key: what a state is the state of
    at: when a row became true
    until: rows after this moment are not looked at; a row at the moment itself is
    deleted: true for a row that tells of a deletion
    ties: which columns decide between rows of the same time, the largest first
    """
    order = decided([f"{at} DESC NULLS LAST"], ties)
    seen = f"WHERE {at} <= {until}" if until is not None else ""
    gone = f"AND {deleted} IS NOT TRUE" if deleted is not None else ""
    return f"""
        SELECT * EXCLUDE (__flow_rank)
        FROM (SELECT *, row_number() OVER (PARTITION BY {key} ORDER BY {order}) AS __flow_rank FROM {rows} AS {ROW} {seen}) AS __flow_ranked
        WHERE __flow_rank = 1 {gone}
    """
