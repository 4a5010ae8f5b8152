"""Sessions: runs of events with no long pause in between."""

from __future__ import annotations

from xde.ground.names import quoted
from xde.kernel.graph.flows.kinds import Column, Columns, Interval, Name, Relation
from xde.kernel.graph.flows.picture import Picture, table
from xde.kernel.graph.flows.signature import flow
from xde.lifecycle.transformation.flows.ordering import partition

PICTURE = Picture(
    "sessionize(web.clicks, key := visitor, at := clicked_at, gap := INTERVAL 30 MINUTES)",
    {
        "web.clicks": table("""
            visitor VARCHAR | page VARCHAR | clicked_at TIMESTAMP
            ann             | home         | 2024-05-01 09:00:00
            ann             | tea          | 2024-05-01 09:30:00
            ann             | home         | 2024-05-01 10:00:01
            bob             | home         | 2024-05-01 09:10:00
            bob             | tea          |
        """)
    },
    table("""
        visitor VARCHAR | page VARCHAR | clicked_at TIMESTAMP | session BIGINT | session_start TIMESTAMP | session_end TIMESTAMP
        ann             | home         | 2024-05-01 09:00:00  | 1              | 2024-05-01 09:00:00     | 2024-05-01 09:30:00
        ann             | tea          | 2024-05-01 09:30:00  | 1              | 2024-05-01 09:00:00     | 2024-05-01 09:30:00
        ann             | home         | 2024-05-01 10:00:01  | 2              | 2024-05-01 10:00:01     | 2024-05-01 10:00:01
        bob             | home         | 2024-05-01 09:10:00  | 1              | 2024-05-01 09:10:00     | 2024-05-01 09:10:00
        bob             | tea          |                      |                |                         |
    """),
)


@flow(picture=PICTURE)
def sessionize(rows: Relation, *, key: Columns | None = None, at: Column, gap: Interval | None = None, name: Name | None = None) -> str:
    """Number the sessions of each key from 1: a session ends where the next event comes later than the gap.

    Adds `session`, `session_start` and `session_end`. A pause of exactly the gap does not end a session; events at the same moment are
    in the same session. An event without a time is in none. Events whose key is NULL are one key.

    key: whose events they are; without it, all are of one
    at: when an event was
    gap: the longest pause inside a session; `INTERVAL 30 MINUTES` if not given
    name: what to call the new columns, instead of `session`
    """
    called = name.text if name is not None else "session"
    order = f"{partition(key)} ORDER BY {at} ASC NULLS LAST"
    within = f"PARTITION BY {key}, __flow_session" if key is not None else "PARTITION BY __flow_session"
    return f"""
        WITH __flow_paused AS (
            SELECT *, CASE WHEN {at} <= lag({at}) OVER ({order}) + {gap or "INTERVAL 30 MINUTES"} THEN 0 ELSE 1 END AS __flow_new
            FROM {rows} AS __flow_input
        ),
        __flow_numbered AS (
            SELECT *, CASE WHEN {at} IS NOT NULL
                THEN CAST(sum(__flow_new) OVER ({order} RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS BIGINT) END AS __flow_session
            FROM __flow_paused
        )
        SELECT * EXCLUDE (__flow_new, __flow_session),
            __flow_session AS {quoted(called)},
            min({at}) OVER ({within}) AS {quoted(called + "_start")},
            max({at}) OVER ({within}) AS {quoted(called + "_end")}
        FROM __flow_numbered
    """
