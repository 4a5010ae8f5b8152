"""Comparisons of another kind, and bounds one step off.

ROR of the family OR in Tuya, Suárez-Cabal, de la Riva, "Mutating database queries", Information and Software Technology 49 (2007)
398-417. In place of all five others, three stand for each operator: rows that tell these three from it tell the other two as
well. Texts and names are compared for being equal only, so they get fewer.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from sqlglot import exp

from xde.undercurrents.engineering.mutants.conditions import is_asof
from xde.undercurrents.engineering.mutants.scopes import family, infer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xde.undercurrents.engineering.mutants.mutant import Change
    from xde.undercurrents.engineering.mutants.original import Original

_ORDERED: dict[type[exp.Expr], tuple[str, ...]] = {
    exp.LT: ("<=", "<>", ">"),
    exp.LTE: ("<", "=", ">"),
    exp.GT: (">=", "<>", "<"),
    exp.GTE: (">", "=", "<"),
    exp.EQ: ("<>", "<=", ">="),
    exp.NEQ: ("=", "<", ">"),
    exp.NullSafeNEQ: ("<>",),
    exp.NullSafeEQ: ("=",),
}
_OFF_BY_ONE: dict[type[exp.Expr], int] = {exp.LT: -1, exp.GTE: -1, exp.GT: 1, exp.LTE: 1}
"""Where the bound moves. To the other side it need not: the row that tells `<=` from `<` is the one that would tell that."""
_MIRRORED: dict[type[exp.Expr], type[exp.Expr]] = {exp.LT: exp.GT, exp.GT: exp.LT, exp.LTE: exp.GTE, exp.GTE: exp.LTE}


def changes(original: Original) -> Iterator[Change]:
    for node in original.parts(*_ORDERED):
        at = original.operator_of(node)
        if at is None:
            continue
        for other in _others(original, node):
            yield from original.change("comparison", at, other, _hint(original, node, other))
        yield from _boundary(original, node)


def _others(original: Original, node: exp.Expr) -> tuple[str, ...]:
    others = _ORDERED[type(node)]
    if is_asof(node):
        return others[:1] if isinstance(node, (exp.GT, exp.GTE, exp.LT, exp.LTE)) else ()
    if isinstance(node, (exp.EQ, exp.NEQ)) and not _is_ordered(original, node):
        return others[:1]
    return tuple(other for other in others if not _says_the_same(node, other))


def _says_the_same(node: exp.Expr, other: str) -> bool:
    """Of what is never below 1 (the rows of a group, a rank) or 0 (a count), `> 1` and `<> 1` say the same, and `= 1` and `<= 1`."""
    least = _least(node.this)
    at_least = least is not None and node.expression.sql() == str(least)
    return at_least and (type(node), other) in {(exp.GT, "<>"), (exp.EQ, "<="), (exp.NEQ, ">"), (exp.LTE, "=")}


def _least(value: exp.Expr) -> int | None:
    select = value.parent_select
    if isinstance(value, exp.Filter):
        return 0 if isinstance(value.this, exp.Count) else None
    if isinstance(value, exp.Count):
        of_group = isinstance(value.this, exp.Star) and select is not None and select.args.get("group") is not None
        return 1 if of_group else 0
    if isinstance(value, exp.Window):
        return 1 if isinstance(value.this, (exp.RowNumber, exp.Rank, exp.DenseRank)) else None
    return 0 if isinstance(value, (exp.Length, exp.Abs)) else None


def _is_ordered(original: Original, node: exp.Expr) -> bool:
    """Numbers against a constant, and moments: there, less and more mean something."""
    scope = original.scopes.around(node)
    kinds = {family(infer(side, scope).type) if scope is not None else "" for side in (node.this, node.expression)}
    constant = any(isinstance(side, (exp.Literal, exp.Neg, exp.Placeholder)) for side in (node.this, node.expression))
    ranked = any(isinstance(side, exp.Window) for side in (node.this, node.expression))
    return "time" in kinds or ("number" in kinds and constant and "text" not in kinds and not ranked)


def _hint(original: Original, node: exp.Expr, other: str) -> str:
    left, right = original.named(node.this), original.named(node.args["expression"])
    if isinstance(node, (exp.NullSafeEQ, exp.NullSafeNEQ)):
        return f"a row where {left} or {right} is null"
    if isinstance(node, (exp.EQ, exp.NEQ)):
        return {"<=": f"a row where {left} is below {right}", ">=": f"a row where {left} is above {right}"}.get(
            other, f"a row where {left} is {right}, and one where it is not"
        )
    if {node.key, other} in ({"lt", "<="}, {"lte", "<"}, {"gt", ">="}, {"gte", ">"}):
        return f"a row where {left} is exactly {right}"
    return f"a row where {left} is below {right}, and one where it is above"


def _boundary(original: Original, node: exp.Expr) -> Iterator[Change]:
    for side, kind in ((node.args["expression"], type(node)), (node.this, _MIRRORED.get(type(node), type(node)))):
        step = _OFF_BY_ONE.get(kind)
        inner = side.this if isinstance(side, exp.Neg) else side
        if isinstance(inner, exp.Cast) and isinstance(inner.this, exp.Literal):
            inner = inner.this
        if step is None or not isinstance(inner, exp.Literal):
            continue
        after = moved(inner, -step if isinstance(side, exp.Neg) else step)
        if after is not None:
            other = node.this if side is node.args["expression"] else node.args["expression"]
            hint = f"a row where {original.named(other)} is {original.named(side)}, or one step from it"
            yield from original.change("boundary", inner, after, hint)


def moved(literal: exp.Literal, step: int) -> str | None:
    """A constant one step further: a whole number by one, a fraction in its last digit, a date by a day."""
    if literal.is_string:
        try:
            return f"'{date.fromisoformat(literal.name) + timedelta(days=step)}'"
        except ValueError:
            return None
    try:
        number = Decimal(literal.name)
    except ArithmeticError:
        return None
    exponent = number.as_tuple().exponent
    after = number + step * Decimal(1).scaleb(exponent if isinstance(exponent, int) and exponent < 0 else 0)
    return f"{after:f}" if after >= 0 else f"({after:f})"
