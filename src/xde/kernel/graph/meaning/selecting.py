"""One SELECT: its clauses in the order in which they are carried out, and what each does to its rows and columns."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from xde.kernel.graph.meaning.frames import Frame, Scope
from xde.kernel.graph.meaning.stars import chosen, compiled, starred
from xde.kernel.graph.meaning.values import NOTHING, Column, Meaning, Relation, merged, mix
from xde.kernel.graph.text.terms import Columns, Context, Labelled, Name, Op, Star, UnclearError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xde.kernel.graph.meaning.evaluating import Evaluator
    from xde.kernel.graph.meaning.joining import Joiner
    from xde.kernel.graph.text.terms import Projection, Select, Term


class SelectReader:
    """Reads one SELECT; `ordered` says whether the order of its rows counts."""

    def __init__(self, select: Select, evaluator: Evaluator, ctes: Mapping[str, Relation], outer: Scope | None, *, ordered: bool) -> None:
        self._select = select
        self._evaluator = evaluator
        self._ordered = ordered
        self._scope = Scope(Frame(), outer, ctes=ctes)
        self._rows = Meaning(NOTHING, mix("one row"))
        self._aliases: dict[str, list[int]] = {}
        for position, projection in enumerate(select.projections):
            if projection.name is not None:
                self._aliases.setdefault(projection.name.lower(), []).append(position)
        self._sets = any(_makes_sets(t) for t in select.group or ())
        self._known: dict[int, Meaning] = {}
        self._busy: set[int] = set()

    def read(self, joiner: Joiner) -> Relation:
        """The output of the SELECT. Raises `UnclearError`."""
        select = self._select
        if select.source is not None:
            frame = joiner.frame(select.source)
            self._scope.frame, self._rows = frame, frame.rows
        self._scope.alias = self._alias
        self._step("where", select.where)
        self._group()
        self._scope.contexts["aggregate"] = self._rows.digest
        self._known.clear()
        self._step("having", select.having, "both")
        self._scope.contexts["window"] = self._scope.contexts["spread"] = self._rows.digest
        self._known.clear()
        columns = self._columns()
        relation = Relation(tuple(columns), self._rows, max(1, self._scope.frame.width))
        self._scope.alias = self._alias
        self._spread()
        self._step("qualify", select.qualify)
        self._distinct(relation)
        self._tail(relation)
        self._step("sample", select.sample)
        return replace(relation, rows=self._rows)

    def _step(self, clause: str, term: Term | None, aliases: Literal["last", "both"] = "last") -> None:
        if term is not None:
            self._rows = merged(clause, (self._rows, self._meaning(term, aliases)))

    def _meaning(self, term: Term, aliases: Literal["last", "first", "both"] = "last") -> Meaning:
        before, self._scope.alias_order = self._scope.alias_order, aliases
        try:
            return self._evaluator.meaning(term, self._scope)
        finally:
            self._scope.alias_order = before

    def _alias(self, name: str) -> Meaning | None:
        """The meaning of an output column by its name; None when there is none, or it is being worked out."""
        positions = [p for p in self._aliases.get(name.lower(), ()) if p not in self._busy]
        if not positions:
            return None
        if len(positions) > 1 or self._select.projections[positions[0]].every is not None:
            raise UnclearError
        return self._projected(positions[0])

    def _projected(self, position: int) -> Meaning:
        if position not in self._known:
            self._busy.add(position)
            try:
                self._known[position] = self._meaning(self._select.projections[position].term)
            finally:
                self._busy.discard(position)
        return self._known[position]

    def _group(self) -> None:
        select = self._select
        if select.group is None:
            if select.aggregated:
                self._rows = merged("single", (self._rows,))
            return
        keys = [self._key(t) for t in select.group]
        if select.group_all:
            plain = [(p, i) for i, p in enumerate(select.projections) if not p.aggregate or isinstance(p.term, Star)]
            keys += [m for p, i in plain for m in self._columns_of(p, i)]
        self._rows = merged("group", (self._rows, *keys))

    def _key(self, term: Term) -> Meaning:
        """A key of GROUP BY; numbers stand for output columns, in grouping sets too."""
        if isinstance(term, Op) and (_makes_sets(term) or term.tag.startswith("Tuple ")):
            return merged(term.tag, (self._key(a) for a in term.args))
        return self._position(term) or self._evaluator.meaning(term, self._scope)

    def _columns_of(self, projection: Projection, position: int) -> list[Meaning]:
        return [c.meaning for c in self._output(projection, position)]

    def _position(self, term: Term) -> Meaning | None:
        """What a number in GROUP BY, ORDER BY or DISTINCT ON stands for."""
        if not (isinstance(term, Op) and not term.args and term.tag.startswith("number ")):
            return None
        position = int(term.tag[7:]) - 1 if term.tag[7:].isdigit() else -1
        plain = all(p.every is None and not isinstance(p.term, Star) for p in self._select.projections[: position + 1])
        if not plain or not 0 <= position < len(self._select.projections):
            raise UnclearError
        return self._projected(position)

    def _columns(self) -> list[Column]:
        return [c for i, p in enumerate(self._select.projections) for c in self._output(p, i)]

    def _output(self, projection: Projection, position: int) -> list[Column]:
        if isinstance(projection.term, Star):
            return starred(projection.term, self._scope.frame, lambda t: self._evaluator.meaning(t, self._scope))
        if projection.every is not None:
            return self._every(projection, projection.every)
        meaning = self._projected(position)
        return [Column(projection.name, meaning._replace(identity=None) if self._sets else meaning)]

    def _every(self, projection: Projection, every: Columns) -> list[Column]:
        """An expression over `COLUMNS(...)`, once for each column."""
        found = []
        for column in chosen(every, self._scope.frame, lambda t: self._evaluator.meaning(t, self._scope)):
            self._scope.every = column
            meaning = self._evaluator.meaning(projection.term, self._scope)
            found.append(Column(_every_name(projection, every, str(column.name)), meaning))
        self._scope.every = None
        return found

    def _spread(self) -> None:
        """UNNEST in the list makes many rows of one."""
        terms = [(i, p) for i, p in enumerate(self._select.projections) if _spreads(p.term)]
        for position, projection in terms:
            self._rows = merged("spread", (self._rows, *self._columns_of(projection, position)))

    def _distinct(self, relation: Relation) -> None:
        select = self._select
        if not select.distinct:
            return
        if select.distinct_on:
            on = [self._position(t) or self._evaluator.meaning(t, self._scope) for t in select.distinct_on]
            self._rows = merged("distinct on", (self._rows, *on, *self._order(relation)), *select.tail.directions)
        else:
            self._rows = merged("distinct", (self._rows, *(c.meaning for c in relation.columns)))

    def _tail(self, relation: Relation) -> None:
        tail = self._select.tail
        order = self._order(relation)
        limit = [self._evaluator.meaning(t, self._scope) for t in tail.limit]
        if limit or (self._ordered and (order or tail.order_all)):
            self._rows = merged("tail", (self._rows, *order, *limit), *tail.directions)

    def _order(self, relation: Relation) -> list[Meaning]:
        tail = self._select.tail
        if tail.order_all:
            return [c.meaning for c in relation.columns]
        return [self._position(t) or self._meaning(t, "first" if isinstance(t, Name) else "last") for t in tail.order]


def _every_name(projection: Projection, every: Columns, column: str) -> str:
    if projection.name is None:
        return column
    if "\\" not in projection.name:
        return projection.name
    if every.regex is None:
        raise UnclearError
    found = compiled(every.regex).search(column)
    if found is None:
        raise UnclearError
    return re.sub(r"\\(\d)", lambda m: found.group(int(m.group(1))) or "", projection.name)


def _makes_sets(term: Term) -> bool:
    """Whether a key of GROUP BY is absent from some of the groups."""
    return isinstance(term, Op) and term.tag.split(" ")[0] in {"Cube", "Rollup", "GroupingSets"}


def _spreads(term: Term) -> bool:
    match term:
        case Context(kind, inner):
            return kind == "spread" or _spreads(inner)
        case Op(_, args):
            return any(_spreads(a) for a in args)
        case Labelled(_, inner):
            return _spreads(inner)
        case Star():
            return any(_spreads(t) for _, t in term.replace)
        case _:
            return False
