"""Which columns tell the rows of a SELECT apart: what makes a DISTINCT without effect, and a join without more rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlglot import exp

from xde.undercurrents.engineering.conditions import conjuncts
from xde.undercurrents.engineering.mutants.conditions import equated

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Keys = frozenset[frozenset[str]]
"""Sets of columns, each of which tells a row from all others. The empty set in it: there is one row at most."""
_Named = frozenset[tuple[str, str]]
NO_KEYS: Keys = frozenset()


@dataclass(frozen=True, slots=True)
class Flow:
    """What flows through a SELECT: the keys of its sources, the names of its columns, and the new names of those given on
    unchanged; `owner` says of which source a column is.
    """

    keys: Mapping[str, Keys]
    names: tuple[str, ...]
    given: Mapping[tuple[str, str], str]
    owner: Callable[[exp.Column], str | None]


def keys_of(select: exp.Select, flow: Flow) -> Keys:
    """The keys of the rows that a SELECT gives."""
    found: set[frozenset[str]] = set()
    distinct = select.args.get("distinct")
    if distinct is not None and not distinct.args.get("on"):
        found.add(frozenset(flow.names))
    group = select.args.get("group")
    if group is not None:
        found |= _grouped(select, group, flow.names)
    elif is_one_row(select):
        found.add(frozenset())
    else:
        for key in (*_joined_rows(select, flow.keys), *picked(select, flow.owner)):
            if all(part in flow.given for part in key):
                found.add(frozenset(flow.given[part] for part in key))
    return frozenset(found)


def is_one_row(select: exp.Select) -> bool:
    """An aggregate over everything, without groups."""
    return select.args.get("group") is None and any(_aggregates(item) for item in select.expressions)


def _aggregates(item: exp.Expr) -> bool:
    over = (exp.Window, exp.Query)
    return any(isinstance(n, exp.AggFunc) and not isinstance(n.parent, over) for n in item.walk(prune=lambda n: isinstance(n, over)))


def fans_out(join: exp.Join, name: str, keys: Keys) -> bool:
    """Whether one row of what stands before may meet several rows of the joined source."""
    if join.kind in {"SEMI", "ANTI"} or join.method == "ASOF":
        return False
    fixed = equated(join, name).keys()
    return not any(key <= fixed for key in keys)


def _joined_rows(select: exp.Select, sources: Mapping[str, Keys]) -> frozenset[_Named]:
    from_ = select.args.get("from_")
    names = list(sources)
    if from_ is None or not names:
        return frozenset()
    rows = _with_owner(names[0], sources[names[0]])
    joins = select.args.get("joins") or []
    if len(joins) != len(names) - 1:
        return frozenset()
    for join, name in zip(joins, names[1:], strict=True):
        own = _with_owner(name, sources[name])
        if join.kind in {"SEMI", "ANTI"}:
            continue
        pairs = frozenset(a | b for a in rows for b in own)
        rows = pairs if fans_out(join, name, sources[name]) or join.side in {"RIGHT", "FULL"} else rows | pairs
    return rows


def _with_owner(name: str, keys: Keys) -> frozenset[_Named]:
    return frozenset(frozenset((name, column) for column in key) for key in keys)


def picked(select: exp.Select, owner: Callable[[exp.Column], str | None]) -> list[_Named]:
    """`QUALIFY row_number() OVER (PARTITION BY k ...) = 1` leaves one row of each k."""
    qualify, found = select.args.get("qualify"), []
    for part in conjuncts(qualify.this if qualify is not None else None):
        window = part.this if isinstance(part, exp.EQ) and part.expression.sql() == "1" else None
        if isinstance(window, exp.Window) and isinstance(window.this, exp.RowNumber):
            columns = [c for c in window.args.get("partition_by") or () if isinstance(c, exp.Column)]
            owners = [owner(c) for c in columns]
            if columns and None not in owners and len(columns) == len(window.args["partition_by"]):
                found.append(frozenset((str(o), c.name.casefold()) for o, c in zip(owners, columns, strict=True)))
    return found


def _grouped(select: exp.Select, group: exp.Expr, names: tuple[str, ...]) -> set[frozenset[str]]:
    """The keys of a GROUP BY, when all of it is given on; a cast of a key counts as the key."""
    if group.args.get("all"):
        return {frozenset(names)}
    if any(group.args.get(word) for word in ("rollup", "cube", "grouping_sets")):
        return set()
    key = set()
    for part in group.expressions:
        name = _name_of(select, part)
        if name is None:
            return set()
        key.add(name)
    return {frozenset(key)}


def _name_of(select: exp.Select, part: exp.Expr) -> str | None:
    if isinstance(part, exp.Literal) and part.is_int:
        position = int(part.name) - 1
        return str(select.expressions[position].alias_or_name).casefold() if position < len(select.expressions) else None
    return next((str(i.alias_or_name).casefold() for i in select.expressions if _is_that(i, part)), None)


def _is_that(item: exp.Expr, part: exp.Expr) -> bool:
    """Whether a column that is given is a key of GROUP BY: itself, its name, or it under one of the two names that it has."""
    value = item.unalias()
    if value == part or (isinstance(value, exp.Cast) and value.this == part):
        return True
    if not isinstance(part, exp.Column):
        return False
    if not part.table and item.alias_or_name.casefold() == part.name.casefold():
        return True
    same = isinstance(value, exp.Column) and part.name.casefold() == value.name.casefold()
    return same and not (part.table and value.text("table"))
