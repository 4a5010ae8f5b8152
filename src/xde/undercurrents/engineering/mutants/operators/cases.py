"""Branches of CASE that are missing or have changed places.

CASE is not among the operators of 2007; the authors' tool has taken it in since (SQLMutation, release notes, version 1.1.50).
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from sqlglot import exp

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xde.undercurrents.engineering.mutants.brackets import Span
    from xde.undercurrents.engineering.mutants.mutant import Change
    from xde.undercurrents.engineering.mutants.original import Original


def changes(original: Original) -> Iterator[Change]:
    for case in original.parts(exp.Case):
        span = original.places.of(case)
        if span is not None:
            yield from _dropped(original, case, span)
            yield from _swapped(original, case)
            yield from _without_else(original, case, span)
    for if_ in original.parts(exp.If):
        if not isinstance(if_.parent, exp.Case):
            yield from _swapped_if(original, if_)


def _dropped(original: Original, case: exp.Case, span: Span) -> Iterator[Change]:
    branches, otherwise = case.args["ifs"], case.args.get("default")
    if len(branches) == 1:
        rest = original.said(otherwise) if otherwise is not None else "NULL"
        if rest and rest != original.said(branches[0].args["true"]):
            hint = f"a row for which {original.named(branches[0].this)} is true"
            yield from original.change("case branch dropped", span, original.enclosed(case, rest), hint)
        return
    for branch in branches:
        condition, value = original.places.of(branch.this), original.places.of(branch.args["true"])
        if condition is None or value is None or original.tokens.word(condition[0] - 1) != "WHEN":
            continue
        hint = f"a row for which {original.named(branch.this)} is true, and no branch before it"
        yield from original.change("case branch dropped", (condition[0] - 1, value[1]), "", hint)


def _swapped(original: Original, case: exp.Case) -> Iterator[Change]:
    """Neighbours give each other's value."""
    values = [branch.args["true"] for branch in case.args["ifs"]]
    if case.args.get("default") is not None:
        values.append(case.args["default"])
    for position, (one, other) in enumerate(pairwise(values)):
        first, second = original.places.of(one), original.places.of(other)
        if first is None or second is None or original.said(one) == original.said(other):
            continue
        begin = original.tokens.offsets(first)
        end = original.tokens.offsets(second)
        between = original.text[begin[1] : end[0]]
        after = f"{original.said(other)}{between}{original.said(one)}"
        hint = f"a row for which {original.named(case.args['ifs'][position].this)} is true, and no branch before it"
        yield from original.change("case branches swapped", (first[0], second[1]), after, hint)


def _without_else(original: Original, case: exp.Case, span: Span) -> Iterator[Change]:
    otherwise = case.args.get("default")
    if otherwise is None or isinstance(otherwise, exp.Null) or len(case.args["ifs"]) < 1:
        return
    value = original.places.of(otherwise)
    if value is not None and original.tokens.word(value[0] - 1) == "ELSE" and value[1] + 1 == span[1]:
        yield from original.change("else dropped", (value[0] - 1, value[1]), "", "a row for which no branch is true")


def _swapped_if(original: Original, if_: exp.If) -> Iterator[Change]:
    yes, no = if_.args.get("true"), if_.args.get("false")
    span = original.places.between(yes, no)
    if span is not None and yes is not None and no is not None and original.said(yes) != original.said(no):
        after = f"{original.said(no)}, {original.said(yes)}"
        yield from original.change("case branches swapped", span, after, f"a row for which {original.named(if_.this)} is true")
