"""A wide relation cut in two: what is told of a thing once in a dimension, and rows that point there."""

from __future__ import annotations

from typing import Literal

from xde.kernel.graph.flows.kinds import Columns, Name, Relation
from xde.kernel.graph.flows.picture import Picture, table
from xde.kernel.graph.flows.signature import flow
from xde.lifecycle.transformation.flows.ordering import oldest_first, once
from xde.lifecycle.transformation.flows.surrogate_key import told

PICTURE = Picture(
    "normalise(shop.orders, key := city, columns := country, name := city_key)",
    {
        "shop.orders": table("""
            id INTEGER | city VARCHAR | country VARCHAR
            1          | Delft        | NL
            2          | Ghent        | BE
            3          | Delft        | NL
        """)
    },
    table("""
        city_key VARCHAR                 | city VARCHAR | country VARCHAR
        4839523f6305b43a8151318badb55afe | Delft        | NL
        df062574be596280f8f893710699b363 | Ghent        | BE
    """),
)


@flow(picture=PICTURE)
def normalise(
    rows: Relation,
    *,
    key: Columns,
    columns: Columns | None = None,
    name: Name | None = None,
    part: Literal["dimension", "rows"] = "dimension",
) -> str:
    """Cut columns out of a wide relation: `part := dimension` gives each key once with what is told of it, `part := rows` gives the rows
    with one new key in the place of all of these columns.

    The new key is that of `surrogate_key` over `key`, so that both parts agree wherever they are computed; `denormalise` puts them
    together again. Where rows tell different things of one key, those with the smallest values in `columns` are taken, NULL last. Rows
    whose key is NULL are of one member.

    key: what a thing is known by in the rows
    columns: what is told of it
    name: what the new key is called; `surrogate_key` if not given
    part: `dimension` or `rows`
    """
    made = f"md5({told(key)}) AS {name or 'surrogate_key'}"
    cut = once(*key, *(columns or ()))
    if part == "rows":
        return f"SELECT {made}, * EXCLUDE ({cut}) FROM {rows} AS __flow_input"
    order = ", ".join(oldest_first(columns)) if columns else once(*key)
    return f"""
        SELECT {made}, {cut}
        FROM (SELECT *, row_number() OVER (PARTITION BY {key} ORDER BY {order}) AS __flow_rank FROM {rows} AS __flow_input) AS __flow_ranked
        WHERE __flow_rank = 1
    """
