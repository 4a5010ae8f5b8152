"""Whether a blank stands between two pieces in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xde.undercurrents.engineering.formatting.pieces import Piece

_OPERATORS = frozenset(["=", "==", "<", ">", "<=", ">=", "<>", "!=", "||", ":=", "=>"])
_SIGNS = frozenset(["+", "-", "*", "/", "%", "//"])
_APART = frozenset(["IN", "OVER", "FILTER", "AS", "USING", "AND", "OR", "NOT", "ON", "WHERE", "WHEN", "THEN", "ELSE", "BY", "FROM", "JOIN"])
_VALUES = frozenset(["NUMBER", "STRING", "IDENTIFIER", "VAR", "HEREDOC_STRING"])


def blank_between(last: tuple[Piece, Piece | None] | None, piece: Piece) -> int:
    """0 or 1. `last` is the piece before and the one before that; a text may join two pieces or part them only where that is safe."""
    if last is None:
        return 0
    before, earlier = last
    one, other = before.text, piece.text
    if other in {",", ";"} or one in {"(", "["} or other in {")", "]"}:
        return 0
    if one == "," or (one in _APART and other == "(" and before.kind != "IDENTIFIER"):
        return 1
    if one in {")", "]"} and (other[0].isalnum() or other[0] in "_'\""):
        return 1
    if other in _OPERATORS or one in _OPERATORS:
        return 1
    if other in _SIGNS and _is_value(before):
        return 1 if piece.gap or other != "%" else 0
    if one in _SIGNS and earlier is not None and _is_value(earlier):
        return 1 if other != "," and (piece.gap or one not in {"%"}) else 0
    return 1 if piece.gap else 0


def _is_value(piece: Piece) -> bool:
    return piece.kind in _VALUES or piece.text in {")", "]"} or piece.word in {"end", "null", "true", "false"}
