"""A text put into lines anew; what comes out is held against what went in, token by token and comment by comment."""

from __future__ import annotations

from xde.undercurrents.engineering.formatting.cases import capitalise
from xde.undercurrents.engineering.formatting.layout import Layout
from xde.undercurrents.engineering.formatting.pieces import QUOTED, UnreadableError, pieces_of
from xde.undercurrents.engineering.formatting.shaping import shape


def format_sql(sql: str) -> str:
    """The text in lines anew, ended by one line end. Raises `UnreadableError` for a text that cannot be divided into tokens."""
    pieces, rest = pieces_of(sql)
    if not pieces:
        return sql
    before = spelt(sql)
    capitalise(pieces)
    found = Layout().text(shape(pieces), rest)
    if spelt(found) != before:
        msg = "it would not be the same query in other lines"
        raise UnreadableError(msg)
    return found


def spelt(sql: str) -> tuple[list[tuple[str, str]], list[str]]:
    """The tokens of a text, words without regard to capitals, and its comments: what a formatter must never change."""
    pieces, rest = pieces_of(sql)
    tokens = [(p.kind, p.text if p.kind in QUOTED else p.text.lower()) for p in pieces]
    return tokens, [c.text for p in pieces for c in p.comments] + [c.text for c in rest]
