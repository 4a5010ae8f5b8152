"""Statistics over the stretch of time before each row."""

from __future__ import annotations

from typing import Literal

from xde.kernel.graph.flows.kinds import Column, Columns, Expression, Interval, Name, Relation
from xde.kernel.graph.flows.picture import Picture, table
from xde.kernel.graph.flows.signature import flow
from xde.lifecycle.transformation.flows.ordering import partition

FUNCTIONS = {"mean": "avg", "sum": "sum", "count": "count", "smallest": "min", "largest": "max", "deviation": "stddev_samp"}

PICTURE = Picture(
    "rolling(shop.sales, key := city, at := day, value := amount, over := INTERVAL 2 DAYS, function := sum, name := two_days)",
    {
        "shop.sales": table("""
            city VARCHAR | day DATE   | amount INTEGER
            Delft        | 2024-05-01 | 1
            Delft        | 2024-05-02 | 2
            Delft        | 2024-05-04 | 4
            Delft        | 2024-05-05 |
            Ghent        | 2024-05-05 | 8
        """)
    },
    table("""
        city VARCHAR | day DATE   | amount INTEGER | two_days HUGEINT
        Delft        | 2024-05-01 | 1              | 1
        Delft        | 2024-05-02 | 2              | 3
        Delft        | 2024-05-04 | 4              | 4
        Delft        | 2024-05-05 |                | 4
        Ghent        | 2024-05-05 | 8              | 8
    """),
)


@flow(picture=PICTURE)
def rolling(  # noqa: PLR0913 - each is a choice of its own
    rows: Relation,
    *,
    key: Columns | None = None,
    at: Column,
    value: Expression,
    over: Interval,
    function: Literal["mean", "sum", "count", "smallest", "largest", "deviation"] = "mean",
    name: Name | None = None,
) -> str:
    """Add a statistic of the rows of the same key in a stretch of time that ends with the row's own moment.

    The stretch is open at its beginning: `INTERVAL 7 DAYS` over daily rows takes seven of them, and the row of a week ago is no more in
    it. All rows of the moment itself count. NULL is left out; where nothing is left the statistic is NULL (of `count`: 0). A row without
    a time has NULL.

    key: whose rows are looked at; without it, all
    at: the time of a row: a date or a timestamp
    value: what the statistic is of
    over: how long the stretch is
    function: `mean`, `sum`, `count`, `smallest`, `largest` or `deviation` (of a sample)
    name: what the new column is called; the name of the function if not given
    """
    frame = f"RANGE BETWEEN {over} - INTERVAL 1 MICROSECOND PRECEDING AND CURRENT ROW"
    statistic = f"{FUNCTIONS[function]}({value}) OVER ({partition(key)} ORDER BY CAST({at} AS TIMESTAMP) {frame})"
    return f"SELECT *, CASE WHEN {at} IS NOT NULL THEN {statistic} END AS {name or function} FROM {rows} AS __flow_input"
