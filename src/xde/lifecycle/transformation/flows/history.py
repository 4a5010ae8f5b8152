"""Periods of validity (type 2) from rows that each tell a change."""

from __future__ import annotations

from xde.kernel.graph.flows.kinds import Column, Columns, Expression, Relation
from xde.kernel.graph.flows.picture import Picture, table
from xde.kernel.graph.flows.signature import flow
from xde.lifecycle.transformation.flows.ordering import ROW, decided

PICTURE = Picture(
    "history(shop.customers, key := id, at := changed_at, deleted := gone, track := city)",
    {
        "shop.customers": table("""
            id INTEGER | city VARCHAR | gone BOOLEAN | changed_at DATE
            1          | Delft        | false        | 2024-01-01
            1          | Delft        | false        | 2024-02-01
            1          | Ghent        | false        | 2024-03-01
            2          | Paris        | false        | 2024-01-01
            2          | Paris        | true         | 2024-02-01
            2          | Lyon         | false        | 2024-04-01
        """)
    },
    table("""
        id INTEGER | city VARCHAR | gone BOOLEAN | valid_from DATE | valid_to DATE | is_current BOOLEAN
        1          | Delft        | false        | 2024-01-01      | 2024-03-01    | false
        1          | Ghent        | false        | 2024-03-01      |               | true
        2          | Paris        | false        | 2024-01-01      | 2024-02-01    | false
        2          | Lyon         | false        | 2024-04-01      |               | true
    """),
)


@flow(picture=PICTURE)
def history(
    rows: Relation,
    *,
    key: Columns,
    at: Column,
    deleted: Expression | None = None,
    track: Columns | None = None,
    ties: Columns | None = None,
) -> str:
    """From rows that each tell a change to periods: since when a row held, until when, and whether it still does.

    `valid_from` takes the place of the time of the change; it counts and `valid_to` does not, so that the periods of a key neither
    overlap nor, unless the key was deleted, leave a gap. A deletion ends a period and is no row itself. Changes may come in any order
    and more than once; of several at one moment one is taken, by the whole row or by `ties`. A change without a time is left out.
    With `track`, a change that leaves those columns as they were begins no period.

    key: whose history it is
    at: when the change became true
    deleted: true for a row that tells of a deletion
    track: only changes of these columns matter
    ties: which columns decide between changes of the same moment, the largest first
    """
    order = f"PARTITION BY {key} ORDER BY {at}"
    gone = f"coalesce({deleted}, FALSE)" if deleted is not None else "FALSE"
    changed = ""
    if track is not None:
        differs = " OR ".join(f"{c} IS DISTINCT FROM __flow_before_{i}" for i, c in enumerate(track))
        changed = f"WHERE __flow_gone_before IS NULL OR __flow_gone <> __flow_gone_before OR (NOT __flow_gone AND ({differs}))"
    before = "".join(f", lag({c}) OVER ({order}) AS __flow_before_{i}" for i, c in enumerate(track or ()))
    gone_before = f"lag(__flow_gone) OVER ({order}) AS __flow_gone_before"
    inner = "".join(f", __flow_before_{i}" for i, _ in enumerate(track or ()))
    return f"""
        WITH __flow_told AS (
            SELECT *, {gone} AS __flow_gone, row_number() OVER (PARTITION BY {key}, {at} ORDER BY {decided([], ties)}) AS __flow_rank
            FROM {rows} AS {ROW}
            WHERE {at} IS NOT NULL
        ),
        __flow_seen AS (SELECT *, {gone_before}{before} FROM __flow_told WHERE __flow_rank = 1),
        __flow_changed AS (SELECT *, lead({at}) OVER ({order}) AS __flow_next FROM __flow_seen {changed})
        SELECT * EXCLUDE ({at}, __flow_gone, __flow_rank, __flow_gone_before, __flow_next{inner}),
            {at} AS valid_from, __flow_next AS valid_to, __flow_next IS NULL AS is_current
        FROM __flow_changed
        WHERE NOT __flow_gone
    """
