"""Where each part of a syntax tree stands in the text: tokens and brackets say what the parser did not keep.

SQLGlot keeps the place of identifiers, of most literals and of the names of most functions. The place of everything else
follows from the places of its parts and from the tokens around them. A part whose place is not certain has none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

if TYPE_CHECKING:
    from collections.abc import Callable

    from xde.undercurrents.engineering.mutants.brackets import Span, Tokens

# fmt: off
_NO_NAMES = frozenset([
    "IN", "AS", "USING", "OVER", "FILTER", "AND", "OR", "NOT", "ON", "WHERE", "WHEN", "THEN", "ELSE", "SELECT", "BY", "FROM",
    "JOIN", "EXISTS", "ANY", "ALL", "SOME", "UNION", "EXCEPT", "INTERSECT", "INTERVAL", "CASE", "BETWEEN", "LIKE", "IS", "HAVING",
    "QUALIFY", "LIMIT", "(", "[", "{", ",", "=", "<", ">", "<>", "!=", "<=", ">=", "+", "-", "*", "/", "//", "%", "||", ";", ":",
    "->", "::",
])
# fmt: on


class Places:
    """The span of each part of a tree in its tokens."""

    def __init__(self, tokens: Tokens, tree: exp.Expr) -> None:
        self.tokens = tokens
        self._at = {t.start: i for i, t in enumerate(tokens.tokens)}
        self._spans: dict[int, Span] = {}
        self._hulls: dict[int, Span] = {}
        self._firsts: dict[int, int] = {}
        self._read_firsts(tree)
        self._place(tree, 0)

    def of(self, node: object) -> Span | None:
        """The tokens of a part, from the first to the last."""
        return self._spans.get(id(node))

    def hull(self, node: object) -> Span | None:
        """What is certain to be within a part: from the first to the last token of its parts."""
        return self._hulls.get(id(node))

    def kept(self, node: exp.Expr) -> int | None:
        """The token whose place the parser kept."""
        start = node.meta.get("start")
        return self._at.get(start) if start is not None else None

    def between(self, left: object, right: object) -> Span | None:
        """From the first token of one part to the last of another."""
        first, last = self.of(left), self.of(right)
        return (first[0], last[1]) if first is not None and last is not None else None

    def called(self, name: int) -> Span | None:
        """A function from its name to its closing bracket; none for a method of what stands before a dot."""
        if self.tokens.word(name - 1) == ".":
            return None
        return (name, self.tokens.partner[name + 1]) if self.tokens.word(name + 1) == "(" else (name, name)

    def _read_firsts(self, node: exp.Expr) -> int | None:
        found = self.kept(node)
        for child in node.iter_expressions():
            first = self._read_firsts(child)
            found = first if found is None or (first is not None and first < found) else found
        if found is not None:
            self._firsts[id(node)] = found
        return found

    def _place(self, node: exp.Expr, after: int) -> Span | None:
        """Place a part and all that is in it; it does not stand before the token `after`. Without a place: what its parts cover."""
        hull: Span | None = None
        seen = after
        for child in self._in_order(node, after):
            span = self._place(child, seen)
            if span is not None:
                hull = span if hull is None else (min(hull[0], span[0]), max(hull[1], span[1]))
                seen = max(seen, span[1] + 1)
        exact = _exact(self, node, hull, after)
        if exact is not None:
            self._spans[id(node)] = exact
        covered = exact or hull
        if covered is not None:
            self._hulls[id(node)] = covered
        return covered

    def _in_order(self, node: exp.Expr, after: int) -> list[exp.Expr]:
        """The parts in the order of the text; one of unknown place stays behind the one before it."""
        keyed, last = [], self.kept(node) or after
        for number, child in enumerate(node.iter_expressions()):
            last = self._firsts.get(id(child), last)
            keyed.append((last, number, child))
        return [child for _, _, child in sorted(keyed, key=lambda k: k[:2])]


def _exact(places: Places, node: exp.Expr, hull: Span | None, after: int) -> Span | None:
    if hull is not None:
        rule = _BY_PARTS.get(type(node))
        if rule is not None:
            return rule(places, node, hull)
    else:
        word = _BY_WORD.get(type(node))
        if word is not None:
            return word(places, node, after)
    if isinstance(node, exp.Func):
        return _function(places, node, hull, after)
    if isinstance(node, exp.Binary):
        return places.between(node.this, node.args.get("expression"))
    at = places.kept(node)
    return (at, at) if at is not None else None


def _function(places: Places, node: exp.Func, hull: Span | None, after: int) -> Span | None:
    name = places.kept(node)
    if name is not None:
        return places.called(name)
    tokens = places.tokens
    if isinstance(node, exp.Binary):
        both, left = places.between(node.this, node.args.get("expression")), places.of(node.this)
        if both is not None and left is not None and tokens.word(left[1] + 1) != ",":
            return both
    if hull is None:
        found = [p for p in (tokens.next(word.upper(), after) for word in node.sql_names()) if p is not None]
        return places.called(min(found)) if found else None
    around = tokens.around(hull)
    if around is None or around[0] == 0 or tokens.words[around[0]] != "(" or tokens.words[around[0] - 1] in _NO_NAMES:
        return None
    return around[0] - 1, around[1]


def _hull(_places: Places, _node: exp.Expr, hull: Span) -> Span | None:
    return hull


def _this_to_end(places: Places, node: exp.Expr, hull: Span) -> Span | None:
    return places.between(node.this, node.args.get("high") or node.args.get("zone")) and hull


def _paren(places: Places, node: exp.Expr, hull: Span) -> Span | None:
    around = places.tokens.around(hull)
    tight = around == (hull[0] - 1, hull[1] + 1) and places.of(node.this) is not None
    return around if tight else None


def _bracketed(places: Places, _node: exp.Expr, hull: Span) -> Span | None:
    return places.tokens.around(hull)


def _listed(places: Places, node: exp.Expr, hull: Span) -> Span | None:
    around = places.tokens.around(hull)
    return around if around is not None and places.tokens.words[around[0]] == ("[" if isinstance(node, exp.Array) else "{") else None


def _after_word(places: Places, node: exp.Expr, hull: Span) -> Span | None:
    around = places.tokens.around(hull)
    words = _BEFORE_BRACKET[type(node)]
    return (around[0] - 1, around[1]) if around is not None and places.tokens.word(around[0] - 1) in words else None


def _not(places: Places, node: exp.Expr, hull: Span) -> Span | None:
    inner = places.of(node.this)
    if inner is None or inner != hull:
        return None
    return (inner[0] - 1, inner[1]) if places.tokens.word(inner[0] - 1) == "NOT" else inner


def _neg(places: Places, node: exp.Expr, hull: Span) -> Span | None:
    inner = places.of(node.this)
    return (hull[0] - 1, hull[1]) if inner == hull and places.tokens.word(hull[0] - 1) == "-" else None


def _is(places: Places, node: exp.Expr, _hull: Span) -> Span | None:
    this, tokens = places.of(node.this), places.tokens
    if this is None or tokens.word(this[1] + 1) != "IS":
        return None
    value = this[1] + (3 if tokens.word(this[1] + 2) == "NOT" else 2)
    return (this[0], value) if tokens.word(value) in {"NULL", "TRUE", "FALSE"} else None


def _in(places: Places, node: exp.Expr, _hull: Span) -> Span | None:
    this, tokens = places.of(node.this), places.tokens
    if this is None:
        return None
    word = this[1] + (2 if tokens.word(this[1] + 1) == "NOT" else 1)
    listed = tokens.word(word) == "IN" and tokens.word(word + 1) == "("
    return (this[0], tokens.partner[word + 1]) if listed else None


def _case(places: Places, _node: exp.Expr, hull: Span) -> Span | None:
    return places.tokens.case_around(hull)


def _cast(places: Places, node: exp.Expr, _hull: Span) -> Span | None:
    this, tokens = places.of(node.this), places.tokens
    if this is None:
        return None
    if tokens.word(this[1] + 1) == "::":
        return this[0], _end_of_type(tokens, this[1] + 2)
    if tokens.word(this[0] - 1) == "(" and tokens.word(this[0] - 2) in {"CAST", "TRY_CAST"}:
        return this[0] - 2, tokens.partner[this[0] - 1]
    literal = isinstance(node.this, exp.Literal) and tokens.word(this[0] - 1) in {"DATE", "TIMESTAMP", "TIME", "TIMESTAMPTZ"}
    return (this[0] - 1, this[1]) if literal else None


def _end_of_type(tokens: Tokens, begin: int) -> int:
    last = begin
    if tokens.word(last + 1) == "(":
        last = tokens.partner[last + 1]
    if tokens.words[last + 1 : last + 4] in (["WITH", "TIME", "ZONE"], ["WITHOUT", "TIME", "ZONE"]):
        last += 3
    while tokens.word(last + 1) == "[":
        last = tokens.partner[last + 1]
    return last


def _followed(places: Places, node: exp.Expr, _hull: Span) -> Span | None:
    """What is followed by a word and brackets: a window, a filter, an order within a group."""
    this, tokens = places.of(node.this), places.tokens
    if this is None or not tokens.word(this[1] + 1).startswith(_FOLLOWING[type(node)]):
        return None
    bracket = this[1] + 2
    if tokens.word(bracket) == "GROUP":
        bracket += 1
    return (this[0], tokens.partner[bracket]) if tokens.word(bracket) == "(" else (this[0], bracket)


def _subscript(places: Places, node: exp.Expr, _hull: Span) -> Span | None:
    this, tokens = places.of(node.this), places.tokens
    return (this[0], tokens.partner[this[1] + 1]) if this is not None and tokens.word(this[1] + 1) == "[" else None


def _word(places: Places, node: exp.Expr, after: int) -> Span | None:
    at = places.tokens.next(node.sql().upper(), after)
    return (at, at) if at is not None else None


def _parameter(places: Places, node: exp.Expr, after: int) -> Span | None:
    at = places.tokens.next("$", after)
    named = at is not None and places.tokens.word(at + 1) == str(node.name).upper()
    return (at, at + 1) if named and at is not None else None


def _interval(places: Places, node: exp.Expr, after: int) -> Span | None:
    at, tokens = places.tokens.next("INTERVAL", after), places.tokens
    if at is None:
        return None
    unit = str(node.args.get("unit") or "").upper().rstrip("S")
    has_unit = bool(unit) and tokens.word(at + 2).rstrip("S") == unit
    return at, at + 2 if has_unit else at + 1


_BEFORE_BRACKET: dict[type[exp.Expr], frozenset[str]] = {
    exp.Exists: frozenset(["EXISTS"]),
    exp.Any: frozenset(["ANY", "SOME"]),
    exp.All: frozenset(["ALL"]),
}
_FOLLOWING: dict[type[exp.Expr], str] = {exp.Window: "OVER", exp.Filter: "FILTER", exp.WithinGroup: "WITHIN"}
_BY_PARTS: dict[type[exp.Expr], Callable[[Places, exp.Expr, Span], Span | None]] = {
    exp.Column: _hull,
    exp.Paren: _paren,
    exp.Subquery: _bracketed,
    exp.Tuple: _bracketed,
    exp.Array: _listed,
    exp.Struct: _listed,
    exp.Exists: _after_word,
    exp.Any: _after_word,
    exp.All: _after_word,
    exp.Not: _not,
    exp.Neg: _neg,
    exp.Is: _is,
    exp.In: _in,
    exp.Between: _this_to_end,
    exp.AtTimeZone: _this_to_end,
    exp.Case: _case,
    exp.Cast: _cast,
    exp.TryCast: _cast,
    exp.Window: _followed,
    exp.Filter: _followed,
    exp.WithinGroup: _followed,
    exp.Bracket: _subscript,
}
_BY_WORD: dict[type[exp.Expr], Callable[[Places, exp.Expr, int], Span | None]] = {
    exp.Boolean: _word,
    exp.Null: _word,
    exp.Placeholder: _parameter,
    exp.Interval: _interval,
}
