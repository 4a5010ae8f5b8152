"""What depends on the order of rows where no order is said: rows have none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from xde.undercurrents.engineering.linting.giving import has_aggregate, is_aggregate
from xde.undercurrents.engineering.linting.settling import Settling
from xde.undercurrents.engineering.linting.words import Remark

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xde.undercurrents.engineering.linting.facts import Scope
    from xde.undercurrents.engineering.linting.subject import Subject

RULE = "unordered"
_BY_ORDER = (exp.First, exp.Last, exp.ArrayAgg, exp.GroupConcat)
_NAMES = {"ArrayAgg": "list", "GroupConcat": "string_agg", "First": "first", "Last": "last"}
_SORTED = (exp.ArraySort, exp.Length, exp.ArraySize, exp.ArrayContains, exp.ArraySum, exp.ArrayMax, exp.ArrayMin, exp.ArrayDistinct)
_SORTED_NAMES = frozenset(
    [
        "list_sort",
        "array_sort",
        "list_reverse_sort",
        "array_reverse_sort",
        "list_unique",
        "list_sum",
        "list_avg",
        "list_min",
        "list_max",
        "list_has",
        "len",
    ]
)
_OVER_WINDOWS = (exp.RowNumber, exp.FirstValue, exp.LastValue, exp.Lag, exp.Lead, exp.NthValue, exp.Ntile)
_WHY = "rows have no order of their own: threads, files and engines decide, and another run may decide otherwise"


def unordered(subject: Subject) -> Iterator[Remark]:
    """LIMIT, ordered aggregates and windows without ORDER BY; `row_number` by columns in which known keys leave ties."""
    for limit in subject.tree.find_all(exp.Limit):
        if isinstance(limit.parent, exp.Query):
            yield from _limit(limit, limit.parent, subject)
    for scope in subject.scopes:
        yield from _distinct_on(scope)
        for node in scope.nodes():
            if isinstance(node, exp.Window):
                yield from _window(node, scope)
            elif isinstance(node, _BY_ORDER) and is_aggregate(node):
                yield from _aggregate(node)


def _distinct_on(scope: Scope) -> Iterator[Remark]:
    distinct = scope.select.args.get("distinct")
    on = distinct.args.get("on") if isinstance(distinct, exp.Distinct) else None
    if isinstance(on, exp.Expr) and scope.select.args.get("order") is None:
        hint = "add `ORDER BY` with columns that leave no ties, or call `dedupe`"
        yield Remark(RULE, on, "DISTINCT ON without ORDER BY takes any row of each", "which row?", _WHY, hint)


def _limit(node: exp.Expr, query: exp.Query, subject: Subject) -> Iterator[Remark]:
    if query.args.get("order") is not None or isinstance(query.parent, exp.Exists):
        return
    value = node.args.get("expression")
    if isinstance(value, exp.Literal) and value.name == "0":
        return
    relation = subject.relations.get(id(query))
    one_row = isinstance(query, exp.Select) and query.args.get("group") is None and any(has_aggregate(i) for i in query.expressions)
    if one_row or (relation is not None and frozenset() in relation.keys and not _is_by_limit(query)):
        return
    yield Remark(RULE, node, "LIMIT without ORDER BY takes any rows", "which rows?", _WHY, "add `ORDER BY` with columns that leave no ties")


def _is_by_limit(query: exp.Expr) -> bool:
    """Whether the query has one row only because of its LIMIT."""
    limit = query.args.get("limit")
    return isinstance(limit, exp.Limit) and isinstance(limit.expression, exp.Literal) and limit.expression.name == "1"


def _aggregate(node: exp.Expr) -> Iterator[Remark]:
    if node.find(exp.Order) is not None or (isinstance(node.this, exp.Distinct) and node.this.find(exp.Order) is not None):
        return
    above = node.parent
    while isinstance(above, (exp.Filter, exp.Paren, exp.IgnoreNulls, exp.WithinGroup)):
        if isinstance(above, exp.WithinGroup):
            return
        above = above.parent
    if isinstance(above, _SORTED) or (isinstance(above, exp.Anonymous) and above.name.lower() in _SORTED_NAMES):
        return
    name = _NAMES[type(node).__name__]
    message = f"`{name}` without ORDER BY " + ("takes any row" if name in {"first", "last"} else "puts its values in any order")
    hint = f"write `{name}(... ORDER BY ...)`" + (", or `arg_min(value, time)`" if name in {"first", "last"} else "")
    yield Remark(RULE, node, message, "in which order?", _WHY, hint)


def _window(node: exp.Window, scope: Scope) -> Iterator[Remark]:
    function = node.this
    while isinstance(function, (exp.IgnoreNulls, exp.RespectNulls, exp.Filter)):
        function = function.this
    if node.args.get("alias") is not None or not isinstance(function, _OVER_WINDOWS):
        return
    order = node.args.get("order")
    name = function.sql_name().lower()
    if order is None:
        if function.find(exp.Order) is not None:
            return
        yield Remark(RULE, node, f"`{name}` over a window without ORDER BY", "in which order?", _WHY, "add `ORDER BY` to its OVER")
        return
    if isinstance(function, exp.RowNumber):
        yield from _ties(node, order, scope)


def _ties(node: exp.Window, order: exp.Expr, scope: Scope) -> Iterator[Remark]:
    """`row_number` over rows whose keys are known, and not all in what it sorts by: rows that tie are numbered in any order."""
    parts = [*(node.args.get("partition_by") or ()), *(o.this for o in order.expressions)]
    sources = [s for s in scope.sources.values() if not s.hidden]
    if not all(isinstance(p, exp.Column) for p in parts) or not sources or any(not s.relation.keys or s.opaque for s in sources):
        return
    named = [scope.named(p) for p in parts]
    settling = Settling(scope)
    if None in named or not settling.clear or settling.narrowed:
        return
    settled, _ = settling.settled((), [n for n in named if n is not None])
    if not settled >= set(settling.shown):
        first = next(s for s in sources if s.name not in settled)
        key = ", ".join(f"`{c}`" for c in sorted(min(first.relation.keys, key=sorted)))
        why = f"rows of `{first.title}` are told apart by {key}; those that are equal in what is sorted by are numbered in any order"
        yield Remark(RULE, node, "`row_number` is not decided where rows tie", "ties", why, f"add {key} to its ORDER BY")
