"""What every output column of a query is made of, and its rows, in one pass over its terms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xde.kernel.graph.meaning.evaluating import Evaluator
from xde.kernel.graph.meaning.frames import Frame, Scope, Seen
from xde.kernel.graph.meaning.joining import Joiner
from xde.kernel.graph.meaning.selecting import SelectReader
from xde.kernel.graph.meaning.values import NOTHING, Column, Meaning, Relation, merged, mix, renamed
from xde.kernel.graph.text.terms import Op, Select, SetQuery, UnclearError, ValuesQuery, WrappedQuery

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xde.kernel.graph.meaning.naming import Missing
    from xde.kernel.graph.text.terms import Cte, Query, TableSource, Tail


class Lineage:
    """Reads one model's query; `datasets` are what its tables may name, by lower-case `schema.name`.

    `missing` are the columns that were named and found nowhere. `ordered` says whether the order of the query's own rows is
    part of what it means.
    """

    def __init__(self, datasets: Mapping[str, Relation], *, ordered: bool = False) -> None:
        self._datasets = datasets
        self._ordered = ordered
        self._evaluator = Evaluator(lambda query, scope: self._query(query, scope, scope.ctes))
        self._recursed: set[str] = set()

    @property
    def missing(self) -> list[Missing]:
        """The columns that were looked for in vain."""
        return self._evaluator.missing

    def read(self, query: Query) -> Relation:
        """The output of a query. Raises `UnclearError` where it cannot be told exactly."""
        return self._query(query, None, {}, root=True)

    def _query(self, query: Query, outer: Scope | None, ctes: Mapping[str, Relation], *, root: bool = False) -> Relation:
        ordered = self._ordered or not root
        match query:
            case Select():
                known = self._with(query.ctes, ctes)
                reader = SelectReader(query, self._evaluator, known, outer, ordered=ordered)
                return reader.read(Joiner(self._evaluator, self._query, self._table, known, outer))
            case SetQuery():
                return self._set(query, outer, self._with(query.ctes, ctes), ordered=ordered)
            case ValuesQuery():
                return self._values(query, Scope(Frame(), outer, ctes=ctes))
            case WrappedQuery():
                known = self._with(query.ctes, ctes)
                frame = Joiner(self._evaluator, self._query, self._table, known, outer).frame(query.source)
                relation = frame.tables[0].relation
                return self._tailed(query.tail, relation, Scope(frame, outer, ctes=known), ordered=ordered)

    def _table(self, source: TableSource, ctes: Mapping[str, Relation]) -> Relation:
        if source.schema:
            found = self._datasets.get(f"{source.schema}.{source.name}".lower())
        else:
            found = ctes.get(source.name.lower())
            self._recursed.add(source.name.lower())
        if found is None:
            raise UnclearError
        return found

    def _with(self, clauses: tuple[Cte, ...], ctes: Mapping[str, Relation]) -> Mapping[str, Relation]:
        if not clauses:
            return ctes
        known = dict(ctes)
        for cte in clauses:
            relation = self._recursive(cte, known) if cte.recursive else self._query(cte.query, None, known)
            known[cte.alias.name.lower()] = renamed(relation, cte.alias.columns, kind="CTE")
        return known

    def _recursive(self, cte: Cte, known: Mapping[str, Relation]) -> Relation:
        """A query that reads itself: each of its columns may be made of all that any of its rows is made of."""
        name, query = cte.alias.name.lower(), cte.query
        if not isinstance(query, SetQuery) or query.ctes:
            return self._query(query, None, {n: r for n, r in known.items() if n != name})
        first = renamed(self._query(query.left, None, known), cte.alias.columns)
        itself = Relation(
            tuple(Column(c.name, Meaning(NOTHING, mix("recursive", str(i)))) for i, c in enumerate(first.columns)),
            Meaning(NOTHING, mix("recursive rows")),
            kind="CTE",
        )
        self._recursed.discard(name)
        again = self._query(query.right, None, {**known, name: itself})
        if name not in self._recursed:
            return self._query(query, None, known)
        if query.by_name or query.tail.order or query.tail.limit or len(first.columns) != len(again.columns):
            raise UnclearError
        whole = merged("recursion", (first.whole(), again.whole()), query.kind, str(query.distinct))
        columns = (Column(c.name, Meaning(whole.reads, mix("column", str(i), whole.digest))) for i, c in enumerate(first.columns))
        return Relation(tuple(columns), whole, kind="CTE")

    def _values(self, query: ValuesQuery, scope: Scope) -> Relation:
        width = len(query.rows[0]) if query.rows else 0
        if any(len(row) != width for row in query.rows):
            raise UnclearError
        columns = [merged("values", (self._evaluator.meaning(row[i], scope) for row in query.rows)) for i in range(width)]
        rows = Meaning(NOTHING, mix("values", str(len(query.rows))))
        return Relation(tuple(Column(f"col{i}", m) for i, m in enumerate(columns)), rows)

    def _set(self, query: SetQuery, outer: Scope | None, ctes: Mapping[str, Relation], *, ordered: bool) -> Relation:
        left = renamed(self._query(query.left, outer, ctes), ())
        right = renamed(self._query(query.right, outer, ctes), ())
        pairs = _by_name(left, right) if query.by_name else _by_position(left, right)
        columns = tuple(Column(name, merged("side by side", sides, query.kind)) for name, sides in pairs)
        parts = [left.rows, right.rows]
        if query.distinct or query.kind != "union":
            parts += [c.meaning for c in columns]
        rows = merged("set", parts, query.kind, str(query.distinct))
        relation = Relation(columns, rows)
        return self._tailed(query.tail, relation, None, ordered=ordered)

    def _tailed(self, tail: Tail, relation: Relation, scope: Scope | None, *, ordered: bool) -> Relation:
        """ORDER BY and LIMIT behind a query that is no plain SELECT: they see its output columns only."""
        if not tail.limit and not (ordered and (tail.order or tail.order_all)):
            self._check_order(tail, relation, scope)
            return relation
        order = self._check_order(tail, relation, scope)
        limit = [self._evaluator.meaning(t, scope or _over(relation)) for t in tail.limit]
        rows = merged("tail", (relation.rows, *order, *limit), *tail.directions)
        return Relation(relation.columns, rows, relation.width, relation.open, kind=relation.kind)

    def _check_order(self, tail: Tail, relation: Relation, scope: Scope | None) -> list[Meaning]:
        if tail.order_all:
            return [c.meaning for c in relation.columns]
        return [ordinal(t, relation) or self._evaluator.meaning(t, scope or _over(relation)) for t in tail.order]


def ordinal(term: object, relation: Relation) -> Meaning | None:
    """The output column that a number in ORDER BY or GROUP BY stands for."""
    if isinstance(term, Op) and not term.args and term.tag.startswith("number ") and term.tag[7:].isdigit():
        position = int(term.tag[7:]) - 1
        if not 0 <= position < len(relation.columns):
            raise UnclearError
        return relation.columns[position].meaning
    return None


def _over(relation: Relation) -> Scope:
    return Scope(Frame((Seen("", "", relation),), relation.rows, relation.width))


def _by_position(left: Relation, right: Relation) -> list[tuple[str | None, tuple[Meaning, ...]]]:
    if len(left.columns) != len(right.columns):
        raise UnclearError
    return [(a.name, (a.meaning, b.meaning)) for a, b in zip(left.columns, right.columns, strict=True)]


def _by_name(left: Relation, right: Relation) -> list[tuple[str | None, tuple[Meaning, ...]]]:
    absent = Meaning(NOTHING, mix("absent"))
    names = {c.name.lower(): c.name for c in (*right.columns, *left.columns) if c.name is not None}
    if any(c.name is None for c in (*left.columns, *right.columns)):
        raise UnclearError
    ordered = dict.fromkeys(str(c.name).lower() for c in (*left.columns, *right.columns))
    pairs: list[tuple[str | None, tuple[Meaning, ...]]] = []
    for folded in ordered:
        sides = tuple(r.index[folded].meaning if folded in r.index else absent for r in (left, right))
        pairs.append((names[folded], sides))
    return pairs
