"""From the syntax tree of a FROM clause to its terms: tables, joins, subqueries, table functions, PIVOT and UNPIVOT."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

from sqlglot import exp

from xde.kernel.graph.text.functions import SINGLE_COLUMN
from xde.kernel.graph.text.terms import (
    Alias,
    Columns,
    Context,
    FunctionSource,
    GroupSource,
    JoinSource,
    Name,
    Op,
    PivotSource,
    QuerySource,
    SampledSource,
    Star,
    TableSource,
    UnclearError,
    UnpivotSource,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from xde.kernel.graph.text.expressions import ExpressionReader
    from xde.kernel.graph.text.terms import Query, Source, Term

SAYS_NOTHING = frozenset({"INNER", "OUTER", "CROSS", ""})
JOIN_ARGS = frozenset({"this", "method", "side", "kind", "on", "using"})
PIVOT_ARGS = frozenset(
    [
        "this",
        "expressions",
        "fields",
        "using",
        "group",
        "unpivot",
        "into",
        "include_nulls",
        "alias",
        "columns",
        "with_",
        "default_on_null",
        "value_columns_first",
        "identify_pivot_strings",
        "prefixed_pivot_columns",
        "pivot_column_naming",
    ]
)


def alias_of(node: exp.Expr) -> Alias:
    """What a source or CTE is called."""
    alias = node.args.get("alias")
    if alias is None:
        return Alias()
    if not isinstance(alias, exp.TableAlias):
        return Alias(str(alias.name))
    if not all(isinstance(c, exp.Identifier) for c in alias.columns):
        raise UnclearError
    return Alias(alias.name, tuple(c.name for c in alias.columns))


class SourceReader:
    """Reads the sources of one SELECT."""

    def __init__(self, expressions: ExpressionReader, query: Callable[[exp.Expr], Query]) -> None:
        self._expressions = expressions
        self._query = query

    def joined(self, first: exp.Expr, joins: Sequence[exp.Join]) -> Source:
        """Sources joined from left to right."""
        left = self._source(first)
        for join in joins:
            if any(value and key not in JOIN_ARGS for key, value in join.args.items()):
                raise UnclearError
            method, side, kind = (str(join.args.get(a) or "").upper() for a in ("method", "side", "kind"))
            on = join.args.get("on")
            using = tuple(u.name for u in join.args.get("using") or [])
            right = self._source(join.this)
            condition = self._expressions.term(on) if on is not None else None
            left = JoinSource(left, right, method, side, "" if kind in SAYS_NOTHING else kind, condition, using)
        return left

    def _source(self, node: exp.Expr) -> Source:
        source = self._plain(node)
        sample = node.args.get("sample")
        if sample is not None:
            source = SampledSource(source, self._expressions.term(sample))
        for pivot in node.args.get("pivots") or []:
            source = self._pivot(pivot, source)
        return source

    def _plain(self, node: exp.Expr) -> Source:
        match node:
            case exp.Table():
                return self._table(node)
            case exp.Subquery():
                return self._subquery(node)
            case exp.Values():
                return QuerySource(self._query(node), alias_of(node))
            case exp.Unnest():
                return self._unnest(node)
            case exp.Lateral():
                return self._lateral(node)
            case _:
                raise UnclearError

    def _table(self, node: exp.Table) -> Source:
        _only(node, {"this", "db", "alias", "joins", "pivots", "sample"})
        alias = alias_of(node)
        if node.args.get("joins"):
            plain = node.copy()
            plain.set("joins", None)
            return self.joined(plain, node.args["joins"])
        if isinstance(node.this, exp.Identifier):
            return TableSource(node.db, node.name, alias)
        return self._function(node.this, alias)

    def _subquery(self, node: exp.Subquery) -> Source:
        _only(node, {"this", "alias", "joins", "pivots", "sample"})
        alias = alias_of(node)
        if node.args.get("joins"):
            plain = node.copy()
            plain.set("joins", None)
            return self.joined(plain, node.args["joins"])
        if isinstance(node.this, (exp.Query, exp.Values, exp.Pivot)) and not _is_join(node.this):
            return QuerySource(self._query(node.this), alias)
        inner = self._source(node.this)
        return inner if alias == Alias() else GroupSource(inner, alias)

    def _lateral(self, node: exp.Lateral) -> Source:
        _only(node, {"this", "alias"})
        inner, alias = node.this, alias_of(node)
        if isinstance(inner, exp.Subquery) and not any(v and k != "this" for k, v in inner.args.items()):
            return QuerySource(self._query(inner.this), alias)
        if isinstance(inner, exp.Unnest) and alias_of(inner) == Alias():
            return self._unnest(inner)._replace(alias=alias, columns=_single("unnest", alias))
        raise UnclearError

    def _unnest(self, node: exp.Unnest) -> FunctionSource:
        _only(node, {"expressions", "alias", "offset"})
        alias = alias_of(node)
        if len(node.expressions) != 1:
            raise UnclearError
        columns = _single("unnest", alias)
        offset = node.args.get("offset")
        if offset:
            columns = (*columns, offset.name if isinstance(offset, exp.Identifier) else "ordinality")
        return FunctionSource(Op("unnest", (self._expressions.term(node.expressions[0]),)), Alias(alias.name), columns)

    def _function(self, node: exp.Expr, alias: Alias) -> Source:
        if not isinstance(node, exp.Func):
            raise UnclearError
        name = node.name.lower() if isinstance(node, exp.Anonymous) else _series_name(node)
        term = self._expressions.term(node)
        if isinstance(term, Context):
            term = term.term
        if not isinstance(term, Op):
            raise UnclearError
        columns = _single(name, alias) if name in SINGLE_COLUMN else None
        return FunctionSource(Op(f"table {name}", (term,)), alias, columns)

    def pivot_statement(self, node: exp.Pivot) -> Source:
        """`PIVOT t ON ...` and `UNPIVOT t ON ...` as queries."""
        return self._pivot(node, self._source(node.this))

    def _pivot(self, node: exp.Pivot, source: Source) -> Source:
        if any(value and key not in PIVOT_ARGS for key, value in node.args.items()):
            raise UnclearError
        return self._unpivoted(node, source) if node.args.get("unpivot") else self._pivoted(node, source)

    def _pivoted(self, node: exp.Pivot, source: Source) -> PivotSource:
        statement = not node.args.get("fields")
        ins = node.expressions if statement else node.args["fields"]
        values = (node.args.get("using") or [exp.Count(this=exp.Star())]) if statement else node.expressions
        if not all(isinstance(i, exp.In) and i.expressions for i in ins):
            raise UnclearError
        on = tuple(self._expressions.term(i.this) for i in ins)
        endings = [_aggregate_name(v, alone=len(values) == 1) for v in values]
        made = tuple(
            ("" if e is None else "_".join([*(n for n, _ in row), *([e] if e else [])]), " ".join(t for _, t in row), which)
            for row in product(*([_value(v) for v in i.expressions] for i in ins))
            for which, e in enumerate(endings)
        )
        group = node.args.get("group")
        by = None if group is None else tuple(self._names([self._expressions.term(e) for e in group.expressions]))
        terms = tuple(self._expressions.term(v.this if isinstance(v, exp.Alias) else v) for v in values)
        return PivotSource(source, terms, on, made, by, alias_of(node))

    def _unpivoted(self, node: exp.Pivot, source: Source) -> UnpivotSource:
        into = node.args.get("into")
        fields = node.args.get("fields")
        if fields:
            if len(fields) != 1:
                raise UnclearError
            name, items = fields[0].this.name, fields[0].expressions
            values = _flat_names(node.expressions)
        else:
            name, items = (into.this.name if into is not None else "name"), node.expressions
            values = [e.name for e in into.expressions] if into is not None else ["value"]
        groups = tuple(self._unpivot_group(i) for i in items)
        return UnpivotSource(source, name, tuple(values), groups, bool(node.args.get("include_nulls")), alias_of(node))

    def _unpivot_group(self, node: exp.Expr) -> tuple[str, tuple[Name, ...]] | Star | Columns:
        label, inner = "", node
        if isinstance(node, (exp.Alias, exp.PivotAlias)):
            label, inner = node.args["alias"].name, node.this
        if isinstance(inner, (exp.Tuple, exp.Paren)):
            items = inner.expressions if isinstance(inner, exp.Tuple) else [inner.this]
            return label, tuple(self._names([self._expressions.term(e) for e in items]))
        term = self._expressions.term(inner)
        if isinstance(term, (Star, Columns)):
            return term
        return label, tuple(self._names([term]))

    @staticmethod
    def _names(terms: Sequence[Term]) -> list[Name]:
        names = [t for t in terms if isinstance(t, Name)]
        if len(names) != len(terms):
            raise UnclearError
        return names


def _only(node: exp.Expr, allowed: set[str]) -> None:
    if any(value and key not in allowed for key, value in node.args.items()):
        raise UnclearError


def _is_join(node: exp.Expr) -> bool:
    """Whether parentheses in a FROM clause hold a join whose first source is a subquery."""
    return isinstance(node, exp.Subquery) and bool(node.args.get("joins") or node.args.get("alias"))


def _single(function: str, alias: Alias) -> tuple[str, ...]:
    return alias.columns or (alias.name or function,)


def _series_name(node: exp.Expr) -> str:
    if isinstance(node, exp.GenerateSeries):
        return "range" if node.args.get("is_end_exclusive") else "generate_series"
    return type(node).__name__.lower()


def _flat_names(nodes: Sequence[exp.Expr]) -> list[str]:
    return [n.name for node in nodes for n in (node.expressions if isinstance(node, exp.Tuple) else [node])]


def _value(node: exp.Expr) -> tuple[str, str]:
    """A value of an IN list: how it shows in a column's name, and its text; a bare word is a text there, not a column."""
    match node:
        case exp.PivotAlias():
            return str(node.args["alias"].name), _value(node.this)[1]
        case exp.Literal():
            return str(node.this), repr((node.is_string, node.this))
        case exp.Tuple():
            parts = [_value(e) for e in node.expressions]
            return "_".join(n for n, _ in parts), repr([t for _, t in parts])
        case exp.Column() if not node.table:
            return str(node.name), repr((True, node.name))
        case _:
            raise UnclearError


def _aggregate_name(node: exp.Expr, *, alone: bool) -> str | None:
    """What follows the value in the name of a pivoted column; None where only the engine knows."""
    match node:
        case exp.Alias():
            return str(node.alias)
        case _ if alone:
            return ""
        case exp.Count() if isinstance(node.this, exp.Star):
            return "count_star()"
        case exp.Func() if isinstance(node.this, exp.Column) and not any(v for k, v in node.args.items() if k not in {"this", "big_int"}):
            return f"{node.sql_name().lower()}({node.this.name})"
        case _:
            return None
