"""Where a remark stands: the first line of what it is about, as far as the tokens tell."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, cast

from sqlglot import exp

from xde.undercurrents.engineering.mutants.brackets import Tokens
from xde.undercurrents.engineering.mutants.places import Places

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlglot.tokenizer_core import Token

SHORT = 48
_WORDS = {
    exp.CurrentDate: ("CURRENT_DATE", "TODAY"),
    exp.CurrentTimestamp: ("CURRENT_TIMESTAMP", "GET_CURRENT_TIMESTAMP"),
    exp.Localtimestamp: ("LOCALTIMESTAMP", "CURRENT_LOCALTIMESTAMP"),
    exp.Limit: ("LIMIT",),
    exp.TableSample: ("TABLESAMPLE", "SAMPLE"),
    exp.Rand: ("RANDOM",),
    exp.Uuid: ("UUID", "GEN_RANDOM_UUID", "UUIDV4"),
    exp.Star: ("*",),
}


class Whereabouts:
    """The places of parts of one tree."""

    def __init__(self, text: str, tokens: Sequence[object], tree: exp.Expr) -> None:
        self._text = text
        self._tokens = Tokens(cast("Sequence[Token]", tokens))
        self._places = Places(self._tokens, tree)
        self._taken: set[int] = set()

    def said(self, node: exp.Expr) -> str:
        """A part as it is written, in one line; cut when it is long."""
        span = self._places.of(node)
        if span is None:
            text = str(node.sql(dialect="duckdb", comments=False))
        else:
            words = self._tokens.tokens[span[0] : span[1] + 1]
            gaps = ["" if one.end + 1 == other.start else " " for one, other in pairwise(words)]
            text = "".join(self._text[t.start : t.end + 1] + gap for t, gap in zip(words, [*gaps, ""], strict=True))
        return text if len(text) <= SHORT else f"{text[: SHORT - 4].rstrip()} ..."

    def of(self, node: exp.Expr) -> tuple[int, int]:
        """Start and length in the text; -1 and 0 where that is not known."""
        span = self._by_word(node) or self._places.of(node) or self._places.hull(node)
        alias = self._places.hull(node.args.get("alias"))
        if alias is not None and span is not None and alias[1] >= span[0]:
            # of a query in brackets its name: the brackets may be those that a flow has become
            span = alias if isinstance(node, exp.Subquery) else (span[0], alias[1]) if isinstance(node, exp.Table) else span
        if span is None:
            return -1, 0
        begin, end = self._tokens.offsets(span)
        return begin, end - begin

    def _by_word(self, node: exp.Expr) -> tuple[int, int] | None:
        """What has a word of its own: where that stands within the SELECT around, each place for one part only."""
        words = _WORDS.get(type(node))
        if words is None:
            return None
        around = self._places.hull(node.parent) if not isinstance(node, exp.Limit) else None
        after = around[0] if around is not None else 0
        if isinstance(node, exp.Limit):
            inner = self._places.hull(node.args.get("expression"))
            after = inner[0] - 1 if inner is not None else 0
        elif isinstance(node, exp.Star):
            return None
        for position in range(max(after - 1, 0), len(self._tokens.words)):
            if self._tokens.word(position) in words and position not in self._taken:
                self._taken.add(position)
                return (position, position)
        return None
