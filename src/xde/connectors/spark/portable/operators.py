"""Arithmetic, comparison and logic."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from xde.connectors.spark.portable.binding import bound
from xde.connectors.spark.portable.casts import coerced, shown
from xde.connectors.spark.portable.moments import add, subtract, times
from xde.connectors.spark.portable.refusing import ARGUMENT, CAST, FUNCTION, NotPortable
from xde.connectors.spark.portable.scope import Scope, Typed
from xde.connectors.spark.portable.types import NULL, digits, is_decimal, is_float, is_list, is_moment, is_number, is_whole, spark_type
from xde.connectors.spark.portable.writer import Writer, rule, words

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SIGNS: dict[type[exp.Expr], str] = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Mod: "%"}
COMPARED: dict[type[exp.Expr], str] = {exp.EQ: "=", exp.NEQ: "<>", exp.LT: "<", exp.LTE: "<=", exp.GT: ">", exp.GTE: ">="}


@rule(exp.Add, exp.Sub, exp.Mul, exp.Mod, args=("this", "expression"))
def _arithmetic(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    left, right = writer.write(node.this, scope), writer.write(node.expression, scope)
    if any(is_moment(k.type) or k.type == "INTERVAL" for k in (left, right)):
        return MOVES.get(type(node), _no_moment)(writer, node, left, right)
    kind = writer.type_of(node, {id(node.this): left, id(node.expression): right})
    return arithmetic(SIGNS[type(node)], kind, left, right)


def _no_moment(_: Writer, node: exp.Expr, __: Typed, ___: Typed) -> Typed:
    raise NotPortable(FUNCTION, f"`{words(node)}` is not proven on Spark", node)


MOVES: dict[type[exp.Expr], Callable[[Writer, exp.Expr, Typed, Typed], Typed]] = {exp.Add: add, exp.Sub: subtract, exp.Mul: times}


def arithmetic(sign: str, kind: str, left: Typed, right: Typed) -> Typed:
    """An operator of numbers, whose result DuckDB gives as `kind`."""
    if not all(is_number(k.type) or k.type == NULL for k in (left, right)) or not is_number(kind):
        raise NotPortable(CAST, f"`{sign}` between {left.type} and {right.type} is not proven on Spark", hint="cast both to a number")
    if is_decimal(kind):
        return _decimal(sign, kind, left, right)
    left, right = coerced(left, kind), coerced(right, kind)
    return Typed(f"CAST(({left.sql} {sign} {right.sql}) AS {spark_type(kind)})", kind)


def _decimal(sign: str, kind: str, left: Typed, right: Typed) -> Typed:
    sides = [
        s if is_decimal(s.type) else coerced(s, kind if s.type == NULL else "DECIMAL({},{})".format(*digits(s.type))) for s in (left, right)
    ]
    sides = _narrowed(sides) if sign == "*" else sides
    (p1, s1), (p2, s2) = (digits(s.type) for s in sides)
    if sign == "*":
        width, scale = p1 + p2 + 1, s1 + s2
    elif sign == "%":
        width, scale = min(p1 - s1, p2 - s2) + max(s1, s2), max(s1, s2)
    else:
        width, scale = max(p1 - s1, p2 - s2) + max(s1, s2) + 1, max(s1, s2)
    kept = scale if width <= 38 else max(38 - (width - scale), min(scale, 6))
    if kept < scale:
        what = f"{left.type} {sign} {right.type} has more digits than Spark keeps"
        raise NotPortable(CAST, what, hint="cast the two sides to smaller decimals, such as DECIMAL(18, 2), first")
    return Typed(f"CAST(({sides[0].sql} {sign} {sides[1].sql}) AS {spark_type(kind)})", kind)


def _narrowed(sides: Sequence[Typed]) -> list[Typed]:
    """The wider side of a product cast down so that all digits are kept; a number that is longer stops the run."""
    (p1, s1), (p2, s2) = (digits(s.type) for s in sides)
    at = 0 if p1 >= p2 else 1
    scale, room = (s1, s2)[at], 37 - min(p1, p2)
    if p1 + p2 < 38 or min(s1 + s2, 6) == s1 + s2 or room < scale + 12:
        return list(sides)
    kind = f"DECIMAL({room},{scale})"
    return [Typed(f"CAST({s.sql} AS {kind})", kind) if i == at else s for i, s in enumerate(sides)]


@rule(exp.Div, args=("this", "expression"))
def _divide(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    """In DuckDB `/` is always of floating point, and a division by zero is infinite or no number."""
    left, right = writer.write(node.this, scope), writer.write(node.expression, scope)
    kind = writer.type_of(node, {id(node.this): left, id(node.expression): right})
    if not is_float(kind):
        raise NotPortable(CAST, f"`/` between {left.type} and {right.type} is not proven on Spark", hint="cast both to DOUBLE")
    wide, narrow = coerced(left, kind).sql, coerced(right, kind).sql
    if _never_zero(node.expression):
        return Typed(f"({wide} / {narrow})", kind)
    return Typed(divided(wide, narrow, kind, signed=is_float(right.type)), kind)


def divided(left: str, right: str, kind: str, *, signed: bool = True) -> str:
    """A division that is infinite, or no number, where Spark's is an error."""
    return bound(left, lambda a: bound(right, lambda b: _divided(a, b, kind, signed=signed)))


def _divided(left: str, right: str, kind: str, *, signed: bool) -> str:
    spark = spark_type(kind)
    zero = f"IF(CAST({right} AS STRING) = '-0.0', -1D, 1D)" if signed else "1D"
    infinite = (
        f"CASE WHEN {left} * {zero} > 0 AND NOT ISNAN({left}) THEN 'Infinity' WHEN {left} * {zero} < 0 THEN '-Infinity' ELSE 'NaN' END"
    )
    zeros = f"WHEN {left} IS NULL OR {right} IS NULL THEN NULL WHEN {right} = 0 THEN CAST({infinite} AS {spark})"
    return f"CASE {zeros} ELSE {left} / NULLIF({right}, 0) END"


def _never_zero(node: exp.Expr) -> bool:
    if isinstance(node, exp.Literal) and not node.is_string:
        return float(str(node.this)) != 0
    if isinstance(node, exp.Nullif):
        zero = node.expression
        return isinstance(zero, exp.Literal) and not zero.is_string and float(str(zero.this)) == 0
    return isinstance(node, exp.Paren) and _never_zero(node.this)


@rule(exp.IntDiv, args=("this", "expression"))
def _whole_division(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    left, right = writer.write(node.this, scope), writer.write(node.expression, scope)
    kind = writer.type_of(node, {id(node.this): left, id(node.expression): right})
    if not (is_whole(kind) and kind != "HUGEINT"):
        raise NotPortable(CAST, f"`//` between {left.type} and {right.type} is not proven on Spark", hint="cast both to BIGINT")
    return Typed(f"CAST(({coerced(left, kind).sql} DIV {coerced(right, kind).sql}) AS {spark_type(kind)})", kind)


@rule(exp.Neg)
def _negative(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    value = writer.write(node.this, scope)
    kind = writer.type_of(node, {id(node.this): value})
    if not is_number(kind):
        raise NotPortable(FUNCTION, f"`-` of {value.type} is not proven on Spark", node)
    return Typed(f"(- {coerced(value, kind).sql})", kind, value.constant)


def together(writer: Writer, values: Sequence[Typed], nodes: Sequence[exp.Expr]) -> tuple[list[Typed], str]:
    """Values of one type, as a list of them has it: what is compared, chosen between or put in a row."""
    kinds = {v.type for v in values if v.type != NULL and not (v.constant and v.type == "VARCHAR")}
    if len(kinds) == 1 and all(v.type in kinds | {NULL} or (v.constant and v.type == "VARCHAR") for v in values):
        kind = kinds.pop()
    else:
        shown_as = [n.sql("duckdb") if v.constant else f"a{i}" for i, (n, v) in enumerate(zip(nodes, values, strict=True))]
        renumbered: list[str] = []
        types: list[str] = []
        for word, value in zip(shown_as, values, strict=True):
            if value.constant:
                renumbered.append(word)
            else:
                renumbered.append(f"a{len(types)}")
                types.append(value.type)
        whole = writer.asked(f"[{', '.join(renumbered)}]", types)
        kind = whole.removesuffix("[]")
    return [coerced(v, kind) for v in values], kind


@rule(exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, args=("this", "expression"))
def _compare(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    nodes = [node.this, node.expression]
    (left, right), kind = together(writer, writer.kids(nodes, scope), nodes)
    _comparable(kind)
    return Typed(f"({left.sql} {COMPARED[type(node)]} {right.sql})", "BOOLEAN")


def _comparable(kind: str) -> None:
    if kind.startswith(("STRUCT(", "MAP(")) or is_list(kind) or kind == "INTERVAL":
        raise NotPortable(FUNCTION, f"to compare two of {kind} is not proven on Spark", hint="compare their parts")


@rule(exp.NullSafeEQ, exp.NullSafeNEQ, args=("this", "expression"))
def _distinct_from(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    nodes = [node.this, node.expression]
    (left, right), kind = together(writer, writer.kids(nodes, scope), nodes)
    _comparable(kind)
    same = f"({left.sql} <=> {right.sql})"
    return Typed(same if isinstance(node, exp.NullSafeEQ) else f"(NOT {same})", "BOOLEAN")


@rule(exp.Between, args=("this", "low", "high"))
def _between(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    nodes = [node.this, node.args["low"], node.args["high"]]
    values, kind = together(writer, writer.kids(nodes, scope), nodes)
    _comparable(kind)
    return Typed("({} BETWEEN {} AND {})".format(*(v.sql for v in values)), "BOOLEAN")


def truth(writer: Writer, node: exp.Expr, scope: Scope) -> str:
    """A condition."""
    value = writer.write(node, scope)
    if value.type not in {"BOOLEAN", NULL}:
        raise NotPortable(CAST, f"a condition of type {value.type} is not proven on Spark", node, "compare it with a value")
    return value.sql if value.type == "BOOLEAN" else f"CAST({value.sql} AS BOOLEAN)"


@rule(exp.And, exp.Or, args=("this", "expression"))
def _and_or(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    word = "AND" if isinstance(node, exp.And) else "OR"
    return Typed(f"({truth(writer, node.this, scope)} {word} {truth(writer, node.expression, scope)})", "BOOLEAN")


@rule(exp.Not)
def _not(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    return Typed(f"(NOT {truth(writer, node.this, scope)})", "BOOLEAN")


@rule(exp.Is, args=("this", "expression"))
def _is(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    value = writer.write(node.this, scope)
    if isinstance(node.expression, exp.Null):
        return Typed(f"({value.sql} IS NULL)", "BOOLEAN")
    if isinstance(node.expression, exp.Boolean) and value.type in {"BOOLEAN", NULL}:
        return Typed(f"({value.sql} <=> {'true' if node.expression.this else 'false'})", "BOOLEAN")
    raise NotPortable(FUNCTION, f"`{words(node)}` is not proven on Spark", node)


@rule(exp.In, args=("this", "expressions", "query"))
def _in(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    if node.args.get("query"):
        if not _true_or_not(node):
            what = f"`{words(node)}` as a value is false on Spark where DuckDB has NULL"
            raise NotPortable(FUNCTION, what, node, "write it as a condition of WHERE that stands by itself, or as EXISTS")
        sql, kinds = writer.subquery(node.args["query"], scope)
        value = writer.write(node.this, scope)
        if len(kinds) != 1 or kinds[0] != value.type:
            hint = "cast both sides to one type"
            raise NotPortable(CAST, f"`IN` between {value.type} and {', '.join(kinds)} is not proven on Spark", node, hint)
        return Typed(f"({value.sql} IN ({sql}))", "BOOLEAN")
    nodes = [node.this, *node.expressions]
    values, kind = together(writer, writer.kids(nodes, scope), nodes)
    _comparable(kind)
    return Typed(f"({values[0].sql} IN ({', '.join(v.sql for v in values[1:])}))", "BOOLEAN")


def _true_or_not(node: exp.Expr) -> bool:
    """Whether it only matters that a condition is true: there Spark's false in the place of NULL is no difference.

    NOT IN must stand by itself, for there Spark minds NULL.
    """
    part, above = node, node.parent
    while isinstance(above, exp.Paren):
        part, above = above, above.parent
    negated = isinstance(above, exp.Not)
    if negated and above is not None:
        part, above = above, above.parent
    while isinstance(above, (exp.And, exp.Paren) if negated else (exp.And, exp.Or, exp.Paren)):
        part, above = above, above.parent
    if isinstance(above, (exp.Where, exp.Having)) and (not negated or isinstance(above.parent, exp.Select)):
        return True
    if isinstance(above, exp.If) and part.arg_key == "this" and not negated:
        return not (isinstance(above.parent, exp.Case) and above.parent.this)
    return isinstance(above, exp.Qualify) and not negated


@rule(exp.Exists)
def _exists(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    return Typed(f"EXISTS ({writer.subquery(node.this, scope)[0]})", "BOOLEAN")


@rule(exp.Subquery, args=("this", "with_"))
def _scalar(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    sql, kinds = writer.subquery(node.this, scope)
    if len(kinds) != 1:
        raise NotPortable(ARGUMENT, "a query of several columns is no value", node)
    return Typed(f"({sql})", kinds[0])


@rule(exp.Case, args=("this", "ifs", "default"))
def _case(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    whens = node.args["ifs"]
    results = [i.args["true"] for i in whens] + ([node.args["default"]] if node.args.get("default") else [])
    values, kind = together(writer, writer.kids(results, scope), results)
    if node.this:
        tests = [f"({s.sql})" for s in _simple_tests(writer, node.this, [i.this for i in whens], scope)]
    else:
        tests = [truth(writer, i.this, scope) for i in whens]
    body = " ".join(f"WHEN {t} THEN {v.sql}" for t, v in zip(tests, values, strict=False))
    rest = f" ELSE {values[-1].sql}" if node.args.get("default") else ""
    return Typed(f"CASE {body}{rest} END", kind)


def _simple_tests(writer: Writer, subject: exp.Expr, tests: Sequence[exp.Expr], scope: Scope) -> list[Typed]:
    found = []
    for test in tests:
        nodes = [subject, test]
        (left, right), kind = together(writer, writer.kids(nodes, scope), nodes)
        _comparable(kind)
        found.append(Typed(f"{left.sql} = {right.sql}", "BOOLEAN"))
    return found


@rule(exp.If, args=("this", "true", "false"))
def _if(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    results = [node.args["true"]] + ([node.args["false"]] if node.args.get("false") else [])
    values, kind = together(writer, writer.kids(results, scope), results)
    rest = f" ELSE {values[1].sql}" if len(values) > 1 else ""
    return Typed(f"CASE WHEN {truth(writer, node.this, scope)} THEN {values[0].sql}{rest} END", kind)


@rule(exp.Coalesce, args=("this", "expressions"))
def _coalesce(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    nodes = [node.this, *node.expressions]
    values, kind = together(writer, writer.kids(nodes, scope), nodes)
    return Typed(f"COALESCE({', '.join(v.sql for v in values)})", kind)


@rule(exp.Nullif, args=("this", "expression"))
def _nullif(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    nodes = [node.this, node.expression]
    first = writer.write(node.this, scope)
    (left, right), kind = together(writer, writer.kids(nodes, scope), nodes)
    _comparable(kind)
    if left.type != first.type and writer.type_of(node, {id(node.this): first}) != kind:
        raise NotPortable(
            CAST, f"`{words(node)}` compares {first.type} with {right.type}", node, "cast the second to the type of the first"
        )
    return Typed(f"NULLIF({left.sql}, {right.sql})", kind)


@rule(exp.Greatest, exp.Least, args=("this", "expressions", "ignore_nulls"))
def _greatest(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    nodes = [node.this, *node.expressions]
    values, kind = together(writer, writer.kids(nodes, scope), nodes)
    _comparable(kind)
    name = "GREATEST" if isinstance(node, exp.Greatest) else "LEAST"
    return Typed(f"{name}({', '.join(v.sql for v in values)})", kind)


@rule(exp.DPipe, args=("this", "expression"))
def _concatenate(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    left, right = writer.kids([node.this, node.expression], scope)
    if is_list(left.type) or is_list(right.type):
        raise NotPortable(FUNCTION, "`||` of lists is not proven on Spark", node, "write `list_concat`")
    if NULL in {left.type, right.type}:
        return Typed("NULL", writer.type_of(node, {id(node.this): left, id(node.expression): right}))
    return Typed(f"CONCAT({shown(left).sql}, {shown(right).sql})", "VARCHAR")


@rule(exp.BitwiseAnd, exp.BitwiseOr, args=("this", "expression"))
def _bits(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    nodes = [node.this, node.expression]
    values = writer.kids(nodes, scope)
    kind = writer.type_of(node, dict(zip(map(id, nodes), values, strict=True)))
    if not is_whole(kind) or kind == "HUGEINT":
        raise NotPortable(FUNCTION, f"`{words(node)}` of {kind} is not proven on Spark", node)
    sign = "&" if isinstance(node, exp.BitwiseAnd) else "|"
    return Typed(f"({coerced(values[0], kind).sql} {sign} {coerced(values[1], kind).sql})", kind)
