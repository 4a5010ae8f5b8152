"""What the contracts of a model's inputs promise, as far as its SQL carries it on: columns that are never NULL, keys that are unique.

An outcome that a promise rules out is no branch: no case could reach it without breaking the contract of an input.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlglot import exp, parse_one

from xde.undercurrents.engineering.coverage.fragments import DIALECT
from xde.undercurrents.engineering.coverage.scopes import written

if TYPE_CHECKING:
    from collections.abc import Sequence

_STRICT = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Like, exp.ILike, exp.Add, exp.Sub, exp.Mul)
_NUMBERING = (exp.RowNumber, exp.Rank, exp.DenseRank, exp.Count)


@dataclass(frozen=True, slots=True)
class Promise:
    """Columns without NULL, and sets of columns that tell each row from all others; names in lower case."""

    required: frozenset[str] = frozenset()
    keys: tuple[frozenset[str], ...] = ()


NOTHING = Promise()
Promises = Mapping[str, Promise]


def promise_of(sql: str, promises: Promises) -> Promise:
    """What a query promises of its rows, by what its inputs promise (by dataset, in lower case)."""
    tree = parse_one(sql, dialect=DIALECT)
    return Known(promises).of_query(tree)


@dataclass(slots=True)
class Known:
    """Works out promises of the sources of SELECTs, each once."""

    promises: Promises
    _made: dict[int, Promise] = field(default_factory=dict)
    _sources: dict[int, dict[str, tuple[Promise, bool]]] = field(default_factory=dict)

    def of_query(self, query: exp.Expr) -> Promise:
        """What a query promises; nothing for what is no plain SELECT."""
        while isinstance(query, exp.Subquery) and not query.args.get("pivots"):
            query = query.this
        if isinstance(query, exp.SetOperation):
            columns = self._columns(query)
            return Promise(frozenset(n for n, required in columns or () if required))
        if not isinstance(query, exp.Select):
            return NOTHING
        found = self._made.get(id(query))
        if found is None:
            self._made[id(query)] = NOTHING  # while it is worked out: one that reads itself promises nothing
            found = self._made[id(query)] = Promise(self._required(query), self._keys(query))
        return found

    def _columns(self, query: exp.Expr) -> list[tuple[str, bool]] | None:
        """The columns of a query in their order, and whether each is never NULL; None where that cannot be told."""
        while isinstance(query, exp.Subquery):
            query = query.this
        if isinstance(query, exp.SetOperation) and not query.args.get("by_name"):
            left, right = self._columns(query.this), self._columns(query.expression)
            if left is None or right is None or len(left) != len(right):
                return None
            return [(name, here and there) for (name, here), (_, there) in zip(left, right, strict=True)]
        if not isinstance(query, exp.Select) or any(_is_star(n) for n in query.expressions):
            return None
        required = self.of_query(query).required
        return [(n.alias_or_name.lower(), n.alias_or_name.lower() in required) for n in query.expressions]

    def of_source(self, source: exp.Expr) -> Promise:
        """What a source in a FROM clause promises."""
        alias = source.args.get("alias")
        if source.args.get("pivots") or source.args.get("sample") or (isinstance(alias, exp.TableAlias) and alias.columns):
            return NOTHING
        if isinstance(source, exp.Subquery):
            return self.of_query(source)
        if not isinstance(source, exp.Table) or not isinstance(source.this, exp.Identifier):
            return NOTHING
        if source.args.get("db"):
            return self.promises.get(f"{source.db}.{source.name}".lower(), NOTHING)
        cte = _cte_of(source)
        return self.of_query(cte.this) if cte is not None and not cte.args["alias"].columns else NOTHING

    def sources(self, select: exp.Select) -> dict[str, tuple[Promise, bool]]:
        """The sources of a SELECT by name, with what each promises and whether a join may put NULLs in its place."""
        found = self._sources.get(id(select))
        if found is None:
            found = self._sources[id(select)] = self._sources_of(select)
        return found

    def _sources_of(self, select: exp.Select) -> dict[str, tuple[Promise, bool]]:
        start = select.args.get("from_")
        found: dict[str, tuple[Promise, bool]] = {}
        if start is None:
            return found
        found[start.this.alias_or_name.lower()] = (self.of_source(start.this), False)
        for join in select.args.get("joins") or []:
            side = str(join.args.get("side") or "").upper()
            if side in {"RIGHT", "FULL"}:
                found = {n: (p, True) for n, (p, _) in found.items()}
            found[join.this.alias_or_name.lower()] = (self.of_source(join.this), side in {"LEFT", "FULL"})
        return found

    def never_null(self, node: exp.Expr, select: exp.Select) -> bool:
        """Whether an expression of a SELECT has a value in every row, by its form and by what the sources promise."""
        match node:
            case exp.Column():
                return self._is_required(node, select)
            case exp.Null() | exp.TryCast():
                return False
            case exp.Literal() | exp.Boolean() | exp.Is() | exp.NullSafeEQ() | exp.NullSafeNEQ() | exp.Exists() | exp.Count():
                return True
            case exp.Window():
                return isinstance(node.this, _NUMBERING)
            case exp.Coalesce():
                return any(self.never_null(n, select) for n in (node.this, *node.expressions))
            case exp.Case():
                results = [arm.args.get("true") for arm in node.args["ifs"]]
                return all(r is not None and self.never_null(r, select) for r in (*results, node.args.get("default")))
            case _:
                parts = _operands(node)
                return bool(parts) and all(self.never_null(n, select) for n in parts)

    def single_match(self, join: exp.Join) -> bool:
        """Whether a left row finds one right row at most, because the join compares a key of the right side."""
        name = join.this.alias_or_name.lower()
        compared = {c.name.lower() for c in join.args.get("using") or []} | _compared(join.args.get("on"), name)
        return any(key <= compared for key in self.of_source(join.this).keys)

    def _is_required(self, column: exp.Column, select: exp.Select) -> bool:
        if isinstance(column.this, exp.Star) or column.args.get("db"):
            return False
        sources = self.sources(select)
        if not column.table:
            # of one source; otherwise the name may be that of another's column
            only = next(iter(sources.values())) if len(sources) == 1 else (NOTHING, True)
            return not only[1] and column.name.lower() in only[0].required
        promise, nullable = sources.get(column.table.lower(), (NOTHING, True))
        return not nullable and column.name.lower() in promise.required

    def _required(self, select: exp.Select) -> frozenset[str]:
        if _has_sets(select):
            return frozenset()
        found = {n.alias_or_name.lower() for n in select.expressions if not _is_star(n) and self.never_null(n.unalias(), select)}
        only = self._passed_on(select)
        return frozenset(found | (only.required if only is not None else frozenset()))

    def _passed_on(self, select: exp.Select) -> Promise | None:
        """The promise of the only source, where a bare `*` takes all its columns as they are."""
        stars = [n for n in select.expressions if _is_star(n)]
        if len(stars) != 1 or not isinstance(stars[0], exp.Star) or any(stars[0].args.get(k) for k in ("except_", "replace", "rename")):
            return None
        sources = self.sources(select)
        return next(iter(sources.values()))[0] if len(sources) == 1 else None

    def _keys(self, select: exp.Select) -> tuple[frozenset[str], ...]:
        if any(n.find(exp.Unnest, exp.Explode) for n in select.expressions) or _has_sets(select):
            return ()
        kept = self._partition(select)
        keys = [kept] if kept else []
        group = select.args.get("group")
        if isinstance(group, exp.Group):
            by = _named(group.expressions, select)
            return (*keys, by) if by else tuple(keys)
        if select.args.get("joins") or len(self.sources(select)) != 1:
            return tuple(keys)
        (source, _) = next(iter(self.sources(select).values()))
        names = {n.unalias().name.lower(): n.alias_or_name.lower() for n in select.expressions if isinstance(n.unalias(), exp.Column)}
        if self._passed_on(select) is not None:
            names = {c: c for key in source.keys for c in key} | names
        keys += [frozenset(names[c] for c in key) for key in source.keys if key <= set(names)]
        return tuple(keys)

    def _partition(self, select: exp.Select) -> frozenset[str] | None:
        """The key that `QUALIFY row_number() OVER (PARTITION BY key ...) = 1` makes."""
        clause = select.args.get("qualify")
        test = clause.this if clause is not None else None
        if not isinstance(test, exp.EQ) or not isinstance(test.this, exp.Window) or not isinstance(test.this.this, exp.RowNumber):
            return None
        by = test.this.args.get("partition_by") or []
        one = isinstance(test.expression, exp.Literal) and test.expression.name == "1"
        if not one or not by or not all(isinstance(c, exp.Column) for c in by):
            return None
        return frozenset(c.name.lower() for c in by) if self._passed_on(select) is not None else _named(by, select)


def _operands(node: exp.Expr) -> Sequence[exp.Expr]:
    """The parts without which a node has no NULL; none where that cannot be told."""
    match node:
        case exp.Paren() | exp.Not() | exp.Cast():
            return (node.this,)
        case exp.And() | exp.Or():
            return (node.this, node.expression)
        case exp.Between():
            return (node.this, node.args["low"], node.args["high"])
        case exp.In() if not node.args.get("query") and not node.args.get("unnest") and node.expressions:
            return (node.this, *node.expressions)
        case exp.Binary() if isinstance(node, _STRICT):
            return (node.this, node.expression)
        case _:
            return ()


def _has_sets(select: exp.Select) -> bool:
    """Whether groups are also made of parts of the keys, which puts NULL in the place of the others."""
    group = select.args.get("group")
    return group is not None and group.find(exp.Rollup, exp.Cube, exp.GroupingSets) is not None


def _is_star(node: exp.Expr) -> bool:
    return isinstance(node, (exp.Star, exp.Columns)) or (isinstance(node, exp.Column) and isinstance(node.this, exp.Star))


def _named(keys: Sequence[exp.Expr], select: exp.Select) -> frozenset[str] | None:
    """The names under which all of some keys are projected."""
    names: dict[str, str] = {}
    for number, item in enumerate(select.expressions, 1):
        names |= {written(item.unalias()).lower(): item.alias_or_name.lower(), str(number): item.alias_or_name.lower()}
    names |= {item.alias.lower(): item.alias.lower() for item in select.expressions if item.alias}
    found = [names.get(written(key).lower(), "") for key in keys]
    return frozenset(found) if found and all(found) else None


def _compared(on: exp.Expr | None, name: str) -> set[str]:
    """The columns of a source that a condition sets equal to something that is not of it."""
    if on is None:
        return set()
    if isinstance(on, exp.Paren):
        return _compared(on.this, name)
    if isinstance(on, exp.And):
        return _compared(on.this, name) | _compared(on.expression, name)
    if not isinstance(on, exp.EQ):
        return set()
    found = set()
    for here, there in ((on.this, on.expression), (on.expression, on.this)):
        foreign = all(c.table and c.table.lower() != name for c in there.find_all(exp.Column)) and not there.find(exp.Query)
        if isinstance(here, exp.Column) and here.table.lower() == name and foreign:
            found.add(here.name.lower())
    return found


def _cte_of(table: exp.Table) -> exp.CTE | None:
    """The CTE that a name means: one before it in its own clause, or one of a query around it."""
    name, node, before = table.name.lower(), table.parent, None
    while node is not None:
        clause = node if isinstance(node, exp.With) else node.args.get("with_")
        if isinstance(clause, exp.With) and clause is not before:
            for cte in reversed(_before(clause, before if isinstance(node, exp.With) else None)):
                if cte.alias.lower() == name:
                    return cte
        before, node = node, node.parent
    return None


def _before(clause: exp.With, inside: exp.Expr | None) -> list[exp.CTE]:
    ctes = list(clause.expressions)
    position = next((i for i, cte in enumerate(ctes) if cte is inside), len(ctes))
    return ctes[:position]
