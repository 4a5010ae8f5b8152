"""The parts of a SELECT that are its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

if TYPE_CHECKING:
    from collections.abc import Iterator


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
