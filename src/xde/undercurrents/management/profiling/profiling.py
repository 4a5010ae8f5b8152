"""A profile of tables: each by itself, then what is between them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from xde.undercurrents.management.profiling.dependencies import dependencies
from xde.undercurrents.management.profiling.facts import Key, Profile, TableProfile
from xde.undercurrents.management.profiling.keys import candidate_keys
from xde.undercurrents.management.profiling.personal import personal
from xde.undercurrents.management.profiling.references import references

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from xde.ground.findings import Finding
    from xde.undercurrents.management.profiling.facts import ColumnFacts, Origin, Personal, TextReading
    from xde.undercurrents.management.profiling.port import Database, Rows

VALUES = 500
"""So many different values of a column are shown to the validators."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A table that can be asked, and what is known of it before: where it is from, how its texts are read, what its contract hides."""

    name: str
    source: str
    rows: Rows
    readings: Mapping[str, TextReading] = field(default_factory=dict)
    dialect: Mapping[str, object] = field(default_factory=dict)
    files: int = 0
    refused: int = 0
    personal: Mapping[str, Personal] = field(default_factory=dict)
    origin: Origin | None = None
    partial: bool = False


def profile(database: Database, tables: Sequence[Opened], findings: Sequence[Finding] = ()) -> Profile:
    """Everything that is worth to be told of some tables."""
    found = [_table(t) for t in tables]
    return Profile(tuple(found), references(database, found), tuple(findings))


def _table(opened: Opened) -> TableProfile:
    rows = opened.rows
    facts = rows.survey()
    known = _declared_keys(opened)
    keys, near = (known, None) if known or opened.partial else candidate_keys(rows, facts)
    persons: dict[str, Personal] = {}
    for column in facts:
        told = opened.personal.get(column.name) or personal(column, _values(rows, column))
        if told is not None:
            persons[column.name] = told
    return TableProfile(
        opened.name,
        opened.source,
        rows.count,
        rows.looked_at,
        tuple(_hidden(f) if f.name in persons else f for f in facts),
        keys,
        near,
        0 if keys or opened.partial else rows.count - rows.distinct([f.name for f in facts]),
        () if opened.partial else dependencies(rows, facts, keys),
        persons,
        opened.readings,
        opened.dialect,
        opened.files,
        opened.refused,
        opened.origin,
        opened.partial,
    )


def _declared_keys(opened: Opened) -> tuple[Key, ...]:
    """Those that the database keeps itself; the primary key first."""
    if opened.origin is None:
        return ()
    here = [opened.origin.here(k) for k in opened.origin.declared.keys]
    return tuple(Key(k, math.inf, declared=True) for k in here if k is not None)


def _values(rows: Rows, column: ColumnFacts) -> Callable[[], Sequence[str]]:
    return lambda: rows.values(column.name, VALUES)


def _hidden(facts: ColumnFacts) -> ColumnFacts:
    """A column without its values: only counts, lengths and forms of texts are told of persons."""
    return replace(facts, top=(), low=None, high=None, quantiles=(), mean=None, far=(facts.far[0], "") if facts.far else None)
