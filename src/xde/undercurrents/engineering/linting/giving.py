"""What a SELECT gives: its columns, and the sets of them that tell its rows apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from xde.kernel.graph.text.functions import AGGREGATES, SPREADING
from xde.undercurrents.engineering.conditions import conjuncts
from xde.undercurrents.engineering.linting.facts import Doubled, Field, Keys, Named, Relation, Scope
from xde.undercurrents.engineering.linting.parts import clause, columns, own
from xde.undercurrents.engineering.linting.settling import Settling
from xde.undercurrents.engineering.linting.types import infer

if TYPE_CHECKING:
    from collections.abc import Iterator


_HASHES = (exp.MD5, exp.MD5Digest, exp.SHA, exp.SHA2)


class _Given:
    """The columns of a SELECT as they are put together.

    `names` are those of columns that are given on unchanged, `hashes` those made of some columns.
    """

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.fields: dict[str, Field] = {}
        self.names: dict[Named, str] = {}
        self.hashes: list[tuple[str, set[Named]]] = []
        self.through = ""
        self.known = True
        self.settling = Settling(scope)
        self.plain = not is_grouped(scope.select) and not scope.select.args.get("distinct") and not scope.select.args.get("qualify")

    def take(self, item: exp.Expr) -> None:
        """One item of the list."""
        if is_star(item):
            self._star(item)
            return
        if isinstance(item, exp.Columns) or item.find(exp.Columns) or not item.alias_or_name:
            self.known = self.known and not (isinstance(item, exp.Columns) or item.find(exp.Columns))
            if not item.alias_or_name:
                self.fields[f"#{len(self.fields)}"] = Field("")
            return
        name, value = item.alias_or_name, item.unalias()
        found = infer(value, self.scope)
        self.fields[name.lower()] = Field(name, found.type, found.required, self._doubled(value) or found.doubled if self.plain else None)
        if isinstance(value, exp.Column):
            named = self.scope.named(value)
            if named is not None:
                self._name(named, name.lower())
        elif isinstance(value, _HASHES):
            self.hashes.append((name.lower(), {n for c in columns(value) if (n := self.scope.named(c)) is not None}))

    def _name(self, named: Named, name: str) -> None:
        """A column that USING made one goes by its name for all the sources that it is of."""
        self.names.setdefault(named, name)
        owners = self.scope.merged.get(named[1], ())
        if named[0] in owners:
            for owner in owners:
                self.names.setdefault((owner, named[1]), name)

    def _star(self, item: exp.Expr) -> None:
        star = item.this if isinstance(item, exp.Column) else item
        wanted = [item.table.lower()] if isinstance(item, exp.Column) else [n for n, s in self.scope.sources.items() if not s.hidden]
        sources = [self.scope.sources.get(n) for n in wanted]
        if any(star.args.get(w) for w in ("replace", "rename")) or any(s is None or s.relation.fields is None for s in sources):
            self.known = False
        left_out = {e.name.lower() for e in star.args.get("except_") or ()}
        for source in sources:
            if source is None:
                continue
            self.through = self.through or source.dataset or source.relation.through
            for name, found in (source.relation.fields or {}).items():
                if name in left_out or name in self.fields:
                    continue
                doubled = (self._doubled_of([source.name]) or found.doubled) if self.plain else None
                self.fields[name] = found._replace(required=found.required and not source.optional, doubled=doubled)
                self._name((source.name, name), name)

    def _doubled(self, value: exp.Expr) -> Doubled | None:
        """Whether an expression gives one value of a source's row in several rows of the result."""
        sources = [self.scope.source_of(c) for c in columns(value)]
        if not sources or any(s is None for s in sources):
            return None
        return self._doubled_of([s.name for s in sources if s is not None and s.name in self.scope.sources])

    def _doubled_of(self, names: list[str]) -> Doubled | None:
        if len(self.settling.shown) < 2 or not names:
            return None
        missing = self.settling.missing(names)
        return doubling(self.settling, missing[0], names) if missing else None


def doubling(settling: Settling, name: str, rows: list[str]) -> Doubled:
    """The source by which rows of others come to stand in a result several times."""
    source = settling.scope.sources[name]
    on = settling.joined_by(name, [n for n in settling.shown if n != name] if len(rows) == 0 else rows)
    twins = sum(s.title == source.title for s in settling.scope.sources.values()) > 1
    return Doubled(source.alias if twins else source.title, source.node, on, bool(source.relation.keys))


def given(scope: Scope) -> Relation:
    """What a SELECT gives."""
    found = _Given(scope)
    for item in scope.select.expressions:
        found.take(item)
    if not found.known:
        return Relation(None)
    if not found.names and not scope.sources:
        return Relation(found.fields, frozenset([frozenset()]))
    through = found.through if not is_grouped(scope.select) else ""
    return Relation(found.fields, _keys(found), through)


def _keys(found: _Given) -> Keys:
    select, scope = found.scope.select, found.scope
    if any(spreads(i) for i in select.expressions):
        return frozenset()
    keys: set[frozenset[str]] = set()
    distinct = select.args.get("distinct")
    if isinstance(distinct, exp.Distinct) and not distinct.args.get("on"):
        keys.add(frozenset(found.fields))
    if isinstance(distinct, exp.Distinct) and distinct.args.get("on"):
        on = distinct.args["on"]
        keys |= _outward([scope.named(c) if isinstance(c, exp.Column) else None for c in getattr(on, "expressions", ())], found)
    if _is_one(select.args.get("limit")):
        keys.add(frozenset())
    if select.args.get("group") is not None:
        keys |= _grouped(select, select.args["group"], found.fields)
    elif is_grouped(select):
        keys.add(frozenset())
    else:
        keys |= _joined(found)
        keys |= _numbered(found)
    return frozenset(keys)


def _is_one(limit: object) -> bool:
    return isinstance(limit, exp.Limit) and isinstance(limit.expression, exp.Literal) and limit.expression.name == "1"


def _outward(key: list[Named | None], found: _Given) -> set[frozenset[str]]:
    """A key of the rows inside by its names outside; none where a part is not given on."""
    names = [found.names.get(part) if part is not None else None for part in key]
    return {frozenset(str(n) for n in names)} if key and all(names) else set()


def _joined(found: _Given) -> set[frozenset[str]]:
    """The keys of sources that settle all others; what a condition sets equal to a constant is no part of them."""
    scope, settling = found.scope, found.settling
    _, constant = settling.settled((), whole=True)
    keys: set[frozenset[str]] = set()
    for key in _candidates(scope, settling.shown):
        sources, known = settling.settled((), key, whole=True)
        if all(n in sources for n in settling.shown):
            outside = [found.names.get(part) or _equal_name(part, found, known) for part in key if part not in constant]
            if all(outside):
                keys.add(frozenset(str(n) for n in outside))
            # a hash of a key is made to be one
            keys |= {frozenset([name]) for name, of in found.hashes if key - constant <= of}
    return keys


def _equal_name(part: Named, found: _Given, known: set[Named]) -> str | None:
    """The name of a column that is given on and settles the part, and is settled by it."""
    settled = found.settling.settled((), [part], whole=True)[1]
    for other, name in found.names.items():
        if other in known and other in settled and part in found.settling.settled((), [other], whole=True)[1]:
            return name
    return None


def _candidates(scope: Scope, shown: list[str]) -> Iterator[frozenset[Named]]:
    """The keys of single sources that have rows of their own, and those of two together."""
    single = [frozenset((n, c) for c in key) for n in shown if not scope.sources[n].optional for key in scope.sources[n].relation.keys]
    yield from single
    if len(shown) < 6:
        yield from (a | b for i, a in enumerate(single) for b in single[:i])


def _numbered(found: _Given) -> set[frozenset[str]]:
    """`row_number() OVER (PARTITION BY k ...)`: with its number, k is a key; and k alone where QUALIFY keeps the first."""
    select, scope = found.scope.select, found.scope
    keys: set[frozenset[str]] = set()
    for item in select.expressions:
        window = item.unalias()
        if isinstance(window, exp.Window) and isinstance(window.this, exp.RowNumber) and item.alias:
            parts = _partition(window, scope)
            inner = _outward(parts, found) if parts else {frozenset[str]()}
            keys |= {k | {item.alias.lower()} for k in inner}
    for part in conjuncts(clause(select, "qualify")):
        window = part.this if isinstance(part, (exp.EQ, exp.LTE)) and part.args["expression"].sql() == "1" else None
        if isinstance(window, exp.Column):
            window = next((i.unalias() for i in select.expressions if i.alias.lower() == window.name.lower()), None)
        if isinstance(window, exp.Window) and isinstance(window.this, exp.RowNumber):
            parts = _partition(window, scope)
            keys |= _outward(parts, found) if parts else {frozenset()}
    return keys


def _partition(window: exp.Window, scope: Scope) -> list[Named | None]:
    return [scope.named(c) if isinstance(c, exp.Column) else None for c in window.args.get("partition_by") or ()]


def _grouped(select: exp.Select, group: exp.Expr, fields: dict[str, Field]) -> set[frozenset[str]]:
    """The keys of a GROUP BY, when all of it is given on."""
    if group.args.get("all") or (len(group.expressions) == 1 and group.expressions[0].sql().upper() == "ALL"):
        plain = [i for i in select.expressions if not has_aggregate(i)]
        return set() if any(is_star(i) for i in plain) else {frozenset(i.alias_or_name.lower() for i in plain)}
    if any(group.args.get(word) for word in ("rollup", "cube", "grouping_sets")):
        return set()
    key = set()
    for part in group.expressions:
        name = _name_of(select, part)
        if name is None or name not in fields:
            return set()
        key.add(name)
    return {frozenset(key)}


def _name_of(select: exp.Select, part: exp.Expr) -> str | None:
    if isinstance(part, exp.Literal) and part.is_int:
        position = int(part.name) - 1
        return str(select.expressions[position].alias_or_name).lower() if 0 <= position < len(select.expressions) else None
    for item in select.expressions:
        value = item.unalias()
        plain = value.this if isinstance(value, exp.Cast) else value
        named = isinstance(part, exp.Column) and not part.table and item.alias_or_name.lower() == part.name.lower()
        same = isinstance(part, exp.Column) and isinstance(plain, exp.Column) and part.name.lower() == plain.name.lower()
        if part in (value, plain) or named or (same and not (part.args.get("table") and plain.args.get("table"))):
            return str(item.alias_or_name).lower()
    return None


def is_star(item: exp.Expr) -> bool:
    """Whether an item of the list is `*` or `t.*`."""
    return isinstance(item, exp.Star) or (isinstance(item, exp.Column) and isinstance(item.this, exp.Star))


def is_aggregate(node: exp.Expr) -> bool:
    """Whether a node makes one value of the rows of a group (and not of a window)."""
    if not (node.name.lower() in AGGREGATES if isinstance(node, exp.Anonymous) else isinstance(node, exp.AggFunc)):
        return False
    above = node.parent
    while isinstance(above, (exp.Filter, exp.IgnoreNulls, exp.RespectNulls, exp.WithinGroup)):
        node, above = above, above.parent
    return not (isinstance(above, exp.Window) and node.arg_key == "this")


def has_aggregate(node: exp.Expr) -> bool:
    """Whether something below a node, in the same SELECT, is computed over groups."""
    return any(is_aggregate(n) for n in own(node))


def is_grouped(select: exp.Select) -> bool:
    """Whether the rows of a SELECT are groups."""
    return (
        select.args.get("group") is not None or select.args.get("having") is not None or any(has_aggregate(i) for i in select.expressions)
    )


def spreads(item: exp.Expr) -> bool:
    """Whether an item of the list makes many rows of one."""
    return any(
        isinstance(n, (exp.Unnest, exp.Explode))
        or (isinstance(n, exp.Anonymous) and n.name.lower() in SPREADING)
        or (isinstance(n, exp.Func) and n.sql_name().lower() in SPREADING)
        for n in own(item)
    )
