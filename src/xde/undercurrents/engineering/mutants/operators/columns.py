"""A column for its neighbour: another one of the same table and type.

IRC of the family IR in Tuya, Suárez-Cabal, de la Riva, "Mutating database queries", Information and Software Technology 49 (2007)
398-417, which tries every column of the type; one is tried here, the next in the table, since a row that tells the two apart tells
most others as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xde.undercurrents.engineering.mutants.mutant import Change
    from xde.undercurrents.engineering.mutants.original import Original
    from xde.undercurrents.engineering.mutants.scopes import Field, Source


def changes(original: Original) -> Iterator[Change]:
    for column in original.parts(exp.Column):
        if isinstance(column.this, exp.Star) or _is_of_a_group(column):
            continue
        scope = original.scopes.around(column)
        source = scope.source_of(column) if scope is not None else None
        field = scope.field_of(column) if scope is not None else None
        other = _neighbour(column, source, field)
        if other is None:
            continue
        name = _quoted(other)
        prefix = original.said(column)[: -len(_last(original, column))] if column.table else ""
        after = f"{prefix}{name}"
        if isinstance(column.parent, exp.Select) and column.arg_key == "expressions":
            after += f" AS {_last(original, column)}"
        hint = f"a row where {original.named(column)} and `{other}` differ"
        yield from original.change("column", column, after, hint)


def _last(original: Original, column: exp.Column) -> str:
    at = original.places.kept(column.this)
    return original.text_of((at, at)) if at is not None else column.name


def _quoted(name: str) -> str:
    return name if name.isidentifier() and name.isascii() else '"' + name.replace('"', '""') + '"'


def _neighbour(column: exp.Column, source: Source | None, field: Field | None) -> str | None:
    """The next column of the type behind it, from the beginning again after the last; not one that stands beside it."""
    if source is None or source.fields is None or field is None or field.type is None:
        return None
    names = list(source.fields)
    at = names.index(column.name.casefold())
    beside = {c.name.casefold() for c in _around(column).find_all(exp.Column)}
    same = [n for n in names[at + 1 :] + names[:at] if source.fields[n].type == field.type and n not in beside]
    return source.fields[same[0]].name if same else None


def _around(column: exp.Column) -> exp.Expr:
    parent = column.parent
    return parent if parent is not None and not isinstance(parent, (exp.Select, exp.Alias)) else column


def _is_of_a_group(column: exp.Column) -> bool:
    """Outside of aggregates, a query with groups may name its keys only, and in GROUP BY the same ones."""
    select = column.parent_select
    if select is None or select.args.get("group") is None:
        return False
    clause: exp.Expr = column
    while clause.parent is not None and clause.parent is not select:
        clause = clause.parent
        if isinstance(clause, exp.AggFunc):
            return False
    return clause.arg_key in {"expressions", "group", "having", "order", "qualify"}
