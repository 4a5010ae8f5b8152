"""Every day, hour or other step of a stretch of time."""

from __future__ import annotations

from typing import Literal

from xde.kernel.graph.flows.kinds import ArgumentError, Interval, Name, Relation, Value
from xde.kernel.graph.flows.picture import Picture, table
from xde.kernel.graph.flows.signature import flow

DATES = frozenset({"day", "week", "month", "quarter", "year"})

PICTURE = Picture(
    "spine(start := DATE '2024-01-30', stop := DATE '2024-02-02', per := shop.places)",
    {
        "shop.places": table("""
            place VARCHAR
            Delft
            Ghent
        """)
    },
    table("""
        place VARCHAR | day DATE
        Delft         | 2024-01-30
        Delft         | 2024-01-31
        Delft         | 2024-02-01
        Ghent         | 2024-01-30
        Ghent         | 2024-01-31
        Ghent         | 2024-02-01
    """),
)


@flow(picture=PICTURE)
def spine(
    *,
    start: Value,
    stop: Value,
    grain: Literal["minute", "hour", "day", "week", "month", "quarter", "year"] | None = None,
    every: Interval | None = None,
    name: Name | None = None,
    per: Relation | None = None,
) -> str:
    """Every step of time from a start up to a stop, without gaps: one row each, or one row each for every row of a relation.

    The start counts and the stop does not, as with `$start` and `$end`. With `grain` the first step is the beginning of the day, week
    (Monday) or month in which the start lies; days and longer are dates, hours and minutes are timestamps. With `every` the steps are
    timestamps counted from the start itself. Nothing lies between a start and a stop that is not later.

    start: the first moment
    stop: the moment before which it ends
    grain: the step; `day` if neither this nor `every` is given
    every: a step of any length, such as `INTERVAL 15 MINUTES`
    name: what the column is called; the grain, or `moment` with `every`
    per: give each row of this relation all the steps
    """
    if grain is not None and every is not None:
        argument, message = "every", "both `grain` and `every`"
        raise ArgumentError(argument, message, "leave one of them")
    step = grain or "day"
    called = name or ("moment" if every is not None else step)
    begin = f"CAST({start} AS TIMESTAMP)" if every is not None else f"date_trunc('{step}', CAST({start} AS TIMESTAMP))"
    length = every or ("INTERVAL 3 MONTH" if step == "quarter" else f"INTERVAL 1 {step.upper()}")
    value = "__flow_step" if every is not None or step not in DATES else "CAST(__flow_step AS DATE)"
    first, last = f"CAST({start} AS TIMESTAMP)", f"CAST({stop} AS TIMESTAMP)"
    end = (
        last if every is not None else f"CASE WHEN {last} > {first} THEN {last} ELSE {begin} END"
    )  # the first step may begin before the start
    steps = f"range({begin}, {end}, {length}) AS __flow_steps(__flow_step)"
    if per is None:
        return f"SELECT {value} AS {called} FROM {steps}"
    return f"SELECT __flow_input.*, {value} AS {called} FROM {per} AS __flow_input CROSS JOIN {steps}"
