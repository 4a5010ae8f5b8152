"""Expressions written for Spark, part by part: what has no rule is refused, and so is a part of it that its rule does not know.

A rule gets the node and writes it in Spark's words; its type is DuckDB's, asked of DuckDB with the types of its parts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlglot import ErrorLevel, exp

from xde.connectors.spark.portable.refusing import ARGUMENT, FUNCTION, NAME, TYPE, NotPortable
from xde.connectors.spark.portable.scope import Scope, Typed
from xde.connectors.spark.portable.types import NULL, spark_type, ticked

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from xde.connectors.spark.portable.oracle import Oracle

    Rule = Callable[["Writer", exp.Expr, Scope], Typed]

RULES: dict[type[exp.Expr], tuple[Rule, frozenset[str]]] = {}
NAMED: dict[str, Rule] = {}  # functions that SQLGlot has no class for
ANYWAY = frozenset({"big_int", "safe", "typed", "coalesce", "value_constructor", "is_string", "_type", "date_part_boundary"})


class Tail(NamedTuple):
    """What stands behind an aggregate: the condition of FILTER, and the window."""

    where: str = ""
    over: str = ""


def rule(*kinds: type[exp.Expr], args: Collection[str] = ("this",)) -> Callable[[Rule], Rule]:
    """The rule of a kind of node, with the only parts of it that it knows."""

    def keep(function: Rule) -> Rule:
        for kind in kinds:
            RULES[kind] = (function, frozenset(args) | ANYWAY)
        return function

    return keep


def named(*names: str) -> Callable[[Rule], Rule]:
    """The rule of functions by their names."""

    def keep(function: Rule) -> Rule:
        for name in names:
            NAMED[name] = function
        return function

    return keep


class Writer:
    """Writes the expressions of one query."""

    def __init__(
        self, oracle: Oracle, parameters: Mapping[str, Typed], subquery: Callable[[exp.Expr, Scope], tuple[str, list[str]]]
    ) -> None:
        self.oracle = oracle
        self.parameters = parameters
        self.subquery = subquery
        self.tail: Tail | None = None
        self.opened: dict[int, Typed] = {}  # the rows of lists that a select list unnests, by the identity of the node

    def write(self, node: exp.Expr, scope: Scope) -> Typed:
        """An expression in Spark's words."""
        known = RULES.get(type(node))
        if known is None:
            raise NotPortable(FUNCTION, f"`{words(node)}` is not proven to give the same on Spark", node, nearest_way(node))
        function, args = known
        for name, value in node.args.items():
            if value and name not in args:
                raise NotPortable(ARGUMENT, f"`{words(node)}` is not proven on Spark in this form", node, f"leave `{name}` out")
        try:
            return function(self, node, scope)
        except NotPortable as refused:
            if refused.at[0] < 0:
                raise NotPortable(refused.code, refused.what, node, refused.hint, refused.why) from None
            raise

    def kids(self, nodes: Sequence[exp.Expr], scope: Scope) -> list[Typed]:
        """Several, in order."""
        return [self.write(n, scope) for n in nodes]

    def type_of(self, node: exp.Expr, given: Mapping[int, Typed]) -> str:
        """The type of a node whose parts, by their identity, were written."""
        types: list[str] = []

        def swap(value: object) -> object:
            if isinstance(value, list):
                return [swap(v) for v in value]
            if not isinstance(value, exp.Expr):
                return value
            told = given.get(id(value))
            if told is None:
                return type(value)(**{k: swap(v) for k, v in value.args.items()})
            if told.constant and not isinstance(value, exp.Placeholder):
                return value.copy()
            types.append(told.type)
            return exp.column(f"a{len(types) - 1}")

        made = type(node)(**{k: swap(v) for k, v in node.args.items()})
        return self.asked(spelled(made), types, node)

    def asked(self, template: str, types: Sequence[str], node: exp.Expr | None = None) -> str:
        """What DuckDB says of the type of `template` over `a0`, `a1` ..."""
        found = self.oracle.type_of(template, types)
        if found is None or (found != NULL and spark_type(found) is None):
            what = f"the type of `{words(node) if node else template}` ({found or 'not known'}) is not one that Spark has"
            raise NotPortable(TYPE, what, node, "cast it to a type of the table in the documentation of engines")
        return found

    def simple(self, node: exp.Expr, scope: Scope, nodes: Sequence[exp.Expr], make: Callable[[list[Typed]], str]) -> Typed:
        """A node whose value is made of those of its parts."""
        kids = self.kids(nodes, scope)
        return Typed(make(kids), self.type_of(node, {id(n): k for n, k in zip(nodes, kids, strict=True)}))

    def take_tail(self) -> Tail:
        """What stands behind the aggregate that is being written; none for those within."""
        tail, self.tail = self.tail or Tail(), None
        return tail


def words(node: exp.Expr) -> str:
    """A node as a user knows it, shortened."""
    if isinstance(node, exp.Anonymous):
        return f"{str(node.this).lower()}()"
    if isinstance(node, exp.Func) and not isinstance(node, (exp.Binary, exp.Cast, exp.Case)):
        text = spelled(node)
        return text if len(text) <= 30 else text.split("(")[0].lower() + "()"
    text = spelled(node)
    return text if len(text) <= 60 else text[:57] + "..."


def spelled(node: exp.Expr) -> str:
    """A node in DuckDB's words, as near as the parser has them."""
    return node.sql("duckdb", unsupported_level=ErrorLevel.IGNORE)


WAYS = {
    "random": "compute with a value of a column instead: `hash` and chance differ between engines",
    "list": "write `list(x ORDER BY y)`",
    "first": "write `first(x ORDER BY y)`, or `min(x)`",
    "last": "write `last(x ORDER BY y)`, or `max(x)`",
    "any_value": "write `min(x)` or `max(x)`: any value is another one on another engine",
    "now": "write `$today`",
    "today": "write `$today`",
    "current_date": "write `$today`",
    "current_timestamp": "write `$today`",
    "approx_count_distinct": "write `count(DISTINCT x)`",
    "approx_quantile": "write `quantile_cont(x, 0.9)`",
    "age": "write `date_diff('day', a, b)`",
    "format": "put the text together with `||`",
    "printf": "put the text together with `||`",
    "reverse": "leave it out: letters of several code points are turned around differently",
    "glob": "write `LIKE`",
    "hash": "write `md5(x)`",
}


def nearest_way(node: exp.Expr) -> str:
    """What to write in its place."""
    name = str(node.this).lower() if isinstance(node, exp.Anonymous) else type(node).__name__.lower()
    return (
        WAYS.get(name)
        or WAYS.get(spelled(node).split("(")[0].lower())
        or "see the table of functions in `docs/concepts/engine.md`, or run this model on DuckDB"
    )


@rule(exp.Column, args=("this", "table", "db", "catalog"))
def _column(_: Writer, node: exp.Expr, scope: Scope) -> Typed:
    names = [str(node.args[k].name) for k in ("catalog", "db", "table") if node.args.get(k)] + [node.name]
    return resolve(_, node, names, scope)


def resolve(writer: Writer, node: exp.Expr, names: Sequence[str], scope: Scope) -> Typed:
    """A name: of a lambda's parameter, a column, or an expression of the select list."""
    inner: Scope | None = scope
    while inner is not None:
        if names[0].lower() in inner.lambdas:
            from xde.connectors.spark.portable.scope import fields

            return fields(Typed(ticked(names[0].lower()), inner.lambdas[names[0].lower()]), names[1:])
        inner = inner.outer
    found = scope.resolve(names)
    if found is not None:
        return found
    alias = scope.aliases.get(names[0].lower()) if len(names) == 1 else None
    if alias is None:
        raise NotPortable(NAME, f"it is not clear which column `{'.'.join(names)}` is", node, "write its source's alias before it")
    held, scope.aliases = scope.aliases, {k: v for k, v in scope.aliases.items() if v is not alias}
    try:
        return writer.write(alias, scope)
    finally:
        scope.aliases = held


@rule(exp.Identifier, args=("this", "quoted"))
def _identifier(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    return resolve(writer, node, [node.name], scope)


@rule(exp.Anonymous, args=("this", "expressions"))
def _by_name(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    found = NAMED.get(str(node.this).lower())
    if found is None:
        raise NotPortable(FUNCTION, f"`{words(node)}` is not proven to give the same on Spark", node, nearest_way(node))
    return found(writer, node, scope)


@rule(exp.Paren)
def _paren(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    inner = writer.write(node.this, scope)
    return Typed(f"({inner.sql})", inner.type, inner.constant)


@rule(exp.Alias, args=("this", "alias"))
def _alias(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    return writer.write(node.this, scope)


@rule(exp.Placeholder)
def _parameter(writer: Writer, node: exp.Expr, _: Scope) -> Typed:
    name = str(node.this)
    if name not in writer.parameters:
        raise NotPortable(NAME, f"the parameter `${name}` has no value", node)
    return writer.parameters[name]
