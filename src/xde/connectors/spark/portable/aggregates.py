"""Aggregates, alone, with FILTER, and over windows. Where the order of rows decides, it must be written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from xde.connectors.spark.portable.casts import cast, shown
from xde.connectors.spark.portable.operators import divided, truth
from xde.connectors.spark.portable.refusing import ARGUMENT, FUNCTION, ORDER, NotPortable
from xde.connectors.spark.portable.scope import Scope, Typed
from xde.connectors.spark.portable.types import NULL, digits, is_decimal, is_float, is_list, is_number, is_whole, spark_type
from xde.connectors.spark.portable.writer import Tail, Writer, rule, words

if TYPE_CHECKING:
    from collections.abc import Sequence


@rule(exp.Filter, args=("this", "expression"))
def _filter(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    over = (writer.tail or Tail()).over
    writer.tail = None
    condition = truth(writer, node.expression.this, scope)
    writer.tail = Tail(condition, over)
    return writer.write(node.this, scope)


def _kept(value: str, tail: Tail) -> str:
    """A value where the condition of FILTER holds, else NULL: for aggregates that pass over nulls."""
    return f"CASE WHEN {tail.where} THEN {value} END" if tail.where else value


def _plain(node: exp.Expr) -> tuple[exp.Expr, str]:
    """The argument and whether only its different values count."""
    inner = node.this
    if isinstance(inner, exp.Distinct):
        if len(inner.expressions) != 1 or inner.args.get("on"):
            raise NotPortable(ARGUMENT, f"`{words(node)}` is not proven on Spark", node)
        return inner.expressions[0], "DISTINCT "
    return inner, ""


def _result(writer: Writer, node: exp.Expr, nodes: Sequence[exp.Expr], values: Sequence[Typed]) -> str:
    return writer.type_of(node, {id(n): v for n, v in zip(nodes, values, strict=True)})


@rule(exp.Count, args=("this",))
def _count(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    tail = writer.take_tail()
    if isinstance(node.this, exp.Star) or node.this is None:
        inner = f"CASE WHEN {tail.where} THEN 1 END" if tail.where else "1"
        return Typed(f"COUNT({inner}){tail.over}", "BIGINT")
    inner_node, distinct = _plain(node)
    value = writer.write(inner_node, scope)
    if distinct and tail.over:
        raise NotPortable(FUNCTION, "`count(DISTINCT ...)` over a window is not proven on Spark", node, "count in a CTE, and join it")
    return Typed(f"COUNT({distinct}{_kept(value.sql, tail)}){tail.over}", "BIGINT")


@rule(exp.CountIf)
def _count_if(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    tail = writer.take_tail()
    test = truth(writer, node.this, scope)
    kind = writer.asked("count_if(a0)", ["BOOLEAN"], node)
    return Typed(f"CAST(COUNT(CASE WHEN {_both(test, tail.where)} THEN 1 END){tail.over} AS {spark_type(kind)})", kind)


def _both(test: str, where: str) -> str:
    return f"({test}) AND ({where})" if where else test


@rule(exp.Sum)
def _sum(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    tail = writer.take_tail()
    inner, distinct = _plain(node)
    value = writer.write(inner, scope)
    kind = _result(writer, node, [inner], [value])
    if value.type == "BOOLEAN":
        value = cast(value, "INTEGER")
    if not is_number(value.type) or (distinct and tail.over):
        raise NotPortable(FUNCTION, f"`{words(node)}` of {value.type} is not proven on Spark", node, "cast it to a number")
    if value.type == "BIGINT":
        value = cast(value, "DECIMAL(19,0)")
    if value.type == "FLOAT":
        value = cast(value, "DOUBLE")
    return Typed(f"CAST(SUM({distinct}{_kept(value.sql, tail)}){tail.over} AS {spark_type(kind)})", kind)


@rule(exp.Avg)
def _avg(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    """The exact sum of whole numbers and decimals, divided once, as DuckDB does it; of floating point the engine's own."""
    tail = writer.take_tail()
    inner, distinct = _plain(node)
    value = writer.write(inner, scope)
    kind = _result(writer, node, [inner], [value])
    if kind != "DOUBLE" or not is_number(value.type) or (distinct and tail.over):
        raise NotPortable(FUNCTION, f"`{words(node)}` of {value.type} is not proven on Spark", node, "cast it to a number")
    if is_float(value.type):
        return Typed(f"AVG({distinct}{_kept(cast(value, 'DOUBLE').sql, tail)}){tail.over}", kind)
    kept = _kept(value.sql, tail)
    scale = digits(value.type)[1]
    if scale:
        width = digits(value.type)[0]
        if width + scale > 37:
            raise NotPortable(FUNCTION, f"`avg` of {value.type} is not proven on Spark", node, "cast it to a smaller DECIMAL, or to DOUBLE")
        kept = f"CAST({kept} * CAST(1e{scale} AS DECIMAL({scale + 1},0)) AS DECIMAL({width + scale},0))"
    elif value.type == "BIGINT":
        kept = f"CAST({kept} AS DECIMAL(19,0))"
    total = f"CAST(SUM({distinct}{kept}){tail.over} AS DOUBLE)"
    count = f"COUNT({distinct}{kept}){tail.over}"
    return Typed(f"({total} / NULLIF({count}{f' * 1e{scale}D' if scale else ''}, 0))", kind)


@rule(exp.Min, exp.Max)
def _least(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    tail = writer.take_tail()
    inner, _ = _plain(node)
    value = writer.write(inner, scope)
    if is_list(value.type) or value.type.startswith(("STRUCT", "MAP")) or value.type in {"INTERVAL", "BLOB"}:
        raise NotPortable(FUNCTION, f"`{words(node)}` of {value.type} is not proven on Spark", node)
    return Typed(f"{'MIN' if isinstance(node, exp.Min) else 'MAX'}({_kept(value.sql, tail)}){tail.over}", value.type)


@rule(exp.LogicalAnd, exp.LogicalOr)
def _every(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    tail = writer.take_tail()
    test = truth(writer, node.this, scope)
    return Typed(f"{'BOOL_AND' if isinstance(node, exp.LogicalAnd) else 'BOOL_OR'}({_kept(test, tail)}){tail.over}", "BOOLEAN")


SPREAD: dict[type[exp.Expr], str] = {
    exp.Stddev: "STDDEV_SAMP",
    exp.StddevSamp: "STDDEV_SAMP",
    exp.StddevPop: "STDDEV_POP",
    exp.Variance: "VAR_SAMP",
    exp.VariancePop: "VAR_POP",
}


@rule(*SPREAD)
def _spread(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    tail = writer.take_tail()
    value = cast(_number(writer.write(node.this, scope), node), "DOUBLE")
    return Typed(f"{SPREAD[type(node)]}({_kept(value.sql, tail)}){tail.over}", "DOUBLE")


def _number(value: Typed, node: exp.Expr) -> Typed:
    if not is_number(value.type):
        raise NotPortable(FUNCTION, f"`{words(node)}` of {value.type} is not proven on Spark", node, "cast it to a number")
    return value


PAIRS: dict[type[exp.Expr], str] = {exp.Corr: "CORR", exp.CovarSamp: "COVAR_SAMP", exp.CovarPop: "COVAR_POP"}


@rule(*PAIRS, args=("this", "expression"))
def _pair(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    tail = writer.take_tail()
    first, second = (cast(_number(v, node), "DOUBLE").sql for v in writer.kids([node.this, node.expression], scope))
    made = f"{PAIRS[type(node)]}({_kept(first, tail)}, {second}){tail.over}"
    if isinstance(node, exp.Corr):  # where all values of a side are the same, DuckDB says that it is no number
        pairs = f"COUNT({_kept(first, Tail(_both(f'{second} IS NOT NULL', tail.where)))}){tail.over}"
        made = f"CASE WHEN {pairs} > 0 THEN COALESCE({made}, CAST('NaN' AS DOUBLE)) END"
    return Typed(made, "DOUBLE")


@rule(exp.Median)
def _median(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    return _quantile(writer, node, node.this, "0.5", scope)


@rule(exp.PercentileCont, args=("this", "expression"))
def _percentile(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    share = node.expression
    if not isinstance(share, exp.Literal) or share.is_string or not 0 <= float(str(share.this)) <= 1:
        raise NotPortable(ARGUMENT, f"`{words(node)}` is not proven on Spark", node, "write the share as a number from 0 to 1")
    return _quantile(writer, node, node.this, str(share.this), scope)


def _quantile(writer: Writer, node: exp.Expr, inner: exp.Expr, share: str, scope: Scope) -> Typed:
    """Between the two values beside the place, in the formula of DuckDB: `low + (high - low) * rest`."""
    tail = writer.take_tail()
    value = writer.write(inner, scope)
    if not (is_whole(value.type) or value.type == "DOUBLE"):
        raise NotPortable(FUNCTION, f"`{words(node)}` of {value.type} is not proven on Spark", node, "cast it to DOUBLE")
    all_of = f"COLLECT_LIST({_kept(cast(value, 'DOUBLE').sql, tail)}){tail.over}"
    place = f"((SIZE(a) - 1) * {share}D)"
    low = f"ELEMENT_AT(a, CAST(FLOOR({place}) AS INT) + 1)"
    high = f"ELEMENT_AT(a, CAST(CEIL({place}) AS INT) + 1)"
    found = f"CASE WHEN SIZE(a) = 0 THEN NULL WHEN {low} = {high} THEN {low} ELSE {low} + ({high} - {low}) * ({place} - FLOOR({place})) END"
    return Typed(f"TRANSFORM(ARRAY(SORT_ARRAY({all_of})), a -> {found})[0]", "DOUBLE")


@rule(exp.Mode)
def _mode(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    tail = writer.take_tail()
    inner = node.this
    if not isinstance(inner, exp.Order) or len(inner.expressions) != 1 or inner.expressions[0].args.get("desc"):
        raise NotPortable(ORDER, "`mode(x)` takes any of several that are as frequent", node, "write `mode(x ORDER BY x)`")
    if inner.expressions[0].this.sql("duckdb") != inner.this.sql("duckdb"):
        raise NotPortable(ORDER, f"`{words(node)}` is not proven on Spark", node, "write `mode(x ORDER BY x)`")
    value = writer.write(inner.this, scope)
    if tail.over or is_list(value.type):
        raise NotPortable(FUNCTION, f"`{words(node)}` over a window is not proven on Spark", node)
    return Typed(f"MODE({_kept(value.sql, tail)}, true)", value.type)


@rule(exp.ArgMax, exp.ArgMin, args=("this", "expression"))
def _arg_max(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    tail = writer.take_tail()
    value, by = writer.kids([node.this, node.expression], scope)
    by_kept = _kept(by.sql, Tail(_both(f"{value.sql} IS NOT NULL", tail.where)))
    name = "MAX_BY" if isinstance(node, exp.ArgMax) else "MIN_BY"
    return Typed(f"{name}({value.sql}, {by_kept}){tail.over}", value.type)


def gathered(writer: Writer, node: exp.Expr, scope: Scope, *, nulls: bool = True) -> tuple[str, Typed]:
    """The values of an aggregate in the order that it names, as an array; they must name one."""
    tail = writer.take_tail()
    inner = node.this
    if not isinstance(inner, exp.Order):
        raise NotPortable(ORDER, f"`{words(node)}` without ORDER BY has another order on Spark", node, _with_order(node))
    value = writer.write(inner.this, scope)
    keys = [writer.write(t.this, scope) for t in inner.expressions]
    parts = [f"'v', {value.sql}", *(f"'k{i}', {k.sql}" for i, k in enumerate(keys))]
    struct = f"NAMED_STRUCT({', '.join(parts)})"
    wanted = tail.where if nulls else _both(f"{value.sql} IS NOT NULL", tail.where)
    all_of = f"COLLECT_LIST({_kept(struct, Tail(wanted))}){tail.over}"
    rows = f"ARRAY_SORT({all_of}, (l, r) -> {_compared(inner.expressions)})"
    return f"TRANSFORM({rows}, e -> e.v)", value


def _with_order(node: exp.Expr) -> str:
    return f"write `{type(node).key if isinstance(node, exp.First) else words(node).split('(')[0]}(x ORDER BY y)`"


def _compared(terms: Sequence[exp.Expr]) -> str:
    whens = []
    for number, term in enumerate(terms):
        left, right = f"l.k{number}", f"r.k{number}"
        first = -1 if term.args.get("nulls_first") else 1
        less = 1 if term.args.get("desc") else -1
        whens += [
            f"WHEN {left} IS NULL AND {right} IS NOT NULL THEN {first}",
            f"WHEN {left} IS NOT NULL AND {right} IS NULL THEN {-first}",
            f"WHEN {left} < {right} THEN {less}",
            f"WHEN {left} > {right} THEN {-less}",
        ]
    return f"CASE {' '.join(whens)} ELSE 0 END"


@rule(exp.ArrayAgg, args=("this", "nulls_excluded"))
def _list(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    if node.args.get("nulls_excluded"):
        raise NotPortable(ARGUMENT, f"`{words(node)}` is not proven on Spark", node)
    array, value = gathered(writer, node, scope)
    return Typed(f"TRANSFORM(ARRAY({array}), a -> CASE WHEN SIZE(a) > 0 THEN a END)[0]", f"{value.type}[]")


@rule(exp.GroupConcat, args=("this", "separator"))
def _string_agg(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    separator = writer.write(node.args["separator"], scope).sql if node.args.get("separator") else "','"
    array, value = gathered(writer, node, scope, nulls=False)
    if value.type != "VARCHAR":
        raise NotPortable(FUNCTION, f"`string_agg` of {value.type} is not proven on Spark", node, "cast it to VARCHAR")
    return Typed(f"TRANSFORM(ARRAY({array}), a -> CASE WHEN SIZE(a) > 0 THEN ARRAY_JOIN(a, {separator}) END)[0]", "VARCHAR")


@rule(exp.First, exp.Last)
def _first(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    array, value = gathered(writer, node, scope)
    return Typed(f"TRY_ELEMENT_AT({array}, {1 if isinstance(node, exp.First) else -1})", value.type)


def mean(total: str, count: str) -> str:
    """A quotient of two that may be none."""
    return divided(total, count, "DOUBLE", signed=False)


__all__ = ["NULL", "gathered", "is_decimal", "mean", "shown"]
