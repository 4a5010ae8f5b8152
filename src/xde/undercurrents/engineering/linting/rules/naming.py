"""Columns that are written without the name of what they are of, where several things are read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from xde.undercurrents.engineering.linting.parts import joins, own
from xde.undercurrents.engineering.linting.words import Remark

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xde.undercurrents.engineering.linting.facts import Scope, Source
    from xde.undercurrents.engineering.linting.subject import Subject

RULE = "unqualified-column"


def unqualified_column(subject: Subject) -> Iterator[Remark]:
    """One remark a SELECT, at the first such column; and each column that is one of a query further out."""
    for scope in subject.scopes:
        found = [(c, s) for c in _own_columns(scope.select) if (s := _source(c, scope)) is not None]
        outside = [(c, s) for c, s in found if scope.sources.get(s.name) is not s]
        for column, source in outside:
            yield _of_outer(column, source, scope)
        inside = [(c, s) for c, s in found if scope.sources.get(s.name) is s]
        if len(scope.sources) > 1 and inside:
            yield _of_several(inside, scope)


def _source(column: exp.Column, scope: Scope) -> Source | None:
    """The source that a bare column is of, when a reader has to look for it."""
    name = column.name.lower()
    if column.table or name in scope.merged or not isinstance(column.this, exp.Identifier) or _in_lambda(column):
        return None
    clause = _clause_of(column, scope.select)
    if clause in {"order", "distinct"} and name in {i.alias_or_name.lower() for i in scope.select.expressions}:
        return None  # there the name of an output column is that column
    if clause not in {"expressions", "joins", "where"} and name in {i.alias.lower() for i in scope.select.expressions if i.alias}:
        return None
    source = scope.source_of(column)
    if source is None or source.relation.fields is None or name not in source.relation.fields:
        return None
    return source


def _own_columns(select: exp.Select) -> Iterator[exp.Column]:
    for key, value in select.args.items():
        if key in {"from_", "with_"}:
            continue
        parts = [j.args.get("on") for j in joins(select)] if key == "joins" else value if isinstance(value, list) else [value]
        for part in parts:
            for node in own(part) if isinstance(part, exp.Expr) else ():
                if isinstance(node, exp.Column) and not isinstance(node.parent, exp.Star):  # EXCLUDE and RENAME take no table
                    yield node


def _clause_of(node: exp.Expr, select: exp.Select) -> str:
    while node.parent is not None and node.parent is not select:
        node = node.parent
    return str(node.arg_key or "")


def _in_lambda(column: exp.Column) -> bool:
    node = column.find_ancestor(exp.Lambda, exp.Select)
    return isinstance(node, exp.Lambda) and any(a.name.lower() == column.name.lower() for a in node.expressions)


def _of_several(found: list[tuple[exp.Column, Source]], scope: Scope) -> Remark:
    column, source = found[0]
    names = list(dict.fromkeys(c.name for c, _ in found))
    count = sum(not s.name.startswith("#") for s in scope.sources.values())
    message = f"`{column.name}` does not say of which of {count} relations it is"
    if len(names) > 1:
        others = ", ".join(f"`{n}`" for n in names[1:4])
        message += f", nor {'do' if len(names) > 2 else 'does'} {others}{' ...' if len(names) > 4 else ''} in this SELECT"
    why = "a column of that name in another of them makes the query fail, or mean something else"
    return Remark(RULE, column, message, "of which?", why, f"write `{source.alias}.{column.name}`")


def _of_outer(column: exp.Column, source: Source, scope: Scope) -> Remark:
    inner = " and ".join(f"`{s.title}`" for s in scope.sources.values()) or "what is read here"
    message = f"`{column.name}` is no column of {inner}: it is that of `{source.title}`, in the query around this one"
    why = "a name that is not found inside is looked for outside; one that was meant to be inside makes a condition that is always the same"
    return Remark(RULE, column, message, "of the query around", why, f"write `{source.alias}.{column.name}` if that is meant")
