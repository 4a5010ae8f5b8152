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

    from xde.kernel.graph.text.collecting import Found
    from xde.kernel.graph.text.reading import Word

NO_COLUMN_AFTER = frozenset({"NUMBER", "STRING", "R_PAREN", "DCOLON", "ALIAS", "PARAMETER"})
NO_COLUMN_BEFORE = frozenset({"NUMBER", "STRING", "L_PAREN"})


def lost_words(words: Sequence[Word], found: Found) -> tuple[str, ...]:
    """Words that may be columns and are not in the tree, such as an argument that the parser has dropped or taken for a unit."""
    around = [None, *words, None]
    lost = {
        word.text.lower()
        for before, word, after in zip(around, words, around[2:], strict=False)
        if word.start not in found.starts and _is_word(word) and not _is_no_column(before, word, after)
    }
    return tuple(sorted(lost))


def _is_word(word: Word) -> bool:
    kind = word.kind
    if kind == "IDENTIFIER":
        return True
    text = word.text
    return kind not in {"STRING", "NUMBER"} and text.isidentifier() and text.lower() not in KEYWORDS


def _is_no_column(before: Word | None, word: Word, after: Word | None) -> bool:
    """Whether a word is a keyword, a function, a type or a unit by what stands beside it."""
    if before is not None and (before.kind in NO_COLUMN_AFTER or before.text.lower() in {"by", "nulls"}):
        return True
    if after is not None and after.kind in NO_COLUMN_BEFORE and word.kind != "IDENTIFIER":
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


def lost_constants(words: Sequence[Word], found: Found) -> str:
    """A digest of the constants of the text that the tree does not hold; empty when it holds them all."""
    there = Counter(found.pieces)
    lost: list[str] = []
    for position, word in enumerate(words):
        if word.kind not in {"STRING", "NUMBER"}:
            continue
        indexes = position and words[position - 1].text == "[" and word.text.isdigit()
        pieces = [str(int(word.text) - 1)] if indexes else pieces_of(word.text)
        if indexes and not there[pieces[0]]:
            pieces = [word.text]
        if all(there[p] > 0 for p in pieces):
            there.subtract(pieces)
        else:
            lost.append(word.text)
    return digest("lost", lost) if lost else ""
