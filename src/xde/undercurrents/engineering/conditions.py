"""Conditions of SQL taken apart: what is joined by AND, and which columns a condition refuses to be NULL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

if TYPE_CHECKING:
    from collections.abc import Iterator

COMPARISONS = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE)
_STRICT = (*COMPARISONS, exp.Like, exp.ILike, exp.Between, exp.In)
_ARITHMETIC = (exp.Paren, exp.Cast, exp.Neg, exp.Abs, exp.Add, exp.Sub, exp.Mul)
_CARRIES_NULL = (*_ARITHMETIC, exp.Lower, exp.Upper, exp.Trim, exp.Year, exp.Month, exp.TimestampTrunc)


def conjuncts(condition: exp.Expr | None) -> Iterator[exp.Expr]:
    """The parts of a condition that must all be true."""
    match condition:
        case None:
            return
        case exp.And():
            yield from conjuncts(condition.left)
            yield from conjuncts(condition.right)
        case exp.Paren():
            yield from conjuncts(condition.this)
        case _:
            yield condition


def refused(condition: exp.Expr) -> Iterator[exp.Column]:
    """The columns that may not be NULL where a condition is true.

    A comparison with NULL is unknown, and so is its negation (ISO 9075-2, 8.2 and 6.39).
    """
    inner = condition.unnest()
    if isinstance(inner, exp.Not):
        of = inner.this.unnest()
        if isinstance(of, exp.Is) and isinstance(of.expression, exp.Null):
            yield from _carried(of.this)
        elif isinstance(of, _STRICT):
            yield from refused(of)
        return
    if isinstance(inner, _STRICT) and not isinstance(inner.args.get("expression"), exp.Null):
        yield from _carried(inner.this)
        other = inner.args.get("expression")
        if isinstance(other, exp.Expr):
            yield from _carried(other)


def _carried(node: exp.Expr) -> Iterator[exp.Column]:
    """The columns without which an expression has no value."""
    if isinstance(node, exp.Column):
        yield node
    elif isinstance(node, _CARRIES_NULL):
        for part in (node.this, node.args.get("expression")):
            if isinstance(part, exp.Expr) and not isinstance(part, exp.DataType):
                yield from _carried(part)
