"""The scopes of a query: each SELECT with what its sources are known to be, and what the whole gives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from sqlglot import exp

from xde.undercurrents.engineering.linting.facts import NO_KEYS, UNKNOWN, Field, Relation, Scope, Source
from xde.undercurrents.engineering.linting.giving import given
from xde.undercurrents.engineering.linting.parts import joins, kind, method, own, side

if TYPE_CHECKING:
    from collections.abc import Iterator

_Ctes = Mapping[str, Relation]


class Reader:
    """Reads a query once, from the inside out; `scopes` are its SELECTs in that order."""

    def __init__(self, tree: exp.Expr, inputs: Mapping[str, Relation]) -> None:
        self._inputs = inputs
        self.scopes: list[Scope] = []
        self.relations: dict[int, Relation] = {}
        self.relation = self._read(tree, {}, None)
        body = tree
        while isinstance(body, exp.Subquery):
            body = body.this
        for scope in self.scopes:
            scope.outermost = scope.select is body

    def _read(self, query: exp.Expr, ctes: _Ctes, outer: Scope | None) -> Relation:
        ctes = self._with(query, ctes, outer)
        match query:
            case exp.Subquery():
                found = self._read(query.this, ctes, outer)
            case exp.SetOperation():
                found = self._set(query, ctes, outer)
            case exp.Select():
                found = self._select(query, ctes, outer)
            case _:
                found = UNKNOWN
        self.relations[id(query)] = found
        return found

    def _with(self, query: exp.Expr, ctes: _Ctes, outer: Scope | None) -> _Ctes:
        clause = query.args.get("with_")
        if not isinstance(clause, exp.With):
            return ctes
        known = dict(ctes)
        for cte in clause.expressions:
            name = cte.alias.lower()
            if clause.recursive:
                known[name] = UNKNOWN
            found = self._read(cte.this, known, outer)
            known[name] = UNKNOWN if cte.args["alias"].columns or clause.recursive else found
        return known

    def _set(self, query: exp.SetOperation, ctes: _Ctes, outer: Scope | None) -> Relation:
        left, right = self._read(query.this, ctes, outer), self._read(query.expression, ctes, outer)
        if left.fields is None or right.fields is None or query.args.get("by_name"):
            return UNKNOWN
        if isinstance(query, (exp.Except, exp.Intersect)):
            return left._replace(through="")
        fields = {}
        for (name, one), other in zip(left.fields.items(), right.fields.values(), strict=False):
            fields[name] = Field(one.name, one.type if one.type == other.type else "", one.required and other.required)
        return Relation(fields, frozenset([frozenset(fields)]) if query.args.get("distinct") else NO_KEYS)

    def _select(self, select: exp.Select, ctes: _Ctes, outer: Scope | None) -> Relation:
        scope = Scope(select, {}, outer)
        start = select.args.get("from_")
        if start is not None:
            self._add(scope, start.this, ctes, None)
        for join in joins(select):
            before = list(scope.sources)
            self._add(scope, join.this, ctes, join)
            _merge(scope, join, before)
            _weaken(scope, join, before)
        self.scopes.append(scope)
        for inner in _queries_within(select):
            self._read(inner, ctes, scope)
        return given(scope)

    def _add(self, scope: Scope, node: exp.Expr, ctes: _Ctes, join: exp.Join | None) -> None:
        name = node.alias_or_name.lower() or f"#{len(scope.sources)}"
        while name in scope.sources:
            name += "'"
        source = self._source(node, name, ctes, scope)
        hidden = join is not None and kind(join) in {"SEMI", "ANTI"}
        if node.args.get("pivots") or node.alias_column_names or node.args.get("joins"):
            source = source._replace(relation=UNKNOWN, opaque=True, dataset="")
        elif node.args.get("sample"):
            source = source._replace(relation=source.relation._replace(through=""))
        scope.sources[name] = source._replace(hidden=hidden)

    def _source(self, node: exp.Expr, name: str, ctes: _Ctes, scope: Scope) -> Source:
        if isinstance(node, exp.Table) and isinstance(node.this, exp.Identifier):
            if not node.db:
                relation = ctes.get(node.name.lower())
                return Source(name, relation or UNKNOWN, node, node.name, opaque=relation is None or relation.fields is None)
            dataset = f"{node.db}.{node.name}"
            relation = self._inputs.get(dataset.lower())
            return Source(name, relation or UNKNOWN, node, dataset, dataset, opaque=relation is None)
        if isinstance(node, exp.Subquery) and isinstance(node.this, exp.Query):
            relation = self._read(node, ctes, scope)
            return Source(name, relation, node, node.alias_or_name or "the subquery", opaque=relation.fields is None)
        return Source(name, UNKNOWN, node, node.alias_or_name, opaque=True)


def _merge(scope: Scope, join: exp.Join, before: list[str]) -> None:
    """Columns of USING, and those that a NATURAL join finds, are one; which sources they are of."""
    new = next(n for n in scope.sources if n not in before)
    names = [c.name.lower() for c in join.args.get("using") or ()]
    if method(join) == "NATURAL":
        names = list(scope.sources[new].relation.fields or {})
    for name in names:
        owners = scope.merged.get(name) or [b for b in before if name in (scope.sources[b].relation.fields or {})]
        if owners or join.args.get("using"):
            scope.merged[name] = [*(owners or before[:1]), new]


def _weaken(scope: Scope, join: exp.Join, before: list[str]) -> None:
    """Behind an outer join, what finds no partner has NULLs."""
    new = next(n for n in scope.sources if n not in before)
    for name in {"LEFT": [new], "RIGHT": before, "FULL": [new, *before]}.get(side(join), []):
        scope.sources[name] = scope.sources[name]._replace(optional=True)


def _queries_within(select: exp.Select) -> Iterator[exp.Expr]:
    """The queries inside expressions of a SELECT, not those in its FROM or WITH."""
    for key, value in select.args.items():
        if key in {"from_", "with_"}:
            continue
        for part in value if isinstance(value, list) else [value]:
            start = part.args.get("on") if isinstance(part, exp.Join) else part
            for node in own(start) if isinstance(start, exp.Expr) else ():
                if isinstance(node, exp.Query):
                    yield node
