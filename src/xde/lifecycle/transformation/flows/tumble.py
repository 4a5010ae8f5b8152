"""Tumbling windows: stretches of time of one length, one after the other."""

from __future__ import annotations

from xde.kernel.graph.flows.arriving import ARRIVING, AT
from xde.kernel.graph.flows.kinds import Column, Interval, Relation
from xde.kernel.graph.flows.picture import Picture, table
from xde.kernel.graph.flows.signature import flow
from xde.lifecycle.transformation.flows.lengths import behind, length, microseconds

PICTURE = Picture(
    "tumble(web.clicks, at := clicked_at, size := INTERVAL 10 MINUTES)",
    {
        "web.clicks": table("""
            page VARCHAR | clicked_at TIMESTAMP
            home         | 2024-05-01 09:00:00
            tea          | 2024-05-01 09:09:59
            home         | 2024-05-01 09:10:00
            tea          |
        """)
    },
    table("""
        page VARCHAR | clicked_at TIMESTAMP | window_start TIMESTAMP | window_end TIMESTAMP
        home         | 2024-05-01 09:00:00  | 2024-05-01 09:00:00    | 2024-05-01 09:10:00
        tea          | 2024-05-01 09:09:59  | 2024-05-01 09:00:00    | 2024-05-01 09:10:00
        home         | 2024-05-01 09:10:00  | 2024-05-01 09:10:00    | 2024-05-01 09:20:00
        tea          |                      |                        |
    """),
)


@flow(picture=PICTURE)
def tumble(rows: Relation, *, at: Column, size: Interval, offset: Interval | None = None) -> str:
    """Put each row into the window of one length in which it happened; every moment is in one window.

    Adds `window_start`, which is in the window, and `window_end`, which is not. Windows are counted from 1970-01-01 00:00 in UTC. A row
    without a time is in no window: both are NULL.

    at: when it happened
    size: how long a window is, in weeks, days, hours or less
    offset: how much later than counted from 1970 windows begin; `INTERVAL 4 DAYS` for weeks that begin on Monday
    """
    long = length("size", size)
    moved = microseconds("offset", offset) if offset is not None else 0
    return f"""
        SELECT * EXCLUDE ({AT}, __flow_start), __flow_start AS window_start, __flow_start + to_microseconds({long}) AS window_end
        FROM (
            SELECT *, {AT} - to_microseconds({behind(AT, long, moved)}) AS __flow_start
            FROM (SELECT *, {at} AS {AT} FROM {rows} AS __flow_input) AS {ARRIVING}
        ) AS __flow_placed
    """
