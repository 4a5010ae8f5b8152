"""AND for OR, OR for AND, and NOT where there was none or none where there was.

LCR and UOI of the family OR in Tuya, Suárez-Cabal, de la Riva, "Mutating database queries", Information and Software Technology 49
(2007) 398-417. A NOT before a comparison is left out: another operator says the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from xde.undercurrents.engineering.mutants.conditions import COMPARISONS, parts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xde.undercurrents.engineering.mutants.mutant import Change
    from xde.undercurrents.engineering.mutants.subject import Subject

_HAVE_THEIR_OWN = (*COMPARISONS, exp.Not, exp.Is, exp.In, exp.Between, exp.Like, exp.ILike, exp.Exists, exp.Boolean, exp.NullSafeEQ, exp.NullSafeNEQ)


def changes(subject: Subject) -> Iterator[Change]:
    for node in subject.parts(exp.And, exp.Or):
        yield from _other(subject, node)
    for not_ in subject.parts(exp.Not):
        span = subject.places.of(not_)
        if span is not None and subject.tokens.word(span[0]) == "NOT":
            inner = not_.this
            yield from subject.change("not removed", span, subject.said(inner), f"a row where {subject.named(inner)} is true, and one where it is false")
    for clause in subject.parts(exp.Where, exp.Having, exp.Qualify):
        yield from _negated(subject, clause.this)
    for branch in subject.parts(exp.If):
        yield from _negated(subject, branch.this)
    for join in subject.parts(exp.Join):
        if join.args.get("on") is not None:
            yield from _negated(subject, join.args["on"])


def _other(subject: Subject, node: exp.Connector) -> Iterator[Change]:
    left, right = subject.said(node.left), subject.said(node.right)
    if not left or not right or any(isinstance(side, exp.Boolean) for side in (node.left, node.right)):
        return
    hint = "a row for which one of the two is true and the other is not"
    if isinstance(node, exp.And):
        yield from subject.change("and/or", node, subject.enclosed(node, f"{left} OR {right}"), hint)
    else:
        left, right = (f"({said})" if isinstance(side, exp.Or) else said for side, said in ((node.left, left), (node.right, right)))
        yield from subject.change("and/or", node, f"{left} AND {right}", hint)


def _negated(subject: Subject, condition: exp.Expr) -> Iterator[Change]:
    for part, _ in parts(condition):
        said = subject.said(part)
        if said and not isinstance(part, _HAVE_THEIR_OWN):
            yield from subject.change("not inserted", part, f"NOT {said}", f"a row where {subject.named(part)} is true, and one where it is false")
