"""A dimension with a row for what is not known, so that every fact has one to point at."""

from __future__ import annotations

from xde.kernel.graph.flows.kinds import ArgumentError, Column, Columns, Relation, Value
from xde.kernel.graph.flows.picture import Picture, table
from xde.kernel.graph.flows.signature import flow

PICTURE = Picture(
    "unknown_member(shop.cities, key := city_id, labels := name)",
    {
        "shop.cities": table("""
            city_id INTEGER | name VARCHAR | people INTEGER
            1               | Delft        | 104000
            2               | Ghent        | 265000
        """)
    },
    table("""
        city_id INTEGER | name VARCHAR | people INTEGER
        -1              | unknown      |
        1               | Delft        | 104000
        2               | Ghent        | 265000
    """),
)


@flow(picture=PICTURE)
def unknown_member(
    rows: Relation, *, key: Column, value: Value | None = None, labels: Columns | None = None, label: Value | None = None
) -> str:
    """Add the row of the unknown to a dimension: facts whose reference is not there point at it, and no join loses them.

    A dimension that has a row of this key already gets no other. Columns that are not named in `labels` are NULL in it. On the side of
    the facts, `coalesce(city_id, -1)` or `lookup(..., missing := unknown, unknown := -1)` points at it.

    key: the key of the dimension
    value: the key of the row; the number -1 if not given (for a key of text write a text)
    labels: columns of text that say so
    label: what they say; `unknown` if not given
    """
    if label is not None and labels is None:
        argument, message = "label", "a `label` and no `labels` to hold it"
        raise ArgumentError(argument, message, "name the columns: `labels := (name, country)`")
    given = str(value) if value is not None else "-1"
    said = str(label) if label is not None else "'unknown'"
    texts = "".join(f", {said} AS {c}" for c in labels or ())
    return f"""
        SELECT * FROM {rows} AS __flow_input
        UNION ALL BY NAME
        SELECT {given} AS {key}{texts}
        WHERE NOT EXISTS (SELECT 1 FROM {rows} AS __flow_other WHERE CAST(__flow_other.{key} AS VARCHAR) = CAST({given} AS VARCHAR))
    """
