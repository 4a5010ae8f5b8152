"""What a profile holds: columns, keys, references and the rest, each with the figures that it rests on."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xde.ground.findings import Finding
    from xde.kernel.project.catalogues import Declared, DeclaredColumn


@dataclass(frozen=True, slots=True)
class TextReading:
    """How a column of text becomes a column of a type. `format` is a JDK pattern; `words` are texts that mean missing, with their counts.

    `almost` is the type that nearly all values have, with how many have not and some of those; `either` are formats of which the values
    cannot tell which is meant.
    """

    type: str = "VARCHAR"
    logical: str = "string"
    format: str | None = None
    words: Mapping[str, int] = field(default_factory=dict)
    almost: tuple[str, int, tuple[str, ...]] | None = None
    either: tuple[str, ...] = ()
    zeros: int = 0  # numbers that begin with a nought, so that they are names and not amounts
    digits: tuple[int, int] | None = None  # the most digits before and after the point, where all texts are decimal numbers


@dataclass(frozen=True, slots=True)
class ColumnFacts:
    """What was counted of one column in the rows that were looked at; values are texts, `low` and `high` included.

    `once` is how many values occur once, `least` how often the rarest does. `quantiles` are those at 5, 25, 50, 75 and 95 percent.
    `far` is how many values lie more than three quartile ranges beyond the quartiles (Tukey's far out), and the farthest of them.
    """

    name: str
    type: str
    rows: int
    missing: int
    distinct: int
    once: int = 0
    least: int = 0
    low: str | None = None
    high: str | None = None
    mean: float | None = None
    quantiles: tuple[float, ...] = ()
    lengths: tuple[int, int] | None = None
    top: tuple[tuple[str, int], ...] = ()
    patterns: tuple[tuple[str, int], ...] = ()
    far: tuple[int, str] | None = None
    padded: int = 0  # texts with space before or behind

    @property
    def present(self) -> int:
        """How many values there are."""
        return self.rows - self.missing

    @property
    def is_text(self) -> bool:
        """Whether the values are texts."""
        return self.type == "VARCHAR"

    @property
    def is_number(self) -> bool:
        """Whether the values are numbers."""
        return self.is_whole or self.type in {"DOUBLE", "FLOAT"} or (self.type.startswith("DECIMAL") and self.type.endswith(")"))

    @property
    def is_whole(self) -> bool:
        """Whether the values are whole numbers."""
        return self.type in WHOLE

    @property
    def is_time(self) -> bool:
        """Whether the values are days or moments."""
        return self.type.startswith(("DATE", "TIMESTAMP")) and not self.type.endswith("]")


WHOLE = frozenset({"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT"})


@dataclass(frozen=True, slots=True)
class Personal:
    """Why a column likely shows persons: the kind, how sure, and the evidence in words. `sure` is high, or low for a name alone."""

    kind: str
    sure: str
    evidence: str


@dataclass(frozen=True, slots=True)
class Key:
    """Columns that tell all rows apart, none of them needless; counted exactly over all rows, or declared by the database that keeps it."""

    columns: tuple[str, ...]
    score: float
    declared: bool = False


@dataclass(frozen=True, slots=True)
class Reference:
    """Columns whose values occur in the key of a table: a join that works for `matched` of `rows` rows.

    `lost` are the rows whose value is nowhere, `lost_values` how many values that are, `examples` some of them. `evidence` says why it is
    taken for a reference; `sure` is low where other tables would do as well.
    """

    table: str
    columns: tuple[str, ...]
    to_table: str
    to_columns: tuple[str, ...]
    rows: int
    lost: int
    lost_values: int
    examples: tuple[str, ...] = ()
    evidence: str = ""
    sure: str = "high"
    declared: bool = False  # a foreign key of the database

    @property
    def share(self) -> float:
        """The share of rows that find their partner."""
        return 1.0 if not self.rows else (self.rows - self.lost) / self.rows


@dataclass(frozen=True, slots=True)
class Dependency:
    """Columns whose values decide another's: rows with the same values there have the same here. `groups` different values were seen."""

    columns: tuple[str, ...]
    decides: str
    groups: int


@dataclass(frozen=True, slots=True)
class Origin:
    """The table of a database that was looked at: what its catalogue says, the names of its columns here, which database it is.

    `blocks` is how many blocks of the table the rows of a sample are from; none where each row was drawn by itself.
    """

    declared: Declared
    database: str
    names: Mapping[str, str] = field(default_factory=dict)
    blocks: int = 0

    def here(self, columns: tuple[str, ...]) -> tuple[str, ...] | None:
        """Columns by the names that they have here; None where not all of them are read."""
        told = {c.name.casefold(): self.names.get(c.name, c.name) for c in self.declared.columns}
        found = tuple(told[c.casefold()] for c in columns if c.casefold() in told)
        return found if len(found) == len(columns) else None

    def column(self, name: str) -> DeclaredColumn | None:
        """What is declared of a column, by its name here."""
        there = {self.names.get(c.name, c.name): c for c in self.declared.columns}
        return there.get(name)


@dataclass(frozen=True, slots=True)
class TableProfile:
    """A table. `rows` is exact; `looked_at` how many of them the figures of columns are from; `records` and `refused` are of its files.

    Of a table of a database (`origin`) `rows` may be an estimate, and where it is a sample that was read nothing is told of the others.
    """

    name: str
    source: str
    rows: int
    looked_at: int
    columns: tuple[ColumnFacts, ...]
    keys: tuple[Key, ...] = ()
    near_key: tuple[tuple[str, ...], int] | None = None
    duplicates: int = 0
    dependencies: tuple[Dependency, ...] = ()
    personal: Mapping[str, Personal] = field(default_factory=dict)
    readings: Mapping[str, TextReading] = field(default_factory=dict)
    dialect: Mapping[str, object] = field(default_factory=dict)
    files: int = 0
    refused: int = 0
    origin: Origin | None = None
    partial: bool = False  # whether other rows than those that were looked at were never read

    @property
    def sampled(self) -> bool:
        """Whether only some of the rows were looked at."""
        return self.looked_at < self.rows

    @property
    def error(self) -> float:
        """The most that a share of the sample is off, in percent, at 95 percent confidence (normal approximation at one half).

        Rows that were drawn by blocks count as many as there were blocks: the worst case is that those of a block are all alike.
        """
        if not self.sampled or not self.looked_at:
            return 0.0
        rest = 1 - self.looked_at / self.rows  # finite population correction
        drawn = min(self.looked_at, self.origin.blocks) if self.origin is not None and self.origin.blocks else self.looked_at
        return min(98.0 * math.sqrt(rest / drawn), 100.0)

    def column(self, name: str) -> ColumnFacts:
        """A column by its name."""
        return next(c for c in self.columns if c.name == name)


@dataclass(frozen=True, slots=True)
class Profile:
    """Tables and the references between them, the surest first."""

    tables: tuple[TableProfile, ...]
    references: tuple[Reference, ...] = ()
    findings: tuple[Finding, ...] = ()
