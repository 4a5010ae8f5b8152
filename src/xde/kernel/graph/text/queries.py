"""From the syntax tree of a query to its terms; what is not known here to mean what we say it means raises `UnclearError`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from xde.kernel.graph.text.expressions import ExpressionReader
from xde.kernel.graph.text.from_clause import SourceReader, alias_of
from xde.kernel.graph.text.terms import (
    Cte,
    Op,
    Projection,
    QuerySource,
    Select,
    SetQuery,
    Star,
    Tail,
    UnclearError,
    ValuesQuery,
    WrappedQuery,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xde.kernel.graph.text.terms import Query, Source, Term

SELECT_ARGS = frozenset(
    [
        "with_",
        "expressions",
        "from_",
        "joins",
        "where",
        "group",
        "having",
        "qualify",
        "windows",
        "distinct",
        "order",
        "limit",
        "offset",
        "sample",
        "operation_modifiers",
    ]
)
SET_ARGS = frozenset({"with_", "this", "expression", "distinct", "by_name", "order", "limit", "offset"})
TAIL_ARGS = frozenset({"order", "limit", "offset"})


def read_query(node: exp.Expr) -> Query:
    """The terms of a query. Raises `UnclearError`."""
    match node:
        case exp.Select():
            return _select(node)
        case exp.SetOperation():
            return _set(node)
        case exp.Values():
            return _values(node)
        case exp.Subquery() if isinstance(node.this, (exp.Query, exp.Values, exp.Pivot)):
            return _wrapped(node)
        case exp.Pivot():
            return WrappedQuery(_ctes(node), _sources(_no_expressions()).pivot_statement(node), Tail())
        case _:
            raise UnclearError


def _no_expressions() -> ExpressionReader:
    return ExpressionReader(read_query, {})


def _sources(expressions: ExpressionReader) -> SourceReader:
    return SourceReader(expressions, read_query)


def _only(node: exp.Expr, allowed: frozenset[str]) -> None:
    if any(value and key not in allowed for key, value in node.args.items()):
        raise UnclearError


def _wrapped(node: exp.Subquery) -> Query:
    _only(node, TAIL_ARGS | {"this", "with_"})
    inner = read_query(node.this)
    tail = _tail(node, _no_expressions())
    if tail == Tail() and not node.args.get("with_"):
        return inner
    return WrappedQuery(_ctes(node), QuerySource(inner, alias_of(node)), tail)


def _values(node: exp.Values) -> Query:
    _only(node, TAIL_ARGS | {"expressions", "alias"})
    expressions = _no_expressions()
    rows = tuple(tuple(expressions.term(e) for e in (row.expressions if isinstance(row, exp.Tuple) else [row])) for row in node.expressions)
    tail = _tail(node, expressions)
    query = ValuesQuery(rows)
    return query if tail == Tail() else WrappedQuery((), QuerySource(query, alias_of(node)), tail)


def _set(node: exp.SetOperation) -> SetQuery:
    _only(node, SET_ARGS)
    return SetQuery(
        _ctes(node),
        type(node).__name__.lower(),
        bool(node.args.get("distinct")),
        bool(node.args.get("by_name")),
        read_query(node.this),
        read_query(node.expression),
        _tail(node, _no_expressions()),
    )


def _ctes(node: exp.Expr) -> tuple[Cte, ...]:
    clause = node.args.get("with_")
    if clause is None:
        return ()
    _only(clause, frozenset({"expressions", "recursive"}))
    return tuple(_cte(c, recursive=bool(clause.args.get("recursive"))) for c in clause.expressions)


def _cte(node: exp.CTE, *, recursive: bool) -> Cte:
    _only(node, frozenset({"this", "alias", "materialized"}))
    return Cte(alias_of(node), read_query(node.this), recursive)


def _select(node: exp.Select) -> Select:
    _only(node, SELECT_ARGS)
    windows = {w.this.name.lower(): w for w in node.args.get("windows") or []}
    expressions = ExpressionReader(read_query, windows)
    ctes = _ctes(node)
    source = _from(node, expressions)
    before = expressions.aggregates
    projections = tuple(_projection(p, expressions) for p in node.expressions)
    having, qualify = _clause(node, "having", expressions), _clause(node, "qualify", expressions)
    tail = _tail(node, expressions)
    aggregated = expressions.aggregates > before
    group = node.args.get("group")
    if group is not None:
        _only(group, frozenset({"expressions", "all"}))
    distinct = node.args.get("distinct")
    return Select(
        ctes=ctes,
        source=source,
        projections=projections,
        where=_clause(node, "where", expressions),
        group=None if group is None else tuple(expressions.term(e) for e in group.expressions),
        group_all=group is not None and bool(group.args.get("all")),
        aggregated=aggregated,
        having=having,
        qualify=qualify,
        distinct=distinct is not None,
        distinct_on=tuple(_distinct_on(distinct, expressions)),
        sample=_clause(node, "sample", expressions),
        tail=tail,
    )


def _from(node: exp.Select, expressions: ExpressionReader) -> Source | None:
    clause = node.args.get("from_")
    if clause is None:
        if node.args.get("joins"):
            raise UnclearError
        return None
    _only(clause, frozenset({"this"}))
    return _sources(expressions).joined(clause.this, node.args.get("joins") or [])


def _distinct_on(distinct: exp.Distinct | None, expressions: ExpressionReader) -> list[Term]:
    if distinct is None:
        return []
    _only(distinct, frozenset({"on"}))
    on = distinct.args.get("on")
    return [expressions.term(e) for e in (on.expressions if isinstance(on, exp.Tuple) else [on])] if on is not None else []


def _clause(node: exp.Expr, key: str, expressions: ExpressionReader) -> Term | None:
    clause = node.args.get(key)
    if clause is None:
        return None
    return expressions.term(clause if key == "sample" else clause.this)


def _projection(node: exp.Expr, expressions: ExpressionReader) -> Projection:
    inner = node.this if isinstance(node, exp.Alias) else node
    before = expressions.aggregates
    expressions.every = []
    term = _filtered_star(inner, expressions) or expressions.term(inner)
    every = expressions.every
    if any(e != every[0] for e in every[1:]):
        raise UnclearError
    return Projection(_output_name(node), term, expressions.aggregates > before, every[0] if every else None)


def _output_name(node: exp.Expr) -> str | None:
    match node:
        case exp.Alias():
            return str(node.alias)
        case exp.Column() if not isinstance(node.this, exp.Star):
            return str(node.name)
        case exp.Dot() if isinstance(node.expression, exp.Identifier):
            return str(node.expression.name)
        case _:
            return None


def _filtered_star(node: exp.Expr, expressions: ExpressionReader) -> Star | None:
    """`* LIKE 'pattern'` and its kin, which choose columns by name."""
    if not isinstance(node, (exp.Like, exp.ILike, exp.SimilarTo, exp.Glob, exp.RegexpLike)):
        return None
    star = node.this.this if isinstance(node.this, exp.Column) else node.this
    if not isinstance(star, exp.Star):
        return None
    if not (isinstance(node.expression, exp.Literal) and node.expression.is_string):
        raise UnclearError
    table = tuple(p.name for p in node.this.parts[:-1]) if isinstance(node.this, exp.Column) else ()
    operator = ("not " if node.args.get("negate") else "") + type(node).__name__.lower()
    return expressions.star(star, table)._replace(like=(operator, node.expression.this))


def _tail(node: exp.Expr, expressions: ExpressionReader) -> Tail:
    limit = [_limit(node.args[key], key, expressions) for key in ("limit", "offset") if node.args.get(key) is not None]
    order = node.args.get("order")
    if order is None:
        return Tail(limit=tuple(limit))
    _only(order, frozenset({"expressions"}))
    items: Sequence[exp.Ordered] = order.expressions
    directions = tuple(_direction(o) for o in items)
    if any(isinstance(o.this, exp.Var) and o.this.name.upper() == "ALL" for o in items):
        return Tail((), directions, order_all=True, limit=tuple(limit))
    return Tail(tuple(expressions.term(o.this) for o in items), directions, limit=tuple(limit))


def _direction(node: exp.Ordered) -> str:
    _only(node, frozenset({"this", "desc", "nulls_first"}))
    return f"{'desc' if node.args.get('desc') else 'asc'} {'first' if node.args.get('nulls_first') else 'last'}"


def _limit(node: exp.Expr, key: str, expressions: ExpressionReader) -> Term:
    return Op(key, (expressions.term(node),))
