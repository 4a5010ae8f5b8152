"""How many get how far along a row of steps."""

from __future__ import annotations

from xde.kernel.graph.flows.kinds import ArgumentError, Column, Columns, Interval, Relation, Values
from xde.kernel.graph.flows.picture import Picture, table
from xde.kernel.graph.flows.signature import flow

PICTURE = Picture(
    "funnel(web.events, key := visitor, at := happened_at, event := event, steps := ['look', 'cart', 'pay'], within := INTERVAL 1 DAY)",
    {
        "web.events": table("""
            visitor VARCHAR | event VARCHAR | happened_at TIMESTAMP
            ann             | look          | 2024-05-01 09:00:00
            ann             | cart          | 2024-05-01 09:05:00
            ann             | pay           | 2024-05-01 09:10:00
            bob             | look          | 2024-05-01 10:00:00
            bob             | cart          | 2024-05-03 10:00:00
            cid             | cart          | 2024-05-01 08:00:00
            cid             | look          | 2024-05-01 09:00:00
            dot             | pay           | 2024-05-01 09:00:00
        """)
    },
    table("""
        step INTEGER | event VARCHAR | reached BIGINT | share DOUBLE
        1            | look          | 3              | 1.0
        2            | cart          | 1              | 0.3333333333333333
        3            | pay           | 1              | 0.3333333333333333
    """),
)


@flow(picture=PICTURE)
def funnel(rows: Relation, *, key: Columns, at: Column, event: Column, steps: Values, within: Interval | None = None) -> str:
    """For each of some steps: how many keys came that far, in this order, and which share that is of those who began.

    A key begins with its first event of the first step; each further step is its first event of that kind that is not earlier than the
    step before and, with `within`, not later than so long after the beginning. Events of a NULL key or without a time are not looked at.
    Every step has a row, also one that nobody reached; where nobody began, the share is NULL.

    key: who goes along
    at: when an event was
    event: the column that says what happened
    steps: its values, in the order of the steps
    within: how long after the beginning a step may come
    """
    if len(steps) < 2:
        argument, message = "steps", "less than two steps"
        raise ArgumentError(argument, message, "write them in brackets: `['look', 'pay']`")
    if len({v.text for v in steps}) < len(steps):
        argument, message = "steps", "a step twice"
        raise ArgumentError(argument, message, "one event would count for both of them")
    known = " AND ".join(f"{k} IS NOT NULL" for k in key)
    parts = [f"__flow_events AS (SELECT {key}, {at}, {event} FROM {rows} AS __flow_input WHERE {known} AND {at} IS NOT NULL)"]
    mine = ", ".join(f"__flow_last.{k}" for k in key)
    same = " AND ".join(f"__flow_next.{k} = __flow_last.{k}" for k in key)
    for number, step in enumerate(steps, 1):
        if number == 1:
            query = (
                f"SELECT {key}, min({at}) AS __flow_begun, min({at}) AS __flow_at FROM __flow_events WHERE {event} = {step} GROUP BY {key}"
            )
        else:
            limit = f" AND __flow_next.{at} <= __flow_last.__flow_begun + {within}" if within is not None else ""
            query = f"""
                SELECT {mine}, min(__flow_last.__flow_begun) AS __flow_begun, min(__flow_next.{at}) AS __flow_at
                FROM __flow_step_{number - 1} AS __flow_last
                JOIN __flow_events AS __flow_next ON {same} AND __flow_next.{at} >= __flow_last.__flow_at{limit}
                WHERE __flow_next.{event} = {step}
                GROUP BY {mine}
            """
        parts.append(f"__flow_step_{number} AS ({query})")
    counts = " UNION ALL ".join(
        f"SELECT {n} AS step, {step} AS event, count(*) AS reached FROM __flow_step_{n}" for n, step in enumerate(steps, 1)
    )
    begun = "(SELECT count(*) FROM __flow_step_1)"
    return f"""
        WITH {", ".join(parts)}, __flow_counted AS ({counts})
        SELECT step, event, reached, CASE WHEN {begun} > 0 THEN reached / {begun} END AS share
        FROM __flow_counted
    """
