"""What can be counted of a join: rows of either side that find no partner, and rows that find several."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlglot import exp

from xde.ground.names import quoted
from xde.undercurrents.engineering.coverage import branch as words
from xde.undercurrents.engineering.coverage.branch import BranchKind, RuledOut, Unprobed
from xde.undercurrents.engineering.coverage.measuring import Place
from xde.undercurrents.engineering.coverage.scopes import written

if TYPE_CHECKING:
    from xde.undercurrents.engineering.coverage.fragments import Fragments
    from xde.undercurrents.engineering.coverage.promises import Known
    from xde.undercurrents.engineering.coverage.scopes import Scope

IN_BRACKETS = "joins in brackets cannot be taken apart"
ONE_AT_MOST = "it compares a key of the right side, which is unique while the inputs keep their contracts"
BY_POSITION = "rows are joined by their position, not by a condition"


@dataclass(frozen=True, slots=True)
class JoinCount:
    """A query over `partners` (how many a left row has found; one row for each left row, and one with NULL for each right row alone)."""

    query: str
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class _Side:
    """A source with a number for each of its rows; `number` is empty where its rows are not seen after the join (SEMI, ANTI)."""

    text: str
    number: str


def joins_of(scope: Scope, fragments: Fragments, known: Known) -> Joins:
    """Every join of a SELECT that has more than one outcome."""
    work = Joins(fragments, known)
    start = scope.select.args.get("from_")
    if start is not None and scope.joins:
        work.begin(start.this)
        for join in scope.joins:
            work.take(join)
    return work


class Joins:
    """Walks along a FROM clause; `left` is what stands before the next join, since the last comma."""

    def __init__(self, fragments: Fragments, known: Known) -> None:
        self.counts: list[JoinCount] = []
        self.unprobed: list[Unprobed] = []
        self.ruled_out: list[RuledOut] = []
        self._fragments = fragments
        self._known = known
        self._left = ""
        self._numbers: list[str] = []
        self._names: set[str] = set()
        self._in_the_way = ""
        self._count = 0

    def begin(self, source: exp.Expr) -> None:
        """The first source, or the first after a comma."""
        side = self._numbered(source)
        self._left, self._numbers, self._in_the_way = side.text, [side.number], self._brackets(source)
        self._names.add(source.alias_or_name.lower())

    def take(self, join: exp.Join) -> None:
        """Count a join, and put it to the left of the next."""
        lateral = self._is_lateral(join.this)
        if _is_comma(join) and not lateral:
            self.begin(join.this)
            return
        side = self._numbered(join.this)
        how = _how(join, lateral=lateral)
        obstacle = self._brackets(join.this) or self._in_the_way or (BY_POSITION if _word(join, "method") == "POSITIONAL" else "")
        if how is not None and obstacle:
            fragment = self._fragments.join(join)
            self.unprobed.append(Unprobed(BranchKind.JOIN, fragment.line, fragment.column, fragment.text, obstacle))
        elif how is not None:
            self.counts.append(self._counted(join, side, how))
        self._left = f"{self._left} {_words(join)} {side.text}{_condition(join, lateral=lateral)}"
        self._in_the_way = obstacle
        if _word(join, "kind") not in {"SEMI", "ANTI"}:
            self._numbers.append(side.number)
        self._names.add(join.this.alias_or_name.lower())

    def _counted(self, join: exp.Join, side: _Side, how: _How) -> JoinCount:
        alone = f"coalesce({', '.join(self._numbers)}) IS NULL"
        keys = ", ".join([*self._numbers, f"CASE WHEN {alone} THEN {side.number} END"])
        source = f"{self._left} {how.words} {side.text}{_condition(join, lateral=how.lateral)}"
        query = f"SELECT CASE WHEN NOT any_value({alone}) THEN count({side.number}) END AS partners FROM {source} GROUP BY {keys}"
        fragment = self._fragments.join(join)
        outcomes = how.outcomes
        if words.SEVERAL in outcomes and not how.lateral and self._known.single_match(join):
            outcomes = tuple(o for o in outcomes if o != words.SEVERAL)
            place = (BranchKind.JOIN, fragment.line, fragment.column, fragment.text)
            self.ruled_out.append(RuledOut(*place, words.SEVERAL, ONE_AT_MOST))
        return JoinCount(query, tuple(Place(BranchKind.JOIN, fragment, o, _TESTS[o]) for o in outcomes))

    def _numbered(self, source: exp.Expr) -> _Side:
        number = quoted(f"__row{self._count}")
        name = source.alias_or_name or next((p.alias for p in source.args.get("pivots") or [] if p.alias), "") or f"__source{self._count}"
        self._count += 1
        if isinstance(source, exp.Lateral):
            alias = source.args.get("alias")
            inner = written(source.this) + (f" AS {written(alias)}" if alias is not None else "")
        else:
            inner = written(source)
        return _Side(f"(SELECT *, row_number() OVER () AS {number} FROM {inner}) AS {quoted(name)}", number)

    def _is_lateral(self, source: exp.Expr) -> bool:
        """Whether a source is made anew for each row of the left side."""
        if isinstance(source, exp.Lateral):
            return True
        columns = list(source.find_all(exp.Column))
        if isinstance(source, exp.Unnest) or (isinstance(source, exp.Table) and isinstance(source.this, exp.Func)):
            return bool(columns)
        return any(c.table and c.table.lower() in self._names for c in columns) and not _reads(source, self._names)

    def _brackets(self, source: exp.Expr) -> str:
        inside = isinstance(source, (exp.Subquery, exp.Paren)) and isinstance(source.this, exp.Table)
        return IN_BRACKETS if source.args.get("joins") or inside else ""


@dataclass(frozen=True, slots=True)
class _How:
    """How a join is asked so that rows without a partner come too, and what can come of it."""

    words: str
    outcomes: tuple[str, ...]
    lateral: bool = False


_TESTS = {words.MATCHED: "{} >= 1", words.LEFT_ALONE: "{} = 0", words.RIGHT_ALONE: "{} IS NULL", words.SEVERAL: "{} > 1"}
_EITHER = (words.MATCHED, words.LEFT_ALONE)


def _how(join: exp.Join, *, lateral: bool) -> _How | None:
    """None where a join has only one outcome: every row with every row."""
    natural = "NATURAL " if _word(join, "method") == "NATURAL" else ""
    if lateral:
        return _How("LEFT JOIN", (*_EITHER, words.SEVERAL), lateral=True)
    if _word(join, "method") == "ASOF":
        return _How("ASOF LEFT JOIN", _EITHER)
    if _word(join, "method") == "POSITIONAL":
        return _How("", ())
    if not (natural or join.args.get("on") is not None or join.args.get("using")):
        return None
    if _word(join, "kind") in {"SEMI", "ANTI"}:
        return _How(f"{natural}LEFT JOIN", _EITHER)
    return _How(f"{natural}FULL JOIN", (*_EITHER, words.RIGHT_ALONE, words.SEVERAL))


def _word(join: exp.Join, part: str) -> str:
    return str(join.args.get(part) or "").upper()


def _is_comma(join: exp.Join) -> bool:
    parts = ("method", "side", "kind", "on", "using")
    return not any(join.args.get(p) for p in parts)


def _words(join: exp.Join) -> str:
    return " ".join(w for w in (_word(join, "method"), _word(join, "side"), _word(join, "kind")) if w) + " JOIN"


def _condition(join: exp.Join, *, lateral: bool) -> str:
    using = join.args.get("using")
    if using:
        return f" USING ({', '.join(written(u) for u in using)})"
    on = join.args.get("on")
    if on is not None:
        return f" ON {written(_by_table(on))}"
    return " ON TRUE" if lateral and _word(join, "kind") != "CROSS" else ""


def _by_table(on: exp.Expr) -> exp.Expr:
    """A condition whose columns are not named with their schema, since a source with a number has only its table's name."""
    changed = on.copy()
    for old, new in zip(on.find_all(exp.Column), changed.find_all(exp.Column), strict=True):
        if _is_of_schema(old):
            new.set("db", None)
    return changed


def _is_of_schema(column: exp.Column) -> bool:
    """Whether `a.b.c` is a column of the table `a.b`, and not a field of a struct."""
    select = column.find_ancestor(exp.Select)
    if not column.args.get("db") or select is None:
        return False
    start = select.args.get("from_")
    sources = [*([start.this] if start is not None else []), *(j.this for j in select.args.get("joins") or [])]
    name = (column.args["db"].name.lower(), column.table.lower())
    return any(isinstance(s, exp.Table) and (s.db.lower(), s.name.lower()) == name for s in sources)


def _reads(source: exp.Expr, names: set[str]) -> bool:
    """Whether a query names one of these among its own sources, so that it may mean those columns."""
    return any(t.alias_or_name.lower() in names for t in source.find_all(exp.Table))
