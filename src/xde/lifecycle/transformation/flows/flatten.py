"""Lists inside of rows turned into rows."""

from __future__ import annotations

from typing import Literal

from xde.kernel.graph.flows.kinds import ArgumentError, Column, Columns, Name, Relation
from xde.kernel.graph.flows.picture import Picture, table
from xde.kernel.graph.flows.signature import flow

PICTURE = Picture(
    "flatten(shop.orders, column := lines, fields := (item, pieces), position := line)",
    {
        "shop.orders": table("""
            id INTEGER | lines STRUCT(item VARCHAR, pieces INTEGER)[]
            1          | [{'item': 'tea', 'pieces': 2}, {'item': 'cake', 'pieces': 1}]
            2          | []
        """)
    },
    table("""
        id INTEGER | line BIGINT | item VARCHAR | pieces INTEGER
        1          | 1           | tea          | 2
        1          | 2           | cake         | 1
    """),
)


@flow(picture=PICTURE)
def flatten(
    rows: Relation,
    *,
    column: Column,
    name: Name | None = None,
    fields: Columns | None = None,
    position: Name | None = None,
    empty: Literal["drop", "keep"] = "drop",
) -> str:
    """One row for each element of a list; the other columns stand in each of them.

    A row whose list is empty or NULL is left out, or kept with `empty := keep` and NULL for the element. An element that is NULL is a row.

    column: the list
    name: what the element is called; the name of the list if not given
    fields: of elements that have fields, these as columns instead of the element
    position: a new column with the place in the list, from 1
    empty: `drop` or `keep` a row without elements
    """
    if name is not None and fields is not None:
        argument, message = "name", "both `name` and `fields`"
        raise ArgumentError(argument, message, "leave one of them")
    numbers = f"range(1, len({column}) + 1)"
    items = str(column)
    if empty == "keep":
        items = f"CASE WHEN len({column}) > 0 THEN {column} ELSE [NULL] END"
        numbers = f"CASE WHEN len({column}) > 0 THEN {numbers} ELSE [NULL] END"
    place = f", __flow_place AS {position}" if position is not None else ""
    shown = ", ".join(f"__flow_item.{f} AS {f}" for f in fields) if fields is not None else f"__flow_item AS {name or column}"
    return f"""
        SELECT * EXCLUDE (__flow_place, __flow_item){place}, {shown}
        FROM (SELECT * EXCLUDE ({column}), unnest({numbers}) AS __flow_place, unnest({items}) AS __flow_item FROM {rows} AS __flow_input)
            AS __flow_spread
    """
