"""A branch of a model's SQL: a place where rows may go one way or another, and the way that is counted."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class BranchKind(StrEnum):
    """What makes rows part."""

    WHERE = "where"
    HAVING = "having"
    QUALIFY = "qualify"
    JOIN = "join"
    CASE = "case"
    NULL = "null"
    GROUP = "group"


KEPT, LEFT_OUT, UNKNOWN = "kept", "left out", "unknown (NULL)"
MATCHED, LEFT_ALONE, RIGHT_ALONE, SEVERAL = "matched", "left row without match", "right row without match", "several matches"
ELSE_TAKEN = "ELSE taken"
FALLBACK_USED, FALLBACK_NOT_NEEDED = "fallback used", "fallback not needed"
IS_NULL, IS_NOT_NULL = "NULL", "not NULL"
MADE_NULL, NOT_MADE_NULL = "made NULL", "left as it is"
NO_ROW, ONE_ROW, SEVERAL_ROWS = "no row at all", "group of one row", "group of several rows"


def when_taken(number: int) -> str:
    """The outcome of an arm of a CASE; arms count from 1."""
    return f"WHEN {number} taken"


@dataclass(frozen=True, slots=True)
class Branch:
    """One way that rows may go at one place; `line` and `column` count from 1 in the SQL that was given.

    `id` is stable as long as the place and the outcome are; `text` is the fragment as it is written, in one line, without comments.
    """

    id: str
    kind: BranchKind
    line: int
    column: int
    text: str
    outcome: str


@dataclass(frozen=True, slots=True)
class Unprobed:
    """A place with branches that no query by itself can count, and why; it counts neither for nor against."""

    kind: BranchKind
    line: int
    column: int
    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class RuledOut:
    """An outcome that cannot be while the inputs keep their contracts, and why; no branch."""

    kind: BranchKind
    line: int
    column: int
    text: str
    outcome: str
    reason: str
