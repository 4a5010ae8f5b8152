"""What a query means, in one pass over its qualified scopes: for each column what it is made of, for the rows what decides them.

Digests are taken over the syntax tree with the digest of what is read in the place of each name, so that names, aliases,
comments and layout do not count, and neither does a column that nobody reads.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from xde.ground.digests import digest
from xde.kernel.graph.analysis import ColumnRef

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlglot import exp
    from sqlglot.optimizer.scope import Scope

DIALECT = "duckdb"


class UnclearError(Exception):
    """A construct whose lineage is not told exactly here: the query is then taken as one whole."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """A column, or the rows, of a scope: what it reads, what it means, and what it is a plain copy of."""

    reads: frozenset[ColumnRef]
    digest: str
    identity: ColumnRef | None = None


@dataclass(frozen=True, slots=True)
class DatasetMeaning:
    """What a dataset that is read means: of its rows, and of each column."""

    rows: str
    columns: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ScopeMeaning:
    """A scope's columns in order, and its rows."""

    columns: Mapping[str, Meaning]
    rows: Meaning

    @property
    def whole(self) -> Meaning:
        """All of it together, as a subquery in an expression is read."""
        parts = [*self.columns.values(), self.rows]
        return Meaning(frozenset().union(*(p.reads for p in parts)), digest([p.digest for p in parts]))


CLAUSES = ("where", "group", "having", "qualify", "distinct", "limit", "offset")
KNOWN = {"with_", "with", "kind", "hint", "expressions", "from_", "from", "joins", "order", "operation_modifiers", *CLAUSES}


@dataclass(slots=True)
class Reader:
    """Reads the scopes of one query; `datasets` says what each dataset means, by lower-case name."""

    datasets: Mapping[str, tuple[str, DatasetMeaning]]
    done: dict[int, ScopeMeaning] = field(default_factory=dict)
    told: dict[str, Meaning] = field(default_factory=dict)  # by the word that a node of the tree carries: copies of it stay cheap

    def scope(self, scope: Scope) -> ScopeMeaning:
        """The meaning of a scope; scopes that it reads come first."""
        if id(scope) not in self.done:
            from sqlglot import exp

            expression = scope.expression
            if isinstance(expression, exp.SetOperation):
                self.done[id(scope)] = self._union(scope, expression)
            elif isinstance(expression, exp.Select):
                self.done[id(scope)] = self._select(scope, expression)
            else:
                raise UnclearError
        return self.done[id(scope)]

    def _union(self, scope: Scope, expression: exp.SetOperation) -> ScopeMeaning:
        left, right = (self.scope(s) for s in scope.set_operation_scopes)
        by_name = bool(expression.args.get("by_name"))
        kind = type(expression).__name__
        distinct = bool(expression.args.get("distinct"))
        names = list(left.columns)
        if by_name:
            names += [n for n in right.columns if n not in left.columns]
        elif len(left.columns) != len(right.columns):
            raise UnclearError
        columns: dict[str, Meaning] = {}
        for position, name in enumerate(names):
            sides = [left.columns.get(name), right.columns.get(name) if by_name else list(right.columns.values())[position]]
            there = [s for s in sides if s is not None]
            columns[name] = Meaning(
                frozenset().union(*(s.reads for s in there)), digest("union", kind, [s.digest if s else None for s in sides])
            )
        parts = [left.rows, right.rows]
        if distinct or kind != "Union":
            parts += columns.values()
        if any(expression.args.get(a) for a in ("limit", "offset")):
            raise UnclearError
        rows = Meaning(frozenset().union(*(p.reads for p in parts)), digest("set", kind, distinct, by_name, [p.digest for p in parts]))
        return ScopeMeaning(columns, rows)

    def _select(self, scope: Scope, select: exp.Select) -> ScopeMeaning:
        from sqlglot import exp

        if any(value for name, value in select.args.items() if name not in KNOWN):
            raise UnclearError
        for sub in scope.subquery_scopes:
            self._tell(sub.expression, self.scope(sub).whole)
        for column in scope.columns:
            self._tell(column, self._column(scope, column))
        columns: dict[str, Meaning] = {}
        spread: list[Meaning] = []
        for projection in select.expressions:
            if isinstance(projection, exp.Star) or (projection.find(exp.Star, exp.Columns) and not projection.find(exp.Count)):
                raise UnclearError
            inner = projection.this if isinstance(projection, exp.Alias) else projection
            meaning = self._expression(inner)
            if isinstance(inner, exp.Column):
                meaning = self.told[inner.meta["meaning"]]
            columns[projection.alias_or_name] = meaning
            if inner.find(exp.Unnest, exp.Explode):
                spread.append(meaning)
        return ScopeMeaning(columns, self._rows(scope, select, columns, spread))

    def _tell(self, node: exp.Expr, meaning: Meaning) -> None:
        word = str(len(self.told))
        self.told[word] = meaning
        node.meta["meaning"] = word

    def _rows(self, scope: Scope, select: exp.Select, columns: Mapping[str, Meaning], spread: list[Meaning]) -> Meaning:
        from sqlglot import exp

        parts = [*self._sources(scope, select), *spread]
        for clause in CLAUSES:
            node = select.args.get(clause)
            if node is not None:
                parts.append(self._expression(node, clause))
        group = select.args.get("group")
        if select.args.get("distinct") or (group is not None and group.args.get("all")):
            parts += columns.values()
        if select.args.get("limit") or select.args.get("distinct"):
            order = select.args.get("order")
            parts += [self._expression(order, "order")] if order is not None else []
        single = group is None and any(p.find(exp.AggFunc) is not None for p in select.expressions)
        return Meaning(frozenset().union(*(p.reads for p in parts)), digest("rows", single, [p.digest for p in parts]))

    def _sources(self, scope: Scope, select: exp.Select) -> list[Meaning]:
        parts: list[Meaning] = []
        for node, source in scope.selected_sources.values():
            if node.args.get("pivots") or node.args.get("sample"):
                raise UnclearError
            parts.append(self._source_rows(source))
        for join in select.args.get("joins") or []:
            words = [str(join.args.get(a) or "") for a in ("method", "side", "kind")]
            on = join.args.get("on")
            if join.args.get("using") or join.args.get("pivots"):
                raise UnclearError
            meaning = self._expression(on) if on is not None else Meaning(frozenset(), "")
            parts.append(Meaning(meaning.reads, digest("join", words, meaning.digest)))
        if not scope.selected_sources and (select.args.get("from_") or select.args.get("from")):
            raise UnclearError
        if len(scope.selected_sources) != 1 + len(select.args.get("joins") or []) and (select.args.get("from_") or select.args.get("from")):
            raise UnclearError
        return parts

    def _source_rows(self, source: object) -> Meaning:
        from sqlglot import exp
        from sqlglot.optimizer.scope import Scope

        if isinstance(source, Scope):
            return self.scope(source).rows
        if isinstance(source, exp.Table) and isinstance(source.this, exp.Identifier):
            found = self.datasets.get(f"{source.db}.{source.name}".casefold())
            if found is not None:
                return Meaning(frozenset(), found[1].rows)
        raise UnclearError

    def _column(self, scope: Scope, column: exp.Column) -> Meaning:
        from sqlglot import exp
        from sqlglot.optimizer.scope import Scope

        source = scope.sources.get(column.table)
        if isinstance(source, Scope):
            for name, meaning in self.scope(source).columns.items():
                if name.casefold() == column.name.casefold():
                    return meaning
        if isinstance(source, exp.Table):
            found = self.datasets.get(f"{source.db}.{source.name}".casefold())
            for name, told in (found[1].columns if found else {}).items():
                if found and name.casefold() == column.name.casefold():
                    ref = ColumnRef(found[0], name)
                    return Meaning(frozenset({ref}), told, ref)
        raise UnclearError

    def _expression(self, expression: exp.Expression, label: str = "") -> Meaning:
        """The canonical text of an expression with meanings in the place of names; columns and subqueries know theirs already."""
        from sqlglot import exp

        reads: set[ColumnRef] = set()

        def name(node: exp.Expression) -> exp.Expression:
            meaning = self.told.get(node.meta.get("meaning", ""))
            if meaning is not None:
                reads.update(meaning.reads)
                return exp.Var(this=f"<{meaning.digest}>")
            if isinstance(node, (exp.Column, exp.Query)):
                raise UnclearError
            return node

        text = expression.copy().transform(name).sql(dialect=DIALECT, comments=False)
        return Meaning(frozenset(reads), digest(label, text))
