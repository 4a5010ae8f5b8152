"""The as-of join: to each row of the left the latest of the right, by one pass over both in the order of time.

Both sides are put under each other, sorted by key and time, and the last row of the right that was seen is carried along
(`last_value` without nulls). Each source of the left comes out as a struct of its own name, so that `alias.column` still reads it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from xde.connectors.spark.portable.refusing import CLAUSE, NotPortable
from xde.connectors.spark.portable.scope import Scope, Source, Typed
from xde.connectors.spark.portable.types import text, ticked

if TYPE_CHECKING:
    from xde.connectors.spark.portable.making import QueryMaker

WAYS: dict[type[exp.Expr], tuple[str, int]] = {
    exp.GTE: ("ASC", 0),
    exp.GT: ("ASC", 1),
    exp.LTE: ("DESC", 0),
    exp.LT: ("DESC", 1),
}  # direction, whether the right comes after its equals
TURNED: dict[type[exp.Expr], type[exp.Expr]] = {exp.GTE: exp.LTE, exp.GT: exp.LT, exp.LTE: exp.GTE, exp.LT: exp.GT}


def as_of(query: QueryMaker, left: str, join: exp.Expr, right: tuple[str, Source], scope: Scope) -> str:
    """The join written; the right source is in the scope afterwards."""
    right_sql, source = right
    side = str(join.args.get("side") or "").upper()
    if side not in {"", "LEFT"} or str(join.args.get("kind") or "").upper() not in {"", "INNER", "OUTER"} or scope.shared:
        raise NotPortable(
            CLAUSE, f"`ASOF {side} JOIN` is not proven on Spark in this form", join.this, "write `ASOF JOIN` or `ASOF LEFT JOIN` with ON"
        )
    inner = Scope(None, sources=[source])
    equal, (way, moment_left, moment_right) = _condition(query, join, scope, inner)
    packed = [f"{_struct(s)} AS {ticked(s.alias)}" for s in scope.sources]
    empty = [f"NULL AS {ticked(s.alias)}" for s in scope.sources]
    keys_left = [f"{pair[0].sql} AS k{i}" for i, pair in enumerate(equal)]
    keys_right = [f"{pair[1].sql} AS k{i}" for i, pair in enumerate(equal)]
    direction, after = WAYS[way]
    ours = f"SELECT {', '.join([*packed, 'NULL AS r', *keys_left, f'{moment_left.sql} AS t', f'{1 - after} AS side'])} FROM {left}"
    known = " AND ".join(f"{v.sql} IS NOT NULL" for v in [moment_right, *(pair[1] for pair in equal)])
    theirs_listed = [*empty, f"{_struct(source)} AS r", *keys_right, f"{moment_right.sql} AS t", f"{after} AS side"]
    theirs = f"SELECT {', '.join(theirs_listed)} FROM {right_sql} WHERE {known}"
    keys = ", ".join(f"k{i}" for i in range(len(equal)))
    window = f"{f'PARTITION BY {keys} ' if keys else ''}ORDER BY t {direction} NULLS FIRST, side ASC ROWS UNBOUNDED PRECEDING"
    names = ", ".join(ticked(s.alias) for s in scope.sources)
    mine = f"side = {1 - after}"
    met = f"SELECT {names}, {mine} AS mine, LAST_VALUE(r, true) OVER ({window}) AS {ticked(source.alias)} FROM ({ours} UNION ALL {theirs})"
    only = "" if side == "LEFT" else f" AND {ticked(source.alias)} IS NOT NULL"
    scope.sources.append(source)
    return f"(SELECT {names}, {ticked(source.alias)} FROM ({met}) WHERE mine{only}) AS {query.fresh()}"


def _struct(source: Source) -> str:
    inner = ", ".join(f"{text(c.name)}, {source.written(c).sql}" for c in source.columns)
    return f"NAMED_STRUCT({inner})"


def _condition(
    query: QueryMaker, join: exp.Expr, scope: Scope, inner: Scope
) -> tuple[list[tuple[Typed, Typed]], tuple[type[exp.Expr], Typed, Typed]]:
    """The equal pairs, left first, and the one comparison of time."""
    if not join.args.get("on"):
        raise NotPortable(CLAUSE, "`ASOF JOIN` with USING is not proven on Spark", join.this, "write its conditions with ON")
    equal: list[tuple[Typed, Typed]] = []
    moments: list[tuple[type[exp.Expr], Typed, Typed]] = []
    on = join.args["on"]
    tests: list[exp.Expr] = list(on.flatten()) if isinstance(on, exp.And) else [on]
    for test in tests:
        plain = test.unnest()
        if not isinstance(plain, (exp.EQ, *WAYS)):
            raise NotPortable(CLAUSE, "an ASOF JOIN takes equal pairs and one comparison of time", test, "put other conditions into WHERE")
        turned, ours, theirs = _sides(query, plain, scope, inner)
        if ours.type != theirs.type:
            raise NotPortable(
                CLAUSE, f"an ASOF JOIN of {ours.type} with {theirs.type} is not proven on Spark", test, "cast both to one type"
            )
        if isinstance(plain, exp.EQ):
            equal.append((ours, theirs))
        else:
            moments.append((TURNED[type(plain)] if turned else type(plain), ours, theirs))
    if len(moments) != 1:
        raise NotPortable(CLAUSE, "an ASOF JOIN takes one comparison of time", join.this, "keep one")
    return equal, moments[0]


def _sides(query: QueryMaker, test: exp.Expr, scope: Scope, inner: Scope) -> tuple[bool, Typed, Typed]:
    def of_right(node: exp.Expr) -> bool:
        columns = list(node.find_all(exp.Column))
        right = [c for c in columns if c.table and c.table.lower() == inner.sources[0].alias.lower()]
        bare = [c for c in columns if not c.table and inner.sources[0].column(c.name) and scope.named(c.name) is None]
        if len(right) + len(bare) not in {0, len(columns)}:
            raise NotPortable(
                CLAUSE, "a side of an ASOF JOIN's condition reads both sources", node, "compare a column of one with one of the other"
            )
        return bool(columns) and len(right) + len(bare) == len(columns)

    turned = of_right(test.this)
    mine, other = (test.expression, test.this) if turned else (test.this, test.expression)
    if of_right(mine) or not of_right(other):
        raise NotPortable(CLAUSE, "an ASOF JOIN compares a column of the left with one of the right", test)
    return turned, query.writer.write(mine, scope), query.writer.write(other, inner)
