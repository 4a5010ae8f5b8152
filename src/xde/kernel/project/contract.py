"""An Open Data Contract Standard document (Bitol ODCS v3.0 to v3.2) as data; every part keeps its place.

What the standard has a field for is a field here; the rest of `customProperties` is `custom`, by property name,
with the prefix `xde` taken off (`xdeWriteMode` and, with `vendor: xde`, `writeMode` are the same property).
Those of other vendors, and those of nobody, are in `raw` only: a `writeMode` of another tool is not ours.
"""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from xde.ground.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xde.ground.spans import Span


@dataclass(frozen=True)
class Custom:
    """The value of one `customProperties` entry as plain YAML data, and its place."""

    value: object
    span: Span | None = None


@dataclass(frozen=True)
class QualityRule:
    """One entry of `quality`: of the kinds library, sql, custom or text.

    `operator` is the one of the standard (`mustBe` ... `mustNotBeBetween`) and `threshold` its value;
    `severity` is error, warning or info; `unit` is rows or percent.
    """

    id: str
    type: str = "library"
    metric: str | None = None
    arguments: Mapping[str, object] = field(default_factory=dict)
    query: str | None = None
    operator: str | None = None
    threshold: object = None
    unit: str = "rows"
    dimension: str | None = None
    severity: str = "error"
    description: str = ""
    engine: str | None = None
    implementation: object = None
    custom: Mapping[str, Custom] = field(default_factory=dict)
    span: Span | None = None


@dataclass(frozen=True)
class Property:
    """A column, or a part of a nested one (`properties` of an object, `items` of an array).

    `options` are the standard's `logicalTypeOptions`; `enum` the allowed values or None.
    """

    name: str
    physical_name: str | None = None
    logical_type: str | None = None
    physical_type: str | None = None
    options: Mapping[str, object] = field(default_factory=dict)
    required: bool = False
    unique: bool = False
    primary_key: bool = False
    primary_key_position: int = -1
    partitioned: bool = False
    partition_key_position: int = -1
    enum: tuple[object, ...] | None = None
    classification: str | None = None
    tags: tuple[str, ...] = ()
    description: str = ""
    business_name: str | None = None
    quality: tuple[QualityRule, ...] = ()
    properties: tuple[Property, ...] = ()
    items: Property | None = None
    custom: Mapping[str, Custom] = field(default_factory=dict)
    span: Span | None = None

    @property
    def personal(self) -> bool:
        """Whether the contract says that this column may show a person: its values are kept out of samples and statistics."""
        classes = {"restricted", "confidential", "pii", "personal", "sensitive"}
        return (self.classification or "").casefold() in classes or any(t.split(".")[0].casefold() == "pii" for t in self.tags)


@dataclass(frozen=True)
class Relationship:
    """A foreign key: columns here, and columns of `to_dataset`, written as in the contract (`airports` or `nyc.airports`)."""

    columns: tuple[str, ...]
    to_dataset: str
    to_columns: tuple[str, ...]
    severity: str = "error"
    custom: Mapping[str, Custom] = field(default_factory=dict)
    span: Span | None = None


@dataclass(frozen=True)
class SchemaObject:
    """One table of a contract."""

    name: str
    physical_name: str | None = None
    physical_type: str | None = None
    description: str = ""
    business_name: str | None = None
    grain: str = ""
    tags: tuple[str, ...] = ()
    properties: tuple[Property, ...] = ()
    relationships: tuple[Relationship, ...] = ()
    quality: tuple[QualityRule, ...] = ()
    custom: Mapping[str, Custom] = field(default_factory=dict)
    span: Span | None = None

    @property
    def key(self) -> tuple[str, ...]:
        """The columns of the primary key, in the order of their positions."""
        keys = [p for p in self.properties if p.primary_key]
        return tuple(p.name for p in sorted(keys, key=lambda p: p.primary_key_position))


@dataclass(frozen=True)
class Server:
    """Where the data of a contract lies; `settings` holds the fields of its type, as written."""

    name: str
    type: str
    environment: str | None = None
    settings: Mapping[str, object] = field(default_factory=dict)
    span: Span | None = None
    custom: Mapping[str, Custom] = field(default_factory=dict)


@dataclass(frozen=True)
class ServiceLevel:
    """One entry of `slaProperties`; `element` is `table.column` or `table`."""

    property: str
    value: object
    unit: str | None = None
    element: str | None = None
    custom: Mapping[str, Custom] = field(default_factory=dict)
    span: Span | None = None


@dataclass(frozen=True)
class Contract:
    """A whole document; `team` holds (username, role) pairs; `raw` is the document as plain data, nothing lost."""

    path: str
    id: str
    version: str
    api_version: str
    name: str = ""
    status: str = ""
    domain: str = ""
    description: str = ""
    tags: tuple[str, ...] = ()
    schema: tuple[SchemaObject, ...] = ()
    servers: tuple[Server, ...] = ()
    service_levels: tuple[ServiceLevel, ...] = ()
    team: tuple[tuple[str, str], ...] = ()
    custom: Mapping[str, Custom] = field(default_factory=dict)
    raw: Mapping[str, object] = field(default_factory=dict)
    span: Span | None = None
