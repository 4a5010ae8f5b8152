"""DISTINCT where there was none, none where there was one.

SEL of the family SC in Tuya, Suárez-Cabal, de la Riva, "Mutating database queries", Information and Software Technology 49 (2007)
398-417.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from xde.undercurrents.engineering.mutants.keys import is_one_row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xde.undercurrents.engineering.mutants.mutant import Change
    from xde.undercurrents.engineering.mutants.subject import Subject

_HINT = "two equal rows"


def changes(subject: Subject) -> Iterator[Change]:
    for select in subject.parts(exp.Select):
        at = _select_word(subject, select)
        if at is None or _counts_no_rows(select):
            continue
        distinct = select.args.get("distinct")
        if distinct is None:
            if not _rows_differ(subject, select):
                yield from subject.change("distinct added", (at, at), f"{subject.text_of((at, at))} DISTINCT", _HINT)
        elif not distinct.args.get("on") and subject.tokens.word(at + 1) == "DISTINCT" and not _differ_anyway(subject, select):
            yield from subject.change("distinct removed", (at, at + 1), subject.text_of((at, at)), _HINT)


def _select_word(subject: Subject, select: exp.Select) -> int | None:
    hull = subject.places.hull(select.expressions[0]) if select.expressions else None
    if hull is None:
        return None
    return subject.tokens.last_level(frozenset(["SELECT"]), hull[0])


def _rows_differ(subject: Subject, select: exp.Select) -> bool:
    """The rows differ already: they are groups, hold a key, or are one row. Then DISTINCT changes nothing."""
    return bool(subject.scopes.relation(select).keys) or is_one_row(select)


def _differ_anyway(subject: Subject, select: exp.Select) -> bool:
    keys = subject.scopes.relation(select).keys
    everything = frozenset(subject.scopes.relation(select).fields or ())
    return any(key < everything for key in keys) or (select.args.get("group") is not None and everything in keys)


def _counts_no_rows(select: exp.Select) -> bool:
    """Nobody sees how often a row is there: in IN and EXISTS, and under UNION and its kin without ALL."""
    parent = select.parent
    if isinstance(parent, exp.SetOperation):
        return bool(parent.args.get("distinct"))
    if isinstance(parent, exp.Subquery):
        parent = parent.parent
    return isinstance(parent, (exp.In, exp.Exists, exp.Any, exp.All))
