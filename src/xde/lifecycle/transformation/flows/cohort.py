"""How many of those who began together are still there later."""

from __future__ import annotations

from typing import Literal

from xde.kernel.graph.flows.kinds import Column, Columns, Relation
from xde.kernel.graph.flows.picture import Picture, table
from xde.kernel.graph.flows.signature import flow

PICTURE = Picture(
    "cohort(shop.orders, key := customer, at := ordered_on, grain := month)",
    {
        "shop.orders": table("""
            customer VARCHAR | ordered_on DATE
            ann              | 2024-01-31
            ann              | 2024-02-01
            ann              | 2024-02-09
            bob              | 2024-01-05
            cid              | 2024-02-20
            cid              | 2024-04-01
        """)
    },
    table("""
        cohort DATE | period BIGINT | active BIGINT | size BIGINT | share DOUBLE
        2024-01-01  | 0             | 2             | 2           | 1.0
        2024-01-01  | 1             | 1             | 2           | 0.5
        2024-02-01  | 0             | 1             | 1           | 1.0
        2024-02-01  | 2             | 1             | 1           | 1.0
    """),
)


@flow(picture=PICTURE)
def cohort(rows: Relation, *, key: Columns, at: Column, grain: Literal["day", "week", "month", "year"] = "month") -> str:
    """For those who began in the same period: how many of them are there again so many periods later.

    A key belongs to the cohort of its first row. `period` counts from 0, the period of the beginning itself; one in which nobody of a
    cohort is there has no row. `size` is the number of keys of the cohort, `share` is `active` by `size`. Weeks begin on Monday. Rows of
    a NULL key or without a time are not looked at.

    key: who comes back
    at: when a row was
    grain: `day`, `week`, `month` or `year`
    """
    known = " AND ".join(f"{k} IS NOT NULL" for k in key)
    return f"""
        WITH __flow_seen AS (
            SELECT DISTINCT {key}, CAST(date_trunc('{grain}', {at}) AS DATE) AS __flow_period
            FROM {rows} AS __flow_input
            WHERE {known} AND {at} IS NOT NULL
        ),
        __flow_begun AS (SELECT {key}, __flow_period, min(__flow_period) OVER (PARTITION BY {key}) AS __flow_cohort FROM __flow_seen),
        __flow_counted AS (
            SELECT __flow_cohort AS cohort, date_diff('{grain}', __flow_cohort, __flow_period) AS period, count(*) AS active
            FROM __flow_begun
            GROUP BY __flow_cohort, __flow_period
        )
        SELECT cohort, period, active, first_value(active) OVER (PARTITION BY cohort ORDER BY period) AS size,
            active / first_value(active) OVER (PARTITION BY cohort ORDER BY period) AS share
        FROM __flow_counted
    """
