"""Conditions taken apart: what is joined by AND, what a condition refuses, what two columns have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

COMPARISONS = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE)
_STRICT = (*COMPARISONS, exp.Like, exp.ILike, exp.Between, exp.In)
_CARRIES_NULL = (exp.Paren, exp.Cast, exp.Neg, exp.Add, exp.Sub, exp.Mul, exp.Lower, exp.Upper, exp.Trim, exp.Year, exp.Month, exp.Abs)


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


def parts(condition: exp.Expr, *, joined: str = "TRUE") -> Iterator[tuple[exp.Expr, str]]:
    """The smallest parts of a condition; with each the truth that makes it vanish: TRUE under AND, FALSE under OR."""
    match condition:
        case exp.And() | exp.Or():
            word = "TRUE" if isinstance(condition, exp.And) else "FALSE"
            yield from parts(condition.left, joined=word)
            yield from parts(condition.right, joined=word)
        case exp.Paren() if isinstance(condition.this, (exp.Connector, exp.Paren)):
            yield from parts(condition.this, joined=joined)
        case _:
            yield condition, joined


def is_asof(part: exp.Expr) -> bool:
    """Whether a part stands in the condition of an ASOF join, which must have exactly one `<`, `<=`, `>` or `>=`."""
    join = part.find_ancestor(exp.Join, exp.Select)
    return isinstance(join, exp.Join) and join.method == "ASOF"


def refuses_null(condition: exp.Expr, names: Collection[tuple[str, str]] | None = None, table: str = "") -> bool:
    """Whether a condition is never true where a column is null: one of `names`, or any that is written with `table`.

    A comparison with null is unknown, and so is its negation (ISO 9075-2, 8.2 and 6.39).
    """
    inner = condition.unnest()
    if isinstance(inner, exp.Not):
        of = inner.this.unnest()
        if isinstance(of, exp.Is) and isinstance(of.expression, exp.Null):
            return _is_one(of.this, names, table)
        return isinstance(of, _STRICT) and refuses_null(of, names, table)
    if not isinstance(inner, _STRICT) or isinstance(inner.args.get("expression"), exp.Null):
        return False
    sides = [inner.this, inner.args.get("expression")]
    return any(_is_one(side, names, table) for side in sides if isinstance(side, exp.Expr))


def _is_one(side: exp.Expr, names: Collection[tuple[str, str]] | None, table: str) -> bool:
    if isinstance(side, exp.Column):
        if names is not None:
            return column_name(side) in names
        return side.table.casefold() == table
    if isinstance(side, _CARRIES_NULL):
        return any(_is_one(part, names, table) for part in (side.this, side.args.get("expression")) if isinstance(part, exp.Expr))
    return False


def column_name(column: exp.Column) -> tuple[str, str]:
    """A column as it is written, in small letters."""
    return column.table.casefold(), column.name.casefold()


def equated(join: exp.Join, table: str) -> dict[str, exp.Expr]:
    """The columns of a joined table that must equal something which is not of it; with what they must equal."""
    found: dict[str, exp.Expr] = {c.name.casefold(): c for c in join.args.get("using") or ()}
    for part in conjuncts(join.args.get("on")):
        if not isinstance(part, (exp.EQ, exp.NullSafeEQ)):
            continue
        for side, other in ((part.left, part.right), (part.right, part.left)):
            ours = isinstance(side, exp.Column) and side.table.casefold() == table
            if ours and all(c.table and c.table.casefold() != table for c in other.find_all(exp.Column)):
                found[side.name.casefold()] = other
    return found
