"""The SELECTs of a model, each with all that it needs to be asked by itself: the WITHs around it and the clauses as text."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlglot import exp

from xde.kernel.graph.text.functions import AGGREGATES, SPREADING

if TYPE_CHECKING:
    from collections.abc import Iterator

DIALECT = "duckdb"

_ROWS = ("with_", "kind", "expressions", "distinct", "from_", "joins", "where", "group", "having", "qualify", "windows")
_UNDERSTOOD = frozenset([*_ROWS, "order", "limit", "offset", "hint", "operation_modifiers"])


def written(node: exp.Expr) -> str:
    """A node as SQL for the engine."""
    return node.sql(dialect=DIALECT, comments=False)


def own(node: exp.Expr) -> Iterator[exp.Expr]:
    """A node and all below it that belongs to the same SELECT: queries inside are yielded, but not entered."""
    return node.walk(prune=lambda n: n is not node and isinstance(n, (exp.Query, exp.With)))


@dataclass(slots=True)
class Scope:
    """One SELECT of a model."""

    select: exp.Select
    withs: list[list[exp.CTE]] = field(default_factory=list)  # from the innermost out: those in sight
    recursive: list[bool] = field(default_factory=list)
    obstacle: str = ""  # why it cannot be asked by itself
    aliases: dict[str, exp.Alias] = field(default_factory=dict)
    aggregated: frozenset[str] = frozenset()  # aliases of what is computed over groups
    grouped: bool = False

    @property
    def group(self) -> exp.Group | None:
        """The GROUP BY, if there is one."""
        found = self.select.args.get("group")
        return found if isinstance(found, exp.Group) else None

    @property
    def joins(self) -> list[exp.Join]:
        """The joins, in their order."""
        return list(self.select.args.get("joins") or [])

    def from_text(self) -> str:
        """FROM with all joins, or nothing where there is none."""
        start = self.select.args.get("from_")
        return "" if start is None else " " + " ".join([written(start), *(written(j).strip() for j in self.joins)]).replace(" ,", ",")

    def clause(self, name: str) -> str:
        """A clause with its word, such as WHERE, or nothing."""
        found = self.select.args.get(name)
        return "" if found is None else " " + written(found).strip()

    def windows_text(self) -> str:
        """The WINDOW clause, or nothing."""
        found = self.select.args.get("windows")
        if not found:
            return ""
        return " WINDOW " + ", ".join(w.sql(dialect=DIALECT, comments=False, copy=False) for w in found)  # a copy would lose its AS


def scopes_of(tree: exp.Expr) -> list[Scope]:
    """Every SELECT of a tree."""
    return [_scope(node) for node in tree.find_all(exp.Select)]


def _scope(select: exp.Select) -> Scope:
    scope = Scope(select)
    _look_up(scope)
    scope.obstacle = scope.obstacle or _obstacle(select)
    for item in select.expressions:
        if isinstance(item, exp.Alias):
            scope.aliases.setdefault(item.alias.lower(), item)
    scope.aggregated = frozenset(n for n, item in scope.aliases.items() if has_aggregate(item))
    args = select.args
    over_groups = [*select.expressions, args.get("having"), args.get("qualify"), args.get("order")]
    scope.grouped = (
        args.get("group") is not None or args.get("having") is not None or any(has_aggregate(n) for n in over_groups if n is not None)
    )
    return scope


def _look_up(scope: Scope) -> None:
    """Find the WITHs in sight of a SELECT, and whether it runs on its own rows."""
    node: exp.Expr = scope.select
    inside: exp.CTE | None = None
    own_with: exp.Expr | None = None
    while True:
        clause = node.args.get("with_")
        if isinstance(clause, exp.With):
            within = inside if clause is own_with else None
            _see(scope, clause, within)
        above = node.parent
        if above is None:
            return
        if isinstance(node, exp.CTE):
            inside, own_with = node, above
        node = above


def _see(scope: Scope, clause: exp.With, within: exp.CTE | None) -> None:
    seen: list[exp.CTE] = []
    for cte in clause.expressions:
        if within is not None and cte is within:
            if clause.recursive and _reads(scope.select, within.alias):
                scope.obstacle = "it runs again and again on its own rows (`WITH RECURSIVE`)"
            break
        seen.append(cte)
    if seen:
        scope.withs.append(seen)
        scope.recursive.append(bool(clause.recursive))


def _reads(node: exp.Expr, name: str) -> bool:
    return any(t.name.lower() == name.lower() and not t.args.get("db") for t in node.find_all(exp.Table))


def _obstacle(select: exp.Select) -> str:
    strange = [k for k, v in select.args.items() if v and k not in _UNDERSTOOD]
    if "sample" in strange:
        return "it takes a sample, so that its rows are others each time"
    if strange:
        return f"it has a clause that is not understood here (`{strange[0].strip('_')}`)"
    return "it reads columns of the query around it" if _is_correlated(select) else ""


def _is_correlated(select: exp.Select) -> bool:
    around: set[str] = set()
    node = select.parent
    while node is not None:
        if isinstance(node, exp.CTE):
            break
        if isinstance(node, exp.Select):
            around |= sources_of(node)
        node = node.parent
    if not around:
        return False
    return any(c.table and c.table.lower() in around and not _is_inside(c, select) for c in select.find_all(exp.Column))


def _is_inside(column: exp.Column, select: exp.Select) -> bool:
    """Whether a qualified column is one of a source of this SELECT, or of one between."""
    node = column.parent
    while node is not None:
        if isinstance(node, exp.Select) and column.table.lower() in sources_of(node):
            return True
        if node is select:
            return False
        node = node.parent
    return False


def sources_of(select: exp.Select) -> set[str]:
    """The names by which a SELECT knows what it reads, in lower case."""
    start = select.args.get("from_")
    roots = [*([start.this] if start is not None else []), *(j.this for j in select.args.get("joins") or [])]
    names: set[str] = set()
    for root in roots:
        names |= _names(root)
    return names


def _names(source: exp.Expr) -> set[str]:
    names = {source.alias_or_name.lower()} if source.alias_or_name else set()
    for join in source.args.get("joins") or []:
        names |= _names(join.this)
    if isinstance(source, (exp.Subquery, exp.Paren)) and isinstance(source.this, (exp.Table, exp.Subquery)):
        names |= _names(source.this)
    for pivot in source.args.get("pivots") or []:
        names |= {pivot.alias.lower()} if pivot.alias else set()
    return names


def is_aggregate(node: exp.Expr) -> bool:
    """Whether a node makes one value of the rows of a group (and not of a window)."""
    known = node.name.lower() in AGGREGATES if isinstance(node, exp.Anonymous) else isinstance(node, exp.AggFunc)
    return known and not _is_windowed(node)


def _is_windowed(node: exp.Expr) -> bool:
    above = node.parent
    while isinstance(above, (exp.Filter, exp.IgnoreNulls, exp.RespectNulls, exp.WithinGroup)):
        node, above = above, above.parent
    return isinstance(above, exp.Window) and node.arg_key == "this"


def has_aggregate(node: exp.Expr) -> bool:
    """Whether something below a node, in the same SELECT, is computed over groups."""
    return any(is_aggregate(n) for n in own(node))


def has_window(node: exp.Expr) -> bool:
    """Whether something below a node, in the same SELECT, is computed over a window."""
    return any(isinstance(n, exp.Window) for n in own(node))


def spreads(node: exp.Expr) -> bool:
    """Whether a projection makes many rows of one."""
    return any(
        isinstance(n, (exp.Unnest, exp.Explode))
        or (isinstance(n, exp.Func) and n.sql_name().lower() in SPREADING)
        or (isinstance(n, exp.Anonymous) and n.name.lower() in SPREADING)
        for n in own(node)
    )


def unqualified(node: exp.Expr) -> set[str]:
    """The names, in lower case, that may be aliases of projections."""
    return {n.name.lower() for n in node.find_all(exp.Column) if not n.table}
