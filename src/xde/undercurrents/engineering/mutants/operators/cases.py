"""Branches of CASE that are missing or have changed places.

CASE is not among the operators of 2007; the authors' tool has taken it in since (SQLMutation, release notes, version 1.1.50).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xde.undercurrents.engineering.mutants.brackets import Span
    from xde.undercurrents.engineering.mutants.mutant import Change
    from xde.undercurrents.engineering.mutants.subject import Subject


def changes(subject: Subject) -> Iterator[Change]:
    for case in subject.parts(exp.Case):
        span = subject.places.of(case)
        if span is not None:
            yield from _dropped(subject, case, span)
            yield from _swapped(subject, case)
            yield from _without_else(subject, case, span)
    for if_ in subject.parts(exp.If):
        if not isinstance(if_.parent, exp.Case):
            yield from _swapped_if(subject, if_)


def _dropped(subject: Subject, case: exp.Case, span: Span) -> Iterator[Change]:
    branches, otherwise = case.args["ifs"], case.args.get("default")
    if len(branches) == 1:
        rest = subject.said(otherwise) if otherwise is not None else "NULL"
        if rest and rest != subject.said(branches[0].args["true"]):
            hint = f"a row for which {subject.named(branches[0].this)} is true"
            yield from subject.change("case branch dropped", span, subject.enclosed(case, rest), hint)
        return
    for branch in branches:
        condition, value = subject.places.of(branch.this), subject.places.of(branch.args["true"])
        if condition is None or value is None or subject.tokens.word(condition[0] - 1) != "WHEN":
            continue
        hint = f"a row for which {subject.named(branch.this)} is true, and no branch before it"
        yield from subject.change("case branch dropped", (condition[0] - 1, value[1]), "", hint)


def _swapped(subject: Subject, case: exp.Case) -> Iterator[Change]:
    """Neighbours give each other's value."""
    values = [branch.args["true"] for branch in case.args["ifs"]]
    if case.args.get("default") is not None:
        values.append(case.args["default"])
    for position, (one, other) in enumerate(zip(values, values[1:], strict=False)):
        first, second = subject.places.of(one), subject.places.of(other)
        if first is None or second is None or subject.said(one) == subject.said(other):
            continue
        begin = subject.tokens.offsets(first)
        end = subject.tokens.offsets(second)
        between = subject.text[begin[1] : end[0]]
        after = f"{subject.said(other)}{between}{subject.said(one)}"
        hint = f"a row for which {subject.named(case.args['ifs'][position].this)} is true, and no branch before it"
        yield from subject.change("case branches swapped", (first[0], second[1]), after, hint)


def _without_else(subject: Subject, case: exp.Case, span: Span) -> Iterator[Change]:
    otherwise = case.args.get("default")
    if otherwise is None or isinstance(otherwise, exp.Null) or len(case.args["ifs"]) < 1:
        return
    value = subject.places.of(otherwise)
    if value is not None and subject.tokens.word(value[0] - 1) == "ELSE" and value[1] + 1 == span[1]:
        yield from subject.change("else dropped", (value[0] - 1, value[1]), "", "a row for which no branch is true")


def _swapped_if(subject: Subject, if_: exp.If) -> Iterator[Change]:
    yes, no = if_.args.get("true"), if_.args.get("false")
    span = subject.places.between(yes, no)
    if span is not None and yes is not None and no is not None and subject.said(yes) != subject.said(no):
        after = f"{subject.said(no)}, {subject.said(yes)}"
        yield from subject.change("case branches swapped", span, after, f"a row for which {subject.named(if_.this)} is true")
