"""Lists, structs, and the rows that are made of lists."""

from __future__ import annotations

from sqlglot import exp

from xde.connectors.spark.portable.binding import bound
from xde.connectors.spark.portable.casts import coerced
from xde.connectors.spark.portable.moments import interval, unit_of
from xde.connectors.spark.portable.operators import together, truth
from xde.connectors.spark.portable.refusing import ARGUMENT, CLAUSE, FUNCTION, NotPortable
from xde.connectors.spark.portable.scope import Scope, Typed, fields
from xde.connectors.spark.portable.types import NULL, element, is_list, is_moment, is_whole, text, ticked
from xde.connectors.spark.portable.writer import Writer, named, rule, words


@rule(exp.Array, args=("expressions",))
def _array(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    values, kind = together(writer, writer.kids(node.expressions, scope), node.expressions)
    if not values:
        raise NotPortable(ARGUMENT, "an empty list has no type on Spark", node, "leave it NULL")
    return Typed(f"ARRAY({', '.join(v.sql for v in values)})", f"{kind}[]")


def _a_list(value: Typed, node: exp.Expr) -> Typed:
    if not is_list(value.type):
        raise NotPortable(FUNCTION, f"`{words(node)}` of {value.type} is not proven on Spark", node)
    return value


@rule(exp.Bracket, args=("this", "expressions", "offset", "returns_list_for_maps"))
def _element(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    if len(node.expressions) != 1 or isinstance(node.expressions[0], exp.Slice):
        raise NotPortable(FUNCTION, f"`{words(node)}` is not proven on Spark", node, "use list_filter")
    value = _a_list(writer.write(node.this, scope), node)
    place = _place(node.expressions[0])
    if place is None:
        raise NotPortable(ARGUMENT, f"`{words(node)}` is not proven on Spark", node, "write the place as a number")
    if place == 0:
        return Typed(f"CAST(NULL AS {_spark(element(value.type))})", element(value.type))
    return Typed(f"TRY_ELEMENT_AT({value.sql}, {place})", element(value.type))


def _spark(kind: str) -> str:
    from xde.connectors.spark.portable.types import spark_type

    return spark_type(kind) or "VOID"


def _place(node: exp.Expr) -> int | None:
    """As written: the parser counts one less."""
    if isinstance(node, exp.Neg) and isinstance(node.this, exp.Literal):
        return 1 - int(str(node.this.this))
    if isinstance(node, exp.Literal) and not node.is_string:
        return int(str(node.this)) + 1
    return None


@rule(exp.ArrayContains, args=("this", "expression"))
def _contains(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    """DuckDB: NULL if the list is; a NULL that is looked for is never found."""
    value, wanted = writer.kids([node.this, node.expression], scope)
    kind = element(_a_list(value, node).type)
    sought = coerced(wanted, kind).sql
    found = "CASE WHEN {0} IS NULL OR {1} IS NULL THEN NULL ELSE COALESCE(ARRAY_CONTAINS({0}, {1}), false) END"
    return Typed(bound(value.sql, lambda v: bound(sought, lambda s: found.format(v, s))), "BOOLEAN")


def size(value: Typed) -> Typed:
    """How many elements."""
    return Typed(bound(value.sql, lambda v: f"CAST(CASE WHEN {v} IS NULL THEN NULL ELSE SIZE({v}) END AS BIGINT)"), "BIGINT")


@rule(exp.Transform, args=("this", "expression"))
def _transform(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    value, name, inner = _lambda(writer, node, scope)
    body = writer.write(node.expression.this, inner)
    return Typed(f"TRANSFORM({value.sql}, {name} -> {body.sql})", f"{body.type}[]")


@rule(exp.ArrayFilter, args=("this", "expression"))
def _filter(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    value, name, inner = _lambda(writer, node, scope)
    return Typed(f"FILTER({value.sql}, {name} -> {truth(writer, node.expression.this, inner)})", value.type)


def _lambda(writer: Writer, node: exp.Expr, scope: Scope) -> tuple[Typed, str, Scope]:
    value = _a_list(writer.write(node.this, scope), node)
    given = node.expression
    if not isinstance(given, exp.Lambda) or len(given.expressions) != 1:
        raise NotPortable(FUNCTION, f"`{words(node)}` is not proven on Spark", node, "write a lambda of one parameter")
    name = given.expressions[0].name.lower()
    if scope.resolve([name]) is not None or name in scope.lambdas:
        raise NotPortable(ARGUMENT, f"`{name}` is the name of a column too", given, "give the parameter a name of its own")
    return value, ticked(name), Scope(scope, lambdas={name: element(value.type)})


@rule(exp.ArraySum, exp.ArrayMin, exp.ArrayMax)
def _folded(_: Writer, node: exp.Expr, __: Scope) -> Typed:
    raise NotPortable(FUNCTION, f"`{words(node)}` is not proven on Spark", node, "unnest the list and aggregate")


@rule(exp.Struct, args=("expressions",))
def _struct(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    names, values = [], []
    for given in node.expressions:
        if not isinstance(given, exp.PropertyEQ):
            raise NotPortable(FUNCTION, f"`{words(node)}` is not proven on Spark", node, "write `{'name': value}`")
        names.append(given.this.name)
        values.append(writer.write(given.expression, scope))
    inner = ", ".join(f"{text(n)}, {v.sql}" for n, v in zip(names, values, strict=True))
    kinds = writer.type_of(node, {id(g.expression): v for g, v in zip(node.expressions, values, strict=True)})
    return Typed(f"NAMED_STRUCT({inner})", kinds)


@rule(exp.StructExtract, args=("this", "expression"))
def _field(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    return fields(writer.write(node.this, scope), [node.expression.name])


@rule(exp.Dot, args=("this", "expression"))
def _dot(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    if not isinstance(node.expression, exp.Identifier):
        raise NotPortable(FUNCTION, f"`{words(node)}` is not proven on Spark", node, "write the function around its argument")
    return fields(writer.write(node.this, scope), [node.expression.name])


def opened_list(value: Typed) -> str:
    """The type of the rows that a list gives."""
    if not is_list(value.type):
        raise NotPortable(FUNCTION, f"`unnest` of {value.type} is not proven on Spark", hint="unnest a list")
    return element(value.type)


@rule(exp.Explode, exp.Unnest, args=("this", "expressions"))
def _unnest(writer: Writer, node: exp.Expr, _: Scope) -> Typed:
    """Spark opens a list in FROM, or as a column of its own: see `unnesting`."""
    opened = writer.opened.get(id(node))
    if opened is not None:
        return opened
    raise NotPortable(CLAUSE, "`unnest` is not proven on Spark in this place", node, "unnest in FROM or in the select list of a CTE")


def unnested(node: exp.Expr) -> exp.Expr:
    """What `unnest` opens."""
    found: exp.Expr = node.this if isinstance(node, exp.Explode) else node.expressions[0]
    if isinstance(node, exp.Unnest) and len(node.expressions) != 1:
        raise NotPortable(CLAUSE, "`unnest` of several lists is not proven on Spark", node, "unnest one after the other")
    return found


@rule(exp.GenerateSeries, args=("start", "end", "step", "is_end_exclusive"))
def _series(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    return series(writer, node, scope)


def series(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    """Numbers or moments from one to another; none where the end lies before the start."""
    start, end = writer.kids([node.args["start"], node.args["end"]], scope)
    if is_whole(start.type) and is_whole(end.type):
        if node.args.get("step") and str(node.args["step"].sql()) != "1":
            raise NotPortable(ARGUMENT, "a series with a step is not proven on Spark", node, "multiply the numbers of a series of step 1")
        low, high = coerced(start, "BIGINT").sql, coerced(end, "BIGINT").sql
        last = f"({high} - 1L)" if node.args.get("is_end_exclusive") else high
        step, kind = "1L", "BIGINT"
    else:
        step = _step(node)
        kind = "TIMESTAMP" if "DATE" in {start.type, end.type} or start.constant else start.type
        if not (is_moment(start.type) or start.constant) or NULL in {start.type, end.type}:
            raise NotPortable(FUNCTION, f"`{words(node)}` is not proven on Spark", node)
        low, last = coerced(start, kind).sql, coerced(end, kind).sql
    within = (
        "FILTER(SEQUENCE({0}, {1}, {2}), e -> e < {1})"
        if kind != "BIGINT" and node.args.get("is_end_exclusive")
        else "SEQUENCE({0}, {1}, {2})"
    )
    made = "CASE WHEN {0} <= {1} THEN " + within + " WHEN {0} > {1} THEN FILTER(ARRAY({0}), e -> false) END"
    return Typed(bound(low, lambda a: bound(last, lambda b: made.format(a, b, step))), f"{kind}[]")


def _step(node: exp.Expr) -> str:
    step = node.args.get("step")
    if not isinstance(step, exp.Interval) or not isinstance(step.this, exp.Literal) or not step.args.get("unit"):
        raise NotPortable(ARGUMENT, f"`{words(node)}` is not proven on Spark", node, "write the step as `INTERVAL 1 DAY`")
    if not str(step.this.this).isdigit() or str(step.this.this) == "0":
        raise NotPortable(ARGUMENT, f"`{words(node)}` is not proven on Spark", node, "let the step go forward")
    unit = unit_of(step.args["unit"])
    if unit in {"YEAR", "QUARTER", "MONTH"} and not _first_of_month(node.args["start"]):
        hint = "begin it with `date_trunc('month', ...)`"
        raise NotPortable(ARGUMENT, "a series by month from any day takes other ends of months on Spark", node, hint)
    return interval(unit, str(step.this.this))


def _first_of_month(node: exp.Expr) -> bool:
    """Whether a moment is the first of a month, as far as the text tells."""
    plain = node.unnest()
    if isinstance(plain, exp.Cast):
        return _first_of_month(plain.this)
    if isinstance(plain, exp.Literal):
        return str(plain.this)[8:10] == "01"
    return isinstance(plain, (exp.TimestampTrunc, exp.DateTrunc)) and unit_of(plain.args["unit"]) in {"YEAR", "QUARTER", "MONTH"}


@named("list_concat", "list_cat", "array_concat")
def _list_concat(_: Writer, node: exp.Expr, __: Scope) -> Typed:
    raise NotPortable(FUNCTION, "`list_concat` is not proven on Spark", node, "unnest, and gather with list(x ORDER BY y)")


@rule(exp.Flatten)
def _flatten(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    value = _a_list(writer.write(node.this, scope), node)
    if not is_list(element(value.type)):
        raise NotPortable(FUNCTION, f"`flatten` of {value.type} is not proven on Spark", node)
    return Typed(f"FLATTEN(FILTER({value.sql}, e -> e IS NOT NULL))", element(value.type))


@rule(exp.ArrayToString, args=("this", "expression"))
def _joined(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    value, separator = writer.kids([node.this, node.expression], scope)
    if value.type != "VARCHAR[]":
        raise NotPortable(FUNCTION, f"`array_to_string` of {value.type} is not proven on Spark", node, "cast the elements to VARCHAR")
    return Typed(f"ARRAY_JOIN({value.sql}, {separator.sql})", "VARCHAR")
