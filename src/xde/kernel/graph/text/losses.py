"""What a text says and its syntax tree does not hold: the parser drops an argument here and there, and takes columns for units.

Without this net, `date_trunc(grain, t)` would read `t` only, and a change of `2` in `round_even(x, 2)` might change nothing.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from xde.ground.digests import digest
from xde.kernel.graph.text.collecting import pieces_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlglot.tokenizer_core import Token

    from xde.kernel.graph.text.collecting import Found

NO_COLUMN_AFTER = frozenset({"NUMBER", "STRING", "R_PAREN", "DCOLON", "ALIAS", "PARAMETER"})
NO_COLUMN_BEFORE = frozenset({"NUMBER", "STRING", "L_PAREN"})


def lost_words(tokens: Sequence[Token], found: Found) -> tuple[str, ...]:
    """Words that may be columns and are not in the tree, such as an argument that the parser has dropped or taken for a unit."""
    around = [None, *tokens, None]
    lost = {
        token.text.lower()
        for before, token, after in zip(around, tokens, around[2:], strict=False)
        if token.start not in found.starts and _is_word(token) and not _is_no_column(before, token, after)
    }
    return tuple(sorted(lost))


def _is_word(token: Token) -> bool:
    kind = token.token_type.name
    if kind == "IDENTIFIER":
        return True
    text = token.text
    return kind not in {"STRING", "NUMBER"} and text.isidentifier() and text.lower() not in KEYWORDS


def _is_no_column(before: Token | None, token: Token, after: Token | None) -> bool:
    """Whether a word is a keyword, a function, a type or a unit by what stands beside it."""
    if before is not None and (before.token_type.name in NO_COLUMN_AFTER or before.text.lower() in {"by", "nulls"}):
        return True
    if after is not None and after.token_type.name in NO_COLUMN_BEFORE and token.token_type.name != "IDENTIFIER":
        return True
    return before is not None and before.text == "(" and after is not None and after.text.lower() == "from"


KEYWORDS = frozenset(
    [
        "select",
        "from",
        "where",
        "group",
        "by",
        "having",
        "order",
        "limit",
        "offset",
        "join",
        "inner",
        "left",
        "right",
        "full",
        "outer",
        "cross",
        "on",
        "using",
        "as",
        "and",
        "or",
        "not",
        "in",
        "is",
        "null",
        "case",
        "when",
        "then",
        "else",
        "end",
        "with",
        "recursive",
        "union",
        "all",
        "distinct",
        "except",
        "intersect",
        "between",
        "like",
        "ilike",
        "exists",
        "over",
        "partition",
        "unbounded",
        "asc",
        "desc",
        "nulls",
        "qualify",
        "true",
        "false",
        "lateral",
        "natural",
        "semi",
        "anti",
        "asof",
        "positional",
        "materialized",
        "exclude",
        "replace",
        "rename",
        "ignore",
        "respect",
        "pivot",
        "unpivot",
        "into",
        "cast",
        "try_cast",
        "extract",
        "any",
        "some",
        "escape",
        "similar",
        "glob",
        "lambda",
        "collate",
        "tablesample",
    ]
)
"""Words that are no columns unless quoted, or that no column is likely to be called."""


def lost_constants(tokens: Sequence[Token], found: Found) -> str:
    """A digest of the constants of the text that the tree does not hold; empty when it holds them all."""
    there = Counter(found.pieces)
    lost: list[str] = []
    for position, token in enumerate(tokens):
        if token.token_type.name not in {"STRING", "NUMBER"}:
            continue
        indexes = position and tokens[position - 1].text == "[" and token.text.isdigit()
        pieces = [str(int(token.text) - 1)] if indexes else pieces_of(token.text)
        if indexes and not there[pieces[0]]:
            pieces = [token.text]
        if all(there[p] > 0 for p in pieces):
            there.subtract(pieces)
        else:
            lost.append(token.text)
    return digest("lost", lost) if lost else ""
