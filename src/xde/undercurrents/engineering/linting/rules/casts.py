"""Comparisons between values of two kinds: the engine casts one of them, and the query does not say which."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlglot import exp

from xde.undercurrents.engineering.conditions import COMPARISONS
from xde.undercurrents.engineering.linting.types import family, infer
from xde.undercurrents.engineering.linting.words import Remark

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xde.undercurrents.engineering.linting.facts import Field, Scope
    from xde.undercurrents.engineering.linting.subject import Subject

RULE = "implicit-cast"
_TIMES = frozenset({"timestamp", "moment"})


class Pair(NamedTuple):
    """Two values that are compared, each with what is known of it, and the place of the comparison."""

    at: exp.Expr
    left: exp.Expr
    right: exp.Expr
    types: tuple[Field, Field]


def compared(scope: Scope) -> Iterator[Pair]:
    """The values that are compared in one SELECT, two and two, where both types are known."""
    for node in scope.nodes():
        for one, other in _sides(node):
            pair = Pair(node, one, other, (infer(one, scope), infer(other, scope)))
            if family(pair.types[0].type) and family(pair.types[1].type):
                yield pair
    for join in scope.select.args.get("joins") or ():
        for using in join.args.get("using") or ():
            owners = scope.merged.get(using.name.lower(), ())
            sources = [scope.sources[o] for o in owners if o in scope.sources]
            fields = [s.relation.fields.get(using.name.lower()) if s.relation.fields else None for s in sources]
            if len(fields) > 1 and fields[0] is not None and fields[-1] is not None:
                yield Pair(using, using, using, (fields[0], fields[-1]))


def _sides(node: exp.Expr) -> Iterator[tuple[exp.Expr, exp.Expr]]:
    match node:
        case exp.In() if not node.args.get("query"):
            yield from ((node.this, e) for e in node.expressions)
        case exp.Between():
            yield node.this, node.args["low"]
            yield node.this, node.args["high"]
        case exp.NullSafeEQ() | exp.NullSafeNEQ():
            yield node.left, node.right
        case _ if isinstance(node, COMPARISONS):
            yield node.left, node.right


def implicit_cast(subject: Subject) -> Iterator[Remark]:
    """Text against numbers, dates, times and truth values; a date against a time; a number against a truth value."""
    for scope in subject.scopes:
        told: set[int] = set()
        for pair in compared(scope):
            kinds = {family(t.type) for t in pair.types}
            if id(pair.at) in told or not _needs_a_cast(kinds, pair):
                continue
            told.add(id(pair.at))
            yield _remark(pair, subject)


def _needs_a_cast(kinds: set[str], pair: Pair) -> bool:
    if len(kinds) == 1 or kinds == {"timestamp", "moment"}:
        return False
    if "date" in kinds and kinds & _TIMES:
        # a day against a moment is the beginning of the day: meant with < and >=, a fault with = and in a join
        return isinstance(pair.at, (exp.EQ, exp.NEQ, exp.NullSafeEQ, exp.In, exp.Identifier))
    return True


def _remark(pair: Pair, subject: Subject) -> Remark:
    left, right = (t.type for t in pair.types)
    if pair.left is pair.right:
        name = pair.left.name
        message = f"`USING ({name})` compares {left} with {right}"
        hint = f"give both the same type, or join by `ON CAST(... AS {left}) = ...`"
    else:
        message = f"`{subject.said(pair.left)}`, {left}, is compared with `{subject.said(pair.right)}`, {right}"
        cast, type_ = (pair.right, left) if family(right) == "text" else (pair.left, right)
        if {family(left), family(right)} & _TIMES and "date" in {family(left), family(right)}:
            cast, type_ = (pair.left, "DATE") if family(left) in _TIMES else (pair.right, "DATE")
        hint = f"say what is meant: `CAST({subject.said(cast)} AS {type_})`"
    kinds = {family(left), family(right)}
    if "date" in kinds and kinds & _TIMES:
        why = "the date is taken as midnight, so that only times of exactly midnight are equal to it"
    elif "text" in kinds and "number" in kinds:
        why = "the text is cast to a number: `007` equals 7, and a text that is no number stops the model"
    elif "text" in kinds:
        other = next(iter(kinds - {"text"}))
        why = f"the text is cast, and one that is no {other} stops the model"
    else:
        why = "the engine casts one of them to the type of the other"
    return Remark(RULE, pair.at, message, "two types", why, hint)
