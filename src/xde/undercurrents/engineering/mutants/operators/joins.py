"""Joins of another kind: rows without a match appear or vanish.

JOI of the family SC in Tuya, Suárez-Cabal, de la Riva, "Mutating database queries", Information and Software Technology 49
(2007) 398-417. Of the kinds that a join could have, those stand here that differ from it in one thing only: what kills
`JOIN -> LEFT JOIN` and `JOIN -> RIGHT JOIN` kills `JOIN -> FULL JOIN` too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from xde.undercurrents.engineering.conditions import conjuncts
from xde.undercurrents.engineering.mutants.conditions import equated, refuses_null
from xde.undercurrents.engineering.mutants.keys import fans_out

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xde.undercurrents.engineering.mutants.brackets import Span
    from xde.undercurrents.engineering.mutants.mutant import Change
    from xde.undercurrents.engineering.mutants.original import Original
    from xde.undercurrents.engineering.mutants.scopes import Field, Source

_WORDS = frozenset(["LEFT", "RIGHT", "FULL", "INNER", "OUTER", "SEMI", "ANTI", "NATURAL", "ASOF"])
_LEFT, _RIGHT = "left", "right"
_OTHERS = {
    "": (("LEFT JOIN", _LEFT), ("RIGHT JOIN", _RIGHT)),
    "LEFT": (("JOIN", _LEFT), ("FULL JOIN", _RIGHT)),
    "RIGHT": (("JOIN", _RIGHT), ("FULL JOIN", _LEFT)),
    "FULL": (("LEFT JOIN", _RIGHT), ("RIGHT JOIN", _LEFT)),
}
"""The other kinds, and of which side the rows without a match come or go."""


def changes(original: Original) -> Iterator[Change]:
    for join in original.parts(exp.Join):
        words = join_words(original, join)
        if words is not None and join.kind != "CROSS" and join.method in {"", "ASOF", "NATURAL"}:
            yield from _other_kinds(original, join, words)


def join_words(original: Original, join: exp.Join) -> Span | None:
    """The tokens of `LEFT OUTER JOIN` and the like."""
    begin = original.places.of(join.this) if isinstance(join.this, exp.Subquery) else original.places.hull(join.this)
    if begin is None or original.tokens.word(begin[0] - 1) != "JOIN":
        return None
    first = last = begin[0] - 1
    while original.tokens.word(first - 1) in _WORDS:
        first -= 1
    return first, last


def _other_kinds(original: Original, join: exp.Join, words: Span) -> Iterator[Change]:
    right = f"`{join.alias_or_name}`"
    left = _left_name(join)
    if join.kind in {"SEMI", "ANTI"}:
        other = "ANTI JOIN" if join.kind == "SEMI" else "SEMI JOIN"
        yield from original.change("join kind", words, other, f"a row of {left} with a match in {right}, and one without")
        return
    for kind, side in _OTHERS.get(join.side, ()):
        if join.method == "ASOF" and kind not in {"JOIN", "LEFT JOIN"}:
            continue
        if not _unseen(original, join, side):
            of, without = (left, right) if side == _LEFT else (right, left)
            yield from original.change("join kind", words, f"{join.method} {kind}".strip(), f"a row of {of} without a match in {without}")
    if join.side == "" and join.method == "" and _right_is_unread(original, join) and _may_fan_out(original, join):
        yield from original.change("join kind", words, "SEMI JOIN", f"two rows of {right} that match one row of {left}")


def _left_name(join: exp.Join) -> str:
    select = join.parent
    from_ = select.args.get("from_") if select is not None else None
    return f"`{from_.this.alias_or_name}`" if from_ is not None and from_.this.alias_or_name else "the left side"


def _unseen(original: Original, join: exp.Join, side: str) -> bool:
    """Rows of a side without a match: there are none, or what comes after refuses them.

    Told from contracts and conditions like the tool of the authors does (SQLMutation, release notes: equivalent mutants "in
    joins with referential integrity", and "in joins when where conditions can't return any" of the outer rows).
    """
    return _always_matched(original, join, side) or _refused(join, side)


def _always_matched(original: Original, join: exp.Join, side: str) -> bool:
    """The one column that is compared is required, and refers to the one that it is compared with, of which no row is missing."""
    both = _compared(original, join)
    if both is None:
        return False
    (left_source, left), (right_source, right) = both
    if side == _LEFT:
        return _refers(original, (left_source, left), (right_source, right))
    select = join.parent
    joins = select.args.get("joins") or [] if select is not None else []
    earlier = joins[: next(i for i, j in enumerate(joins) if j is join)]
    return all(j.side == "LEFT" for j in earlier) and _refers(original, (right_source, right), (left_source, left))


def _refers(original: Original, one: tuple[Source, Field], other: tuple[Source, Field]) -> bool:
    """Whether each value of one column stands in the other. What this join itself makes of nulls is not asked."""
    (of, field), (at, key) = one, other
    if field.dataset is None or field.column is None or at.dataset is None:
        return False
    required = original.promises.is_required(field.dataset, field.column) if of.dataset is not None else field.required
    return required and original.promises.referred(field.dataset, field.column) == (at.dataset.casefold(), key.name.casefold())


def _compared(original: Original, join: exp.Join) -> tuple[tuple[Source, Field], tuple[Source, Field]] | None:
    """The two columns of a join by one equality, left and right, each with its source."""
    scope, name = original.scopes.around(join), join.alias_or_name.casefold()
    fixed = equated(join, name)
    conditions = list(conjuncts(join.args.get("on"))) or join.args.get("using") or []
    source = scope.sources.get(name) if scope is not None else None
    if scope is None or source is None or source.fields is None or len(fixed) != 1 or len(conditions) != 1:
        return None
    ((column, other),) = fixed.items()
    if isinstance(other, exp.Column):
        left_source, left = scope.source_of(other), scope.field_of(other)
    else:
        having = [s for n, s in scope.sources.items() if n != name and s.fields is not None and column in s.fields]
        left_source = having[0] if len(having) == 1 else None
        left = left_source.fields.get(column) if left_source is not None and left_source.fields is not None else None
    right = source.fields.get(column)
    return None if left_source is None or left is None or right is None else ((left_source, left), (source, right))


def _refused(join: exp.Join, side: str) -> bool:
    """WHERE refuses the nulls that a row without a match has, or a later inner join does."""
    select = join.parent
    if not isinstance(select, exp.Select):
        return False
    joins = select.args.get("joins") or []
    at = next(i for i, j in enumerate(joins) if j is join)
    names = [join.alias_or_name.casefold()]
    if side == _RIGHT:
        from_ = select.args.get("from_")
        names = [item.alias_or_name.casefold() for item in ([from_.this] if from_ is not None else []) + [j.this for j in joins[:at]]]
    where = select.args.get("where")
    after = list(conjuncts(where.this if where is not None else None))
    for later in joins[at + 1 :]:
        if later.side == "" and later.kind in {"", "INNER", "SEMI"}:
            after += conjuncts(later.args.get("on"))
    return any(name and refuses_null(part, table=name) for part in after for name in names)


def _right_is_unread(original: Original, join: exp.Join) -> bool:
    select, scope = join.parent, original.scopes.around(join)
    if not isinstance(select, exp.Select) or scope is None or any(s.fields is None for s in scope.sources.values()):
        return False
    if any(not isinstance(s.parent, exp.Func) for s in select.find_all(exp.Star)):
        return False
    inside = {id(c) for c in join.find_all(exp.Column)}
    name = join.alias_or_name.casefold()
    return not any(
        scope.owner_of(c) in {name, None} for c in select.find_all(exp.Column) if id(c) not in inside and c.parent_select is select
    )


def _may_fan_out(original: Original, join: exp.Join) -> bool:
    """Where a row meets one row at most, a semi-join gives the same rows."""
    scope = original.scopes.around(join)
    source = scope.sources.get(join.alias_or_name.casefold()) if scope is not None else None
    return source is None or fans_out(join, join.alias_or_name.casefold(), source.keys)
