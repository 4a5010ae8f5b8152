"""One mutant, and one change before its place in the text is told: plain data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mutant:
    """A model's query with one deliberate fault.

    `line` and `column` count from 1 in the model's own SQL, the text without its head. `before` is what stood there, as
    written (with ` ...` at its end when it goes on); `after` is what stands there now. `sql` is the whole query, in DuckDB's
    dialect. `hint` names a kind of row that tells the two queries apart.
    """

    id: str
    operator: str
    line: int
    column: int
    before: str
    after: str
    sql: str
    hint: str

    def __str__(self) -> str:
        return f"{self.operator}: {self.before} -> {self.after or '(nothing)'}"


@dataclass(frozen=True, slots=True)
class Change:
    """Characters `begin` to `end` of the text give way to `after`."""

    operator: str
    begin: int
    end: int
    after: str
    hint: str
