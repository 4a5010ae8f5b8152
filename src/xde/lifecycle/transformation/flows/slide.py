"""Sliding windows: stretches of time of one length that begin more often than they end."""

from __future__ import annotations

from xde.kernel.graph.flows.arriving import ARRIVING, AT
from xde.kernel.graph.flows.kinds import ArgumentError, Column, Interval, Relation
from xde.kernel.graph.flows.picture import Picture, table
from xde.kernel.graph.flows.signature import flow
from xde.lifecycle.transformation.flows.lengths import behind, length, microseconds

MOST = 1_440
"""In how many windows a row may be: as many as there are minutes in a day."""

PICTURE = Picture(
    "slide(web.clicks, at := clicked_at, size := INTERVAL 10 MINUTES, every := INTERVAL 5 MINUTES)",
    {
        "web.clicks": table("""
            page VARCHAR | clicked_at TIMESTAMP
            home         | 2024-05-01 09:04:00
            tea          | 2024-05-01 09:05:00
            home         |
        """)
    },
    table("""
        page VARCHAR | clicked_at TIMESTAMP | window_start TIMESTAMP | window_end TIMESTAMP
        home         | 2024-05-01 09:04:00  | 2024-05-01 08:55:00    | 2024-05-01 09:05:00
        home         | 2024-05-01 09:04:00  | 2024-05-01 09:00:00    | 2024-05-01 09:10:00
        tea          | 2024-05-01 09:05:00  | 2024-05-01 09:00:00    | 2024-05-01 09:10:00
        tea          | 2024-05-01 09:05:00  | 2024-05-01 09:05:00    | 2024-05-01 09:15:00
        home         |                      |                        |
    """),
)


@flow(picture=PICTURE)
def slide(rows: Relation, *, at: Column, size: Interval, every: Interval, offset: Interval | None = None) -> str:
    """Put each row into all windows of one length in which it happened; a new one begins every so often.

    Gives a row once for each of its windows. Adds `window_start`, which is in the window, and `window_end`, which is not. Windows are
    counted from 1970-01-01 00:00 in UTC. A row without a time is in no window: it is there once, and both are NULL.

    at: when it happened
    size: how long a window is, in weeks, days, hours or less
    every: how much later the next one begins; no longer than the size, for a row must not fall between two
    offset: how much later than counted from 1970 windows begin
    """
    long, step = length("size", size), length("every", every)
    moved = microseconds("offset", offset) if offset is not None else 0
    if step > long:
        message = f"`{every.text}`, which is longer than the size: a row that falls between two windows would be lost"
        raise ArgumentError("every", message, "make it no longer than `size`")
    count = -(-long // step)
    if count > MOST:
        raise ArgumentError(
            "every", f"`{every.text}`, by which a row is in {count:,} windows", f"choose it so that there are {MOST:,} at most"
        )
    back = ", ".join(f"({n * step})" for n in range(count))
    return f"""
        SELECT * EXCLUDE ({AT}, __flow_last, __flow_back),
            __flow_last - to_microseconds(__flow_back) AS window_start,
            __flow_last - to_microseconds(__flow_back) + to_microseconds({long}) AS window_end
        FROM (
            SELECT *, {AT} - to_microseconds({behind(AT, step, moved)}) AS __flow_last
            FROM (SELECT *, {at} AS {AT} FROM {rows} AS __flow_input) AS {ARRIVING}
        ) AS __flow_placed
        CROSS JOIN (VALUES {back}) AS __flow_steps(__flow_back)
        WHERE __flow_last - to_microseconds(__flow_back) + to_microseconds({long}) > {AT} OR ({AT} IS NULL AND __flow_back = 0)
    """
