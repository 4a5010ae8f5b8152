"""Columns of reference data added to rows."""

from __future__ import annotations

from typing import Literal

from xde.kernel.graph.flows.kinds import ArgumentError, Columns, Relation, Value
from xde.kernel.graph.flows.picture import Picture, table
from xde.kernel.graph.flows.signature import flow
from xde.lifecycle.transformation.flows.ordering import oldest_first, once, partition

PICTURE = Picture(
    "lookup(shop.orders, shop.countries, key := code, columns := (name, region), missing := unknown)",
    {
        "shop.orders": table("""
            id INTEGER | code VARCHAR
            1          | NL
            2          | XX
            3          |
        """),
        "shop.countries": table("""
            code VARCHAR | name VARCHAR | region VARCHAR
            NL           | Netherlands  | Europe
        """),
    },
    table("""
        id INTEGER | code VARCHAR | name VARCHAR | region VARCHAR
        1          | NL           | Netherlands  | Europe
        2          | XX           | unknown      | unknown
        3          |              | unknown      | unknown
    """),
)


@flow(picture=PICTURE)
def lookup(  # noqa: PLR0913 - each is a choice of its own
    rows: Relation,
    reference: Relation,
    *,
    key: Columns,
    reference_key: Columns | None = None,
    columns: Columns,
    missing: Literal["keep", "unknown", "drop", "error"] = "keep",
    unknown: Value | None = None,
) -> str:
    """Add columns of a reference to each row that has its key, and choose what happens to a row whose key is not there.

    No row is ever doubled: of several rows of the reference with one key, that with the smallest values in `columns` is taken, NULL
    last. A NULL in the key is never there. `keep` leaves NULL, `unknown` puts a value of its own there, `drop` leaves the row out,
    `error` stops the model and names the key.

    key: the columns to look up by
    reference_key: what they are called in the reference, if otherwise
    columns: what is taken over from the reference
    missing: `keep`, `unknown`, `drop` or `error`
    unknown: the value for `missing := unknown`; the text `unknown` if not given
    """
    theirs = reference_key or key
    if len(theirs) != len(key):
        argument, message = "reference_key", f"{len(theirs)} columns for the {len(key)} of `key`"
        raise ArgumentError(argument, message, "name one for each")
    if unknown is not None and missing != "unknown":
        argument, message = "unknown", f"`unknown` and `missing := {missing}`"
        raise ArgumentError(argument, message, "write `missing := unknown`, or take it away")
    one = f"""
        SELECT {once(*theirs, *columns)}, TRUE AS __flow_there
        FROM (SELECT *, row_number() OVER ({partition(theirs)} ORDER BY {", ".join(oldest_first(columns))}) AS __flow_rank
            FROM {reference} AS __flow_input) AS __flow_ranked
        WHERE __flow_rank = 1
    """
    same = " AND ".join(f"__flow_left.{k} = __flow_right.{t}" for k, t in zip(key, theirs, strict=True))
    taken = ", ".join(f"__flow_right.{c}" for c in columns)
    if missing == "unknown":
        value = unknown or "'unknown'"
        taken = ", ".join(f"CASE WHEN __flow_right.__flow_there THEN __flow_right.{c} ELSE {value} END AS {c}" for c in columns)
    kind = "INNER" if missing == "drop" else "LEFT"
    where = ""
    if missing == "error":
        text = " || ', ' || ".join(f"coalesce(CAST(__flow_left.{k} AS VARCHAR), 'NULL')" for k in key)
        where = f"WHERE CASE WHEN __flow_right.__flow_there THEN TRUE ELSE error('lookup: not in the reference: ' || {text}) END"
    return f"SELECT __flow_left.*, {taken} FROM {rows} AS __flow_left {kind} JOIN ({one}) AS __flow_right ON {same} {where}"
