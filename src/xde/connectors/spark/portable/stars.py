"""The select list with its stars opened."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlglot import exp

from xde.connectors.spark.portable.refusing import CLAUSE, NAME, NotPortable
from xde.connectors.spark.portable.writer import words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xde.connectors.spark.portable.scope import Scope, Source, Typed


class Item(NamedTuple):
    """A column of the select list: a node to be written, or a column of a star that is written already."""

    name: str
    named: bool
    node: exp.Expr | None = None
    value: Typed | None = None


def expanded(node: exp.Select, scope: Scope) -> list[Item]:
    """Every column that comes out."""
    items: list[Item] = []
    for given in node.expressions:
        star = (
            given
            if isinstance(given, exp.Star)
            else given.this
            if isinstance(given, exp.Column) and isinstance(given.this, exp.Star)
            else None
        )
        if star is not None:
            items += _opened(given, star, scope)
        elif isinstance(given, exp.Alias):
            items.append(Item(given.alias, True, given.this))  # noqa: FBT003 - a field
        elif isinstance(given, (exp.Column, exp.Dot)):
            items.append(Item(given.name, True, given))  # noqa: FBT003 - a field
        else:
            items.append(Item(words(given), False, given))  # noqa: FBT003 - a field
    return items


def _opened(given: exp.Expr, star: exp.Expr, scope: Scope) -> list[Item]:
    extra = [k for k, v in star.args.items() if v and k not in {"except_", "replace", "rename"}]
    if extra:
        raise NotPortable(CLAUSE, f"a star with {extra[0]} is not proven on Spark", given, "name the columns")
    without = {e.name.lower() for e in star.args.get("except_") or ()}
    instead = {e.alias.lower(): e.this for e in star.args.get("replace") or ()}
    anew = {e.this.name.lower(): e.alias for e in star.args.get("rename") or ()}
    items = []
    for name, value in _columns(given, scope):
        low = name.lower()
        if low in without:
            continue
        if low in instead:
            items.append(Item(name, True, instead[low]))  # noqa: FBT003 - a field
        else:
            items.append(Item(anew.get(low, name), True, None, value))  # noqa: FBT003 - a field
    return items


def _columns(given: exp.Expr, scope: Scope) -> Iterator[tuple[str, Typed]]:
    table = given.table if isinstance(given, exp.Column) else ""
    if table:
        source = scope.source(table)
        if source is None or source not in scope.sources:
            raise NotPortable(NAME, f"`{table}.*` is not the star of a source", given, "name the columns")
        yield from _of(source)
        return
    for source in scope.sources:
        for column in source.columns:
            low = column.name.lower()
            if low in source.hidden:
                if scope.shared.get(low) is not None and _first(scope, source, low):
                    yield column.name, scope.shared[low]
                continue
            yield column.name, source.written(column)


def _first(scope: Scope, source: Source, low: str) -> bool:
    """Whether a shared column of USING is shown here: at the first source that has it."""
    return next(s for s in scope.sources if low in s.hidden) is source


def _of(source: Source) -> Iterator[tuple[str, Typed]]:
    for column in source.columns:
        yield column.name, source.written(column)
