"""What was true at the moment of each row."""

from __future__ import annotations

from xde.kernel.graph.flows.kinds import Column, Columns, Interval, Relation
from xde.kernel.graph.flows.picture import Picture, table
from xde.kernel.graph.flows.signature import flow
from xde.lifecycle.transformation.flows.ordering import oldest_first, once, partition

PICTURE = Picture(
    "as_of(shop.orders, shop.prices, key := item, at := ordered_at, other_at := changed_at, columns := price)",
    {
        "shop.orders": table("""
            id INTEGER | item VARCHAR | ordered_at TIMESTAMP
            1          | tea          | 2024-05-01 09:00:00
            2          | tea          | 2024-05-20 00:00:00
            3          | tea          | 2024-04-01 00:00:00
            4          | cake         | 2024-05-20 00:00:00
        """),
        "shop.prices": table("""
            item VARCHAR | price INTEGER | changed_at TIMESTAMP
            tea          | 3             | 2024-05-01 00:00:00
            tea          | 4             | 2024-05-20 00:00:00
        """),
    },
    table("""
        id INTEGER | item VARCHAR | ordered_at TIMESTAMP | price INTEGER
        1          | tea          | 2024-05-01 09:00:00  | 3
        2          | tea          | 2024-05-20 00:00:00  | 4
        3          | tea          | 2024-04-01 00:00:00  |
        4          | cake         | 2024-05-20 00:00:00  |
    """),
)


@flow(picture=PICTURE)
def as_of(  # noqa: PLR0913 - each is a choice of its own
    rows: Relation,
    other: Relation,
    *,
    key: Columns | None = None,
    at: Column,
    other_at: Column | None = None,
    columns: Columns,
    within: Interval | None = None,
) -> str:
    """Give each row what another relation says at its moment: the columns of the newest row there that is not later.

    Every row stays exactly once; where there is nothing earlier the columns are NULL. A row at the very moment counts. A row without a
    time, or with NULL in its key, finds nothing. Of several rows of the other relation with one key and moment, that with the
    smallest values in `columns` is taken, NULL last.

    key: columns that both relations have, and that must be equal
    at: the moment of a row
    other_at: since when a row of the other relation holds; the same name as `at` if not given
    columns: what is taken over from the other relation
    within: what is older than this is not taken
    """
    since = other_at or at
    order = ", ".join(oldest_first(columns))
    same = "".join(f"__flow_left.{k} = __flow_right.{k} AND " for k in key or ())
    needed = once(*(key or ()), since, *columns)
    if within is None:
        taken = ", ".join(f"__flow_right.{c}" for c in columns)
    else:
        fresh = f"__flow_left.{at} <= __flow_right.{since} + {within}"
        taken = ", ".join(f"CASE WHEN {fresh} THEN __flow_right.{c} END AS {c}" for c in columns)
    return f"""
        SELECT __flow_left.*, {taken}
        FROM {rows} AS __flow_left
        ASOF LEFT JOIN (
            SELECT {needed}
            FROM (SELECT *, row_number() OVER ({partition(key, since)} ORDER BY {order}) AS __flow_rank FROM {other} AS __flow_input)
                AS __flow_ranked
            WHERE __flow_rank = 1
        ) AS __flow_right
        ON {same} __flow_left.{at} >= __flow_right.{since}
    """
