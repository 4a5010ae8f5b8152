"""What is known of one dataset on its way into a contract: columns and rules in the standard's words, and queries that go beyond it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xde.ground.spans import Span


@dataclass(frozen=True, slots=True)
class Watch:
    """A query of rows that must not be there, which reads more than one dataset: it becomes a view with a contract of its own."""

    name: str
    sql: str
    rules: Sequence[Mapping[str, object]]
    reads: tuple[str, ...]
    place: Span
    description: str = ""


@dataclass(slots=True)
class Promised:
    """What is known of one dataset: the entry of a contract's schema, and the queries that go beyond it."""

    description: str = ""
    columns: dict[str, dict[str, object]] = field(default_factory=dict)
    rules: list[dict[str, object]] = field(default_factory=list)
    watches: list[Watch] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    customs: list[dict[str, object]] = field(default_factory=list)

    def column(self, name: str) -> dict[str, object]:
        """The entry of a column, made when it is first spoken of; upper and lower case are the same."""
        found = next((c for c in self.columns if c.casefold() == name.casefold()), None)
        return self.columns.setdefault(found or name, {"name": name})

    def is_unique(self, columns: Sequence[str]) -> bool:
        """Whether some columns are promised to tell all rows apart."""
        wanted = {c.casefold() for c in columns}
        single = any(n.casefold() in wanted and (c.get("unique") or c.get("primaryKey")) for n, c in self.columns.items())
        return single or any(r.get("dimension") == "uniqueness" for r in self.rules)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to write a contract about."""
        return not (self.description or self.columns or self.rules or self.customs)

    def table(self, name: str, kind: str, customs: Sequence[Mapping[str, object]] = ()) -> dict[str, object]:
        """The entry of the dataset under `schema`."""
        self._key()
        return {
            "name": name,
            "physicalType": kind,
            "logicalType": "object",
            "description": self.description or None,
            "tags": self.tags or None,
            "customProperties": [*customs, *self.customs] or None,
            "quality": self.rules or None,
            "properties": list(self.columns.values()) or None,
        }

    def _key(self) -> None:
        """The one column that is unique and never missing is the primary key."""
        if any(c.get("primaryKey") for c in self.columns.values()):
            return
        keys = [c for c in self.columns.values() if c.get("unique") and c.get("required")]
        if len(keys) == 1:
            del keys[0]["unique"]
            keys[0] |= {"primaryKey": True, "primaryKeyPosition": 1}


def document(dataset: str, tables: Sequence[Mapping[str, object]], project: str, **more: object) -> dict[str, object]:
    """A whole contract."""
    return {
        "apiVersion": "v3.1.0",
        "kind": "DataContract",
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"dbt:{project}:{dataset}")),
        "name": dataset,
        "version": "1.0.0",
        "status": "active",
        **more,
        "schema": list(tables),
    }
