"""NULL where it makes a condition unknown for every row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from xde.ground.findings import Severity
from xde.undercurrents.engineering.conditions import COMPARISONS, conjuncts, refused
from xde.undercurrents.engineering.linting.parts import clause
from xde.undercurrents.engineering.linting.types import infer
from xde.undercurrents.engineering.linting.words import Remark

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xde.undercurrents.engineering.linting.facts import Scope
    from xde.undercurrents.engineering.linting.subject import Subject


def not_in_nullable(subject: Subject) -> Iterator[Remark]:
    """`NOT IN (SELECT ...)` over a column that may be NULL."""
    scopes = {id(s.select): s for s in subject.scopes}
    for node in subject.tree.find_all(exp.In):
        query = node.args.get("query")
        if not isinstance(query, exp.Expr) or not isinstance(_above(node), exp.Not):
            continue
        select = query.unnest()
        scope = scopes.get(id(select))
        if scope is None or len(scope.select.expressions) != 1 or _is_never_null(scope.select.expressions[0].unalias(), scope):
            continue
        value = scope.select.expressions[0].unalias()
        shown = subject.said(value)
        message = f"`NOT IN` of a query in which `{shown}` may be NULL"
        why = "one NULL among its rows, and the condition is true for no row at all"
        hint = f"write `NOT EXISTS`, add `WHERE {shown} IS NOT NULL`, or declare the column `required`"
        yield Remark("not-in-nullable", node, message, "may be NULL", why, hint)


def _above(node: exp.Expr) -> exp.Expr | None:
    above = node.parent
    while isinstance(above, exp.Paren):
        above = above.parent
    return above


def _is_never_null(value: exp.Expr, scope: Scope) -> bool:
    if infer(value, scope).required or isinstance(value, exp.Star):
        return True
    if not isinstance(value, exp.Column):
        return False
    source = scope.source_of(value)
    if source is not None and source.opaque:
        return True  # nothing is known of it, and so nothing is claimed
    if source is None:
        return True
    for part in (*conjuncts(clause(scope.select, "where")), *(p for j in _inner(scope) for p in conjuncts(j.args.get("on")))):
        if any(c.name.lower() == value.name.lower() and scope.source_of(c) is source for c in refused(part)):
            return True
    return False


def _inner(scope: Scope) -> list[exp.Join]:
    return [j for j in scope.select.args.get("joins") or () if not j.args.get("side")]


def compare_null(subject: Subject) -> Iterator[Remark]:
    """`= NULL` and its kin, and NULL in the list of IN."""
    for node in subject.tree.walk():
        if isinstance(node, COMPARISONS) and any(isinstance(s.unnest(), exp.Null) for s in (node.left, node.right)):
            other = node.left if isinstance(node.right.unnest(), exp.Null) else node.right
            text = subject.said(other)
            word = "IS NOT NULL" if isinstance(node, exp.NEQ) else "IS NULL"
            hint = f"write `{text} {word}`" if isinstance(node, (exp.EQ, exp.NEQ)) else "compare with a value, or leave the condition out"
            yield _remark(node, "a comparison with NULL is true for no row", hint)
        elif isinstance(node, exp.In) and any(isinstance(e, exp.Null) for e in node.expressions):
            negated = isinstance(_above(node), exp.Not)
            message = "`NOT IN` of a list with NULL is true for no row" if negated else "NULL in a list of `IN` finds no row"
            yield _remark(node, message, "take NULL out of the list, and test it with `IS NULL`")


def _remark(node: exp.Expr, message: str, hint: str) -> Remark:
    why = "whether a value equals NULL is not known, not even for NULL"
    return Remark("compare-null", node, message, "never true", why, hint, Severity.ERROR)
