"""What a column, the rows of a query, and a dataset mean: digests over canonical terms, with what is read in the place of names.

A digest is built from the leaves up (Merkle): a CTE's column in the place of its expression gives the same digest, so that
cutting a query up differently changes nothing. Three things keep two meanings apart that look alike:
- a column of a source further right in a join carries the source's place, or `a.x` and `b.x` of a self-join would be one;
- a column of a query further out carries how far out;
- an aggregate, a window and an UNNEST carry the digest of the rows that they look at.
"""

from __future__ import annotations

import hashlib
from dataclasses import field
from typing import TYPE_CHECKING, NamedTuple

from xde.ground.records import dataclass
from xde.kernel.graph.analysis import ColumnRef  # noqa: TC001 - the type of a field, pickled

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

NOTHING: frozenset[ColumnRef] = frozenset()


def mix(*parts: str) -> str:
    """16 hexadecimal digits that stand for `parts` in their order."""
    return hashlib.blake2b("\x1f".join(parts).encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


class Meaning(NamedTuple):
    """A column, or the rows, of a relation: what it reads, what it means, and what it is a plain copy of."""

    reads: frozenset[ColumnRef]
    digest: str
    identity: ColumnRef | None = None


def merged(tag: str, parts: Iterable[Meaning], *words: str) -> Meaning:
    """One meaning made of several."""
    given = tuple(parts)
    return Meaning(union(given), mix(tag, *words, *(p.digest for p in given)))


def union(parts: Iterable[Meaning]) -> frozenset[ColumnRef]:
    """All that several meanings read."""
    sets = [p.reads for p in parts if p.reads]
    if not sets:
        return NOTHING
    return sets[0] if len(sets) == 1 else sets[0].union(*sets[1:])


@dataclass(frozen=True, slots=True)
class DatasetMeaning:
    """What a dataset that is read means: of its rows, and of each column."""

    rows: str
    columns: Mapping[str, str]


class Column(NamedTuple):
    """A column of a relation; `name` is None where the engine makes one up."""

    name: str | None
    meaning: Meaning


@dataclass(slots=True)
class Relation:
    """Anything that a FROM clause can name.

    `open` is set where not all columns are known: it stands for any other. `width` counts the sources joined in it;
    `dataset` names the dataset that it is; `kind` says in messages what it is.
    """

    columns: tuple[Column, ...]
    rows: Meaning
    width: int = 1
    open: Meaning | None = None
    dataset: str = ""
    kind: str = "subquery"
    index: dict[str, Column] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for column in self.columns:
            if column.name is not None:
                self.index.setdefault(column.name.lower(), column)

    def names(self) -> list[str]:
        """The columns that have a name."""
        return [c.name for c in self.columns if c.name is not None]

    def whole(self) -> Meaning:
        """Everything of it, as a subquery in an expression is read."""
        return merged("query", (*(c.meaning for c in self.columns), self.rows))


def renamed(relation: Relation, names: tuple[str, ...], kind: str = "") -> Relation:
    """The relation under other column names, from the first on; names that come twice are told apart as the engine does."""
    seen: set[str] = set()
    columns = []
    for position, column in enumerate(relation.columns):
        name = names[position] if position < len(names) else column.name
        if name is not None:
            name = _unused(name, seen)
            seen.add(name.lower())
        columns.append(Column(name, column.meaning))
    return Relation(tuple(columns), relation.rows, relation.width, relation.open, "" if names else relation.dataset, kind or relation.kind)


def _unused(name: str, seen: set[str]) -> str:
    number, found = 1, name
    while found.lower() in seen:
        found = f"{name}_{number}"
        number += 1
    return found
