"""What can be counted in one SELECT, and among which rows: conditions, arms of CASE, fallbacks for NULL, groups."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlglot import exp

from xde.undercurrents.engineering.coverage import branch as words
from xde.undercurrents.engineering.coverage.branch import BranchKind, RuledOut, Unprobed
from xde.undercurrents.engineering.coverage.promises import Known
from xde.undercurrents.engineering.coverage.reaching import Way, reached
from xde.undercurrents.engineering.coverage.scopes import has_aggregate, has_window, is_aggregate, own, spreads, unqualified, written

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from xde.undercurrents.engineering.coverage.fragments import Fragment, Fragments
    from xde.undercurrents.engineering.coverage.scopes import Scope

NEVER_NULL = "what it is made from is never NULL while the inputs keep their contracts"


class Level(StrEnum):
    """The rows among which something is counted, by the last clause that they have passed."""

    FROM = "from"
    ROWS = "where"
    GROUPS = "group"
    HELD = "having"


@dataclass(frozen=True, slots=True)
class Place:
    """A branch of a measure: where it is written, its outcome, and the test of the measure's value (`{}`) that tells it."""

    kind: BranchKind
    fragment: Fragment
    outcome: str
    test: str


@dataclass(frozen=True, slots=True)
class Measure:
    """An expression whose value tells which way a row goes; NULL where the row does not come by. `names` may be aliases that it uses."""

    expression: str
    places: tuple[Place, ...]
    names: frozenset[str] = frozenset()


@dataclass(slots=True)
class Measures:
    """All that is found in one SELECT."""

    scope: Scope
    fragments: Fragments
    known: Known
    by_level: dict[Level, list[Measure]] = field(default_factory=lambda: defaultdict(list))
    unprobed: list[Unprobed] = field(default_factory=list)
    ruled_out: list[RuledOut] = field(default_factory=list)
    _counted: set[int] = field(default_factory=set)  # conditions that are counted as such, and so not again as tests for NULL

    def collect(self) -> None:
        """Look through every clause."""
        marks = self.fragments.landmarks(self.scope.select)
        after = Level.HELD if self.scope.grouped else Level.ROWS
        for name, level in (("where", Level.FROM), ("having", Level.GROUPS), ("qualify", after)):
            clause = self.scope.select.args.get(name)
            if clause is not None:
                self._clause(BranchKind(name), clause.this, level, marks.get(name.upper()))
        if self.scope.grouped:
            self._groups(marks)
        for node in list(own(self.scope.select)):
            self._filter(node)
        for node in list(own(self.scope.select)):
            self._node(node)

    def _clause(self, kind: BranchKind, condition: exp.Expr, level: Level, mark: Fragment | None) -> None:
        parts = list(conjuncts(condition))
        if len(parts) > 1:
            self._condition(kind, condition, level, mark or self.fragments.condition(condition))
        for part in parts:
            self._condition(kind, part, level, self.fragments.condition(part))

    def _condition(self, kind: BranchKind, condition: exp.Expr, level: Level, fragment: Fragment) -> None:
        self._counted.add(id(bare(condition)))
        if is_constant(condition):
            return
        outcomes = [(words.KEPT, "{} IS TRUE"), (words.LEFT_OUT, "{} IS FALSE")]
        if not self._rule_out(kind, condition, fragment, words.UNKNOWN):
            outcomes.append((words.UNKNOWN, "{} IS NULL"))
        places = tuple(Place(kind, fragment, o, t) for o, t in outcomes)
        self._add(level, Measure(f"CAST({written(condition)} AS BOOLEAN)", places, frozenset(unqualified(condition))))

    def _groups(self, marks: Mapping[str, Fragment]) -> None:
        by = self.scope.group
        fragment = marks.get("GROUP_BY" if by is not None else "SELECT", marks["SELECT"])
        outcomes = [(words.ONE_ROW, "{} = 1"), (words.SEVERAL_ROWS, "{} > 1")]
        if by is None:
            outcomes.insert(0, (words.NO_ROW, "{} = 0"))
        self._add(Level.GROUPS, Measure("count(*)", tuple(Place(BranchKind.GROUP, fragment, o, t) for o, t in outcomes)))

    def _filter(self, node: exp.Expr) -> None:
        """`sum(x) FILTER (WHERE ...)`: which rows pass, and groups of which none does."""
        if not isinstance(node, exp.Filter) or not isinstance(node.expression, exp.Where):
            return
        condition = node.expression.this
        fragment = self.fragments.condition(condition)
        if isinstance(node.parent, exp.Window):
            if not self.scope.grouped:
                self._condition(BranchKind.WHERE, condition, Level.ROWS, fragment)
            return
        self._condition(BranchKind.WHERE, condition, Level.ROWS, fragment)
        whole = self.fragments.call(node)
        place = Place(BranchKind.GROUP, whole, words.NO_ROW, "{} = 0")
        self._add(Level.GROUPS, Measure(f"count(*) FILTER (WHERE {written(condition)})", (place,), frozenset(unqualified(condition))))

    def _node(self, node: exp.Expr) -> None:
        match node:
            case exp.Case():
                self._case(node)
            case exp.If() if not isinstance(node.parent, exp.Case):
                fragment = self.fragments.call(node)
                arms = (
                    Place(BranchKind.CASE, fragment, words.when_taken(1), "{} = 1"),
                    Place(BranchKind.CASE, fragment, words.ELSE_TAKEN, "{} = 0"),
                )
                self._counted.add(id(bare(node.this)))
                self._reachable(node, f"CASE WHEN {written(node.this)} THEN 1 ELSE 0 END", arms)
            case exp.Coalesce() if node.expressions and not is_constant(node.this):
                self._null(node, f"{_in_brackets(node.this)} IS NULL", (words.FALLBACK_USED, words.FALLBACK_NOT_NEEDED))
            case exp.Nullif():
                same = f"coalesce({_in_brackets(node.this)} = {_in_brackets(node.expression)}, FALSE)"
                self._null(node, same, (words.MADE_NULL, words.NOT_MADE_NULL))
            case exp.Is() if isinstance(node.expression, exp.Null) and id(node) not in self._counted and not is_constant(node.this):
                self._null(node, f"{_in_brackets(node.this)} IS NULL", (words.IS_NULL, words.IS_NOT_NULL))
            case _:
                return

    def _case(self, node: exp.Case) -> None:
        arms, fragments = node.args["ifs"], self.fragments.arms(node)
        for arm in arms:
            self._counted.add(id(bare(arm.this)))
        operand = f"{written(node.this)} " if node.this is not None else ""
        whens = " ".join(f"WHEN {written(arm.this)} THEN {n}" for n, arm in enumerate(arms, 1))
        places = [Place(BranchKind.CASE, f, words.when_taken(n), f"{{}} = {n}") for n, f in enumerate(fragments[: len(arms)], 1)]
        places.append(Place(BranchKind.CASE, fragments[-1], words.ELSE_TAKEN, "{} = 0"))
        self._reachable(node, f"CASE {operand}{whens} ELSE 0 END", tuple(places))

    def _null(self, node: exp.Expr, test: str, outcomes: tuple[str, str]) -> None:
        fragment = self.fragments.condition(node) if isinstance(node, exp.Is) else self.fragments.call(node)
        places = (Place(BranchKind.NULL, fragment, outcomes[0], "{} IS TRUE"), Place(BranchKind.NULL, fragment, outcomes[1], "{} IS FALSE"))
        never = not isinstance(node, exp.Nullif) and self._rule_out(BranchKind.NULL, node.this, fragment, outcomes[0])
        self._reachable(node, test, places[1:] if never else places)

    def _rule_out(self, kind: BranchKind, node: exp.Expr, fragment: Fragment, outcome: str) -> bool:
        """Whether an outcome needs a NULL where none can be."""
        if self.scope.grouped and self.scope.group is not None and _makes_null(self.scope.group):
            return False
        if not self.known.never_null(node, self.scope.select):
            return False
        if not Known({}).never_null(node, exp.Select()):  # else by its form alone, which needs no words
            self.ruled_out.append(RuledOut(kind, fragment.line, fragment.column, fragment.text, outcome, NEVER_NULL))
        return True

    def _reachable(self, node: exp.Expr, expression: str, places: tuple[Place, ...]) -> None:
        way = reached(node, self.scope.select)
        reason = "it spreads lists over rows" if spreads(node) else way.obstacle
        if reason:
            seen = {(p.fragment.line, p.fragment.column): p for p in places}
            self.unprobed += [Unprobed(p.kind, p.fragment.line, p.fragment.column, p.fragment.text, reason) for p in seen.values()]
            return
        names = unqualified(node).union(*(unqualified(g) for g in way.guards))
        self._add(self._level(node, way, names), Measure(way.around(expression), places, frozenset(names)))

    def _level(self, node: exp.Expr, way: Way, names: set[str]) -> Level:
        """Among which rows it is decided."""
        after = Level.HELD if self.scope.grouped else Level.ROWS
        match way.clause:
            case "where":
                return Level.FROM
            case "group":
                return Level.ROWS
            case "having" if not way.in_aggregate:
                return Level.GROUPS
            case "qualify" if not way.in_aggregate:
                return after
            case _:
                over_groups = way.in_window or any(has_aggregate(n) or has_window(n) for n in (node, *way.guards))
                return after if not way.in_aggregate and (over_groups or names & self.scope.aggregated) else Level.ROWS

    def _add(self, level: Level, measure: Measure) -> None:
        self.by_level[level].append(measure)


def conjuncts(condition: exp.Expr) -> Iterator[exp.Expr]:
    """The parts of a condition that must all be true."""
    inner = condition
    while isinstance(inner, exp.Paren):
        inner = inner.this
    if isinstance(inner, exp.And):
        yield from conjuncts(inner.this)
        yield from conjuncts(inner.expression)
    else:
        yield condition


def bare(condition: exp.Expr) -> exp.Expr:
    """A condition without the brackets and the NOT around it."""
    while isinstance(condition, (exp.Paren, exp.Not)):
        condition = condition.this
    return condition


def is_constant(node: exp.Expr) -> bool:
    """Whether nothing in it can differ between rows or runs."""
    return not any(isinstance(n, (exp.Column, exp.Query, exp.Placeholder, exp.Parameter, exp.Star)) or is_aggregate(n) for n in node.walk())


def _makes_null(group: exp.Group) -> bool:
    return group.find(exp.Rollup, exp.Cube, exp.GroupingSets) is not None


def _in_brackets(node: exp.Expr) -> str:
    return f"({written(node)})"


def all_names(measures: Iterable[Measure]) -> set[str]:
    """The names that a row of measures may take from aliases."""
    return set().union(*(m.names for m in measures))
