"""A model's query as the operators see it: its live parts by kind, their places and texts, and what its names mean."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, TypeVar, cast

from sqlglot import exp

from xde.undercurrents.engineering.mutants.brackets import Tokens
from xde.undercurrents.engineering.mutants.mutant import Change
from xde.undercurrents.engineering.mutants.places import Places
from xde.undercurrents.engineering.mutants.scopes import Scopes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlglot.tokenizer_core import Token

    from xde.undercurrents.engineering.mutants.brackets import Span
    from xde.undercurrents.engineering.mutants.promises import Promises

Part = TypeVar("Part", bound=exp.Expr)
SHORT = 60
_TIGHT = (exp.Binary, exp.Not, exp.Neg, exp.Between, exp.In, exp.Is, exp.AtTimeZone, exp.Bracket)


class Original:
    """The query under test. Parts that cannot matter are not in it (`_is_dead` says which, and why)."""

    def __init__(self, text: str, tokens: Sequence[Token], tree: exp.Expr, promises: Promises) -> None:
        self.text, self.tree, self.promises = text, tree, promises
        self.tokens = Tokens(tokens)
        self.places = Places(self.tokens, tree)
        self.scopes = Scopes(tree, promises)
        self._read_names = {c.name.casefold() for c in tree.find_all(exp.Column)}
        self._read_names |= {c.name.casefold() for j in tree.find_all(exp.Join) for c in j.args.get("using") or ()}
        self._starred = any(not isinstance(s.parent, exp.Func) for s in tree.find_all(exp.Star))
        self._used_tables = {t.name.casefold() for t in tree.find_all(exp.Table)}
        self._twins = list(self._find_twins())
        self._parts: dict[type, list[exp.Expr]] = {}
        for node in tree.walk(bfs=False, prune=self._is_dead):
            if not self._is_dead(node):
                self._parts.setdefault(type(node), []).append(node)

    def parts(self, *kinds: type[Part]) -> Iterator[Part]:
        """The live parts of these kinds."""
        for kind in kinds:
            yield from cast("list[Part]", self._parts.get(kind, []))

    def functions(self) -> Iterator[tuple[exp.Expr, int]]:
        """The live calls of functions, each with the token of its name."""
        for kind, parts in self._parts.items():
            if issubclass(kind, exp.Func) and not issubclass(kind, (exp.Connector, exp.Case, exp.Cast)):
                for part in parts:
                    span = self.places.of(part)
                    if span is not None and self.tokens.word(span[0] + 1) == "(":
                        yield part, span[0]

    def said(self, part: object) -> str:
        """A part as it is written, in one line and without comments."""
        span = self.places.of(part)
        if span is None:
            return ""
        words = self.tokens.tokens[span[0] : span[1] + 1]
        gaps = ["" if one.end + 1 == other.start else " " for one, other in pairwise(words)]
        return "".join(self.text[t.start : t.end + 1] + gap for t, gap in zip(words, [*gaps, ""], strict=True))

    def named(self, part: object) -> str:
        """A part between back-ticks, cut when it is long."""
        text = self.said(part)
        return f"`{text if len(text) <= SHORT else text[: SHORT - 4] + ' ...'}`"

    def text_of(self, span: Span) -> str:
        begin, end = self.tokens.offsets(span)
        return self.text[begin:end]

    def change(self, operator: str, at: exp.Expr | Span | None, after: str, hint: str) -> Iterator[Change]:
        """A part, or a span of tokens, gives way to other text; no change when its place is not certain."""
        span = self.places.of(at) if isinstance(at, exp.Expr) else at
        if span is not None:
            begin, end = self.tokens.offsets(span)
            yield Change(operator, begin, end, after, hint)

    def insert(self, operator: str, before: int, words: str, hint: str) -> Iterator[Change]:
        """Words come to stand before a token."""
        word = self.text_of((before, before))
        yield from self.change(operator, (before, before), f"{words} {word}", hint)

    def enclosed(self, part: exp.Expr, after: str) -> str:
        """What is to stand in the place of a part, in brackets where its neighbours would tear it apart."""
        return f"({after})" if isinstance(part.parent, _TIGHT) else after

    def lifted(self, part: exp.Expr, inner: exp.Expr) -> str:
        """A part of it that is to stand in the place of a part."""
        whole = isinstance(inner, (exp.Column, exp.Literal, exp.Paren, exp.Case)) or (
            isinstance(inner, exp.Func) and not isinstance(inner, (exp.Binary, exp.Connector))
        )
        return self.said(inner) if whole else self.enclosed(part, self.said(inner))

    def occurrences(self, begin: int, end: int) -> list[tuple[int, int]]:
        """The places that must change together with one: a key of GROUP BY that stands in SELECT as well.

        Empty for a place that follows another one, which is the one to change.
        """
        for twins in self._twins:
            for number, (first, last) in enumerate(twins):
                if self.tokens.tokens[first].start <= begin and end <= self.tokens.tokens[last].end + 1:
                    return self._in_all(twins, begin, end) if number == 0 else []
        return [(begin, end)]

    def _in_all(self, twins: Sequence[Span], begin: int, end: int) -> list[tuple[int, int]]:
        starts, ends = (
            [self.tokens.tokens[p].start for p in range(twins[0][0], twins[0][1] + 1)],
            [self.tokens.tokens[p].end + 1 for p in range(twins[0][0], twins[0][1] + 1)],
        )
        if begin not in starts or end not in ends:
            return [(begin, end)]
        first, last = starts.index(begin), ends.index(end)
        return [(self.tokens.tokens[t[0] + first].start, self.tokens.tokens[t[0] + last].end + 1) for t in twins]

    def _find_twins(self) -> Iterator[list[Span]]:
        for group in self.tree.find_all(exp.Group):
            select = group.parent
            for key in group.expressions if isinstance(select, exp.Select) else ():
                if not isinstance(key, (exp.Column, exp.Literal)):
                    equal = [self.places.of(n) for n in cast("exp.Select", select).find_all(type(key)) if n == key]
                    spans = sorted({s for s in equal if s is not None})
                    if len({tuple(self.tokens.words[a : b + 1]) for a, b in spans}) == 1:
                        yield spans

    def in_case_of(self, token: int, word: str) -> str:
        """A word in capitals or small letters, like the token that it replaces."""
        return word.upper() if self.tokens.tokens[token].text.isupper() else word

    def operator_of(self, node: exp.Expr) -> Span | None:
        """The tokens between the two sides of an operator."""
        left, right = self.places.of(node.this), self.places.of(node.args.get("expression"))
        if left is None or right is None or left[1] + 1 >= right[0]:
            return None
        return left[1] + 1, right[0] - 1

    def _is_dead(self, node: exp.Expr) -> bool:
        """What no output depends on: a mutant there is equal to the query, whatever the rows."""
        parent = node.parent
        match node:
            case exp.Order():
                return not order_matters(node)
            case exp.CTE():
                return node.alias.casefold() not in self._used_tables or _is_recursive(node)
            case exp.Pivot():
                return True  # its IN names columns: what is changed there changes the columns of the result
            case exp.DataType() | exp.Hint() | exp.Identifier() | exp.TableAlias():
                return True
            case _ if node.arg_key == "expressions" and isinstance(parent, exp.Select):
                return self._is_unread(node, parent)
            case _:
                return False

    def _is_unread(self, item: exp.Expr, select: exp.Select) -> bool:
        """A column of a subquery that nobody reads, or a column of EXISTS, which asks for rows only."""
        if isinstance(select.parent, exp.Exists):
            return True
        inner = isinstance(select.parent, exp.CTE) or (isinstance(select.parent, exp.Subquery) and select.find_ancestor(exp.From, exp.Join))
        if not inner or self._starred or select.args.get("distinct") or not isinstance(item, exp.Alias):
            return False
        return item.alias.casefold() not in self._read_names


def _is_recursive(cte: exp.CTE) -> bool:
    """A query that reads itself is left alone: with a fault in it, it may never end."""
    name = cte.alias.casefold()
    return bool(cte.parent and cte.parent.args.get("recursive")) and any(t.name.casefold() == name for t in cte.find_all(exp.Table))


_WHOLE = (exp.Sum, exp.Avg, exp.Min, exp.Max, exp.Count)


def order_matters(order: exp.Order) -> bool:
    """Whether an ORDER BY decides anything.

    The rows of a table have no order: of a query, only LIMIT and DISTINCT ON look at one. Of a window, a sum of the whole partition
    does not.
    """
    parent = order.parent
    if isinstance(parent, exp.Window):
        spec = parent.args.get("spec")
        whole = spec is not None and spec.args.get("start") == spec.args.get("end") == "UNBOUNDED"
        return not (whole and isinstance(parent.this, _WHOLE))
    if not isinstance(parent, exp.Query):
        return True
    distinct = parent.args.get("distinct")
    return bool(parent.args.get("limit") or parent.args.get("offset") or (isinstance(distinct, exp.Distinct) and distinct.args.get("on")))
