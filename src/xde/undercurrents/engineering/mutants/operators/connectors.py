"""AND for OR, OR for AND, and NOT where there was none or none where there was.

LCR and UOI of the family OR in Tuya, Suárez-Cabal, de la Riva, "Mutating database queries", Information and Software Technology 49
(2007) 398-417. A NOT before a comparison is left out: another operator says the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from xde.undercurrents.engineering.conditions import COMPARISONS
from xde.undercurrents.engineering.mutants.conditions import is_asof, parts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xde.undercurrents.engineering.mutants.mutant import Change
    from xde.undercurrents.engineering.mutants.original import Original

_HAVE_THEIR_OWN = (
    *COMPARISONS,
    exp.Not,
    exp.Is,
    exp.In,
    exp.Between,
    exp.Like,
    exp.ILike,
    exp.Exists,
    exp.Boolean,
    exp.NullSafeEQ,
    exp.NullSafeNEQ,
)


def changes(original: Original) -> Iterator[Change]:
    for node in original.parts(exp.And, exp.Or):
        if not is_asof(node):
            yield from _other(original, node)
    for not_ in original.parts(exp.Not):
        span = original.places.of(not_)
        if span is not None and original.tokens.word(span[0]) == "NOT":
            inner = not_.this
            yield from original.change(
                "not removed", span, original.said(inner), f"a row where {original.named(inner)} is true, and one where it is false"
            )
    for clause in original.parts(exp.Where, exp.Having, exp.Qualify):
        yield from _negated(original, clause.this)
    for branch in original.parts(exp.If):
        yield from _negated(original, branch.this)
    for join in original.parts(exp.Join):
        if join.args.get("on") is not None and join.method != "ASOF":
            yield from _negated(original, join.args["on"])


def _other(original: Original, node: exp.Connector) -> Iterator[Change]:
    left, right = original.said(node.left), original.said(node.right)
    if not left or not right or any(isinstance(side, exp.Boolean) for side in (node.left, node.right)):
        return
    hint = "a row for which one of the two is true and the other is not"
    if isinstance(node, exp.And):
        yield from original.change("and/or", node, original.enclosed(node, f"{left} OR {right}"), hint)
    else:
        left, right = (f"({said})" if isinstance(side, exp.Or) else said for side, said in ((node.left, left), (node.right, right)))
        yield from original.change("and/or", node, f"{left} AND {right}", hint)


def _negated(original: Original, condition: exp.Expr) -> Iterator[Change]:
    for part, _ in parts(condition):
        said = original.said(part)
        if said and not isinstance(part, _HAVE_THEIR_OWN):
            yield from original.change(
                "not inserted", part, f"NOT {said}", f"a row where {original.named(part)} is true, and one where it is false"
            )
