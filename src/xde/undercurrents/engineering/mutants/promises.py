"""What the contracts of a model's inputs promise: columns, types, values that are always there, keys, references."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


@dataclass(frozen=True, slots=True)
class Promises:
    """By name of dataset, as `schema.name`; names of columns as written, in order.

    `required` are columns without nulls, `unique` the sets of columns that tell a row from all others, `references` the
    columns whose values all stand in a column of another dataset: column -> (dataset, column).
    """

    schemas: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    required: Mapping[str, Collection[str]] = field(default_factory=dict)
    unique: Mapping[str, Collection[Collection[str]]] = field(default_factory=dict)
    references: Mapping[str, Mapping[str, tuple[str, str]]] = field(default_factory=dict)

    def is_required(self, dataset: str, column: str) -> bool:
        return column.casefold() in {c.casefold() for c in self.required.get(dataset, ())}

    def keys(self, dataset: str) -> tuple[frozenset[str], ...]:
        """The keys of a dataset, in small letters."""
        return tuple(frozenset(c.casefold() for c in key) for key in self.unique.get(dataset, ()))

    def is_key(self, dataset: str, column: str) -> bool:
        return frozenset([column.casefold()]) in self.keys(dataset)

    def referred(self, dataset: str, column: str) -> tuple[str, str] | None:
        """Where every value of a column stands, in small letters."""
        for name, (other, key) in self.references.get(dataset, {}).items():
            if name.casefold() == column.casefold():
                return other.casefold(), key.casefold()
        return None
