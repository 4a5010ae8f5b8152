"""Rows and the dimension that they point at, put together again."""

from __future__ import annotations

from xde.kernel.graph.flows.kinds import Columns, Relation
from xde.kernel.graph.flows.picture import Picture, table
from xde.kernel.graph.flows.signature import flow
from xde.lifecycle.transformation.flows.ordering import ROW

PICTURE = Picture(
    "denormalise(shop.orders, shop.cities, key := city_key)",
    {
        "shop.orders": table("""
            city_key INTEGER | id INTEGER
            7                | 1
            8                | 2
            9                | 3
        """),
        "shop.cities": table("""
            city_key INTEGER | city VARCHAR | country VARCHAR
            7                | Delft        | NL
            8                | Ghent        | BE
        """),
    },
    table("""
        id INTEGER | city VARCHAR | country VARCHAR
        1          | Delft        | NL
        2          | Ghent        | BE
        3          |              |
    """),
)


@flow(picture=PICTURE)
def denormalise(rows: Relation, dimension: Relation, *, key: Columns) -> str:
    """All columns of a dimension in the place of the key that points at it: the way back from `normalise`.

    Every row stays, and none is ever doubled: of several rows of the dimension with one key, that with the smallest values is taken. A row
    whose key is not there, or is NULL, has NULL in the new columns.

    key: the columns by which rows point at the dimension; they are called the same in both, and are left out
    """
    same = " AND ".join(f"__flow_left.{k} = __flow_right.{k}" for k in key)
    return f"""
        SELECT __flow_left.* EXCLUDE ({key}), __flow_right.* EXCLUDE ({key}, __flow_rank)
        FROM {rows} AS __flow_left
        LEFT JOIN (
            SELECT *
            FROM (SELECT *, row_number() OVER (PARTITION BY {key} ORDER BY {ROW}) AS __flow_rank FROM {dimension} AS {ROW}) AS __flow_ranked
            WHERE __flow_rank = 1
        ) AS __flow_right ON {same}
    """
