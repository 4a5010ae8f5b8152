"""Gaps filled with the value before, or after."""

from __future__ import annotations

from typing import Literal

from xde.kernel.graph.flows.kinds import ArgumentError, Columns, Relation
from xde.kernel.graph.flows.picture import Picture, table
from xde.kernel.graph.flows.signature import flow
from xde.lifecycle.transformation.flows.ordering import oldest_first, partition

PICTURE = Picture(
    "fill(lab.readings, columns := celsius, key := sensor, by := read_at, most := 1)",
    {
        "lab.readings": table("""
            sensor VARCHAR | read_at TIMESTAMP   | celsius DOUBLE
            a              | 2024-05-01 00:00:00 |
            a              | 2024-05-01 01:00:00 | 20.5
            a              | 2024-05-01 02:00:00 |
            a              | 2024-05-01 03:00:00 |
            b              | 2024-05-01 00:00:00 |
        """)
    },
    table("""
        sensor VARCHAR | read_at TIMESTAMP   | celsius DOUBLE
        a              | 2024-05-01 00:00:00 |
        a              | 2024-05-01 01:00:00 | 20.5
        a              | 2024-05-01 02:00:00 | 20.5
        a              | 2024-05-01 03:00:00 |
        b              | 2024-05-01 00:00:00 |
    """),
)


@flow(picture=PICTURE)
def fill(
    rows: Relation,
    *,
    columns: Columns,
    key: Columns | None = None,
    by: Columns,
    direction: Literal["forward", "backward"] = "forward",
    most: int | None = None,
) -> str:
    """Put the last known value in the place of NULL, or with `backward` the next one.

    A value that is there never changes, and none crosses from one key to another. Rows are put in order by `by`, NULL last; of rows that
    are equal in it those with a value come first (going backward: last, seen from the end), so that all of them are filled alike. With
    `most` that is only so while `by` tells the rows of a key apart.

    columns: what is filled
    key: values stay within rows of one key
    by: the order of the rows
    direction: `forward` takes the value before, `backward` the one after
    most: over how many rows a value is carried at most
    """
    if most == 0:
        argument, message = "most", "a `most` of 0, which fills nothing"
        raise ArgumentError(argument, message, "write 1 or more, or leave it out")
    reach = "UNBOUNDED" if most is None else str(most)
    filled = []
    for c in columns:
        order = ", ".join([*oldest_first(by), f"{c} ASC NULLS LAST" if direction == "forward" else f"{c} ASC NULLS FIRST"])
        if direction == "forward":
            value, frame = f"last_value({c} IGNORE NULLS)", f"ROWS BETWEEN {reach} PRECEDING AND CURRENT ROW"
        else:
            value, frame = f"first_value({c} IGNORE NULLS)", f"ROWS BETWEEN CURRENT ROW AND {reach} FOLLOWING"
        filled.append(f"{value} OVER ({partition(key)} ORDER BY {order} {frame}) AS {c}")
    return f"SELECT * REPLACE ({', '.join(filled)}) FROM {rows} AS __flow_input"
