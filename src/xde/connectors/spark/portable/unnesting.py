"""`unnest` in a select list: Spark opens one list there and lets nothing be made of it, so it is opened in FROM."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from xde.connectors.spark.portable.lists import opened_list, unnested
from xde.connectors.spark.portable.refusing import CLAUSE, NotPortable
from xde.connectors.spark.portable.scope import Typed
from xde.connectors.spark.portable.types import ticked

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from xde.connectors.spark.portable.making import QueryMaker
    from xde.connectors.spark.portable.scope import Scope

OTHERS = "`unnest` beside GROUP BY, aggregates, windows, QUALIFY or DISTINCT ON is not proven on Spark"


def unnest(query: QueryMaker, node: exp.Select, scope: Scope, items: Sequence[exp.Expr]) -> str:
    """What FROM gets for an `unnest` of the select list; empty where there is none.

    DuckDB opens the list after all else. That is the same where each row is a row of FROM; where rows are counted or gathered it is not,
    and only a list that is itself gathered there is opened, as a column of its own.
    """
    lists = [part for item in items for part in own_parts(item) if isinstance(part, (exp.Explode, exp.Unnest))]
    if not lists:
        return ""
    given, writer = lists[0], query.writer
    if len(lists) > 1:
        raise NotPortable(CLAUSE, "two `unnest` in one SELECT are not proven on Spark", given, "unnest one in a CTE, the other after it")
    value = writer.write(unnested(given), scope)
    kind = opened_list(value)
    if has_aggregate(unnested(given)) and any(item is given for item in items):
        writer.opened[id(given)] = Typed(f"EXPLODE({value.sql})", kind)
        return ""
    if _gathers(node) or any(_counts_rows(item) for item in items):
        raise NotPortable(CLAUSE, OTHERS, given, "unnest in a CTE, and do the rest after it")
    alias = query.fresh()
    writer.opened[id(given)] = Typed(f"{ticked(alias)}.`element`", kind)
    return f"{' JOIN' if node.args.get('from_') else ' FROM'} LATERAL EXPLODE({value.sql}) AS {ticked(alias)} (`element`)"


def _gathers(node: exp.Select) -> bool:
    distinct = node.args.get("distinct")
    return any(node.args.get(k) for k in ("group", "having", "qualify")) or bool(distinct and distinct.args.get("on"))


def own_parts(node: exp.Expr) -> Iterator[exp.Expr]:
    """A node and all its parts, without those of queries within it."""
    yield node
    for part in node.iter_expressions():
        if not isinstance(part, exp.Query):
            yield from own_parts(part)


def _counts_rows(node: exp.Expr) -> bool:
    """Whether a value is computed over several rows."""
    return any(isinstance(part, (exp.Window, exp.AggFunc)) for part in own_parts(node))


def has_aggregate(node: exp.Expr) -> bool:
    """Whether an aggregate stands in an expression, outside of windows and of queries within it."""
    if isinstance(node, (exp.Window, exp.Subquery)):
        inner = [] if isinstance(node, exp.Subquery) else [*node.args.get("partition_by", ()), *node.this.iter_expressions()]
        return any(has_aggregate(n) for n in inner)
    if isinstance(node, exp.AggFunc):
        return True
    return any(has_aggregate(n) for n in node.iter_expressions())
