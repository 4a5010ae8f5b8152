"""Relations whose rows a flow judges: cut out of a text, so that they can be computed once and the rows that fail be kept.

A flow that makes dead letters writes `(SELECT ..., rule AS __flow_broken, why AS __flow_why FROM ...) AS __flow_judged`. By itself
the text is plain SQL and gives the rows that pass. Nobody else can have written these names: they are refused in models.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from xde.kernel.graph.flows.calls import closing
from xde.kernel.graph.text.scanning import scan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xde.kernel.graph.text.reading import Word

JUDGED, BROKEN, WHY = "__flow_judged", "__flow_broken", "__flow_why"
PART = "xde_judged.part"
"""How the names begin by which a text reads relations that were computed before it."""


class Part(NamedTuple):
    """A relation with judged rows.

    `sql` gives it by itself; `after` gives it too, and reads the parts before it by their names. `name` is its own name,
    `start` the place in the text where it is judged, `why` what is wrong where it cannot be computed by itself.
    """

    name: str
    sql: str
    after: str
    start: int
    why: str = ""


class Parted(NamedTuple):
    """A text that reads its judged relations by names."""

    sql: str
    parts: tuple[Part, ...] = ()


def parted(sql: str) -> Parted:
    """Cut every judged relation out of a text, those inside of others first; a text without any comes back as it is."""
    if JUDGED not in sql:
        return Parted(sql)
    whole = [relation_at(sql, words, n) for words in (scan(sql) or [],) for n in marks(words, JUDGED)]
    parts: list[Part] = []
    rest = sql
    for number, (plain, begin, _, why) in enumerate(whole):
        words = scan(rest) or []
        after, start, end, _ = relation_at(rest, words, marks(words, JUDGED)[0])
        name = f"{PART}_{number + 1}"
        parts.append(Part(name, plain, after, begin, why))
        rest = f"{rest[:start]}{name} AS __flow_done{rest[end:]}"
    return Parted(rest, tuple(parts))


def marks(words: Sequence[Word], name: str) -> list[int]:
    """Where relations have a name that only flows give: that of an inner one comes before that of the one around it."""
    return [n for n, w in enumerate(words) if w.text == name and w.kind in {"VAR", "IDENTIFIER"}]


def relation_at(sql: str, words: Sequence[Word], mark: int) -> tuple[str, int, int, str]:
    """The relation with a name as a query, where it stands in the text with its name, and why it cannot be computed by itself."""
    closed = mark - 2  # `) AS name`
    opened = opening(words, closed)
    inner = sql[words[opened].start + 1 : words[closed].start]
    own = {w.text.lower() for w in words[opened:closed] if w.kind in {"VAR", "IDENTIFIER"}}
    query, why = inner, ""
    for level in reversed(_levels(words, opened)):
        clause, itself = _clause(sql, words, level, opened)
        if itself in own:
            why = f"it stands in `{itself}`, which reads itself"
        if clause:
            query = f"{clause} SELECT * FROM ({query})"
    return query, words[opened].start, words[mark].end + 1, why


def opening(words: Sequence[Word], closed: int) -> int:
    """The parenthesis that another one closes."""
    depth = 0
    for position in range(closed, -1, -1):
        kind = words[position].kind
        depth += (kind == "R_PAREN") - (kind == "L_PAREN")
        if depth == 0:
            return position
    return 0


def _levels(words: Sequence[Word], until: int) -> list[int]:
    """The tokens with which the queries around a place begin that have a WITH clause, the outermost first."""
    opened: list[int] = [-1]
    for position in range(until):
        if words[position].kind == "L_PAREN":
            opened.append(position)
        elif words[position].kind == "R_PAREN":
            opened.pop()
    return [o + 1 for o in opened if words[o + 1].kind == "WITH"]


def _clause(sql: str, words: Sequence[Word], begin: int, until: int) -> tuple[str, str]:
    """The part of a WITH clause whose names are known at a place, and the name that is being defined there if it may read itself."""
    recursive = words[begin + 1].text.upper() == "RECURSIVE"
    position = begin + 1 + recursive
    end = begin
    while True:
        name = words[position].text
        while words[position].kind != "ALIAS":
            position = closing(words, position, len(words)) + 1 if words[position].kind == "L_PAREN" else position + 1
        while words[position].kind != "L_PAREN":
            position += 1
        closed = closing(words, position, len(words))
        if closed > until:  # the place is inside of this one
            return _until(sql, words, begin, end), name.lower() if recursive else ""
        end, position = closed, closed + 2
        if words[closed + 1].kind != "COMMA":
            return _until(sql, words, begin, end), ""


def _until(sql: str, words: Sequence[Word], begin: int, end: int) -> str:
    return sql[words[begin].start : words[end].end + 1] if end > begin else ""


def parameters_in(sql: str) -> frozenset[str]:
    """The names of the parameters in a text."""
    words = scan(sql) or []
    return frozenset(words[n + 1].text for n, w in enumerate(words[:-1]) if w.kind == "PARAMETER")
