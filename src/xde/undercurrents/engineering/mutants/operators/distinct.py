"""DISTINCT where there was none, none where there was one.

SEL of the family SC in Tuya, Suárez-Cabal, de la Riva, "Mutating database queries", Information and Software Technology 49 (2007)
398-417.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from xde.undercurrents.engineering.mutants.keys import is_one_row, picked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xde.undercurrents.engineering.mutants.mutant import Change
    from xde.undercurrents.engineering.mutants.original import Original

_HINT = "two equal rows"


def changes(original: Original) -> Iterator[Change]:
    for select in original.parts(exp.Select):
        at = _select_word(original, select)
        if at is None or _counts_no_rows(select) or _counted_once(original, select):
            continue
        distinct = select.args.get("distinct")
        if distinct is None:
            if not _rows_differ(original, select):
                yield from original.change("distinct added", (at, at), f"{original.text_of((at, at))} DISTINCT", _HINT)
        elif not distinct.args.get("on") and original.tokens.word(at + 1) == "DISTINCT" and not _differ_anyway(original, select):
            yield from original.change("distinct removed", (at, at + 1), original.text_of((at, at)), _HINT)


def _select_word(original: Original, select: exp.Select) -> int | None:
    hull = original.places.hull(select.expressions[0]) if select.expressions else None
    if hull is None:
        return None
    return original.tokens.last_level(frozenset(["SELECT"]), hull[0])


def _rows_differ(original: Original, select: exp.Select) -> bool:
    """The rows differ already: they are groups, hold a key, or are one row. Then DISTINCT changes nothing."""
    return bool(original.scopes.relation(select).keys) or is_one_row(select)


def _differ_anyway(original: Original, select: exp.Select) -> bool:
    keys = original.scopes.relation(select).keys
    everything = frozenset(original.scopes.relation(select).fields or ())
    return any(key < everything for key in keys) or (select.args.get("group") is not None and everything in keys)


def _counts_no_rows(select: exp.Select) -> bool:
    """Nobody sees how often a row is there: in IN and EXISTS, and under UNION and its kin without ALL."""
    parent = select.parent
    if isinstance(parent, exp.SetOperation):
        return bool(parent.args.get("distinct"))
    if isinstance(parent, exp.Subquery):
        parent = parent.parent
    return isinstance(parent, (exp.In, exp.Exists, exp.Any, exp.All))


def _counted_once(original: Original, select: exp.Select) -> bool:
    """All that read this part keep one row of those that are equal: by DISTINCT, or as the first of their number."""
    cte = select.parent
    if not isinstance(cte, exp.CTE):
        return False
    readers = [t.parent_select for t in original.tree.find_all(exp.Table) if not t.db and t.name.casefold() == cte.alias.casefold()]
    return bool(readers) and all(r is not None and _keeps_one(original, r) for r in readers)


def _keeps_one(original: Original, reader: exp.Select) -> bool:
    scope = original.scopes.around(reader)
    if scope is None or len(scope.sources) != 1 or reader.args.get("group") is not None or is_one_row(reader):
        return False
    windows = sum(1 for _ in reader.find_all(exp.Window))
    first = bool(picked(reader, scope.owner_of)) and windows == 1
    return first or (reader.args.get("distinct") is not None and windows == 0)
