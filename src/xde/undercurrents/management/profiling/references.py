"""Which columns refer to the key of another table: by values, that is exact, and by names where values would agree by accident."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from xde.undercurrents.management.profiling.facts import Reference
from xde.undercurrents.management.profiling.port import Contained

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from xde.undercurrents.management.profiling.facts import ColumnFacts, TableProfile
    from xde.undercurrents.management.profiling.port import Database

SAME_NAME = 0.5
"""The least share of rows that must find a partner where the names are the same."""
OTHER_NAME = 0.9
SAME = "the names are the same"
ALIKE = "the values are written alike"
DECLARED = "the database declares it"
_BY_NAME = (SAME, "the name says `")
_REFERS = re.compile(r"(.+?)[_ ]?(id|key|code|no|nr|num|number|ref)$", re.IGNORECASE)


def references(database: Database, tables: Sequence[TableProfile]) -> tuple[Reference, ...]:
    """Every reference worth a look, the fullest first. Those that names say come first, for they tell where the others cannot go."""
    found = [r for left in tables for r in _declared(database, left, tables)]
    known = {(r.table, r.columns) for r in found}
    open_: list[list[Reference]] = []
    for left in tables:
        for column in left.columns:
            if (left.name, (column.name,)) in known:
                continue
            single = [r for right in tables for r in _single(database, left, column, right)]
            named = [r for r in single if r.evidence.startswith(_BY_NAME)]
            found += named
            open_ += [single] if single and not named else []
        found += [r for right in tables for r in _composite(database, left, right) if (r.table, r.columns) not in known]
    for single in open_:
        found += _chosen(single, found)
    return tuple(sorted(found, key=lambda r: (r.sure != "high", -r.share, r.table, r.columns)))


def _declared(database: Database, left: TableProfile, tables: Sequence[TableProfile]) -> Iterator[Reference]:
    """Foreign keys of a database between tables that are looked at; of a table of which only some rows were read nobody can count."""
    if left.origin is None:
        return
    there = {r.origin.declared.name: r for r in tables if r.origin is not None and r.origin.database == left.origin.database}
    for key in left.origin.declared.references:
        right = there.get(key.to)
        own = left.origin.here(key.columns)
        to = right.origin.here(key.to_columns) if right is not None and right.origin is not None else None
        if right is None or own is None or to is None:
            continue
        told = Contained(0, 0, 0, ()) if right.partial else database.contained((left.name, own), (right.name, to))
        yield replace(_reference(left, own, right, to, told, DECLARED), declared=True)


def _single(database: Database, left: TableProfile, column: ColumnFacts, right: TableProfile) -> Iterator[Reference]:
    for key in right.keys if not right.partial else ():
        if len(key.columns) > 1 or (left.name == right.name) or not column.present:
            continue
        target = right.column(key.columns[0])
        if _family(column) != _family(target) or _family(column) is None:
            continue
        evidence, least = _named(left, column, right, target)
        if not evidence or column.distinct > max(target.distinct * 2, 1) + 10:
            continue
        told = database.contained((left.name, (column.name,)), (right.name, (target.name,)))
        share = 1 - told.lost / told.rows if told.rows else 0.0
        if share >= least:
            yield _reference(left, (column.name,), right, (target.name,), told, evidence)


def _named(left: TableProfile, column: ColumnFacts, right: TableProfile, target: ColumnFacts) -> tuple[str, float]:
    """Why the names let us ask, and how many rows must find a partner; an empty reason for no."""
    name, other = column.name.casefold(), target.name.casefold()
    short = _stem(right.name.rpartition(".")[2])
    own_key = any(k.columns == (column.name,) for k in left.keys)
    if name in {f"{short}_{other}", f"{short}{other}", f"{short}_id", short}:
        return f"the name says `{short}`", SAME_NAME
    if name == other:
        if name in {"id", "key", "code", "name", "no", "nr"}:
            return "", 1.0
        if own_key and len(left.columns) >= len(right.columns) and left.rows >= right.rows and column.distinct > target.distinct:
            return "", 1.0  # the other way round is the better one
        return SAME, SAME_NAME
    if own_key:
        return "", 1.0
    if column.is_text:
        same_form = {p for p, _ in column.patterns[:2]} & {p for p, _ in target.patterns}
        specific = column.distinct > 1 and target.distinct > 20 and (column.lengths or (0, 0))[1] >= 2
        return (ALIKE, OTHER_NAME) if same_form and specific else ("", 1.0)
    if column.is_whole and _REFERS.match(column.name) and _REFERS.match(target.name) is None and other in {"id", "key", "code"}:
        return "the name says that it refers to something", 1.0
    return "", 1.0


def _composite(database: Database, left: TableProfile, right: TableProfile) -> Iterator[Reference]:
    """A key of several columns is referred to by columns of the same names."""
    there = {c.name: c for c in left.columns}
    for key in right.keys if not right.partial else ():
        columns = key.columns
        if len(columns) < 2 or left.name == right.name or not all(c in there for c in columns):
            continue
        if any(_family(there[c]) != _family(right.column(c)) for c in columns) or any(k.columns == columns for k in left.keys):
            continue
        told = database.contained((left.name, columns), (right.name, columns))
        if told.rows and 1 - told.lost / told.rows >= SAME_NAME:
            yield _reference(left, columns, right, columns, told, SAME)


def _reference(
    left: TableProfile, columns: tuple[str, ...], right: TableProfile, to: tuple[str, ...], told: Contained, evidence: str
) -> Reference:
    hidden = any(c in left.personal for c in columns) or any(c in right.personal for c in to)
    examples = () if hidden else told.examples
    return Reference(left.name, columns, right.name, to, told.rows, told.lost, told.lost_values, examples, evidence)


def _chosen(found: Sequence[Reference], before: Sequence[Reference]) -> list[Reference]:
    """Of several tables that a column may refer to by its values: not those that refer to its own, and the fullest; else all, unsurely."""
    taken = {(r.to_table, r.table) for r in before}
    left = [r for r in found if (r.table, r.to_table) not in taken] or list(found)
    if all(r.evidence == ALIKE for r in left):
        return [max(left, key=lambda r: r.share)]
    return [replace(r, sure="low") if len(left) > 1 else r for r in left[:3]]


def _stem(name: str) -> str:
    """A table's name without the `s` of many, and without `raw_`, `stg_`, `dim_`."""
    name = re.sub(r"^(raw|stg|src|dim|fact|tbl)_", "", name.casefold())
    if name.endswith("ies"):
        return name[:-3] + "y"
    return name[:-1] if name.endswith("s") and not name.endswith("ss") else name


def _family(column: ColumnFacts) -> str | None:
    """What may be compared with what; fractions, flags and moments by themselves refer to nothing."""
    if column.is_text:
        return "text"
    if column.is_whole:
        return "whole"
    return "time" if column.is_time else None
