"""Columns that are meant by their position: in a UNION by that of another query, in GROUP BY by a number."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from xde.undercurrents.engineering.linting.giving import is_star
from xde.undercurrents.engineering.linting.words import Remark

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xde.undercurrents.engineering.linting.subject import Subject


def union_out_of_order(subject: Subject) -> Iterator[Remark]:
    """A column that stands under another name, while that name stands elsewhere on the same side: two of them are swapped."""
    for query in subject.tree.find_all(exp.Union):
        if query.args.get("by_name"):
            continue
        left, right = _names(query.this), _names(query.expression)
        if left is None or right is None or len(left) != len(right) or len(set(right)) != len(right):
            continue
        for position, name in enumerate(right):
            if name and left[position] and name != left[position] and name in left and left[position] in right:
                item = _body(query.expression).expressions[position]
                message = f"`{item.alias_or_name}` comes under `{left[position]}` in a UNION, which goes by position"
                why = f"both sides have `{left[position]}` and `{name}`, in another order"
                yield Remark(
                    "union-out-of-order", item, message, "another column", why, "write the columns in one order, or `UNION ALL BY NAME`"
                )
                break


def _body(query: exp.Expr) -> exp.Expr:
    while isinstance(query, (exp.Subquery, exp.SetOperation)):
        query = query.this
    return query


def _names(query: exp.Expr) -> list[str] | None:
    body = _body(query)
    if not isinstance(body, exp.Select) or any(is_star(i) or i.find(exp.Columns) for i in body.expressions):
        return None
    return [i.alias_or_name.lower() for i in body.expressions]


def group_by_position(subject: Subject) -> Iterator[Remark]:
    """`GROUP BY 1`."""
    for group in subject.tree.find_all(exp.Group):
        numbers = [p for p in group.expressions if isinstance(p, exp.Literal) and p.is_int]
        select = group.parent
        if not numbers or not isinstance(select, exp.Select):
            continue
        position = int(numbers[0].name) - 1
        items = select.expressions
        plain = 0 <= position < len(items) and items[position].alias_or_name
        why = "a column that is put before it in the SELECT changes what the groups are"
        hint = f"write `{items[position].alias_or_name}`" if plain else "write the column, or `GROUP BY ALL`"
        message = f"GROUP BY goes by the position {numbers[0].name}"
        yield Remark("group-by-position", numbers[0], message, "a position", why, f"{hint}, or `GROUP BY ALL`" if plain else hint)
