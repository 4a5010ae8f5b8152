"""Where a text calls a function in the place of a table: found on its tokens, for not every parser takes every name there.

(`FROM pivot(...)` is refused by DuckDB's parser and by SQLGlot's, and `FROM flatten(a, b)` by SQLGlot's.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xde.kernel.graph.text.reading import Word

OPEN = {"L_PAREN": "R_PAREN", "L_BRACKET": "R_BRACKET", "L_BRACE": "R_BRACE"}
CLOSE = frozenset(OPEN.values())
BEGINS_A_QUERY = frozenset({"SELECT", "WITH", "FROM", "VALUES", "L_PAREN"})
ENDS_FROM = frozenset(
    {
        "SELECT",
        "WHERE",
        "GROUP_BY",
        "HAVING",
        "QUALIFY",
        "WINDOW",
        "ORDER_BY",
        "LIMIT",
        "OFFSET",
        "UNION",
        "EXCEPT",
        "INTERSECT",
        "VALUES",
        "SET",
    }
)


class Call(NamedTuple):
    """A call as a source; numbers are positions among the tokens: of the name, of the parenthesis after it, of the one that closes it."""

    name: int
    opened: int
    closed: int


class _Level:
    """What is known inside one pair of parentheses."""

    def __init__(self, *, query: bool, in_from: bool) -> None:
        self.query = query
        self.in_from = in_from


def calls(words: Sequence[Word], begin: int, end: int) -> list[Call]:
    """The calls that stand as a source between two tokens, none of those inside the parentheses of another."""
    found: list[Call] = []
    levels = [_Level(query=True, in_from=False)]
    source = False  # whether a source may begin at the next token
    position = begin
    while position < end:
        word = words[position]
        if source and is_name(word) and position + 1 < end and words[position + 1].kind == "L_PAREN":
            closed = closing(words, position + 1, end)
            found.append(Call(position, position + 1, closed))
            position, source = closed + 1, False
            continue
        source = _step(levels, words, position, end, source=source)
        position += 1
    return found


def _step(levels: list[_Level], words: Sequence[Word], position: int, end: int, *, source: bool) -> bool:
    """Take one token; whether a source may begin after it."""
    word, level = words[position], levels[-1]
    if word.kind in OPEN:
        after = words[position + 1].kind if position + 1 < end else ""
        levels.append(_Level(query=after in BEGINS_A_QUERY, in_from=source))
        return source
    if word.kind in CLOSE:
        if len(levels) > 1:
            levels.pop()
        return False
    if word.kind == "FROM" and level.query and (position == 0 or words[position - 1].kind != "DISTINCT"):
        level.in_from = True
        return True
    if word.kind in ENDS_FROM:
        level.in_from = False
        level.query = True
    return word.kind in {"JOIN", "LATERAL"} or (word.kind == "COMMA" and level.in_from)


def is_name(word: Word) -> bool:
    """Whether a token can be the name of a flow; some names are keywords elsewhere."""
    return word.kind != "STRING" and word.text.isidentifier() and word.kind not in {"SELECT", "VALUES", "UNNEST", "LATERAL", "WITH", "FROM"}


def closing(words: Sequence[Word], opened: int, end: int) -> int:
    """The token that closes what another opens; the last one where nothing does."""
    depth = 0
    for position in range(opened, end):
        kind = words[position].kind
        depth += (kind in OPEN) - (kind in CLOSE)
        if depth == 0:
            return position
    return end - 1


def parts(words: Sequence[Word], begin: int, end: int) -> list[tuple[int, int]]:
    """What commas divide between two tokens; nothing gives no part."""
    found: list[tuple[int, int]] = []
    depth, first = 0, begin
    for position in range(begin, end):
        kind = words[position].kind
        depth += (kind in OPEN) - (kind in CLOSE)
        if kind == "COMMA" and depth == 0:
            found.append((first, position))
            first = position + 1
    return [*found, (first, end)] if found or first < end else []
