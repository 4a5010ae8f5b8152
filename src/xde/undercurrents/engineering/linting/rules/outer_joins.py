"""Outer joins whose rows without a partner are thrown away again by what comes after."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xde.undercurrents.engineering.conditions import conjuncts, refused
from xde.undercurrents.engineering.linting.parts import clause, joins, kind, side
from xde.undercurrents.engineering.linting.words import Remark

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlglot import exp

    from xde.undercurrents.engineering.linting.facts import Scope
    from xde.undercurrents.engineering.linting.subject import Subject

RULE = "outer-join-undone"


def outer_join_undone(subject: Subject) -> Iterator[Remark]:
    """A condition that is never true for NULL on the optional side of an outer join."""
    for scope in subject.scopes:
        optional = _optional(scope)
        told: set[str] = set()
        for part, where in _conditions(scope) if optional else ():
            for column in refused(part):
                source = scope.source_of(column)
                if source is None or source.name not in optional or source.name in told or not _comes_later(where, source.name, scope):
                    continue
                told.add(source.name)
                yield _remark(part, subject.said(column), (source.title, optional[source.name]), "WHERE" if where is None else "ON")


def _optional(scope: Scope) -> dict[str, str]:
    """The sources that are the optional side of just one outer join, with its word."""
    found: dict[str, str] = {}
    before = list(scope.sources)[:1]
    for join, name in zip(joins(scope.select), list(scope.sources)[1:], strict=False):
        weak = {"LEFT": [name], "RIGHT": before, "FULL": [name, *before]}.get(side(join), [])
        found |= dict.fromkeys([w for w in weak if w not in found], side(join))
        before = [*before, name]
    return {n: w for n, w in found.items() if w != "FULL"}


def _conditions(scope: Scope) -> Iterator[tuple[exp.Expr, exp.Join | None]]:
    """Conditions of WHERE, and those of inner joins."""
    for part in conjuncts(clause(scope.select, "where")):
        yield part, None
    for join in joins(scope.select):
        if not side(join) and kind(join) not in {"SEMI", "ANTI", "CROSS"}:
            for part in conjuncts(join.args.get("on")):
                yield part, join


def _comes_later(join: exp.Join | None, name: str, scope: Scope) -> bool:
    """Whether a join comes after the one that brings a source; WHERE always does."""
    if join is None:
        return True
    names = list(scope.sources)
    position = next((i for i, j in enumerate(joins(scope.select), 1) if j is join), 0)
    return names.index(name) < position


def _remark(part: exp.Expr, shown: str, what: tuple[str, str], word: str) -> Remark:
    title, outer = what
    message = f"the {outer} JOIN of `{title}` is undone: its rows without a partner have no `{shown}`"
    if outer == "RIGHT":
        message = f"the RIGHT JOIN is undone: rows without a partner have no `{shown}`"
    why = f"a condition in {word} that is not true for NULL leaves them out, as an inner join would"
    hint = f"write `JOIN` if that is meant; else move the condition to the ON of the {outer} JOIN, or allow `{shown} IS NULL`"
    return Remark(RULE, part, message, "not true for NULL", why, hint)
