"""From nodes of the syntax tree back to the text as the user wrote it: where a fragment begins, and what it says."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlglot import Dialect, exp

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

DIALECT = "duckdb"

_OPEN = frozenset({"L_PAREN", "L_BRACKET", "L_BRACE", "CASE"})
_CLOSE = frozenset({"R_PAREN", "R_BRACKET", "R_BRACE", "END"})
_JOIN_WORDS = frozenset(
    {"JOIN", "LEFT", "RIGHT", "FULL", "OUTER", "INNER", "CROSS", "SEMI", "ANTI", "ASOF", "NATURAL", "POSITIONAL", "STRAIGHT_JOIN"}
)
_CLAUSES = frozenset({"FROM", "WHERE", "GROUP_BY", "HAVING", "QUALIFY", "WINDOW", "ORDER_BY", "LIMIT", "OFFSET", "SEMICOLON"})
_SETS = frozenset({"UNION", "EXCEPT", "INTERSECT"})
_ENDS = _CLAUSES | _SETS | _JOIN_WORDS | {"COMMA", "AND", "OR", "WHEN", "THEN", "ELSE", "ON", "USING", "ALIAS", "ASC", "DESC"}
_BEGINS = _CLAUSES | {"COMMA", "AND", "OR", "WHEN", "THEN", "ELSE", "ON", "SELECT", "DISTINCT"}
_JOIN_ENDS = _CLAUSES | _SETS | _JOIN_WORDS | {"COMMA"}
_MARKS = frozenset({"WHERE", "GROUP_BY", "HAVING", "QUALIFY", "DISTINCT"})
_WORDS_BEFORE_BRACKETS = frozenset({"CAST", "TRY_CAST", "EXTRACT", "TRIM", "SUBSTRING", "POSITION", "OVERLAY", "IF", "IIF", "UNNEST"})


@dataclass(frozen=True, slots=True)
class Fragment:
    """A stretch of the text: the place of its first character, from 1, and its words in one line."""

    line: int
    column: int
    text: str


class Fragments:
    """The tokens of a text, and the ways to find a node's among them. Nodes of the tree of the same text only."""

    def __init__(self, sql: str) -> None:
        self._sql = sql
        self._tokens = Dialect.get_or_raise(DIALECT).tokenize(sql)
        self._starts = [t.start for t in self._tokens]
        self._kinds = [t.token_type.name for t in self._tokens]
        self._lines = [0, *(i + 1 for i, c in enumerate(sql) if c == "\n")]

    def condition(self, node: exp.Expr) -> Fragment:
        """A predicate, from the word after `WHERE`, `AND`, `WHEN` ... to the word before the next of the kind."""
        first, last = self._whole(node)
        return self._fragment(self._back(first, _BEGINS), self._on(last, _ENDS))

    def call(self, node: exp.Expr) -> Fragment:
        """A function with its arguments, or an operator with its operands."""
        return self._fragment(*self._whole(node))

    def join(self, node: exp.Join) -> Fragment:
        """A join with its condition, from its first word."""
        first, last = self._whole(node)
        begin = first
        while begin > 0 and self._kinds[begin - 1] in _JOIN_WORDS | {"LATERAL"}:
            begin -= 1
        return self._fragment(begin, self._on(last, _JOIN_ENDS))

    def arms(self, node: exp.Case) -> list[Fragment]:
        """The places of a CASE: one for each WHEN with its condition, one for the ELSE (or for the END where there is none)."""
        begin = self._opened(self._leaves(node)[0], "CASE", self._same_start(node, exp.Case))
        found: list[Fragment] = []
        for place in self._inside(begin) if begin is not None else ():
            if self._kinds[place] == "WHEN":
                found.append(self._fragment(place, self._on(place, frozenset({"THEN"}))))
            elif self._kinds[place] in {"ELSE", "END"}:
                found.append(self._fragment(place, place))
                break
        wanted = len(node.args["ifs"]) + 1
        return found if len(found) == wanted else [self.call(node)] * wanted

    def landmarks(self, node: exp.Select) -> Mapping[str, Fragment]:
        """The clauses of a SELECT by the name of their first token; `SELECT` is always there, and is that word alone."""
        first = self._leaves(node, (exp.With,))[0]
        begin = self._opened(first, "SELECT", self._same_start(node, exp.Select))
        if begin is None:
            return {"SELECT": self._fragment(first, first)}
        marks = {"SELECT": self._fragment(begin, begin)}
        for place in self._inside(begin):
            if self._kinds[place] in _SETS:
                break
            kind = self._kinds[place]
            if kind not in marks and kind in _MARKS:
                marks[kind] = self._fragment(place, self._on(place, _CLAUSES | _SETS) if kind != "DISTINCT" else self._distinct(place))
        return marks

    def _distinct(self, place: int) -> int:
        """The last token of `DISTINCT` or `DISTINCT ON (...)`."""
        if self._kinds[place + 1 : place + 3] != ["ON", "L_PAREN"]:
            return place
        return self._balanced(place, place + 2)[1]

    @staticmethod
    def _same_start(node: exp.Expr, kind: type[exp.Expr]) -> int:
        """How many nodes of the same kind inside it begin with the same word."""
        first = min(_starts(node, (exp.With,)), default=-1)
        inside = [n for n in node.walk() if n is not node and isinstance(n, kind)]
        return sum(min(_starts(n, (exp.With,)), default=-2) == first for n in inside)

    def _inside(self, begin: int) -> list[int]:
        """The tokens after one, at its own depth, to the word that closes it."""
        depth, found = 0, []
        for place in range(begin + 1, len(self._tokens)):
            kind = self._kinds[place]
            if depth == 0:
                found.append(place)
            if kind in _CLOSE:
                depth -= 1
                if depth < 0:
                    break
            elif kind in _OPEN:
                depth += 1
        return found

    def _opened(self, place: int, kind: str, skip: int) -> int | None:
        """The nearest word of a kind before a place, not counting those that are closed again."""
        depth = 0
        for before in range(place, -1, -1):
            found = self._kinds[before]
            if found in _CLOSE and before != place:
                depth += 1
            elif found == kind and depth == 0:
                if skip == 0:
                    return before
                skip -= 1
            elif found in _OPEN and depth > 0:
                depth -= 1
        return None

    def _whole(self, node: exp.Expr) -> tuple[int, int]:
        """The first and the last token of a node with the brackets that belong to it."""
        known = [n for n in node.walk() if "start" in n.meta]
        if not known:
            return self._leaves(node)
        leaf = min(known, key=lambda n: int(n.meta["start"]))
        first = self._at(int(leaf.meta["start"]))
        while leaf is not node and leaf.parent is not None:
            leaf = leaf.parent
            if _has_brackets(leaf):
                first = self._opener(first)
            elif isinstance(leaf, (exp.Func, exp.Unnest)) and "start" not in leaf.meta and self._is_call(first):
                first -= 2
        return self._balanced(first, self._at(max(int(n.meta["start"]) for n in known)))

    def _opener(self, place: int) -> int:
        depth = 0
        for before in range(place - 1, -1, -1):
            depth += (self._kinds[before] in _OPEN) - (self._kinds[before] in _CLOSE)
            if depth > 0:
                return before
        return place

    def _is_call(self, first: int) -> bool:
        return first > 1 and self._kinds[first - 1] == "L_PAREN" and self._tokens[first - 2].text.upper() in _WORDS_BEFORE_BRACKETS

    def _leaves(self, node: exp.Expr, without: tuple[type[exp.Expr], ...] = ()) -> tuple[int, int]:
        """The first and the last token of a node that the tree knows of."""
        starts = _starts(node, without)
        if not starts:
            above = node.parent
            return self._leaves(above) if above is not None else (0, 0)
        return self._at(min(starts)), self._at(max(starts))

    def _at(self, start: int) -> int:
        return max(bisect_right(self._starts, start) - 1, 0)

    def _balanced(self, first: int, last: int) -> tuple[int, int]:
        """A stretch grown until it closes all that it opens."""
        depth = low = 0
        for place in range(first, last + 1):
            kind = self._kinds[place]
            depth += (kind in _OPEN) - (kind in _CLOSE)
            low = min(low, depth)
        while low < 0 and first > 0:
            first -= 1
            step = (self._kinds[first] in _OPEN) - (self._kinds[first] in _CLOSE)
            low, depth = low + step, depth + step
        while depth > 0 and last + 1 < len(self._tokens):
            last += 1
            depth += (self._kinds[last] in _OPEN) - (self._kinds[last] in _CLOSE)
        # a function without arguments, or a call whose last argument has no place of its own
        if last + 1 < len(self._tokens) and self._kinds[last + 1] == "L_PAREN" and self._kinds[last] in {"VAR", "FUNCTION"}:
            return self._balanced(first, last + 1)
        return first, last

    def _back(self, first: int, stops: Collection[str]) -> int:
        depth = 0
        while first > 0:
            kind = self._kinds[first - 1]
            if depth == 0 and (kind in stops or kind in _OPEN):
                break
            depth += (kind in _CLOSE) - (kind in _OPEN)
            first -= 1
        return first

    def _on(self, last: int, stops: Collection[str]) -> int:
        depth = 0
        while last + 1 < len(self._tokens):
            kind = self._kinds[last + 1]
            if depth == 0 and (kind in stops or kind in _CLOSE):
                break
            depth += (kind in _OPEN) - (kind in _CLOSE)
            last += 1
        return last

    def _fragment(self, first: int, last: int) -> Fragment:
        start = self._tokens[first].start
        line = bisect_right(self._lines, start)
        pieces = []
        for place in range(first, last + 1):
            token = self._tokens[place]
            if place > first and self._tokens[place - 1].end + 1 < token.start:
                pieces.append(" ")
            pieces.append(self._sql[token.start : token.end + 1])
        return Fragment(line, start - self._lines[line - 1] + 1, "".join(pieces))


def _starts(node: exp.Expr, without: tuple[type[exp.Expr], ...]) -> list[int]:
    found = []
    for inner in node.walk(prune=lambda n: isinstance(n, without)):
        if "start" in inner.meta and not isinstance(inner, without):
            found.append(int(inner.meta["start"]))
    return found


def _has_brackets(node: exp.Expr) -> bool:
    if isinstance(node, exp.Exists):
        return not isinstance(node.this, exp.Subquery)
    return isinstance(node, (exp.Paren, exp.Subquery, exp.Tuple, exp.Case))
