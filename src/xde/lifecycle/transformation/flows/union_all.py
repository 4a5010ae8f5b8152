"""Relations one after the other, their columns matched by name."""

from __future__ import annotations

from xde.ground.names import literal
from xde.kernel.graph.flows.kinds import ArgumentError, Name, Relation, Values
from xde.kernel.graph.flows.picture import Picture, table
from xde.kernel.graph.flows.signature import flow

PICTURE = Picture(
    "union_all(shop.north, shop.south, source := came_from)",
    {
        "shop.north": table("""
            id INTEGER | city VARCHAR
            1          | Delft
        """),
        "shop.south": table("""
            city VARCHAR | id INTEGER | phone VARCHAR
            Ghent        | 2          | 555
        """),
    },
    table("""
        id INTEGER | city VARCHAR | came_from VARCHAR | phone VARCHAR
        1          | Delft        | shop.north        |
        2          | Ghent        | shop.south        | 555
    """),
)


@flow(picture=PICTURE)
def union_all(*relations: Relation, source: Name | None = None, names: Values | None = None) -> str:
    """All rows of several relations; columns are matched by name, and one that a relation does not have is NULL there.

    No row is taken for a duplicate of another.

    relations: what is put together
    source: a new column with the name of the relation that a row came from
    names: what `source` says for each relation, in their order; needed where one is a query
    """
    if names is not None and len(names) != len(relations):
        argument, message = "names", f"{len(names)} names for {len(relations)} relations"
        raise ArgumentError(argument, message, "give each relation one name")
    told = [v.text for v in names] if names is not None else [r.text for r in relations]
    if source is not None and not all(told):
        argument, message = "source", "a `source` and a query that has no name"
        raise ArgumentError(argument, message, "add `names := ['first', 'second']`, one for each relation")
    parts = [
        f"SELECT *{f', {literal(t)} AS {source}' if source is not None else ''} FROM {r}" for r, t in zip(relations, told, strict=True)
    ]
    return " UNION ALL BY NAME ".join(parts)
