"""What a database must answer so that a profile can be made of its tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xde.undercurrents.management.profiling.facts import ColumnFacts


@dataclass(frozen=True, slots=True)
class Candidate:
    """A type that a column of text may have; `format` is a JDK pattern of days and moments, None for ISO 8601."""

    type: str
    logical: str
    format: str | None = None


@dataclass(frozen=True, slots=True)
class Contained:
    """Rows with a value on the left, those of them whose value is not on the right, how many values these are, and some of them."""

    rows: int
    lost: int
    lost_values: int
    examples: tuple[str, ...]


class Texts(Protocol):
    """Columns of text as they stand in the files."""

    def names(self) -> Sequence[str]:
        """The columns."""
        ...

    def words(self, words: Sequence[str]) -> Mapping[str, Mapping[str, int]]:
        """How often each of some words (in lower case) stands alone in each column, as it is written there."""
        ...

    def some(self, names: Sequence[str], nulls: Sequence[str], limit: int) -> Mapping[str, Sequence[str]]:
        """Some different texts of each column, from all over; `nulls` are left out."""
        ...

    def misfits(self, asked: Mapping[str, Sequence[Candidate]], nulls: Sequence[str]) -> Mapping[str, Sequence[int]]:
        """How many texts of each column are no value of each candidate, in its order; `nulls` are left out."""
        ...

    def wrong(self, column: str, candidate: Candidate, nulls: Sequence[str]) -> Sequence[str]:
        """A few texts that are no value of a candidate."""
        ...

    def present(self, nulls: Sequence[str]) -> Mapping[str, tuple[int, int]]:
        """How many texts there are in each column, and how many of these are numbers that begin with a nought."""
        ...


class Rows(Protocol):
    """A table that is profiled. What is told of columns may be of a sample; `distinct` and `duplicates` are exact and of all rows."""

    @property
    def count(self) -> int:
        """The number of all rows."""
        ...

    @property
    def looked_at(self) -> int:
        """The number of rows in the sample; all of them where there is none."""
        ...

    def survey(self) -> tuple[ColumnFacts, ...]:
        """The figures of every column."""
        ...

    def distinct(self, columns: Sequence[str]) -> int:
        """How many different rows these columns have, over all rows; a missing value is one like any other."""
        ...

    def complete(self, columns: Sequence[str]) -> int:
        """How many of all rows have a value in each of these columns."""
        ...

    def codes(self, columns: Sequence[str], limit: int) -> Sequence[tuple[int | None, ...]]:
        """Some rows, every value as a number of its own; None for missing."""
        ...

    def values(self, column: str, limit: int) -> Sequence[str]:
        """Some different values of a column as texts."""
        ...


class Database(Protocol):
    """The tables, and what is between them."""

    def contained(self, left: tuple[str, Sequence[str]], right: tuple[str, Sequence[str]]) -> Contained:
        """How rows of some columns find their partners in those of another table; exact. Rows with a value missing do not count."""
        ...
