"""The words of a comparison: a change and its kind, how bad it is, and what it asks of a version."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xde.ground.spans import Span


class Verdict(IntEnum):
    """What a change does to somebody; the greater the worse."""

    SAFE = 0
    RISKY = 1
    BREAKING = 2

    @property
    def word(self) -> str:
        """As it is shown."""
        return self.name.lower()


class Bump(IntEnum):
    """Which part of a semantic version moves."""

    NONE = 0
    PATCH = 1
    MINOR = 2
    MAJOR = 3

    @property
    def word(self) -> str:
        """As it is shown."""
        return self.name.lower()


class ChangeKind(StrEnum):
    """What can change in a contract; `rules.RULES` says of each what it means."""

    TABLE_ADDED = "table added"
    TABLE_DROPPED = "table dropped"
    TABLE_RENAMED = "table renamed"
    TABLE_KIND_CHANGED = "kind of table changed"
    PHYSICAL_NAME_CHANGED = "physical name changed"
    GRAIN_STATED = "grain stated"
    GRAIN_WITHDRAWN = "grain withdrawn"
    GRAIN_CHANGED = "grain changed"
    KEY_ADDED = "primary key added"
    KEY_DROPPED = "primary key dropped"
    KEY_CHANGED = "primary key changed"
    KEY_REORDERED = "primary key reordered"
    COLUMN_ADDED = "column added"
    COLUMN_DROPPED = "column dropped"
    REQUIRED_COLUMN_ADDED = "required column added"
    REQUIRED_COLUMN_DROPPED = "required column dropped"
    COLUMN_RENAMED = "column renamed"
    COLUMNS_REORDERED = "columns reordered"
    POSITIONS_CHANGED = "positions in the files changed"
    TYPE_WIDENED = "type widened"
    TYPE_NARROWED = "type narrowed"
    TYPE_CHANGED = "type changed"
    TYPE_STATED = "type stated"
    TYPE_WITHDRAWN = "type withdrawn"
    ZONE_CHANGED = "time zone changed"
    FORMAT_CHANGED = "format changed"
    VECTOR_CHANGED = "embedding changed"
    REQUIRED_TO_NULLABLE = "required to nullable"
    NULLABLE_TO_REQUIRED = "nullable to required"
    UNIQUE_ADDED = "unique added"
    UNIQUE_DROPPED = "unique dropped"
    ENUM_ADDED = "list of values added"
    ENUM_DROPPED = "list of values dropped"
    ENUM_VALUE_ADDED = "value added"
    ENUM_VALUE_REMOVED = "value removed"
    BOUND_LOOSENED = "bound loosened"
    BOUND_TIGHTENED = "bound tightened"
    LENGTH_LOOSENED = "length loosened"
    LENGTH_TIGHTENED = "length tightened"
    PATTERN_ADDED = "pattern added"
    PATTERN_DROPPED = "pattern dropped"
    PATTERN_CHANGED = "pattern changed"
    CLASSIFICATION_RAISED = "classification raised"
    CLASSIFICATION_LOWERED = "classification lowered"
    CLASSIFICATION_CHANGED = "classification changed"
    MASKING_ADDED = "masking added"
    MASKING_DROPPED = "masking dropped"
    MASKING_CHANGED = "masking changed"
    UNIT_CHANGED = "unit changed"
    UNIT_STATED = "unit stated"
    UNIT_WITHDRAWN = "unit withdrawn"
    UNIT_TOLD_OTHERWISE = "unit told otherwise"
    MEANING_CHANGED = "meaning changed"
    PARTITION_ADDED = "partition column added"
    PARTITION_DROPPED = "partition column dropped"
    PARTITIONS_REORDERED = "partition columns reordered"
    ELEMENT_DEPRECATED = "element deprecated"
    ELEMENT_RESTORED = "element restored"
    RULE_ADDED = "rule added"
    RULE_REMOVED = "rule removed"
    RULE_TIGHTENED = "rule tightened"
    RULE_LOOSENED = "rule loosened"
    RULE_CHANGED = "rule changed"
    ADVICE_ADDED = "warning added"
    ADVICE_REMOVED = "warning removed"
    RULE_WAIVED = "rule waived"
    WAIVER_ENDED = "waiver ended"
    REFERENCE_ADDED = "reference added"
    REFERENCE_DROPPED = "reference dropped"
    REFERENCE_CHANGED = "reference changed"
    DELIVERY_CHANGED = "delivery changed"
    WRITE_MODE_CHANGED = "write mode changed"
    SLA_ADDED = "service level added"
    SLA_DROPPED = "service level dropped"
    SLA_LOOSENED = "service level loosened"
    SLA_TIGHTENED = "service level tightened"
    SLA_CHANGED = "service level changed"
    RETENTION_SHORTENED = "retention shortened"
    RETENTION_LENGTHENED = "retention lengthened"
    SUPPORT_ENDS = "end of support or life set"
    SUPPORT_ENDS_SOONER = "end of support or life sooner"
    SUPPORT_ENDS_LATER = "end of support or life later"
    SUPPORT_GOES_ON = "end of support or life withdrawn"
    SERVER_ADDED = "server added"
    SERVER_REMOVED = "server removed"
    SERVER_MOVED = "server moved"
    STATUS_PROMISED = "status: promised"
    STATUS_WITHDRAWN = "status: promise withdrawn"
    STATUS_DEPRECATED = "status: deprecated"
    STATUS_RETIRED = "status: retired"
    STATUS_RESTORED = "status: restored"
    STATUS_CHANGED = "status changed"
    CONTRACT_ADDED = "contract added"
    CONTRACT_DROPPED = "contract dropped"
    CONTRACT_ID_CHANGED = "id of the contract changed"
    POLICY_CHANGED = "policy of compatibility changed"
    ROLE_ADDED = "role added"
    ROLE_REMOVED = "role removed"
    ROLE_CHANGED = "role changed"
    STANDARD_CHANGED = "version of the standard changed"
    DESCRIPTION_CHANGED = "description changed"
    TAGS_CHANGED = "tags changed"
    PEOPLE_CHANGED = "people changed"
    SPELLING_CHANGED = "spelled otherwise"
    OTHER_CHANGED = "something else changed"


@dataclass(frozen=True)
class Change:
    """One thing that differs between two versions of a contract.

    `was` and `now` name the element (`flights.arr_delay`, a nested one `flights.address.city`, empty: the whole contract) in the old and
    in the new version; for what was added or dropped the one where it is not is empty. `about` is the part of the element (`maximum`,
    a rule's id, a service level), `before` and `after` its values as plain data. `span` lies in the new version, for what was dropped in
    the old one. `note` is what else is known.
    """

    kind: ChangeKind
    was: str = ""
    now: str = ""
    about: str = ""
    before: object = None
    after: object = None
    note: str = ""
    span: Span | None = field(default=None, compare=False)

    @property
    def element(self) -> str:
        """The name to show."""
        return self.now or self.was

    @property
    def table(self) -> str:
        """The table that it concerns, by its name in the old version where it has one; empty for the whole contract."""
        return (self.was or self.now).split(".")[0]

    @property
    def column(self) -> str:
        """The column that it concerns, by its name in the old version where it has one; empty for a table or the whole contract."""
        parts = (self.was or self.now).split(".")
        return parts[1].split("[")[0] if len(parts) > 1 else ""


@dataclass(frozen=True)
class Place:
    """Where a comparison is: the element's names in both versions and the place in the new one (in the old one for what is gone)."""

    was: str
    now: str
    span: Span | None = None

    def below(self, was: str, now: str, span: Span | None) -> Place:
        """A part of the element by its own names; an empty one is not there in that version."""
        return Place(f"{self.was}.{was}" if was else "", f"{self.now}.{now}" if now else "", span)


class Changes:
    """Collects what a comparison finds."""

    def __init__(self) -> None:
        self.items: list[Change] = []

    def add(self, kind: ChangeKind, at: Place, before: object = None, after: object = None, about: str = "", *, note: str = "") -> None:
        """Keep a change."""
        self.items.append(Change(kind, at.was, at.now, about, before, after, note, at.span))

    def ordered(self) -> tuple[Change, ...]:
        """All of them, each once, in an order that does not depend on how they were found."""
        kinds = list(ChangeKind)
        unique: dict[str, Change] = {repr((c.kind, c.was, c.now, c.about, c.before, c.after, c.note)): c for c in self.items}
        return tuple(sorted(unique.values(), key=lambda c: (c.element, kinds.index(c.kind), c.about, repr(c.before), repr(c.after))))
