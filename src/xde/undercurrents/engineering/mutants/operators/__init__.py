"""The kinds of faults that are planted, one family a file; `OPERATORS` is their table of contents, in order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xde.undercurrents.engineering.mutants.operators import (
    aggregates,
    arithmetic,
    cases,
    columns,
    comparisons,
    connectors,
    constants,
    distinct,
    functions,
    grouping,
    joins,
    memberships,
    nulls,
    ordering,
    precision,
    predicates,
    sets,
    windows,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from xde.undercurrents.engineering.mutants.mutant import Change
    from xde.undercurrents.engineering.mutants.original import Original

OPERATORS: tuple[Callable[[Original], Iterator[Change]], ...] = (
    joins.changes,
    predicates.changes,
    connectors.changes,
    comparisons.changes,
    nulls.changes,
    memberships.changes,
    aggregates.changes,
    grouping.changes,
    distinct.changes,
    sets.changes,
    windows.changes,
    ordering.changes,
    cases.changes,
    arithmetic.changes,
    constants.changes,
    columns.changes,
    precision.changes,
    functions.changes,
)
"""Of two operators that plant the same fault, the one that stands first gives it its name."""
