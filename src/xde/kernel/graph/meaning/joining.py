"""From the terms of a FROM clause to the sources in sight and what decides their rows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from xde.kernel.graph.meaning.frames import Frame, Scope, Seen
from xde.kernel.graph.meaning.naming import Missing
from xde.kernel.graph.meaning.pivoting import pivoted, unpivoted
from xde.kernel.graph.meaning.values import Column, Meaning, Relation, merged, mix, renamed, union
from xde.kernel.graph.text.terms import (
    FunctionSource,
    GroupSource,
    JoinSource,
    PivotSource,
    QuerySource,
    SampledSource,
    TableSource,
    UnclearError,
    UnpivotSource,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from xde.kernel.graph.meaning.evaluating import Evaluator
    from xde.kernel.graph.text.terms import Alias, Query, Source


class Joiner:
    """Builds the frame of one SELECT; `outer` is the SELECT around it."""

    def __init__(
        self,
        evaluator: Evaluator,
        query: Callable[[Query, Scope | None, Mapping[str, Relation]], Relation],
        table: Callable[[TableSource, Mapping[str, Relation]], Relation],
        ctes: Mapping[str, Relation],
        outer: Scope | None,
    ) -> None:
        self._evaluator = evaluator
        self._query = query
        self._table = table
        self._ctes = ctes
        self._outer = outer

    def frame(self, source: Source, left: Frame | None = None) -> Frame:
        """The frame of a source; it may read the sources to its `left`. Raises `UnclearError`."""
        match source:
            case JoinSource():
                return self._join(source, left)
            case GroupSource(inner, alias):
                return _alone(_as_relation(self.frame(inner, left)), alias)
            case SampledSource(inner, sample):
                frame = self.frame(inner, left)
                return replace(frame, rows=merged("sample", (frame.rows, self._evaluator.meaning(sample, self._beside(left)))))
            case TableSource():
                return _alone(self._table(source, self._ctes), source.alias, source)
            case QuerySource(query, alias):
                return _alone(self._query(query, self._beside(left), self._ctes), alias)
            case FunctionSource():
                return self._function(source, left)
            case PivotSource():
                frame = self.frame(source.source, left)
                return _alone(pivoted(source, _as_relation(frame), self._evaluator, self._scope(frame)), source.alias)
            case UnpivotSource():
                frame = self.frame(source.source, left)
                return _alone(unpivoted(source, self._scope(frame), self._evaluator), source.alias)

    def _beside(self, left: Frame | None) -> Scope:
        """Where a lateral source looks for names: to its left, then further out."""
        return Scope(left or Frame(), self._outer)

    def _scope(self, frame: Frame) -> Scope:
        return Scope(frame, self._outer)

    def _function(self, source: FunctionSource, left: Frame | None) -> Frame:
        term = self._evaluator.meaning(source.term, self._beside(left))
        rows = Meaning(term.reads, mix("function", term.digest))
        if source.columns is None:
            relation = Relation((), rows, open=rows, kind="table function")
            return _alone(relation, source.alias._replace(columns=()))
        columns = (Column(n, Meaning(rows.reads, mix("column", str(i), rows.digest))) for i, n in enumerate(source.columns))
        return _alone(Relation(tuple(columns), rows, kind="table function"), source.alias._replace(columns=()))

    def _join(self, join: JoinSource, outer_left: Frame | None) -> Frame:
        left = self.frame(join.left, outer_left)
        right = self.frame(join.right, left if outer_left is None else _side_by_side(outer_left, left))
        both = _side_by_side(left, right)
        condition, both = self._condition(join, left, right, both)
        words = (join.method, join.side, join.kind)
        rows = merged("join", (left.rows, right.rows, *condition), *words)
        tables = tuple(
            t._replace(
                optional=t.optional or _may_lack(join, right=i >= len(left.tables)),
                hidden=t.hidden or (join.kind in {"SEMI", "ANTI"} and i >= len(left.tables)),
            )
            for i, t in enumerate(both.tables)
        )
        return replace(both, tables=tables, rows=rows)

    def _condition(self, join: JoinSource, left: Frame, right: Frame, both: Frame) -> tuple[list[Meaning], Frame]:
        using = _common(left, right) if join.method == "NATURAL" else join.using
        found = [self._evaluator.meaning(join.on, self._scope(both))] if join.on is not None else []
        if not using:
            return found, both
        joined = dict(both.joined)
        dropped = set(both.dropped)
        for name in using:
            ours, theirs = left.bare(name), right.bare(name)
            if ours is None or theirs is None:
                at = right if theirs is None else left
                known = tuple(at.names())
                self._evaluator.missing.append(Missing(name, -1, at.tables[0].relation.dataset, at.tables[0].alias, known))
                continue
            theirs = _shifted(theirs, left.width)
            found.append(merged("using", (ours, theirs)))
            if join.kind not in {"SEMI", "ANTI"}:
                joined[name.lower()] = merged("either", (ours, theirs)) if join.side in {"RIGHT", "FULL"} else ours
                dropped |= {(i, name.lower()) for i in range(len(left.tables), len(both.tables))}
        return found, replace(both, joined=joined, dropped=frozenset(dropped))


def _may_lack(join: JoinSource, *, right: bool) -> bool:
    """Whether a row of a join may have nothing of the side."""
    return join.method == "POSITIONAL" or join.side in ("FULL", "LEFT" if right else "RIGHT")


def _common(left: Frame, right: Frame) -> tuple[str, ...]:
    theirs = {str(c.name).lower() for c in right.star()}
    return tuple(str(c.name) for c in left.star() if str(c.name).lower() in theirs)


def _alone(relation: Relation, alias: Alias, table: TableSource | None = None) -> Frame:
    """The frame of one source under its alias."""
    relation = renamed(relation, alias.columns) if alias.columns or table is None else relation
    name = alias.name or (table.name if table is not None else "")
    schema = table.schema if table is not None and not alias.name else ""
    return Frame((Seen(name.lower(), schema.lower(), relation),), relation.rows, relation.width)


def _as_relation(frame: Frame) -> Relation:
    if len(frame.tables) == 1:
        return frame.tables[0].relation
    return renamed(Relation(tuple(frame.star()), frame.rows, frame.width), ())


def _shifted(meaning: Meaning, offset: int) -> Meaning:
    return Meaning(meaning.reads, mix("at", str(offset), meaning.digest), meaning.identity) if offset else meaning


def _side_by_side(left: Frame, right: Frame) -> Frame:
    """Two frames next to each other, before what joins them is known."""
    moved = tuple(t._replace(path=(left.width, *t.path)) for t in right.tables)
    joined = {**{n: _shifted(m, left.width) for n, m in right.joined.items()}, **left.joined}
    if set(left.joined) & set(right.joined) or any(n in t.relation.index for n in right.joined for t in left.tables):
        raise UnclearError
    dropped = left.dropped | {(i + len(left.tables), n) for i, n in right.dropped}
    rows = Meaning(union((left.rows, right.rows)), mix("beside", left.rows.digest, right.rows.digest))
    return Frame((*left.tables, *moved), rows, left.width + right.width, joined, dropped)
