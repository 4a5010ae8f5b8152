"""Which rows a row settles: what follows from keys and equal columns for the sources of one SELECT."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlglot import exp

from xde.undercurrents.engineering.conditions import COMPARISONS, conjuncts
from xde.undercurrents.engineering.linting.parts import clause, columns, has_query, joins, method, side

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from xde.undercurrents.engineering.linting.facts import Named, Scope

_CONSTANTLY = (*COMPARISONS, exp.Like, exp.ILike, exp.In, exp.Between)


class _Edge(NamedTuple):
    """A column that follows from others; `weak` when it does not hold for rows without a partner."""

    needs: frozenset[Named]
    gives: Named
    weak: bool


class Settling:
    """Works on the sources that a SELECT shows; `clear` is false where a condition cannot be read, and then nothing may be claimed."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.shown = [n for n, s in scope.sources.items() if not s.hidden]
        self.clear = True
        self.narrowed: set[str] = set()
        self._edges: list[_Edge] = []
        self._as_of: list[tuple[frozenset[str], str]] = []
        self._joined()
        for part in (*conjuncts(clause(scope.select, "where")), *conjuncts(clause(scope.select, "qualify"))):
            self._condition(part, None)

    def _joined(self) -> None:
        before = list(self.scope.sources)[:1]
        for join in joins(self.scope.select):
            name = _name_of(join, self.scope)
            if name is None or method(join) in {"NATURAL", "POSITIONAL"} or join.this.args.get("joins"):
                self.clear = False
                return
            weak = {"LEFT": frozenset([name]), "RIGHT": frozenset(before), "FULL": frozenset([name, *before])}.get(side(join))
            if method(join) == "ASOF":
                self._as_of.append((frozenset(before), name))
            for using in join.args.get("using") or ():
                self._using(using.name.lower(), name, weak)
            for part in conjuncts(join.args.get("on")):
                self._condition(part, weak)
            before.append(name)

    def _using(self, column: str, name: str, weak: frozenset[str] | None) -> None:
        owners = [o for o in self.scope.merged.get(column, ()) if o != name]
        if not owners:
            self.clear = False
            return
        for owner in owners:
            self._equal(frozenset([(owner, column)]), (name, column), weak)
            self._equal(frozenset([(name, column)]), (owner, column), weak)

    def _condition(self, part: exp.Expr, weak: frozenset[str] | None) -> None:
        if isinstance(part, (exp.EQ, exp.NullSafeEQ)) and not has_query(part):
            left, right = self._needs(part.left), self._needs(part.right)
            if left is None or right is None:
                self.clear = False
                return
            for one, needs, other in ((part.left, right, left), (part.right, left, right)):
                plain = one.unnest()
                plain = plain.this if isinstance(plain, exp.Cast) else plain
                if isinstance(plain, exp.Column) and len(other) == 1:
                    self._equal(needs, next(iter(other)), weak)
            return
        self._narrow(part)

    def _narrow(self, part: exp.Expr) -> None:
        """A condition that is no equality may leave one row of several: of whatever it speaks, nothing is claimed."""
        inner = part.this.unnest() if isinstance(part, exp.Not) else part
        if isinstance(inner, exp.Is) and isinstance(part, exp.Not):
            return
        if isinstance(inner, _CONSTANTLY) and not has_query(inner):
            others = [inner.args.get("expression"), inner.args.get("low"), inner.args.get("high"), *(inner.args.get("expressions") or ())]
            if not any(columns(o) for o in others if isinstance(o, exp.Expr)) or not columns(inner.this):
                return
        mine = columns(part)
        self.clear = self.clear and all(self.scope.source_of(c) is not None for c in mine)
        for column in part.find_all(exp.Column):
            name = column.name.lower()
            if column.table:
                self.narrowed |= {column.table.lower()} & self.scope.sources.keys()
            else:
                self.narrowed |= {n for n, s in self.scope.sources.items() if name in (s.relation.fields or {})}

    def _needs(self, node: exp.Expr) -> frozenset[Named] | None:
        """The columns of this SELECT that an expression is made of; None when one of them is not known."""
        found = set()
        for column in columns(node):
            source = self.scope.source_of(column)
            if source is None:
                return None
            if self.scope.sources.get(source.name) is source:
                found.add((source.name, column.name.lower()))
        return frozenset(found)

    def _equal(self, needs: frozenset[Named], gives: Named, weak: frozenset[str] | None) -> None:
        self._edges.append(_Edge(needs, gives, weak is not None and gives[0] not in weak))

    def settled(self, rows: Iterable[str], given: Iterable[Named] = (), *, whole: bool = False) -> tuple[set[str], set[Named]]:
        """The sources of which at most one row goes with one row of each of `rows` (and values of `given`), and the columns so known.

        `whole`: for all rows that there are, those without a partner too.
        """
        sources, known = set(rows), set(given)
        changed = True
        while changed:
            changed = False
            for edge in self._edges:
                if edge.gives not in known and not (whole and edge.weak) and all(n in known or n[0] in sources for n in edge.needs):
                    known.add(edge.gives)
                    changed = True
            for name in self.shown:
                if name not in sources and self._is_settled(name, known, sources):
                    sources.add(name)
                    changed = True
        return sources, known

    def _is_settled(self, name: str, known: Collection[Named], sources: set[str]) -> bool:
        if any(as_of == name and left <= sources for left, as_of in self._as_of):
            return True
        return any(all((name, c) in known for c in key) for key in self.scope.sources[name].relation.keys)

    def missing(self, rows: Iterable[str], given: Iterable[Named] = ()) -> list[str]:
        """The sources that may have several rows for one of `rows`, in their order; none where that cannot be said of all of them."""
        settled, _ = self.settled(rows, given)
        found = [n for n in self.shown if n not in settled]
        if not self.clear or any(self.scope.sources[n].opaque or n in self.narrowed for n in found):
            return []
        return found

    def joined_by(self, name: str, rows: Iterable[str]) -> tuple[str, ...]:
        """The columns of a source that are known from rows of others, as written."""
        _, known = self.settled([r for r in rows if r != name])
        fields = self.scope.sources[name].relation.fields or {}
        return tuple(fields[c].name if c in fields else c for n, c in sorted(known) if n == name)


def _name_of(join: exp.Join, scope: Scope) -> str | None:
    return next((n for n, s in scope.sources.items() if s.node is join.this), None)
