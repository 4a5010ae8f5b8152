"""UNION with and without its duplicates, EXCEPT for INTERSECT, and one query of the two alone.

UNI of the family SC in Tuya, Suárez-Cabal, de la Riva, "Mutating database queries", Information and Software Technology 49 (2007)
398-417. A recursion is left as it is: without its end it would not end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xde.undercurrents.engineering.mutants.mutant import Change
    from xde.undercurrents.engineering.mutants.original import Original

_SETS = frozenset(["UNION", "EXCEPT", "INTERSECT"])
_ENDS = _SETS | {"ORDER BY", "LIMIT", "OFFSET", ";"}
_OTHER = {"EXCEPT": "INTERSECT", "INTERSECT": "EXCEPT"}


def changes(original: Original) -> Iterator[Change]:
    for node in original.parts(exp.Union, exp.Except, exp.Intersect):
        at = _word(original, node)
        with_ = node.find_ancestor(exp.With)
        if at is not None and not (with_ is not None and with_.recursive):
            yield from _kind(original, at)
            yield from _alone(original, node, at)


def _word(original: Original, node: exp.SetOperation) -> int | None:
    """The word between the two queries."""
    left, right = original.places.hull(node.left), original.places.hull(node.right)
    if left is None or right is None:
        return None
    around = original.tokens.around((left[0], right[1]))
    level = around[0] if around is not None else -1
    found = [p for p in range(left[1] + 1, right[0]) if original.tokens.words[p] in _SETS and original.tokens.opener[p] == level]
    return found[-1] if found else None


def _after_word(original: Original, at: int) -> int:
    """The first token behind `UNION ALL BY NAME`."""
    position = at + 1
    while original.tokens.word(position) in {"ALL", "DISTINCT", "BY", "NAME"}:
        position += 1
    return position


def _kind(original: Original, at: int) -> Iterator[Change]:
    word = original.tokens.words[at]
    all_ = original.tokens.word(at + 1) == "ALL"
    if word in _OTHER:
        hint = "a row that only the first query gives, and one that both give"
        yield from original.change("set operation", (at, at), _OTHER[word], hint)
    elif all_:
        yield from original.change("set operation", (at, at + 1), "UNION", "two equal rows")
    else:
        yield from original.change("set operation", (at, at), "UNION ALL", "two equal rows")


def _alone(original: Original, node: exp.SetOperation, at: int) -> Iterator[Change]:
    tokens = original.tokens
    end = tokens.next_level(_ENDS, _after_word(original, at))
    last = (end if end is not None else _end_of_level(original, at)) - 1
    yield from original.change("query dropped", (at, last), "", "a row that only the second query gives")
    if isinstance(node.left, exp.SetOperation) or tokens.words[at] == "EXCEPT":
        return
    first = original.places.hull(node.left)
    begin = tokens.last_level(frozenset(["SELECT", "FROM"]), at - 1) if first is not None else None
    while begin is not None and tokens.last_level(frozenset(["SELECT", "FROM"]), begin - 1) is not None:
        earlier = tokens.last_level(frozenset(["SELECT", "FROM", "WITH"]), begin - 1)
        if earlier is None or tokens.words[earlier] == "WITH":
            break
        begin = earlier
    if begin is not None and first is not None and begin <= first[0]:
        after = _after_word(original, at) - 1
        yield from original.change("query dropped", (begin, after), "", "a row that only the first query gives")


def _end_of_level(original: Original, at: int) -> int:
    opener = original.tokens.opener[at]
    return original.tokens.partner[opener] if opener >= 0 else len(original.tokens.words)
