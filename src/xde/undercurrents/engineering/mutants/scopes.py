"""Which column a name in a query means: the sources of each SELECT, with types, and whether a value may be missing.

It knows what the operators must know and no more: a name that is not certain is unknown, and then nothing is claimed of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlglot import exp

from xde.undercurrents.engineering.mutants.keys import NO_KEYS, Flow, Keys, keys_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xde.undercurrents.engineering.mutants.promises import Promises

_COUNTS = (exp.Count, exp.RowNumber, exp.Rank, exp.DenseRank)
_TRUTHS = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.And, exp.Or, exp.Not, exp.Is, exp.In, exp.Between, exp.Like, exp.ILike)
_SAME = (exp.Max, exp.Min, exp.First, exp.Last, exp.FirstValue, exp.LastValue, exp.Lag, exp.Lead, exp.AnyValue, exp.Mode)
_TOTAL = (
    exp.Add,
    exp.Sub,
    exp.Mul,
    exp.AtTimeZone,
    exp.DateFromParts,
    exp.TimestampFromParts,
    exp.Lower,
    exp.Upper,
    exp.Trim,
    exp.Year,
    exp.Month,
    exp.Day,
    exp.Abs,
    exp.Neg,
    exp.Interval,
    exp.TimestampTrunc,
    exp.DateTrunc,
    exp.Concat,
)
"""Where no part is null, the whole is not; the quotient is not among them."""
_LOSSLESS = (exp.Window, exp.Filter, exp.Order, exp.Ordered, exp.Paren, exp.Alias, exp.Distinct)


@dataclass(frozen=True, slots=True)
class Field:
    """A column of a source: `dataset` and `column` are where it is copied from, when it is."""

    name: str
    type: str | None = None
    required: bool = False
    dataset: str | None = None
    column: str | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """What one name in FROM gives; `fields` by name in small letters, or None when they are not known."""

    name: str
    fields: Mapping[str, Field] | None
    dataset: str | None = None
    keys: Keys = NO_KEYS


@dataclass(frozen=True, slots=True)
class Relation:
    """What a query gives: its columns, when they are known, and what tells its rows apart."""

    fields: Mapping[str, Field] | None
    keys: Keys = NO_KEYS


_UNKNOWN = Relation(None)
_Tables = Mapping[str, Relation]


@dataclass(frozen=True, slots=True)
class Scope:
    """One SELECT with its sources, by name in small letters and in order."""

    select: exp.Select
    sources: Mapping[str, Source]
    outer: Scope | None = None

    def source_of(self, column: exp.Column) -> Source | None:
        """The source that a column is of, if that is certain."""
        if column.table:
            source = self.sources.get(column.table.casefold())
            return source if source is not None or self.outer is None else self.outer.source_of(column)
        known = [s for s in self.sources.values() if s.fields is not None]
        having = [s for s in known if s.fields is not None and column.name.casefold() in s.fields]
        if len(having) == 1 or (having and self._joined_by(column.name)):
            return having[0] if len(known) == len(self.sources) else None
        return self.outer.source_of(column) if not having and self.outer is not None else None

    def field_of(self, column: exp.Column) -> Field | None:
        source = self.source_of(column)
        return None if source is None or source.fields is None else source.fields.get(column.name.casefold())

    def owner_of(self, column: exp.Column) -> str | None:
        """The name of the source that a column is of, in small letters."""
        source = self.source_of(column)
        return source.name.casefold() if source is not None else None

    def _joined_by(self, name: str) -> bool:
        return any(name.casefold() == c.name.casefold() for j in self.select.args.get("joins") or () for c in j.args.get("using") or ())


class Scopes:
    """The scopes of all SELECTs of a query."""

    def __init__(self, tree: exp.Expr, promises: Promises) -> None:
        self._promises = promises
        self._schemas = {name.casefold(): name for name in promises.schemas}
        self._scopes: dict[int, Scope] = {}
        self._relations: dict[int, Relation] = {}
        self._read(tree, {}, None)

    def around(self, node: exp.Expr) -> Scope | None:
        """The scope that a part of a query stands in."""
        select = node.parent_select if not isinstance(node, exp.Select) else node
        return self._scopes.get(id(select)) if select is not None else None

    def field_of(self, column: exp.Column) -> Field | None:
        scope = self.around(column)
        return scope.field_of(column) if scope is not None else None

    def relation(self, query: exp.Expr) -> Relation:
        """What a SELECT of the query gives."""
        return self._relations.get(id(query), _UNKNOWN)

    def _read(self, query: exp.Expr, ctes: _Tables, outer: Scope | None) -> Relation:
        ctes = self._with(query, ctes, outer)
        match query:
            case exp.Subquery():
                return self._read(query.this, ctes, outer)
            case exp.SetOperation():
                left, right = self._read(query.left, ctes, outer), self._read(query.right, ctes, outer)
                if left.fields is None or right.fields is None or query.args.get("by_name"):
                    return _UNKNOWN
                fields = _united(left.fields, right.fields)
                return Relation(fields, frozenset([frozenset(fields)]) if query.args.get("distinct") else NO_KEYS)
            case exp.Select():
                return self._select(query, ctes, outer)
            case _:
                return _UNKNOWN

    def _with(self, query: exp.Expr, ctes: _Tables, outer: Scope | None) -> _Tables:
        with_ = query.args.get("with_")
        if with_ is None:
            return ctes
        known = dict(ctes)
        for cte in with_.expressions:
            name = cte.alias.casefold()
            if with_.recursive:
                known[name] = _UNKNOWN
            relation = self._read(cte.this, known, outer)
            known[name] = _UNKNOWN if cte.args["alias"].columns else relation
        return known

    def _select(self, select: exp.Select, ctes: _Tables, outer: Scope | None) -> Relation:
        sources: dict[str, Source] = {}
        from_ = select.args.get("from_")
        if from_ is not None:
            self._add(sources, from_.this, ctes, outer)
        for join in select.args.get("joins") or ():
            before = list(sources)
            self._add(sources, join.this, ctes, outer)
            _weaken(sources, join, before)
        scope = Scope(select, sources, outer)
        self._scopes[id(select)] = scope
        for inner in _queries_within(select):
            self._read(inner, ctes, scope)
        self._relations[id(select)] = found = _outputs(scope)
        return found

    def _add(self, sources: dict[str, Source], item: exp.Expr, ctes: _Tables, outer: Scope | None) -> None:
        name = item.alias_or_name.casefold() or f"#{len(sources)}"
        if isinstance(item, exp.Table) and isinstance(item.this, exp.Identifier):
            for join in item.args.get("joins") or ():
                self._add(sources, join.this, ctes, outer)
            sources[name] = self._table(item, ctes)
        elif isinstance(item, exp.Subquery):
            relation = self._read(item, ctes, outer)
            sources[name] = Source(item.alias_or_name, relation.fields, None, relation.keys)
        else:
            sources[name] = Source(item.alias_or_name, None)
        if item.args.get("pivots") or item.alias_column_names:
            sources[name] = Source(item.alias_or_name, None)

    def _table(self, table: exp.Table, ctes: _Tables) -> Source:
        if not table.db and table.name.casefold() in ctes:
            relation = ctes[table.name.casefold()]
            return Source(table.alias_or_name, relation.fields, None, relation.keys)
        dataset = self._schemas.get(f"{table.db}.{table.name}".casefold())
        if dataset is None:
            return Source(table.alias_or_name, None)
        fields = {
            column.casefold(): Field(column, type_.upper(), self._promises.is_required(dataset, column), dataset, column)
            for column, type_ in self._promises.schemas[dataset].items()
        }
        return Source(table.alias_or_name, fields, dataset, frozenset(self._promises.keys(dataset)))


def _outputs(scope: Scope) -> Relation:
    fields: dict[str, Field] = {}
    given: dict[tuple[str, str], str] = {}
    for item in scope.select.expressions:
        if item.is_star:
            starred = _starred(item, scope)
            if starred is None:
                return _UNKNOWN
            for name, owner, field in starred:
                fields.setdefault(name, field)
                given.setdefault((owner, name), name)
        elif item.alias_or_name:
            name, value = item.alias_or_name.casefold(), item.unalias()
            fields[name] = replace(infer(item, scope), name=item.alias_or_name)
            given_by = scope.owner_of(value) if isinstance(value, exp.Column) else None
            if given_by is not None:
                given[given_by, value.name.casefold()] = name
            elif isinstance(value, exp.DateFromParts):  # a date tells its year, month and day
                for part in value.find_all(exp.Column):
                    given.setdefault((scope.owner_of(part) or "", part.name.casefold()), name)
    flow = Flow({n: s.keys for n, s in scope.sources.items()}, tuple(fields), given, scope.owner_of)
    return Relation(fields, keys_of(scope.select, flow))


def infer(item: exp.Expr, scope: Scope) -> Field:
    """What is known of the value of an expression."""
    match item:
        case exp.Column():
            return scope.field_of(item) or Field(item.name)
        case exp.Cast():
            return Field("", item.to.sql("duckdb").upper(), required=infer(item.this, scope).required and not isinstance(item, exp.TryCast))
        case exp.Literal():
            return Field("", _type_of_literal(item), required=True)
        case exp.Coalesce():
            values = [infer(item.this, scope), *(infer(e, scope) for e in item.expressions)]
            return Field("", values[0].type, required=any(v.required for v in values))
        case exp.DPipe():
            return Field("", "VARCHAR", required=infer(item.left, scope).required and infer(item.right, scope).required)
        case _:
            return _infer_kind(item, scope)


def _infer_kind(item: exp.Expr, scope: Scope) -> Field:
    if isinstance(item, _COUNTS):
        return Field("", "BIGINT", required=True)
    if isinstance(item, _TRUTHS):
        return Field("", "BOOLEAN")
    if isinstance(item, _TOTAL):
        inner = [part for part in item.iter_expressions() if not isinstance(part, (exp.Var, exp.DataType))]
        return Field("", required=all(infer(part, scope).required for part in inner))
    if not isinstance(item.this, exp.Expr) or not isinstance(item, (*_LOSSLESS, *_SAME)):
        return Field("")
    value = infer(item.this, scope)
    if isinstance(item, (exp.Alias, exp.Paren)):
        return value
    return replace(value, dataset=None, column=None) if isinstance(item, _LOSSLESS) else Field("", value.type)


def family(type_: str | None) -> str:
    """The kind of a type: number, text, time, truth, other; nothing when it is not known."""
    if type_ is None:
        return ""
    name = type_.partition("(")[0].strip()
    if "[" in type_:
        return "other"
    return _FAMILIES.get(name, "time" if name.startswith(("TIMESTAMP", "TIME")) else "other")


# fmt: off
_NUMBERS = [
    "TINYINT", "SMALLINT", "INTEGER", "INT", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT",
    "DOUBLE", "FLOAT", "REAL", "DECIMAL", "NUMERIC",
]
# fmt: on
_FAMILIES = {
    **dict.fromkeys(_NUMBERS, "number"),
    **dict.fromkeys(["VARCHAR", "TEXT", "STRING", "CHAR"], "text"),
    **dict.fromkeys(["DATE", "TIME", "DATETIME"], "time"),
    **dict.fromkeys(["BOOLEAN", "BOOL"], "truth"),
}


def _type_of_literal(item: exp.Literal) -> str:
    return "VARCHAR" if item.is_string else "INTEGER" if item.is_int else "DECIMAL"


def _united(left: Mapping[str, Field], right: Mapping[str, Field]) -> dict[str, Field]:
    found = {}
    for (name, one), other in zip(left.items(), right.values(), strict=False):
        type_ = one.type if one.type == other.type else None
        found[name] = Field(one.name, type_, required=one.required and other.required)
    return found


def _weaken(sources: dict[str, Source], join: exp.Join, before: list[str]) -> None:
    """Behind an outer join, what finds no match has nulls."""
    weak = {"LEFT": [n for n in sources if n not in before], "RIGHT": before, "FULL": list(sources)}.get(str(join.side).upper(), [])
    for name in weak:
        fields = sources[name].fields
        if fields is not None:
            sources[name] = replace(sources[name], fields={n: replace(f, required=False) for n, f in fields.items()})


def _queries_within(select: exp.Select) -> Iterator[exp.Expr]:
    """The queries inside expressions of a SELECT, not those in its FROM or WITH."""
    for key, value in select.args.items():
        if key in {"from_", "with_"}:
            continue
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, exp.Join):
                yield from _outermost(part.args.get("on"))
            elif isinstance(part, exp.Expr):
                yield from _outermost(part)


def _outermost(node: exp.Expr | None) -> Iterator[exp.Expr]:
    if node is None:
        return
    for found in node.walk(prune=lambda n: isinstance(n, exp.Query)):
        if isinstance(found, exp.Query):
            yield found


def _starred(item: exp.Expr, scope: Scope) -> list[tuple[str, str, Field]] | None:
    """The columns that a star gives: name, source, what is known."""
    star = item.this if isinstance(item, exp.Column) else item
    if not isinstance(star, exp.Star) or star.args.get("replace") or star.args.get("rename"):
        return None
    left_out = {e.name.casefold() for e in star.args.get("except_") or ()}
    wanted = [item.table.casefold()] if isinstance(item, exp.Column) else list(scope.sources)
    found: list[tuple[str, str, Field]] = []
    for owner in wanted:
        source = scope.sources.get(owner)
        if source is None or source.fields is None:
            return None
        found += [(name, owner, field) for name, field in source.fields.items() if name not in left_out]
    return found
