"""Rows turned into columns, for values that are named."""

from __future__ import annotations

from typing import Literal

from xde.ground.names import quoted
from xde.kernel.graph.flows.kinds import ArgumentError, Column, Columns, Expression, Relation, Values
from xde.kernel.graph.flows.picture import Picture, table
from xde.kernel.graph.flows.signature import flow

FUNCTIONS = {"sum": "sum", "count": "count", "mean": "avg", "smallest": "min", "largest": "max"}

PICTURE = Picture(
    "pivot(shop.sales, by := city, spread := item, into := ['tea', 'cake'], value := amount)",
    {
        "shop.sales": table("""
            city VARCHAR | item VARCHAR | amount INTEGER
            Delft        | tea          | 3
            Delft        | tea          | 4
            Delft        | cake         | 5
            Ghent        | pie          | 9
        """)
    },
    table("""
        city VARCHAR | tea HUGEINT | cake HUGEINT
        Delft        | 7           | 5
        Ghent        |             |
    """),
)


@flow(picture=PICTURE)
def pivot(
    rows: Relation,
    *,
    by: Columns,
    spread: Column,
    into: Values,
    value: Expression | None = None,
    function: Literal["sum", "count", "mean", "smallest", "largest"] = "sum",
) -> str:
    """One row for each group, and one column for each of the values that are named.

    A column is called after its value. A value that is not named has no column, and its group stays all the same; a group without a
    value has NULL there (with `count`: 0). Without `value`, rows are counted. The columns of a dataset must be known before its rows are,
    and so the values are written out.

    by: the columns that make a group
    spread: the column whose values become columns
    into: those values
    value: what is put together in each new column
    function: how: `sum`, `count`, `mean`, `smallest` or `largest`
    """
    if value is None and function not in ("sum", "count"):
        argument, message = "function", f"`{function}` and no `value`"
        raise ArgumentError(argument, message, "add `value := ...`")
    called = [v.text for v in into]
    if len({c.lower() for c in called}) < len(called):
        argument, message = "into", "a value twice"
        raise ArgumentError(argument, message, "upper and lower case make no difference in the name of a column")
    name = "count" if value is None else FUNCTIONS[function]
    made = ", ".join(f"{name}(CASE WHEN {spread} = {v} THEN {value or 1} END) AS {quoted(v.text)}" for v in into)
    return f"SELECT {by}, {made} FROM {rows} AS __flow_input GROUP BY {by}"
