"""Which words are keywords where they stand, and so are written in capitals; all else keeps its letters."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xde.undercurrents.engineering.formatting.pieces import Piece

# fmt: off
RESERVED = frozenset([
    "all", "and", "any", "asc", "as", "both", "case", "cast", "collate", "desc", "distinct", "else", "end", "except", "false", "fetch",
    "for", "from", "group", "having", "in", "intersect", "lateral", "leading", "limit", "not", "null", "offset", "on", "or", "order",
    "pivot", "qualify", "select", "some", "then", "trailing", "true", "union", "unpivot", "using", "when", "where", "window", "with",
])
"""No name without quotes may be one of these; after AS, a label may."""
JOINING = frozenset(["anti", "asof", "cross", "full", "inner", "join", "left", "natural", "outer", "positional", "right", "semi"])
_LIKE = frozenset(["between", "glob", "ilike", "is", "like", "isnull", "notnull", "similar", "escape"])
_UNITS = frozenset([
    "day", "days", "hour", "hours", "minute", "minutes", "second", "seconds", "month", "months", "year", "years", "week", "weeks",
])
# fmt: on
_NEXT = {
    "left": JOINING,
    "right": JOINING,
    "full": JOINING,
    "inner": JOINING,
    "cross": JOINING,
    "natural": JOINING,
    "asof": JOINING,
    "positional": JOINING,
    "semi": {"join"},
    "anti": {"join"},
    "outer": {"join"},
    "partition": {"by"},
    "partition by": None,
    "exists": {"("},
    "try_cast": {"("},
    "values": {"("},
    "rows": {"between", "unbounded", "current"},
    "range": {"between", "unbounded", "current"},
    "groups": {"between", "unbounded", "current"},
    "unbounded": {"preceding", "following"},
    "current": {"row"},
    "nulls": {"first", "last"},
    "within": {"group"},
    "at": {"time"},
}
_BEFORE = {
    "by": {"group", "order", "partition", "all", "union"},
    "recursive": {"with"},
    "row": {"current"},
    "preceding": {"unbounded", "row"},
    "following": {"unbounded", "row"},
    "first": {"nulls"},
    "last": {"nulls"},
    "exclude": {"*"},
    "replace": {"*"},
    "rename": {"*"},
    "sample": {"using"},
    "zone": {"time"},
}
QUOTED = "'"
"""What stands in quotes, among words."""
WORDS = RESERVED | JOINING | _LIKE | _NEXT.keys() | _BEFORE.keys() | {"over", "filter", "interval", "name", "time"}
_NAMING = frozenset([":", ":=", "=>"])


def capitalise(pieces: Sequence[Piece]) -> None:
    """Write keywords in capitals."""
    words = [p.word or QUOTED for p in pieces]
    for position, (piece, after) in enumerate(zip_longest(pieces, words[1:], fillvalue="")):
        if not isinstance(piece, str) and _is_keyword(words, position, str(after)):
            piece.text = piece.text.upper()


def _is_keyword(words: Sequence[str], position: int, after: str) -> bool:
    word, before = words[position], words[position - 1] if position else ""
    if word == QUOTED or before == "." or after in _NAMING or after == ".":
        return False
    if before == "as":
        return False  # a label, and its letters are the column's name
    if word in {"pivot", "unpivot"} and after == "(" and before in {"from", "join", ","}:
        return False  # a flow of ours, called like a table
    if word in RESERVED or (word in _LIKE and before not in {"", ",", "(", "select"} and after not in {",", ")", ""}):
        return True
    if " " in word:
        return all(w in RESERVED or w in _NEXT or w in _BEFORE or w in {"name", "time"} for w in word.split())
    return _in_place(word, before, after, words[position + 2] if position + 2 < len(words) else "")


def _in_place(word: str, before: str, after: str, later: str) -> bool:
    """Words that are names elsewhere."""
    match word:
        case "join":
            return before not in {",", "(", "select", "."} and after not in {",", ")", ""}
        case "over":
            return before == ")"
        case "filter":
            return before == ")" and after == "("
        case "interval":
            return after == QUOTED or after[:1].isdigit()
        case "time":
            return before == "at" and after == "zone"
        case "at":
            return after == "time" and later == "zone"
        case "name":
            return before == "by"
        case "preceding" | "following":
            return after in {"and", ")", "exclude"} and (before in {"unbounded", "row", *_UNITS} or before[:1].isdigit())
    if word in _NEXT:
        wanted = _NEXT[word]
        return wanted is None or after in wanted
    return word in _BEFORE and before in _BEFORE[word]
