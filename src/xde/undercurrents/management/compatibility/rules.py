"""The table of compatibility, as data: what each kind of change does to whom, which version it asks for, why, and who says so."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from xde.undercurrents.management.compatibility.kinds import Bump, ChangeKind, Verdict
from xde.undercurrents.management.compatibility.sources import Source

if TYPE_CHECKING:
    from xde.undercurrents.management.compatibility.kinds import Change

_K, _S = ChangeKind, Source
_SAFE, _RISKY, _BREAKS = Verdict.SAFE, Verdict.RISKY, Verdict.BREAKING
_PATCH, _MINOR, _MAJOR = Bump.PATCH, Bump.MINOR, Bump.MAJOR


class Policy(StrEnum):
    """Whom a contract protects (`xdeCompatibility`): backward who reads the data, forward who writes it, full both, none nobody."""

    BACKWARD = "backward"
    FORWARD = "forward"
    FULL = "full"
    NONE = "none"


@dataclass(frozen=True)
class Rule:
    """What a kind of change means.

    `consumers` read the data by the old contract, `producers` go on writing it by the old contract; `bump` is the part of the version that
    moves under the policy `backward`.
    """

    consumers: Verdict
    producers: Verdict
    bump: Bump
    reason: str
    sources: tuple[Source, ...]

    def judged(self, policy: Policy) -> Verdict:
        """How bad it is for those whom a policy protects."""
        match policy:
            case Policy.BACKWARD:
                return self.consumers
            case Policy.FORWARD:
                return self.producers
            case Policy.FULL:
                return max(self.consumers, self.producers)
            case Policy.NONE:
                return Verdict.SAFE

    def needs(self, policy: Policy) -> Bump:
        """The bump that a policy asks for: a new major version if it breaks those that are protected, else a smaller one."""
        return Bump.MAJOR if self.judged(policy) is Verdict.BREAKING else min(self.bump, Bump.MINOR)


def rule_of(change: Change) -> Rule:
    """The rule of a change."""
    return RULES[change.kind]


RULES: dict[ChangeKind, Rule] = {
    # tables
    _K.TABLE_ADDED: Rule(_SAFE, _RISKY, _MINOR, "nobody reads it yet; somebody must fill it", (_S.SEMVER_MINOR, _S.MEASURED)),
    _K.TABLE_DROPPED: Rule(_BREAKS, _SAFE, _MAJOR, "every query that reads it fails", (_S.SEMVER_MAJOR, _S.BUF, _S.MEASURED)),
    _K.TABLE_RENAMED: Rule(
        _BREAKS,
        _BREAKS,
        _MAJOR,
        "the old name is gone for readers and writers; a view of the old name bridges it",
        (_S.ODCS_REFERENCES, _S.MEASURED),
    ),
    _K.TABLE_KIND_CHANGED: Rule(
        _RISKY, _SAFE, _MINOR, "a view, a table, a topic and a file are read in different ways", (_S.ODCS_SCHEMA, _S.OWN)
    ),
    _K.PHYSICAL_NAME_CHANGED: Rule(
        _RISKY,
        _BREAKS,
        _MINOR,
        "who goes past the logical name, or writes the physical one, finds nothing there",
        (_S.ODCS_SCHEMA, _S.OWN),
    ),
    _K.GRAIN_STATED: Rule(_SAFE, _RISKY, _MINOR, "readers learn what a row is; writers must keep it", (_S.ODCS_SCHEMA, _S.OWN)),
    _K.GRAIN_WITHDRAWN: Rule(
        _BREAKS, _SAFE, _MAJOR, "what a row is, is no longer promised: sums and joins may count twice", (_S.ODCS_SCHEMA, _S.OWN)
    ),
    _K.GRAIN_CHANGED: Rule(
        _BREAKS,
        _BREAKS,
        _MAJOR,
        "a row is another thing than before: sums and joins come out otherwise, and no type shows it",
        (_S.ODCS_SCHEMA, _S.OWN),
    ),
    _K.KEY_ADDED: Rule(
        _SAFE, _BREAKS, _MINOR, "readers gain a promise; rows that repeat the key are no longer accepted", (_S.ODCS_SCHEMA, _S.MEASURED)
    ),
    _K.KEY_DROPPED: Rule(_BREAKS, _SAFE, _MAJOR, "joins by the key may multiply rows", (_S.ODCS_SCHEMA, _S.MEASURED)),
    _K.KEY_CHANGED: Rule(
        _BREAKS,
        _BREAKS,
        _MAJOR,
        "joins by the old key may multiply rows, and rows are told apart by something else",
        (_S.ODCS_SCHEMA, _S.MEASURED),
    ),
    _K.KEY_REORDERED: Rule(_SAFE, _SAFE, _PATCH, "a key is unique as a set of columns, in whatever order", (_S.ODCS_SCHEMA, _S.MEASURED)),
    _K.COLUMNS_REORDERED: Rule(_SAFE, _SAFE, _PATCH, "columns are read and written by name", (_S.AVRO, _S.MEASURED)),
    _K.POSITIONS_CHANGED: Rule(
        _RISKY, _BREAKS, _MINOR, "files without names are read by position: the old files would be read wrongly", (_S.OWN,)
    ),
    # columns
    _K.COLUMN_ADDED: Rule(
        _SAFE,
        _RISKY,
        _MINOR,
        "who reads by name does not see it; it is empty until writers fill it",
        (_S.CONFLUENT, _S.SEMVER_MINOR, _S.MEASURED),
    ),
    _K.COLUMN_DROPPED: Rule(_BREAKS, _SAFE, _MAJOR, "every query that names it fails", (_S.SEMVER_MAJOR, _S.DBT, _S.BUF, _S.MEASURED)),
    _K.REQUIRED_COLUMN_ADDED: Rule(
        _SAFE,
        _BREAKS,
        _MINOR,
        "rows of writers that do not know it are not accepted: fill it in older rows, or let it be optional first",
        (_S.CONFLUENT, _S.AVRO, _S.MEASURED),
    ),
    _K.REQUIRED_COLUMN_DROPPED: Rule(
        _BREAKS,
        _SAFE,
        _MAJOR,
        "every query that names it fails, and it was always there",
        (_S.SEMVER_MAJOR, _S.CONFLUENT, _S.DBT, _S.MEASURED),
    ),
    _K.COLUMN_RENAMED: Rule(
        _BREAKS,
        _BREAKS,
        _MAJOR,
        "the old name is gone for readers and writers; give both names for a while",
        (_S.ODCS_REFERENCES, _S.MEASURED),
    ),
    _K.TYPE_WIDENED: Rule(
        _RISKY,
        _SAFE,
        _MINOR,
        "all old values fit; a reader that keeps the old type may overflow on new ones",
        (_S.AVRO, _S.DELTA),
    ),
    _K.TYPE_NARROWED: Rule(
        _BREAKS,
        _BREAKS,
        _MAJOR,
        "values that were promised no longer fit, and old data does not fit the new type",
        (_S.AVRO, _S.DELTA, _S.DBT, _S.MEASURED),
    ),
    _K.TYPE_CHANGED: Rule(
        _BREAKS, _BREAKS, _MAJOR, "comparisons, sums and joins with it fail or come out otherwise", (_S.AVRO, _S.DBT, _S.MEASURED)
    ),
    _K.TYPE_STATED: Rule(
        _SAFE, _BREAKS, _MINOR, "readers gain a promise; values of another type are no longer accepted", (_S.ODCS_SCHEMA, _S.MEASURED)
    ),
    _K.TYPE_WITHDRAWN: Rule(_BREAKS, _SAFE, _MAJOR, "the type is no longer promised", (_S.ODCS_SCHEMA, _S.MEASURED)),
    _K.ZONE_CHANGED: Rule(_BREAKS, _BREAKS, _MAJOR, "the same text is another moment", (_S.ODCS_SCHEMA, _S.OWN)),
    _K.FORMAT_CHANGED: Rule(
        _RISKY, _BREAKS, _MINOR, "texts of the old format are no longer read; who parses them sees another one", (_S.ODCS_SCHEMA, _S.OWN)
    ),
    _K.VECTOR_CHANGED: Rule(_BREAKS, _BREAKS, _MAJOR, "vectors of two models cannot be compared", (_S.ODCS_SCHEMA, _S.OWN)),
    _K.REQUIRED_TO_NULLABLE: Rule(
        _BREAKS,
        _SAFE,
        _MAJOR,
        "NULL appears where it could not: inner joins lose rows, conditions become unknown",
        (_S.AVRO, _S.DBT, _S.MEASURED),
    ),
    _K.NULLABLE_TO_REQUIRED: Rule(
        _SAFE, _BREAKS, _MINOR, "readers gain a promise; rows without it are no longer accepted", (_S.ODCS_SCHEMA, _S.MEASURED)
    ),
    _K.UNIQUE_ADDED: Rule(
        _SAFE, _BREAKS, _MINOR, "readers gain a promise; repeated values are no longer accepted", (_S.ODCS_SCHEMA, _S.MEASURED)
    ),
    _K.UNIQUE_DROPPED: Rule(_BREAKS, _SAFE, _MAJOR, "joins by it may multiply rows", (_S.ODCS_SCHEMA, _S.MEASURED)),
    _K.ENUM_ADDED: Rule(
        _SAFE, _BREAKS, _MINOR, "readers gain a closed list; other values are no longer accepted", (_S.ODCS_SCHEMA, _S.MEASURED)
    ),
    _K.ENUM_DROPPED: Rule(_BREAKS, _SAFE, _MAJOR, "any value may come where a list was promised", (_S.AVRO, _S.MEASURED)),
    _K.ENUM_VALUE_ADDED: Rule(
        _BREAKS, _SAFE, _MAJOR, "a reader that knows the old list meets a value that it cannot place", (_S.AVRO, _S.MEASURED)
    ),
    _K.ENUM_VALUE_REMOVED: Rule(
        _SAFE, _BREAKS, _MINOR, "readers meet fewer values; rows with the old one are no longer accepted", (_S.AVRO, _S.MEASURED)
    ),
    _K.BOUND_LOOSENED: Rule(_BREAKS, _SAFE, _MAJOR, "values come that the old bounds kept out", (_S.ODCS_SCHEMA, _S.MEASURED)),
    _K.BOUND_TIGHTENED: Rule(_SAFE, _BREAKS, _MINOR, "rows that were accepted no longer are", (_S.ODCS_SCHEMA, _S.MEASURED)),
    _K.LENGTH_LOOSENED: Rule(_BREAKS, _SAFE, _MAJOR, "texts or lists come of a length that was kept out", (_S.ODCS_SCHEMA, _S.MEASURED)),
    _K.LENGTH_TIGHTENED: Rule(_SAFE, _BREAKS, _MINOR, "rows that were accepted no longer are", (_S.ODCS_SCHEMA, _S.MEASURED)),
    _K.PATTERN_ADDED: Rule(
        _SAFE, _BREAKS, _MINOR, "readers gain a promise; texts of another form are no longer accepted", (_S.ODCS_SCHEMA, _S.MEASURED)
    ),
    _K.PATTERN_DROPPED: Rule(_BREAKS, _SAFE, _MAJOR, "texts of any form may come", (_S.ODCS_SCHEMA, _S.MEASURED)),
    _K.PATTERN_CHANGED: Rule(
        _RISKY,
        _RISKY,
        _MINOR,
        "whether one pattern holds all that another holds is not decided here: look at it",
        (_S.ODCS_SCHEMA, _S.MEASURED),
    ),
    _K.CLASSIFICATION_RAISED: Rule(_BREAKS, _SAFE, _MAJOR, "who could see the values may no longer see them", (_S.ODCS_SCHEMA, _S.OWN)),
    _K.CLASSIFICATION_LOWERED: Rule(
        _BREAKS, _SAFE, _MAJOR, "values that were protected are shown: whoever answers for privacy must agree", (_S.ODCS_SCHEMA, _S.OWN)
    ),
    _K.CLASSIFICATION_CHANGED: Rule(
        _BREAKS,
        _SAFE,
        _MAJOR,
        "another class of secrecy, of which no order is known: who may see the values changes",
        (_S.ODCS_SCHEMA, _S.OWN),
    ),
    _K.MASKING_ADDED: Rule(
        _BREAKS, _SAFE, _MAJOR, "values are replaced or disappear: joins and counts by them come out otherwise", (_S.OWN,)
    ),
    _K.MASKING_DROPPED: Rule(
        _BREAKS, _SAFE, _MAJOR, "values that were hidden are shown: whoever answers for privacy must agree", (_S.OWN,)
    ),
    _K.MASKING_CHANGED: Rule(
        _BREAKS, _SAFE, _MAJOR, "masked values are others than before: what was joined by them no longer matches", (_S.OWN,)
    ),
    _K.UNIT_CHANGED: Rule(_BREAKS, _BREAKS, _MAJOR, "the same number is another amount, and no type shows it", (_S.OWN,)),
    _K.UNIT_STATED: Rule(_SAFE, _RISKY, _MINOR, "readers learn the unit; writers must keep it", (_S.OWN,)),
    _K.UNIT_WITHDRAWN: Rule(_RISKY, _SAFE, _MINOR, "the unit is no longer promised", (_S.OWN,)),
    _K.UNIT_TOLD_OTHERWISE: Rule(
        _RISKY, _RISKY, _MINOR, "the description names another unit: if the values changed with it, the change is breaking", (_S.OWN,)
    ),
    _K.MEANING_CHANGED: Rule(
        _RISKY, _RISKY, _MINOR, "it may mean something else than before, and no type shows it", (_S.ODCS_SCHEMA, _S.OWN)
    ),
    _K.PARTITION_ADDED: Rule(
        _SAFE, _RISKY, _MINOR, "files lie in other folders; who reads the table does not see it", (_S.ODCS_SCHEMA, _S.OWN)
    ),
    _K.PARTITION_DROPPED: Rule(
        _RISKY,
        _RISKY,
        _MINOR,
        "who reads the files by their folders finds none, and reading by this column costs more",
        (_S.ODCS_SCHEMA, _S.OWN),
    ),
    _K.PARTITIONS_REORDERED: Rule(_RISKY, _RISKY, _MINOR, "who reads the files by their folders finds others", (_S.ODCS_SCHEMA, _S.OWN)),
    _K.ELEMENT_DEPRECATED: Rule(_RISKY, _SAFE, _MINOR, "it will go: who reads it must move", (_S.SEMVER_DEPRECATE, _S.ODCS_SCHEMA)),
    _K.ELEMENT_RESTORED: Rule(_SAFE, _SAFE, _MINOR, "it stays", (_S.ODCS_SCHEMA,)),
    # rules
    _K.RULE_ADDED: Rule(
        _SAFE, _BREAKS, _MINOR, "readers gain a promise; rows that break the rule are no longer accepted", (_S.ODCS_QUALITY, _S.MEASURED)
    ),
    _K.RULE_REMOVED: Rule(_BREAKS, _SAFE, _MAJOR, "what the rule kept out may come", (_S.ODCS_QUALITY, _S.MEASURED)),
    _K.RULE_TIGHTENED: Rule(_SAFE, _BREAKS, _MINOR, "rows or loads that were accepted no longer are", (_S.ODCS_QUALITY, _S.MEASURED)),
    _K.RULE_LOOSENED: Rule(_BREAKS, _SAFE, _MAJOR, "some of what the rule kept out may come", (_S.ODCS_QUALITY, _S.MEASURED)),
    _K.RULE_CHANGED: Rule(
        _RISKY, _RISKY, _MINOR, "it asks something else; whether more or less is not decided here: look at it", (_S.ODCS_QUALITY, _S.OWN)
    ),
    _K.ADVICE_ADDED: Rule(_SAFE, _SAFE, _PATCH, "a warning stops nothing", (_S.ODCS_QUALITY, _S.OWN)),
    _K.ADVICE_REMOVED: Rule(_RISKY, _SAFE, _MINOR, "nobody is told any more", (_S.ODCS_QUALITY, _S.OWN)),
    _K.RULE_WAIVED: Rule(_RISKY, _SAFE, _MINOR, "until the waiver ends, what the rule keeps out may come", (_S.OWN,)),
    _K.WAIVER_ENDED: Rule(_SAFE, _RISKY, _MINOR, "the rule holds again", (_S.OWN,)),
    _K.REFERENCE_ADDED: Rule(
        _SAFE,
        _BREAKS,
        _MINOR,
        "readers gain a promise; rows that refer to nothing are no longer accepted",
        (_S.ODCS_REFERENCES, _S.MEASURED),
    ),
    _K.REFERENCE_DROPPED: Rule(_BREAKS, _SAFE, _MAJOR, "inner joins along it may lose rows", (_S.ODCS_REFERENCES, _S.MEASURED)),
    _K.REFERENCE_CHANGED: Rule(
        _BREAKS, _BREAKS, _MAJOR, "values refer to something else: joins along the old one lose rows", (_S.ODCS_REFERENCES, _S.MEASURED)
    ),
    _K.DELIVERY_CHANGED: Rule(
        _RISKY, _BREAKS, _MINOR, "files are read in another way: the old ones may be read wrongly or refused", (_S.OWN,)
    ),
    _K.WRITE_MODE_CHANGED: Rule(
        _BREAKS, _RISKY, _MAJOR, "rows are kept, replaced or updated otherwise: history may vanish or appear twice", (_S.OWN,)
    ),
    # service levels, servers, the whole
    _K.SLA_ADDED: Rule(_SAFE, _BREAKS, _MINOR, "readers gain a promise that somebody must keep", (_S.ODCS_SLA, _S.OWN)),
    _K.SLA_DROPPED: Rule(_BREAKS, _SAFE, _MAJOR, "what was promised no longer is", (_S.ODCS_SLA, _S.OWN)),
    _K.SLA_LOOSENED: Rule(
        _BREAKS, _SAFE, _MAJOR, "data comes later, less often or less surely than readers plan with", (_S.ODCS_SLA, _S.OWN)
    ),
    _K.SLA_TIGHTENED: Rule(_SAFE, _BREAKS, _MINOR, "writers promise more than before", (_S.ODCS_SLA, _S.OWN)),
    _K.SLA_CHANGED: Rule(_RISKY, _RISKY, _MINOR, "whether it promises more or less is not decided here: look at it", (_S.ODCS_SLA, _S.OWN)),
    _K.RETENTION_SHORTENED: Rule(_BREAKS, _SAFE, _MAJOR, "rows go that readers still counted on", (_S.ODCS_SLA, _S.OWN)),
    _K.RETENTION_LENGTHENED: Rule(_RISKY, _RISKY, _MINOR, "rows stay longer: for personal data somebody must agree", (_S.ODCS_SLA, _S.OWN)),
    _K.SUPPORT_ENDS: Rule(_RISKY, _SAFE, _MINOR, "readers must have moved by then", (_S.ODCS_SLA, _S.SEMVER_DEPRECATE)),
    _K.SUPPORT_ENDS_SOONER: Rule(_BREAKS, _SAFE, _MAJOR, "readers have less time than was promised", (_S.ODCS_SLA, _S.OWN)),
    _K.SUPPORT_ENDS_LATER: Rule(_SAFE, _RISKY, _MINOR, "readers have more time", (_S.ODCS_SLA, _S.OWN)),
    _K.SUPPORT_GOES_ON: Rule(_SAFE, _RISKY, _MINOR, "no end is announced any more", (_S.ODCS_SLA, _S.OWN)),
    _K.SERVER_ADDED: Rule(_SAFE, _RISKY, _MINOR, "there is one more place to read from", (_S.ODCS_SERVERS, _S.OWN)),
    _K.SERVER_REMOVED: Rule(_BREAKS, _SAFE, _MAJOR, "who reads there directly finds nothing", (_S.ODCS_SERVERS, _S.OWN)),
    _K.SERVER_MOVED: Rule(_BREAKS, _BREAKS, _MAJOR, "who reads or delivers there directly must go elsewhere", (_S.ODCS_SERVERS, _S.OWN)),
    _K.STATUS_PROMISED: Rule(_SAFE, _RISKY, _MINOR, "from now on others may rely on it", (_S.ODCS_FUNDAMENTALS, _S.OWN)),
    _K.STATUS_WITHDRAWN: Rule(_BREAKS, _SAFE, _MAJOR, "what others rely on becomes a draft", (_S.ODCS_FUNDAMENTALS, _S.OWN)),
    _K.STATUS_DEPRECATED: Rule(
        _RISKY, _SAFE, _MINOR, "it will go: name the day (`endOfSupport`) and what comes instead", (_S.SEMVER_DEPRECATE, _S.ODCS_SLA)
    ),
    _K.STATUS_RETIRED: Rule(_BREAKS, _SAFE, _MAJOR, "it is gone", (_S.ODCS_FUNDAMENTALS, _S.OWN)),
    _K.STATUS_RESTORED: Rule(_SAFE, _RISKY, _MINOR, "it stays, or comes back", (_S.ODCS_FUNDAMENTALS, _S.OWN)),
    _K.STATUS_CHANGED: Rule(_RISKY, _SAFE, _MINOR, "what others may rely on is said otherwise", (_S.ODCS_FUNDAMENTALS, _S.OWN)),
    _K.CONTRACT_ADDED: Rule(_SAFE, _RISKY, _MINOR, "nobody relies on it yet", (_S.SEMVER_MINOR,)),
    _K.CONTRACT_DROPPED: Rule(_BREAKS, _SAFE, _MAJOR, "everything that it promised is gone", (_S.SEMVER_MAJOR,)),
    _K.CONTRACT_ID_CHANGED: Rule(_RISKY, _SAFE, _MINOR, "who refers to the contract by its id finds none", (_S.ODCS_FUNDAMENTALS, _S.OWN)),
    _K.POLICY_CHANGED: Rule(_RISKY, _RISKY, _MINOR, "it protects others than before", (_S.OWN,)),
    _K.ROLE_ADDED: Rule(_SAFE, _SAFE, _MINOR, "more people can be let in", (_S.ODCS_ROLES, _S.OWN)),
    _K.ROLE_REMOVED: Rule(_RISKY, _SAFE, _MINOR, "who has it may be locked out", (_S.ODCS_ROLES, _S.OWN)),
    _K.ROLE_CHANGED: Rule(_RISKY, _SAFE, _MINOR, "who has it may see more or less", (_S.ODCS_ROLES, _S.OWN)),
    _K.STANDARD_CHANGED: Rule(
        _SAFE, _SAFE, _PATCH, "the data is the same; tools that read the contract must know the version", (_S.ODCS_FUNDAMENTALS, _S.OWN)
    ),
    _K.DESCRIPTION_CHANGED: Rule(_SAFE, _SAFE, _PATCH, "the data is the same", (_S.SEMVER_PATCH, _S.MEASURED)),
    _K.TAGS_CHANGED: Rule(
        _SAFE, _SAFE, _PATCH, "the data is the same; tags that mark personal data count as classification", (_S.SEMVER_PATCH, _S.MEASURED)
    ),
    _K.PEOPLE_CHANGED: Rule(_SAFE, _SAFE, _PATCH, "the data is the same; others answer for it", (_S.SEMVER_PATCH, _S.MEASURED)),
    _K.SPELLING_CHANGED: Rule(_SAFE, _SAFE, _PATCH, "it says the same in other words", (_S.SEMVER_PATCH, _S.OWN)),
    _K.OTHER_CHANGED: Rule(_RISKY, _RISKY, _PATCH, "xde does not know what it means: look at it", (_S.OWN,)),
}
