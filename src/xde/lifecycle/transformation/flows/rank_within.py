"""The place of a row among those of its group."""

from __future__ import annotations

from typing import Literal

from xde.kernel.graph.flows.kinds import ArgumentError, Columns, Name, Relation
from xde.kernel.graph.flows.picture import Picture, table
from xde.kernel.graph.flows.signature import flow
from xde.lifecycle.transformation.flows.ordering import ROW, decided, newest_first, oldest_first, partition

FUNCTIONS = {"single": "row_number", "shared": "rank", "dense": "dense_rank"}

PICTURE = Picture(
    "rank_within(shop.sales, key := city, by := amount, places := shared, most := 2)",
    {
        "shop.sales": table("""
            city VARCHAR | item VARCHAR | amount INTEGER
            Delft        | tea          | 4
            Delft        | cake         | 9
            Delft        | pie          | 4
            Delft        | jam          | 1
            Ghent        | tea          |
        """)
    },
    table("""
        city VARCHAR | item VARCHAR | amount INTEGER | rank BIGINT
        Delft        | cake         | 9              | 1
        Delft        | tea          | 4              | 2
        Delft        | pie          | 4              | 2
        Ghent        | tea          |                | 1
    """),
)


@flow(picture=PICTURE)
def rank_within(  # noqa: PLR0913 - each is a choice of its own
    rows: Relation,
    *,
    key: Columns | None = None,
    by: Columns,
    first: Literal["largest", "smallest"] = "largest",
    places: Literal["single", "shared", "dense"] = "single",
    most: int | None = None,
    name: Name | None = None,
    ties: Columns | None = None,
) -> str:
    """Number the rows of each group from 1, and keep the first few if asked to.

    NULL comes last. With `single` no two rows share a place: between equal rows the whole row decides, or the columns of `ties`. With
    `shared` equal rows have one place and the next ones come after as many (1, 2, 2, 4); with `dense` they come next (1, 2, 2, 3).

    key: what makes a group; without it, all rows are one
    by: what the rows are ordered by
    first: the `largest` or the `smallest` has place 1
    places: `single`, `shared` or `dense`
    most: only rows whose place is not above this
    name: what the new column is called; `rank` if not given
    ties: which columns decide between equal rows, the largest first
    """
    if most == 0:
        argument, message = "most", "a `most` of 0, which keeps nothing"
        raise ArgumentError(argument, message, "write 1 or more, or leave it out")
    items = newest_first(by) if first == "largest" else oldest_first(by)
    order = decided(items, ties) if places == "single" else ", ".join(items)
    where = f"WHERE __flow_rank <= {most}" if most is not None else ""
    return f"""
        SELECT * EXCLUDE (__flow_rank), __flow_rank AS {name or "rank"}
        FROM (SELECT *, {FUNCTIONS[places]}() OVER ({partition(key)} ORDER BY {order}) AS __flow_rank FROM {rows} AS {ROW}) AS __flow_ranked
        {where}
    """
