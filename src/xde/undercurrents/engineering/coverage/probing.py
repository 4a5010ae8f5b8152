"""From a model's SQL to its branches, and to the queries that count which of them some input rows reach.

A SELECT is asked by itself: its FROM and WHERE stay, its projections give way to the values that tell which way a row goes, and one row of
counts is made of them. Nothing is run here; a probe that an engine refuses can be asked in parts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from sqlglot import exp, parse_one

from xde.undercurrents.engineering.coverage import branch as words
from xde.undercurrents.engineering.coverage.branch import Branch, BranchKind, RuledOut, Unprobed
from xde.undercurrents.engineering.coverage.fragments import DIALECT, Fragments
from xde.undercurrents.engineering.coverage.joining import joins_of
from xde.undercurrents.engineering.coverage.measuring import Level, Measure, Measures, Place, all_names
from xde.undercurrents.engineering.coverage.promises import Known
from xde.undercurrents.engineering.coverage.scopes import has_aggregate, has_window, scopes_of, spreads, unqualified, written

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xde.undercurrents.engineering.coverage.promises import Promises
    from xde.undercurrents.engineering.coverage.scopes import Scope

_PARAMETERS = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|\$([A-Za-z_]\w*)")


@dataclass(frozen=True, slots=True)
class Probe:
    """A query over a model's inputs whose single row has a count for each branch, in their order.

    `parameters` are those that it names; `part` is the CTE of the model in which it counts, None in the main query. `parts` are the
    same counts one by one, for an engine that refuses the whole or fails on it; none where there is only one.
    """

    sql: str
    branches: tuple[Branch, ...]
    parameters: tuple[str, ...] = ()
    parts: tuple[Probe, ...] = ()
    part: str | None = None


@dataclass(frozen=True, slots=True)
class Survey:
    """The branches of a model: those that probes count, those that cannot be counted, and outcomes that cannot be."""

    probes: tuple[Probe, ...]
    unprobed: tuple[Unprobed, ...] = ()
    ruled_out: tuple[RuledOut, ...] = ()
    reads: Mapping[str, frozenset[str]] = field(default_factory=dict)  # of each CTE of the model, those that it reads

    def needs(self, part: str) -> frozenset[str]:
        """A CTE of the model and all those that it is made from, in lower case."""
        found: set[str] = set()
        todo = [part.lower()]
        while todo:
            name = todo.pop()
            if name not in found:
                found.add(name)
                todo += self.reads.get(name, ())
        return frozenset(found)

    @property
    def branches(self) -> tuple[Branch, ...]:
        """Every branch that is counted, in the order of the text."""
        found = [b for p in self.probes for b in p.branches]
        return tuple(sorted(found, key=lambda b: (b.line, b.column)))


def probes_of(sql: str, promises: Promises | None = None) -> tuple[Probe, ...]:
    """The probes of a model's SQL."""
    return survey(sql, promises).probes


def survey(sql: str, promises: Promises | None = None) -> Survey:
    """All branches of a model's SQL, but for outcomes that the promises of its inputs rule out (by dataset, in lower case).

    The SQL is one query that can be read: raises sqlglot's `ParseError` for any other.
    """
    tree = parse_one(sql, dialect=DIALECT)
    work = _Surveyor(Fragments(sql), Known(promises or {}))
    for scope in scopes_of(tree):
        work.scope(scope)
    probes = sorted(work.probes, key=lambda p: min((b.line, b.column) for b in p.branches))
    unprobed = sorted(work.unprobed, key=lambda u: (u.line, u.column))
    clause = tree.args.get("with_")
    ctes = {c.alias.lower(): _tables(c) for c in clause.expressions} if isinstance(clause, exp.With) else {}
    ruled_out = sorted(work.ruled_out, key=lambda r: (r.line, r.column))
    return Survey(tuple(probes), tuple(unprobed), tuple(ruled_out), {n: frozenset(read & set(ctes)) for n, read in ctes.items()})


@dataclass(slots=True)
class _Surveyor:
    fragments: Fragments
    known: Known
    probes: list[Probe] = field(default_factory=list)
    unprobed: list[Unprobed] = field(default_factory=list)
    ruled_out: list[RuledOut] = field(default_factory=list)
    _ids: set[str] = field(default_factory=set)
    _ctes: dict[int, tuple[str, set[str]]] = field(default_factory=dict)
    _part: str | None = None  # where the SELECT at hand stands

    def scope(self, scope: Scope) -> None:
        """The probes of one SELECT."""
        self._part = _part_of(scope.select)
        measures = Measures(scope, self.fragments, self.known)
        measures.collect()
        joins = joins_of(scope, self.fragments, self.known)
        if scope.obstacle:
            lost = [p for found in measures.by_level.values() for m in found for p in m.places] + [
                p for j in joins.counts for p in j.places
            ]
            self.unprobed += _left_out(lost, scope.obstacle)
            return
        self.unprobed += [*measures.unprobed, *joins.unprobed]
        self.ruled_out += [*measures.ruled_out, *joins.ruled_out]
        opening, closing = self._around(scope)
        for level, found in measures.by_level.items():
            inner = _frame(scope, level, found)
            if isinstance(inner, str):
                self.unprobed += _left_out([p for m in found for p in m.places], inner)
            else:
                self._ask(found, (opening, closing), inner)
        for join in joins.counts:
            self._ask([Measure("partners", join.places)], (opening, closing), (join.query, ""))
        distinct = _distinct(scope, self.fragments)
        if distinct is not None:
            self._ask([distinct[0]], (opening, closing), (distinct[1], ""))

    def _ask(self, found: Sequence[Measure], around: tuple[str, str], inner: tuple[str, str]) -> None:
        """A probe of several measures over the same rows. `inner` is a query before and after its measures, or one that has a value."""
        branches = [[self._branch(p) for p in m.places] for m in found]
        texts = [(m, b) for m, b in zip(found, branches, strict=True) if b]
        parts = [_probe([one], around, inner) for one in texts] if len(texts) > 1 else []
        self.probes.append(replace(_probe(texts, around, inner), parts=tuple(parts), part=self._part))

    def _branch(self, place: Place) -> Branch:
        fragment = place.fragment
        name = base = f"{place.kind.value}@{fragment.line}:{fragment.column}:{place.outcome}"
        number = 1
        while name in self._ids:
            number += 1
            name = f"{base}#{number}"
        self._ids.add(name)
        return Branch(name, place.kind, fragment.line, fragment.column, fragment.text, place.outcome)

    def _around(self, scope: Scope) -> tuple[str, str]:
        """What stands before and after a query so that it sees the WITHs that the SELECT sees; only those that it needs."""
        needed = _tables(scope.select)
        opening, closing = "", ""
        for number, (ctes, recursive) in enumerate(zip(scope.withs, scope.recursive, strict=True)):
            kept: list[str] = []
            for cte in reversed(ctes):
                text, reads = self._cte(cte)
                if cte.alias.lower() in needed:
                    kept.insert(0, text)
                    needed |= reads
            if not kept:
                continue
            clause = f"WITH {'RECURSIVE ' if recursive else ''}{', '.join(kept)} "
            opening, closing = (
                (f"{clause}{opening}", closing) if not opening else (f"{clause}SELECT * FROM ({opening}", f"{closing}) AS __inner{number}")
            )
        return opening, closing

    def _cte(self, cte: exp.CTE) -> tuple[str, set[str]]:
        found = self._ctes.get(id(cte))
        if found is None:
            found = self._ctes[id(cte)] = (written(cte), _tables(cte))
        return found


def _probe(found: Sequence[tuple[Measure, Sequence[Branch]]], around: tuple[str, str], inner: tuple[str, str]) -> Probe:
    counts: list[str] = []
    values: list[str] = []
    branches: list[Branch] = []
    for number, (measure, its) in enumerate(found):
        column = f"__b{number}" if inner[1] else measure.expression
        values.append(f"{measure.expression} AS {column}")
        counts += [f"count(*) FILTER (WHERE {p.test.format(column)})" for p in measure.places]
        branches += its
    query = f"{inner[0]}{', '.join(values)}{inner[1]}" if inner[1] else inner[0]
    sql = f"{around[0]}SELECT {', '.join(counts)} FROM ({query}) AS __rows{around[1]}"
    named = dict.fromkeys(m for m in _PARAMETERS.findall(sql) if m)
    return Probe(sql, tuple(branches), tuple(named))


def _part_of(select: exp.Select) -> str | None:
    """The outermost CTE around a SELECT, in lower case."""
    found, node = None, select.parent
    while node is not None:
        if isinstance(node, exp.CTE):
            found = node.alias.lower()
        node = node.parent
    return found


def _left_out(places: Sequence[Place], reason: str) -> list[Unprobed]:
    found = {(p.kind, p.fragment): Unprobed(p.kind, p.fragment.line, p.fragment.column, p.fragment.text, reason) for p in places}
    return list(found.values())


def _tables(node: exp.Expr) -> set[str]:
    return {t.name.lower() for t in node.find_all(exp.Table) if not t.args.get("db")}


def _frame(scope: Scope, level: Level, measures: Sequence[Measure]) -> tuple[str, str] | str:
    """A SELECT up to a level, before and after its measures; or why there is none."""
    tail = scope.from_text() + (scope.clause("where") if level is not Level.FROM else "")
    names = all_names(measures)
    if level in {Level.GROUPS, Level.HELD}:
        group = _group(scope)
        if group is None:
            return "its groups cannot be told from its columns (`*`)"
        tail += f" GROUP BY {written(group)[len('GROUP BY ') :]}" if group.args.get("expressions") or _has_sets(group) else ""
        names |= unqualified(group)
    if level is Level.HELD:
        tail += scope.clause("having")
    if level is Level.HELD or (level is Level.ROWS and not scope.grouped):
        tail += scope.windows_text()
    for clause in ("where", "having", "windows"):
        for node in _listed(scope.select.args.get(clause)):
            names |= unqualified(node)
    for join in scope.joins:
        names |= unqualified(join)
    kept = "".join(f"{written(item)}, " for item in _kept(scope, level, names))
    return f"SELECT {kept}", f"{tail} "


def _listed(value: object) -> list[exp.Expr]:
    return [v for v in (value if isinstance(value, list) else [value]) if isinstance(v, exp.Expr)]


def _kept(scope: Scope, level: Level, names: set[str]) -> list[exp.Alias]:
    """The projections whose aliases are used elsewhere in the SELECT, as DuckDB allows; in their order."""
    needed = set(names)
    kept: set[str] = set()
    while new := {n for n in needed if n in scope.aliases and n not in kept}:
        kept |= new
        for name in new:
            needed |= unqualified(scope.aliases[name].this)
    over_groups = level in {Level.GROUPS, Level.HELD}
    found = [item for name, item in scope.aliases.items() if name in kept]
    return [
        i for i in found if not spreads(i) and (over_groups or not has_aggregate(i)) and (_windows_run(scope, level) or not has_window(i))
    ]


def _windows_run(scope: Scope, level: Level) -> bool:
    return level is Level.HELD or (level is Level.ROWS and not scope.grouped)


def _group(scope: Scope) -> exp.Group | None:
    """The GROUP BY with `ALL` and positions written out, since the projections that they mean give way; None where that cannot be."""
    group = scope.group
    if group is None:
        return exp.Group()
    items = scope.select.expressions
    if group.args.get("all"):
        if any(n.find(exp.Star, exp.Columns) is not None and not has_aggregate(n) for n in items):
            return None
        plain = [n.unalias() for n in items if not has_aggregate(n) and not has_window(n)]
        return exp.Group(expressions=[n.copy() for n in plain if not isinstance(n, exp.Literal)])
    changed = group.copy()
    for literal in list(changed.find_all(exp.Literal)):
        if literal.is_int and not isinstance(literal.parent, (exp.Func, exp.Binary)):
            position = int(literal.name) - 1
            if not 0 <= position < len(items) or any(n.find(exp.Star, exp.Columns) for n in items[: position + 1] if not has_aggregate(n)):
                return None
            meant = items[position].unalias().copy()
            literal.replace(exp.cast(meant, "INT") if isinstance(meant, exp.Literal) and meant.is_int else meant)
    return changed


def _has_sets(group: exp.Group) -> bool:
    return any(group.args.get(k) for k in ("rollup", "cube", "grouping_sets"))


def _distinct(scope: Scope, fragments: Fragments) -> tuple[Measure, str] | None:
    """How often DISTINCT has rows to drop."""
    distinct = scope.select.args.get("distinct")
    if not isinstance(distinct, exp.Distinct):
        return None
    marks = fragments.landmarks(scope.select)
    fragment = marks.get("DISTINCT") or marks["SELECT"]
    bare = scope.select.copy()
    for part in ("with_", "distinct", "order", "limit", "offset"):
        bare.set(part, None)
    keys = "__row"
    on = distinct.args.get("on")
    if isinstance(on, exp.Expr):
        columns = on.expressions if isinstance(on, exp.Tuple) else [on]
        for number, column in enumerate(columns):
            meant = (
                scope.select.expressions[int(column.name) - 1].unalias() if isinstance(column, exp.Literal) and column.is_int else column
            )
            bare.append("expressions", exp.alias_(meant.copy(), f"__on{number}", quoted=True))
        keys = ", ".join(f'"__on{n}"' for n in range(len(columns)))
    outcomes = ((words.ONE_ROW, "{} = 1"), (words.SEVERAL_ROWS, "{} > 1"))
    places = tuple(Place(BranchKind.GROUP, fragment, o, t) for o, t in outcomes)
    return Measure("partners", places), f"SELECT count(*) AS partners FROM ({written(bare)}) AS __row GROUP BY {keys}"
