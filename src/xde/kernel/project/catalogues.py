"""What a database's own catalogue says of a table: told by connectors, held against the data by profiles, written down by drafts."""

from __future__ import annotations

from dataclasses import field, replace
from enum import StrEnum

from xde.ground.records import dataclass


class Arrival(StrEnum):
    """What becomes of a column's values on their way into the lake. Whatever is no value of its type there makes a dead letter."""

    EXACT = "exact"
    AS_TEXT = "exact as text"
    ROUNDED = "rounded"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Kept:
    """The type that a column is read as (DuckDB's word), how its values arrive as that, and what is to be known of it.

    `stored` is the type that it has in the lake, where that is another.
    """

    type: str
    arrival: Arrival = Arrival.EXACT
    why: str = ""
    stored: str = ""

    def kept_as(self, stored: str) -> Kept:
        """The same in a lake that has a type for it, or none: what is stored as a text arrives as one."""
        text = stored == "VARCHAR" and self.type.upper() not in {"VARCHAR", "TEXT", "STRING"} and self.arrival is Arrival.EXACT
        return replace(self, stored=stored, arrival=Arrival.AS_TEXT if text else self.arrival)


@dataclass(frozen=True, slots=True)
class DeclaredColumn:
    """A column: `told` is its type in the database's words, `values` are all that it can have, `length` the most characters of a text.

    `grows` says that the database gives each new row a greater value.
    """

    name: str
    told: str
    kept: Kept
    required: bool = False
    comment: str = ""
    values: tuple[str, ...] = ()
    grows: bool = False
    length: int | None = None
    proved: bool = True  # whether no value of another type can stand in it

    @property
    def is_time(self) -> bool:
        """Whether it holds days or moments."""
        return self.kept.type.startswith(("DATE", "TIMESTAMP"))


@dataclass(frozen=True, slots=True)
class DeclaredReference:
    """A foreign key: columns, and those of the table (as a contract names it) that they are to be found in."""

    columns: tuple[str, ...]
    to: str
    to_columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Declared:
    """A table as its database declares it; `name` is what a contract calls it. `rows` is how many there are: `about` where none counted.

    `changes` says that the database tells by itself which rows were written since, `lag` how far below the last value late rows may come
    where it does not tell which transactions are open, `blocks` how many blocks of a disk it has, where it can be sampled by them.
    """

    name: str
    kind: str
    columns: tuple[DeclaredColumn, ...]
    comment: str = ""
    key: tuple[str, ...] = ()
    unique: tuple[tuple[str, ...], ...] = ()
    references: tuple[DeclaredReference, ...] = ()
    rules: tuple[str, ...] = ()  # what else the database checks of a row, in its own words
    rows: int = 0
    about: bool = False
    changes: bool = False
    lag: str = ""
    blocks: int = 0
    reader: str = ""  # what reads it

    def column(self, name: str) -> DeclaredColumn | None:
        """A column by its name, whatever its case."""
        exact = next((c for c in self.columns if c.name == name), None)
        return exact or next((c for c in self.columns if c.name.casefold() == name.casefold()), None)

    @property
    def keys(self) -> tuple[tuple[str, ...], ...]:
        """The primary key and all else that tells every row from the others, for no value of it can be missing."""
        needed = {c.name for c in self.columns if c.required}
        found = [self.key] if self.key else []
        return (*found, *(u for u in self.unique if u != self.key and needed.issuperset(u)))


@dataclass(frozen=True, slots=True)
class Sampled:
    """That only some rows are read, by chance: `share` of them (0 to 1), taken one by one or by the blocks that they lie in."""

    share: float
    blocks: bool = False
    seed: int = field(default=20130101)
