"""The names that an expression can see: sources with their columns, aliases of the select list, CTEs, windows."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, NamedTuple

from xde.connectors.spark.portable.refusing import NAME, NotPortable
from xde.connectors.spark.portable.types import Part, parts, ticked
from xde.ground.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlglot import exp


class Typed(NamedTuple):
    """An expression in Spark's words with its type in DuckDB's; `constant` for what stands as a literal in the text."""

    sql: str
    type: str
    constant: bool = False


@dataclass(slots=True)
class Source:
    """Something in FROM: its alias and its columns. `merged` are those that `USING` shows once, for an earlier source."""

    alias: str
    columns: list[Part]
    schema: str = ""
    hidden: set[str] = field(default_factory=set)

    def column(self, name: str) -> Part | None:
        """A column by its name in any case; one that is there twice is refused."""
        found = [c for c in self.columns if c.name.lower() == name.lower()]
        if len(found) > 1:
            raise NotPortable(NAME, f"`{name}` is the name of two columns", hint="give them names of their own")
        return found[0] if found else None

    def written(self, part: Part) -> Typed:
        """A column as Spark reads it."""
        return Typed(f"{ticked(self.alias)}.{ticked(part.name)}", part.type)


@dataclass(slots=True)
class Table:
    """What a name in FROM stands for: the name in Spark, or a CTE's, and its columns."""

    name: str
    columns: list[Part]


@dataclass(slots=True)
class Scope:
    """One SELECT and those around it."""

    outer: Scope | None = None
    sources: list[Source] = field(default_factory=list)
    ctes: dict[str, Table] = field(default_factory=dict)
    aliases: dict[str, exp.Expr] = field(default_factory=dict)
    windows: dict[str, exp.Expr] = field(default_factory=dict)
    shared: dict[str, Typed] = field(default_factory=dict)  # columns of USING, by lower name
    lambdas: dict[str, str] = field(default_factory=dict)  # types of the parameters of lambdas

    def cte(self, name: str) -> Table | None:
        """The nearest CTE of a name."""
        return self.ctes.get(name.lower()) or (self.outer.cte(name) if self.outer else None)

    def named(self, name: str) -> Typed | None:
        """A column by its bare name, of this SELECT or of one around it."""
        if name.lower() in self.shared:
            return self.shared[name.lower()]
        found = [(s, c) for s in self.sources if name.lower() not in s.hidden and (c := s.column(name))]
        if len(found) > 1:
            raise NotPortable(NAME, f"`{name}` may be the column of {len(found)} sources", hint=f"write `{found[0][0].alias}.{name}`")
        if found:
            return found[0][0].written(found[0][1])
        outside = self.outer.named(name) if self.outer else None
        return self._from_outside(outside) if outside is not None else None

    def source(self, alias: str, schema: str = "") -> Source | None:
        """A source by its alias."""
        found = [s for s in self.sources if s.alias.lower() == alias.lower() and (not schema or s.schema.lower() == schema.lower())]
        if len(found) > 1:
            raise NotPortable(NAME, f"`{alias}` names two sources", hint="give each an alias of its own")
        if found or self.outer is None:
            return found[0] if found else None
        outside = self.outer.source(alias, schema)
        if outside is not None:
            self._from_outside(Typed(f"{ticked(outside.alias)}.", ""))
        return outside

    def _from_outside(self, value: Typed) -> Typed:
        """A column of a SELECT around this one: Spark takes its source's alias for a column that has that name here."""
        for name in dict.fromkeys(c.name.lower() for s in self.sources for c in s.columns):
            if f"{ticked(name)}." in value.sql.lower():
                what = f"`{name}` is the alias of a source, and the name of a column of the query within"
                raise NotPortable(NAME, what, hint="give the source another alias")
        return value

    def resolve(self, names: Sequence[str]) -> Typed | None:
        """A column written with any of schema and table before it, and with fields of it behind."""
        if len(names) >= 3 and (source := self.source(names[1], names[0])) and source.schema and (column := source.column(names[2])):
            return fields(source.written(column), names[3:])
        if len(names) >= 2 and (source := self.source(names[0])) and (column := source.column(names[1])):
            return fields(source.written(column), names[2:])
        found = self.named(names[0])
        return fields(found, names[1:]) if found else None


def fields(value: Typed, names: Sequence[str]) -> Typed:
    """A field of a struct, and of what it holds."""
    for name in names:
        part = next((p for p in parts(value.type) if p.name.lower() == name.lower()), None)
        if part is None:
            raise NotPortable(NAME, f"`{name}` is no field of {value.type}")
        value = Typed(f"{value.sql}.{ticked(part.name)}", part.type)
    return value
