"""Functions of numbers."""

from __future__ import annotations

from sqlglot import exp

from xde.connectors.spark.portable.binding import bound
from xde.connectors.spark.portable.casts import cast, coerced
from xde.connectors.spark.portable.refusing import ARGUMENT, FUNCTION, NotPortable
from xde.connectors.spark.portable.scope import Scope, Typed
from xde.connectors.spark.portable.types import digits, is_decimal, is_float, is_number, spark_type
from xde.connectors.spark.portable.writer import Writer, rule, words

LARGE = "4503599627370496D"  # from here on a DOUBLE has no fraction


def _number(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    value = writer.write(node.this, scope)
    if not is_number(value.type):
        raise NotPortable(FUNCTION, f"`{words(node)}` of {value.type} is not proven on Spark", node, "cast it to a number")
    return value


@rule(exp.Abs)
def _abs(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    value = _number(writer, node, scope)
    return Typed(f"ABS({value.sql})", value.type)


@rule(exp.Sign)
def _sign(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    value = _number(writer, node, scope)
    return Typed(f"CAST(SIGN({value.sql}) AS TINYINT)", "TINYINT")


@rule(exp.Ceil, exp.Floor)
def _ceil(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    value = _number(writer, node, scope)
    kind = writer.type_of(node, {id(node.this): value})
    name = "CEIL" if isinstance(node, exp.Ceil) else "FLOOR"
    if is_float(value.type):
        made = bound(value.sql, lambda x: f"CASE WHEN ABS({x}) < {LARGE} THEN CAST({name}({x}) AS {spark_type(kind)}) ELSE {x} END")
        return Typed(made, kind)
    return Typed(f"CAST({name}({value.sql}) AS {spark_type(kind)})", kind)


@rule(exp.Round, args=("this", "decimals"))
def _round(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    """Half away from zero; of floating point as DuckDB does it: times a power of ten, rounded, divided again."""
    value = _number(writer, node, scope)
    given = node.args.get("decimals")
    if given is not None and not (isinstance(given, exp.Literal) and str(given.this).isdigit()):
        raise NotPortable(ARGUMENT, f"`{words(node)}` is not proven on Spark", node, "round to a count of digits written in the text")
    places = int(str(given.this)) if given is not None else 0
    kind = writer.type_of(node, {id(node.this): value})
    if is_float(value.type):
        whole = f"CAST({value.sql} AS DOUBLE)"
        rounded = f"(ROUND({whole} * 1e{places}D) / 1e{places}D)" if places else f"ROUND({whole})"
        return Typed(f"CAST({rounded} AS {spark_type(kind)})", kind)
    if is_decimal(value.type):
        return Typed(f"CAST(ROUND({value.sql}, {min(places, digits(value.type)[1])}) AS {spark_type(kind)})", kind)
    return Typed(cast(value, kind).sql, kind)


@rule(exp.Ln, args=("this",))
def _ln(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    return _logarithm("LN", _number(writer, node, scope))


@rule(exp.Log, args=("this", "expression"))
def _log(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    """DuckDB: `log(x)` is of base ten; `log2` comes as `log(2, x)`."""
    if node.args.get("expression") is None:
        return _logarithm("LOG10", _number(writer, node, scope))
    base = node.this
    if not isinstance(base, exp.Literal) or str(base.this) not in {"2", "10"} or not node.sql("duckdb").lower().startswith("log("):
        raise NotPortable(FUNCTION, f"`{words(node)}` is not proven on Spark", node, "write `ln(x) / ln(base)`")
    value = writer.write(node.expression, scope)
    if not is_number(value.type):
        raise NotPortable(FUNCTION, f"`{words(node)}` of {value.type} is not proven on Spark", node)
    return _logarithm(f"LOG{base.this}", value)


def _logarithm(name: str, value: Typed) -> Typed:
    edges = "WHEN {0} = 0 THEN CAST('-Infinity' AS DOUBLE) WHEN {0} < 0 THEN CAST('NaN' AS DOUBLE)"
    return Typed(bound(cast(value, "DOUBLE").sql, lambda x: f"CASE {edges.format(x)} ELSE {name}({x}) END"), "DOUBLE")


@rule(exp.Exp, exp.Sqrt, exp.Cbrt)
def _of_double(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    value = cast(_number(writer, node, scope), "DOUBLE").sql
    return Typed(f"{type(node).__name__.upper()}({value})", "DOUBLE")


ANGLES: dict[type[exp.Expr], str] = {exp.Sin: "SIN", exp.Cos: "COS", exp.Tan: "TAN", exp.Asin: "ASIN", exp.Acos: "ACOS", exp.Atan: "ATAN"}


@rule(*ANGLES)
def _angle(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    """Where DuckDB has an error, out of the domain, this has one too."""
    value = cast(_number(writer, node, scope), "DOUBLE").sql
    name = ANGLES[type(node)]
    outside = {"ASIN": "ABS({0}) > 1", "ACOS": "ABS({0}) > 1", "ATAN": "false"}.get(name, "ABS({0}) = CAST('Infinity' AS DOUBLE)")
    stop = f"RAISE_ERROR('xde: {name.lower()} of a number outside of its domain')"
    return Typed(bound(value, lambda x: f"CASE WHEN {outside.format(x)} AND NOT ISNAN({x}) THEN {stop} ELSE {name}({x}) END"), "DOUBLE")


@rule(exp.Degrees, exp.Radians)
def _degrees(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    value = cast(_number(writer, node, scope), "DOUBLE").sql
    return Typed(f"{type(node).__name__.upper()}({value})", "DOUBLE")


@rule(exp.Pow, args=("this", "expression"))
def _pow(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    left, right = writer.kids([node.this, node.expression], scope)
    kind = writer.type_of(node, {id(node.this): left, id(node.expression): right})
    if kind != "DOUBLE" or not (is_number(left.type) and is_number(right.type)):
        raise NotPortable(FUNCTION, f"`{words(node)}` of {left.type} and {right.type} is not proven on Spark", node, "cast both to DOUBLE")
    return Typed(f"POWER({coerced(left, kind).sql}, {coerced(right, kind).sql})", kind)


@rule(exp.IsNan, exp.IsInf)
def _is_nan(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    value = _number(writer, node, scope)
    if not is_float(value.type):
        raise NotPortable(FUNCTION, f"`{words(node)}` of {value.type} is not proven on Spark", node)
    if isinstance(node, exp.IsNan):
        return Typed(f"CASE WHEN {value.sql} IS NOT NULL THEN ISNAN({value.sql}) END", "BOOLEAN")
    return Typed(f"(ABS({value.sql}) = CAST('Infinity' AS {spark_type(value.type)}))", "BOOLEAN")


@rule(exp.Pi, args=())
def _pi(_: Writer, __: exp.Expr, ___: Scope) -> Typed:
    return Typed("PI()", "DOUBLE")
