"""What is known of a relation that a query reads or gives: columns with types, which may be missing, what tells its rows apart."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, NamedTuple

from xde.ground.records import dataclass
from xde.undercurrents.engineering.linting.parts import own

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlglot import exp

Keys = frozenset[frozenset[str]]
"""Sets of columns in small letters, each of which tells a row from all others; the empty set in it: there is one row at most."""
NO_KEYS: Keys = frozenset()
Named = tuple[str, str]
"""A column of a source: the source's name and the column's, both in small letters."""


class Doubled(NamedTuple):
    """Why the rows that a column comes from may stand in a result several times: the sources they meet, the place, the columns."""

    by: str
    at: exp.Expr
    on: tuple[str, ...]
    known: bool


class Field(NamedTuple):
    """A column: `type` as the engine writes it or nothing, `required` when it is never NULL."""

    name: str
    type: str = ""
    required: bool = False
    doubled: Doubled | None = None


class Relation(NamedTuple):
    """What a query or a dataset gives.

    `fields` by name in small letters, None when they are not all known. `through` names the dataset whose columns are all given on by `*`.
    """

    fields: Mapping[str, Field] | None
    keys: Keys = NO_KEYS
    through: str = ""


UNKNOWN = Relation(None)


class Source(NamedTuple):
    """What one name in FROM gives.

    `title` is what a message calls it; `dataset` is set for one, `optional` when a join may put NULL in its place, `hidden` for the
    right side of a SEMI or ANTI join, `opaque` when too little is known of it to say anything of its rows.
    """

    name: str
    relation: Relation
    node: exp.Expr
    title: str
    dataset: str = ""
    optional: bool = False
    hidden: bool = False
    opaque: bool = False

    @property
    def alias(self) -> str:
        """The name as it is written."""
        return self.node.alias_or_name or self.name


@dataclass(slots=True)
class Scope:
    """One SELECT with its sources, by name in small letters and in order; `merged` are columns that USING made one."""

    select: exp.Select
    sources: dict[str, Source]
    outer: Scope | None = None
    merged: dict[str, list[str]] = field(default_factory=dict)
    outermost: bool = False
    _nodes: list[exp.Expr] = field(default_factory=list)

    def nodes(self) -> list[exp.Expr]:
        """The parts of the SELECT that are its own: queries inside, but nothing of them."""
        if not self._nodes:
            self._nodes = list(own(self.select))
        return self._nodes

    def source_of(self, column: exp.Column) -> Source | None:
        """The source that a column is of, if that is certain."""
        if column.table:
            found = self.sources.get(column.table.lower())
            return found if found is not None or self.outer is None else self.outer.source_of(column)
        name = column.name.lower()
        if name in self.merged:
            return self.sources[self.merged[name][0]]
        if any(s.relation.fields is None for s in self.sources.values()):
            return None
        having = [s for s in self.sources.values() if s.relation.fields is not None and name in s.relation.fields]
        if having:
            return having[0] if len(having) == 1 else None
        return self.outer.source_of(column) if self.outer is not None else None

    def field_of(self, column: exp.Column) -> Field | None:
        """What is known of a column."""
        source = self.source_of(column)
        found = source.relation.fields.get(column.name.lower()) if source is not None and source.relation.fields is not None else None
        if found is None or source is None:
            return None
        return found._replace(required=False) if source.optional else found

    def named(self, column: exp.Column) -> Named | None:
        """A column by its source, when that is one of this SELECT."""
        source = self.source_of(column)
        return (source.name, column.name.lower()) if source is not None and self.sources.get(source.name) is source else None
