"""Sums for differences, products for quotients, and texts put together otherwise.

AOR of the family OR in Tuya, Suárez-Cabal, de la Riva, "Mutating database queries", Information and Software Technology 49 (2007)
398-417; concatenation came into the authors' tool later (its release notes, version 1.1.50).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from xde.undercurrents.engineering.mutants.scopes import family, infer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xde.undercurrents.engineering.mutants.mutant import Change
    from xde.undercurrents.engineering.mutants.original import Original
    from xde.undercurrents.engineering.mutants.scopes import Scope

_OTHERS: dict[type[exp.Expr], tuple[str, ...]] = {
    exp.Add: ("-",),
    exp.Sub: ("+",),
    exp.Mul: ("/",),
    exp.Div: ("*", "//"),
    exp.IntDiv: ("/", "%"),
    exp.Mod: ("//",),
}
"""Of the same strength of binding, so that nothing else moves."""
_SIGN: dict[type[exp.Expr], str] = {exp.Div: "/", exp.IntDiv: "//"}
_NEUTRAL: dict[type[exp.Expr], str] = {exp.Add: "0", exp.Sub: "0", exp.Mul: "1", exp.Div: "1"}


def changes(original: Original) -> Iterator[Change]:
    for node in original.parts(*_OTHERS):
        at = original.operator_of(node)
        if at is None or at[0] != at[1] or _is_neutral(node):
            continue
        for other in _others(original, node):
            hint = f"a row where neither {original.named(node.this)} nor {original.named(node.args['expression'])} is 0 or 1"
            yield from original.change("arithmetic", at, other, hint)
    for concat in original.parts(exp.DPipe):
        if not isinstance(concat.parent, exp.DPipe):
            yield from _concatenation(original, concat)


def _is_neutral(node: exp.Expr) -> bool:
    """`x + 0` and `x * 1` are x, and so are their mutants."""
    right = node.args["expression"]
    return isinstance(right, exp.Literal) and right.name == _NEUTRAL.get(type(node))


def _others(original: Original, node: exp.Expr) -> tuple[str, ...]:
    scope = original.scopes.around(node)
    left, right = (family(infer(side, scope).type) if scope is not None else "" for side in (node.this, node.args["expression"]))
    if isinstance(node, exp.Sub) and left == right == "time":
        return ()  # moments can be subtracted, not added
    if scope is not None and any(_is_fractional(side, scope) for side in (node.this, node.args["expression"])):
        # of numbers with a fraction, DuckDB's `//` is `/`
        return tuple(other for other in _OTHERS[type(node)] if {other, _SIGN.get(type(node), "")} != {"/", "//"})
    return _OTHERS[type(node)]


def _is_fractional(value: exp.Expr, scope: Scope) -> bool:
    """Whether a number is certainly none of the whole numbers' types."""
    if isinstance(value, exp.Literal):
        return not value.is_string and not value.is_int
    if isinstance(value, (exp.Div, exp.Avg, exp.Median, exp.Round)):
        return True
    if isinstance(value, (exp.Add, exp.Sub, exp.Mul)):
        return _is_fractional(value.left, scope) or _is_fractional(value.right, scope)
    if isinstance(value, (exp.Paren, exp.Neg, exp.Filter, exp.Window, exp.Sum, exp.Min, exp.Max, exp.Coalesce, exp.Nullif)):
        return isinstance(value.this, exp.Expr) and _is_fractional(value.this, scope)
    type_ = infer(value, scope).type or ""
    return type_.startswith(("DOUBLE", "FLOAT", "REAL", "DECIMAL", "NUMERIC"))


def _concatenation(original: Original, concat: exp.DPipe) -> Iterator[Change]:
    """Each piece is left out once."""
    pieces = list(_pieces(concat))
    for position, piece in enumerate(pieces):
        span = original.places.of(piece)
        if span is None:
            continue
        without = (span[0], span[1] + 1) if position == 0 else (span[0] - 1, span[1])
        if original.tokens.word(without[1] if position == 0 else without[0]) == "||":
            yield from original.change("concatenation", without, "", f"any row where {original.named(piece)} is not empty")


def _pieces(node: exp.Expr) -> Iterator[exp.Expr]:
    if isinstance(node, exp.DPipe):
        yield from _pieces(node.left)
        yield node.args["expression"]
    else:
        yield node
