r"""Regular expressions of RE2 (DuckDB) as Java (Spark) reads them: the part of them that both read alike, and the rest refused.

Where the two differ it is written out: `\s` and `$` mean more in Java; with the flag `d` a line ends at `\n` alone.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from xde.connectors.spark.portable.refusing import PATTERN, NotPortable
from xde.connectors.spark.portable.writer import words

if TYPE_CHECKING:
    from sqlglot import exp

SPACE = r"\t\n\f\r "
SAME = set("dDwWnrtf") | set(".^$*+?()[]{}|\\/-")
TOKEN = re.compile(r"\\.|\[\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]\\])*\]|\(\?:|\(\?|[*+?}][+]|.", re.DOTALL)


def carried(pattern: str, node: exp.Expr) -> str:
    """The pattern in Java's words."""
    made = []
    for piece in TOKEN.findall(pattern):
        if piece.startswith("[") and len(piece) > 1:
            made.append(_letters(piece, node))
        elif piece.startswith("\\"):
            made.append(_escape(piece[1:], node, inside=False))
        elif piece == "(?" or (len(piece) == 2 and piece[1] == "+" and piece != "(?"):
            raise _refused(piece, node)
        else:
            made.append(r"\z" if piece == "$" else r"\A" if piece == "^" else piece)
    return "".join(made)


def _escape(letter: str, node: exp.Expr, *, inside: bool) -> str:
    if letter == "s":
        return SPACE if inside else f"[{SPACE}]"
    if letter == "S" and not inside:
        return f"[^{SPACE}]"
    if letter in SAME:
        return f"\\{letter}"
    raise _refused(f"\\{letter}", node)


def _letters(token: str, node: exp.Expr) -> str:
    body = token[1:-1]
    if "[" in body or "&&" in body or body.startswith(("]", "^]")):
        raise _refused(token, node)
    made = re.sub(r"\\(.)", lambda found: _escape(found.group(1), node, inside=True), body, flags=re.DOTALL)
    return f"[{made}]"


def _refused(token: str, node: exp.Expr) -> NotPortable:
    return NotPortable(
        PATTERN, f"`{token}` in the pattern of `{words(node)}` is not proven on Spark", node, "write it with classes such as `[a-z]`"
    )


def replacement(given: str, shift: int, node: exp.Expr) -> str:
    r"""What a match is replaced by: `\1` is `$1` in Java; groups are counted `shift` further on."""
    made, at = [], 0
    while at < len(given):
        letter = given[at]
        if letter == "\\":
            after = given[at + 1 : at + 2]
            if after.isdigit() and (after != "0" or shift == 0):
                made.append(f"${int(after) + shift}")
                if given[at + 2 : at + 3].isdigit():
                    raise _refused(given, node)
            elif after == "\\":
                made.append("\\\\")
            else:
                raise _refused(given, node)
            at += 2
            continue
        made.append("\\$" if letter == "$" else letter)
        at += 1
    return "".join(made)
