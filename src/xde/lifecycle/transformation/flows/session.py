"""Session windows: as long as there is no pause, and a gap after the last event."""

from __future__ import annotations

from xde.kernel.graph.flows.arriving import AT, GATHERING
from xde.kernel.graph.flows.kinds import Column, Columns, Interval, Relation
from xde.kernel.graph.flows.picture import Picture, table
from xde.kernel.graph.flows.signature import flow
from xde.lifecycle.transformation.flows.lengths import length
from xde.lifecycle.transformation.flows.ordering import partition

PICTURE = Picture(
    "session(web.clicks, key := visitor, at := clicked_at, gap := INTERVAL 30 MINUTES)",
    {
        "web.clicks": table("""
            visitor VARCHAR | page VARCHAR | clicked_at TIMESTAMP
            ann             | home         | 2024-05-01 09:00:00
            ann             | tea          | 2024-05-01 09:30:00
            ann             | home         | 2024-05-01 10:00:01
            bob             | tea          |
        """)
    },
    table("""
        visitor VARCHAR | page VARCHAR | clicked_at TIMESTAMP | window_start TIMESTAMP | window_end TIMESTAMP
        ann             | home         | 2024-05-01 09:00:00  | 2024-05-01 09:00:00    | 2024-05-01 10:00:00
        ann             | tea          | 2024-05-01 09:30:00  | 2024-05-01 09:00:00    | 2024-05-01 10:00:00
        ann             | home         | 2024-05-01 10:00:01  | 2024-05-01 10:00:01    | 2024-05-01 10:30:01
        bob             | tea          |                      |                        |
    """),
)


@flow(picture=PICTURE)
def session(rows: Relation, *, key: Columns | None = None, at: Column, gap: Interval) -> str:
    """Put each row into the session in which it happened: a session ends when nothing has come for as long as the gap.

    Adds `window_start`, the time of the first event, and `window_end`, the time of the last one and the gap. A pause of exactly the gap
    does not end a session. A row without a time is in no window: both are NULL. Rows whose key is NULL are one key. To number
    sessions there is `sessionize`; this one is for windows over what arrives.

    key: whose events they are; without it, all are of one
    at: when an event was
    gap: the longest pause inside a session, in weeks, days, hours or less
    """
    pause = f"to_microseconds({length('gap', gap)})"
    order = f"{partition(key)} ORDER BY {AT} ASC NULLS LAST"
    within = f"PARTITION BY {key}, __flow_session" if key is not None else "PARTITION BY __flow_session"
    return f"""
        WITH __flow_paused AS (
            SELECT *, CASE WHEN {AT} <= lag({AT}) OVER ({order}) + {pause} THEN 0 ELSE 1 END AS __flow_new
            FROM (SELECT *, {at} AS {AT} FROM {rows} AS __flow_input) AS {GATHERING}
        ),
        __flow_numbered AS (
            SELECT *, CASE WHEN {AT} IS NOT NULL
                THEN CAST(sum(__flow_new) OVER ({order} RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS BIGINT) END AS __flow_session
            FROM __flow_paused
        )
        SELECT * EXCLUDE ({AT}, __flow_new, __flow_session),
            min({AT}) OVER ({within}) + to_microseconds(0) AS window_start,
            max({AT}) OVER ({within}) + {pause} AS window_end
        FROM __flow_numbered
    """
