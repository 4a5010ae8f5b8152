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
    from xde.undercurrents.engineering.mutants.subject import Subject

_SETS = frozenset(["UNION", "EXCEPT", "INTERSECT"])
_ENDS = _SETS | {"ORDER BY", "LIMIT", "OFFSET", ";"}
_OTHER = {"EXCEPT": "INTERSECT", "INTERSECT": "EXCEPT"}


def changes(subject: Subject) -> Iterator[Change]:
    for node in subject.parts(exp.Union, exp.Except, exp.Intersect):
        at = _word(subject, node)
        with_ = node.find_ancestor(exp.With)
        if at is not None and not (with_ is not None and with_.recursive):
            yield from _kind(subject, at)
            yield from _alone(subject, node, at)


def _word(subject: Subject, node: exp.SetOperation) -> int | None:
    """The word between the two queries."""
    left, right = subject.places.hull(node.left), subject.places.hull(node.right)
    if left is None or right is None:
        return None
    around = subject.tokens.around((left[0], right[1]))
    level = around[0] if around is not None else -1
    found = [p for p in range(left[1] + 1, right[0]) if subject.tokens.words[p] in _SETS and subject.tokens.opener[p] == level]
    return found[-1] if found else None


def _after_word(subject: Subject, at: int) -> int:
    """The first token behind `UNION ALL BY NAME`."""
    position = at + 1
    while subject.tokens.word(position) in {"ALL", "DISTINCT", "BY", "NAME"}:
        position += 1
    return position


def _kind(subject: Subject, at: int) -> Iterator[Change]:
    word = subject.tokens.words[at]
    all_ = subject.tokens.word(at + 1) == "ALL"
    if word in _OTHER:
        hint = "a row that only the first query gives, and one that both give"
        yield from subject.change("set operation", (at, at), _OTHER[word], hint)
    elif all_:
        yield from subject.change("set operation", (at, at + 1), "UNION", "two equal rows")
    else:
        yield from subject.change("set operation", (at, at), "UNION ALL", "two equal rows")


def _alone(subject: Subject, node: exp.SetOperation, at: int) -> Iterator[Change]:
    tokens = subject.tokens
    end = tokens.next_level(_ENDS, _after_word(subject, at))
    last = (end if end is not None else _end_of_level(subject, at)) - 1
    yield from subject.change("query dropped", (at, last), "", "a row that only the second query gives")
    if isinstance(node.left, exp.SetOperation) or tokens.words[at] == "EXCEPT":
        return
    first = subject.places.hull(node.left)
    begin = tokens.last_level(frozenset(["SELECT", "FROM"]), at - 1) if first is not None else None
    while begin is not None and tokens.last_level(frozenset(["SELECT", "FROM"]), begin - 1) is not None:
        earlier = tokens.last_level(frozenset(["SELECT", "FROM", "WITH"]), begin - 1)
        if earlier is None or tokens.words[earlier] == "WITH":
            break
        begin = earlier
    if begin is not None and first is not None and begin <= first[0]:
        after = _after_word(subject, at) - 1
        yield from subject.change("query dropped", (begin, after), "", "a row that only the first query gives")


def _end_of_level(subject: Subject, at: int) -> int:
    opener = subject.tokens.opener[at]
    return subject.tokens.partner[opener] if opener >= 0 else len(subject.tokens.words)
