"""Conditions taken apart, and the parts of a SELECT that are its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

if TYPE_CHECKING:
    from collections.abc import Iterator

COMPARISONS = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE)
_STRICT = (*COMPARISONS, exp.Like, exp.ILike, exp.Between, exp.In)
_CARRIES_NULL = (exp.Paren, exp.Cast, exp.Neg, exp.Add, exp.Sub, exp.Mul, exp.Lower, exp.Upper, exp.Trim, exp.TimestampTrunc)


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


def clause(select: exp.Expr, name: str) -> exp.Expr | None:
    """The condition of a clause such as WHERE."""
    found = select.args.get(name)
    return found.this if isinstance(found, exp.Expr) else None


def joins(select: exp.Select) -> list[exp.Join]:
    """The joins of a SELECT, in their order."""
    return list(select.args.get("joins") or ())


def side(join: exp.Join) -> str:
    """LEFT, RIGHT, FULL or nothing."""
    return str(join.args.get("side") or "").upper()


def kind(join: exp.Join) -> str:
    """SEMI, ANTI, CROSS, INNER, OUTER or nothing."""
    return str(join.args.get("kind") or "").upper()


def method(join: exp.Join) -> str:
    """NATURAL, ASOF, POSITIONAL or nothing."""
    return str(join.args.get("method") or "").upper()


def own(node: exp.Expr | None) -> Iterator[exp.Expr]:
    """A node and all below it that belongs to the same SELECT: queries inside are yielded, but not entered."""
    if node is not None:
        yield from node.walk(prune=lambda n: n is not node and isinstance(n, (exp.Query, exp.With)))


def columns(node: exp.Expr) -> list[exp.Column]:
    """The columns that a part of a SELECT reads by itself."""
    return [n for n in own(node) if isinstance(n, exp.Column)]


def has_query(node: exp.Expr) -> bool:
    """Whether a query stands inside."""
    return any(isinstance(n, exp.Query) for n in own(node))


def refused(condition: exp.Expr) -> Iterator[exp.Column]:
    """The columns that may not be NULL where a condition is true: a comparison with NULL is unknown, and so is its negation."""
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
