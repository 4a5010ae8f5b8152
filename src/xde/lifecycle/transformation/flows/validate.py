"""Rules over several fields at once: values that must go together, as a reference says."""

from __future__ import annotations

from typing import Literal

from xde.ground.names import listed, literal
from xde.kernel.graph.flows.judged import BROKEN, JUDGED, WHY
from xde.kernel.graph.flows.kinds import ArgumentError, Columns, Expression, Name, Relation
from xde.kernel.graph.flows.picture import Picture, table
from xde.kernel.graph.flows.signature import flow

PICTURE = Picture(
    "validate(shop.addresses, against := shop.places, key := (city, state, zip), rule := place_is_known)",
    {
        "shop.addresses": table("""
            id INTEGER | city VARCHAR | state VARCHAR | zip VARCHAR
            1          | Austin       | TX            | 78701
            2          | Austin       | NY            | 78701
            3          | Albany       | NY            |
        """),
        "shop.places": table("""
            city VARCHAR | state VARCHAR | zip VARCHAR
            Austin       | TX            | 78701
            Albany       | NY            | 12201
        """),
    },
    table("""
        id INTEGER | city VARCHAR | state VARCHAR | zip VARCHAR | broken VARCHAR
        1          | Austin       | TX            | 78701       |
        2          | Austin       | NY            | 78701       | place_is_known
        3          | Albany       | NY            |             |
    """),
)


@flow(picture=PICTURE)
def validate(  # noqa: PLR0913 - each is a choice of its own
    rows: Relation,
    *,
    against: Relation | None = None,
    key: Columns | None = None,
    reference_key: Columns | None = None,
    holds: Expression | None = None,
    rule: Name,
    keep: Literal["all", "passing", "failing", "letters"] = "all",
    nulls: Literal["pass", "fail"] = "pass",
    name: Name | None = None,
) -> str:
    """Hold each row against a rule over several of its fields: they must stand together in a reference, or a condition must hold.

    With `keep := all` every row stays, and a new column has the name of the rule where it is broken and else NULL; with `passing` or
    `failing` only those rows stay, without a new column. With `letters` those that pass stay, and each of the others becomes a dead
    letter of the model. A row with NULL in one of the fields, or whose condition is neither true nor false, passes unless
    `nulls := fail`. For several rules, give one call to the next: each adds a column of its own `name`.

    against: the reference in which the fields must stand together
    key: those fields
    reference_key: what they are called in the reference, if otherwise
    holds: a condition that must hold, beside the reference or without one
    rule: the name of the rule
    keep: `all`, `passing`, `failing` or `letters`
    nulls: whether a row that cannot be judged does `pass` or `fail`
    name: what the new column is called; `broken` if not given
    """
    if against is None and holds is None:
        argument, message = "rule", "nothing to hold the rows against"
        raise ArgumentError(argument, message, "add `against := ...` and `key := ...`, or `holds := ...`")
    if (against is None) != (key is None):
        argument, message = "against" if key is None else "key", "only one of `against` and `key`"
        raise ArgumentError(argument, message, "`against` is the reference, `key` are the fields that must stand together in it")
    theirs = reference_key or key
    if reference_key is not None and len(reference_key) != len(key or ()):
        argument, message = "reference_key", f"{len(reference_key)} columns for the {len(key or ())} of `key`"
        raise ArgumentError(argument, message, "name one for each")
    judged: list[str] = []
    told: list[str] = []  # why a row does not pass
    join = ""
    if against is not None and key is not None and theirs is not None:
        same = " AND ".join(f"__flow_left.{k} = __flow_right.{t}" for k, t in zip(key, theirs, strict=True))
        join = f"LEFT JOIN (SELECT DISTINCT {theirs}, TRUE AS __flow_there FROM {against} AS __flow_input) AS __flow_right ON {same}"
        whole = " AND ".join(f"__flow_left.{k} IS NOT NULL" for k in key)
        judged.append(f"CASE WHEN __flow_right.__flow_there THEN TRUE WHEN {whole} THEN FALSE END")
        there = f"`{against.text}`" if against.text else "the reference"
        says = f"{listed([f'`{k.text}`' for k in key])} of this row do not stand together in {there}"
        told.append(f"WHEN NOT ({judged[-1]}) THEN {literal(says)}")
    if holds is not None:
        judged.append("__flow_left.__flow_holds")
        told.append(f"WHEN NOT ({judged[-1]}) THEN 'its condition does not hold'")
    verdict = " AND ".join(f"({j})" for j in judged)
    passes = f"coalesce({verdict}, {'TRUE' if nulls == 'pass' else 'FALSE'})"
    source = f"(SELECT *, {holds} AS __flow_holds FROM {rows} AS __flow_input)" if holds is not None else str(rows)
    shown = "__flow_left.* EXCLUDE (__flow_holds)" if holds is not None else "__flow_left.*"
    match keep:
        case "passing":
            return f"SELECT {shown} FROM {source} AS __flow_left {join} WHERE {passes}"
        case "failing":
            return f"SELECT {shown} FROM {source} AS __flow_left {join} WHERE NOT {passes}"
        case "all":
            broken = f"CASE WHEN NOT {passes} THEN {literal(rule.text)} END AS {name or 'broken'}"
            return f"SELECT {shown}, {broken} FROM {source} AS __flow_left {join}"
        case "letters":
            named = f"CASE WHEN NOT {passes} THEN {literal(rule.text)} END AS {BROKEN}"
            why = f"CASE WHEN {passes} THEN NULL {' '.join(told)} ELSE 'NULL is among what decides' END AS {WHY}"
            asked = f"SELECT {shown}, {named}, {why} FROM {source} AS __flow_left {join}"
            return f"SELECT * EXCLUDE ({BROKEN}, {WHY}) FROM ({asked}) AS {JUDGED} WHERE {BROKEN} IS NULL"
