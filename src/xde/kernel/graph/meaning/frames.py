"""What names mean at one place of a query: the sources in sight, the columns that joins have made one, and the queries around."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Literal, NamedTuple

from xde.ground.records import dataclass
from xde.kernel.graph.meaning.values import NOTHING, Column, Meaning, Relation, merged, mix
from xde.kernel.graph.text.terms import UnclearError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


NO_ROWS = Meaning(NOTHING, "")


class Seen(NamedTuple):
    """A source in sight; `path` leads to it through the joins, `optional` when a row may have none of it."""

    alias: str
    schema: str
    relation: Relation
    path: tuple[int, ...] = ()
    optional: bool = False
    hidden: bool = False

    def placed(self, meaning: Meaning) -> Meaning:
        """A meaning of the source, as it is seen from here."""
        digest = meaning.digest
        for offset in reversed(self.path):
            if offset:
                digest = mix("at", str(offset), digest)
        return Meaning(meaning.reads, digest, None if self.optional else meaning.identity)

    def column(self, name: str) -> Meaning | None:
        """The meaning of a column; None when there is none of this name."""
        found = self.relation.index.get(name.lower())
        return None if found is None else self.placed(found.meaning)


@dataclass(slots=True)
class Frame:
    """The sources of one FROM clause; `joined` are columns that USING made one, `dropped` where they are not shown again."""

    tables: tuple[Seen, ...] = ()
    rows: Meaning = NO_ROWS
    width: int = 0
    joined: dict[str, Meaning] = field(default_factory=dict)
    dropped: frozenset[tuple[int, str]] = frozenset()

    def bare(self, name: str) -> Meaning | None:
        """The column of a name without a table. Raises `UnclearError` when several sources have one."""
        folded = name.lower()
        if folded in self.joined:
            return self.joined[folded]
        found = [t for t in self.tables if not t.hidden and folded in t.relation.index]
        if len(found) > 1:
            raise UnclearError
        return found[0].column(name) if found else None

    def is_open(self) -> bool:
        """Whether a source has columns that are not known."""
        return any(t.relation.open is not None for t in self.tables)

    def open_source(self, name: str) -> Meaning | None:
        """What a name means that only a source with unknown columns can have."""
        found = [t for t in self.tables if t.relation.open is not None]
        if len(found) > 1:
            raise UnclearError
        return _opened(found[0], name) if found else None

    def named(self, alias: str, schema: str = "") -> Seen | None:
        """The source of a name."""
        found = [t for t in self.tables if t.alias == alias.lower() and (not schema or t.schema == schema.lower())]
        if len(found) > 1:
            raise UnclearError
        return found[0] if found else None

    def star(self) -> Iterator[Column]:
        """The columns of `*`. Raises `UnclearError` when they are not all known."""
        shown: set[str] = set()
        for position, table in enumerate(self.tables):
            if table.hidden:
                continue
            for column in columns_of(table):
                folded = (column.name or "").lower()
                if (position, folded) in self.dropped:
                    continue
                if folded in self.joined and folded not in shown:
                    shown.add(folded)
                    yield Column(column.name, self.joined[folded])
                else:
                    yield column

    def names(self) -> list[str]:
        """Every column in sight, for the nearest to a misspelt one."""
        return [n for t in self.tables if not t.hidden for n in t.relation.names()]


def columns_of(table: Seen) -> Iterator[Column]:
    """The columns of one source. Raises `UnclearError` when they are not all known."""
    if table.relation.open is not None:
        raise UnclearError
    for column in table.relation.columns:
        if column.name is None:
            raise UnclearError
        yield Column(column.name, table.placed(column.meaning))


def _opened(table: Seen, name: str) -> Meaning:
    whole = table.relation.open
    if whole is None:
        raise UnclearError
    return table.placed(Meaning(whole.reads, mix("open", whole.digest, name.lower())))


def column_of(table: Seen, name: str) -> Meaning | None:
    """A column of a source, be it one with unknown columns."""
    found = table.column(name)
    return _opened(table, name) if found is None and table.relation.open is not None else found


def row_of(table: Seen) -> Meaning:
    """A whole row as a value; its fields' names are part of it."""
    if table.relation.open is not None:
        return table.placed(table.relation.open)
    columns = list(columns_of(table))
    return merged("row", (c.meaning for c in columns), *(str(c.name).lower() for c in columns))


@dataclass(slots=True)
class Scope:
    """A SELECT under way: its sources, its aliases, and the SELECT around it.

    `alias_order` says when an alias is meant by a name that a column has too.

    `contexts` are the digests of the rows that aggregates, windows and UNNEST look at; one that is missing is not known yet.
    """

    frame: Frame
    outer: Scope | None = None
    alias: Callable[[str], Meaning | None] | None = None
    alias_order: Literal["last", "first", "both"] = "last"
    contexts: dict[str, str] = field(default_factory=dict)
    every: Column | None = None
    ctes: Mapping[str, Relation] = field(default_factory=dict)
