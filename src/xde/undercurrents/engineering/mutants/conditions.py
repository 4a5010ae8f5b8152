"""What a mutant asks of conditions: their smallest parts, what they refuse, what two columns have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from xde.undercurrents.engineering.conditions import conjuncts, refused

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator


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
    """Whether a condition is never true where a column is null: one of `names`, or any that is written with `table`."""
    return any(column_name(c) in names if names is not None else c.table.casefold() == table for c in refused(condition))


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
