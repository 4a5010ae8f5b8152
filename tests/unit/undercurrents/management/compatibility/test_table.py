"""Every row of the table of compatibility, by a pair of small contracts; each the other way round, too."""

from __future__ import annotations

import pytest

from xde.kernel.project.odcs import read_contract
from xde.undercurrents.management.compatibility.changes import changes_between
from xde.undercurrents.management.compatibility.kinds import Bump, ChangeKind, Verdict
from xde.undercurrents.management.compatibility.rules import RULES, Policy

HEAD = "apiVersion: v3.2.0\nkind: DataContract\nid: c\nversion: 1.0.0\n"


def contract(text: str, head: str = HEAD):
    found, _, findings = read_contract((head + text).encode(), "c.yaml")
    assert found is not None
    assert [f for f in findings if f.severity == "error"] == []
    return found


def column(words: str, name: str = "a") -> str:
    return f"schema:\n  - name: t\n    properties:\n      - {{name: {name}, {words}}}\n"


def table(words: str, columns: str = "[{name: a, logicalType: integer}, {name: b, logicalType: string}]") -> str:
    return f"schema:\n  - {{name: t, {words + ', ' if words else ''}properties: {columns}}}\n"


def options(words: str, kind: str = "integer") -> str:
    return column(f"logicalType: {kind}, logicalTypeOptions: {{{words}}}" if words else f"logicalType: {kind}")


def rule(words: str) -> str:
    return column(f"logicalType: string, quality: [{{id: r, {words}}}]" if words else "logicalType: string")


def custom(name: str, value: str, words: str = "logicalType: string") -> str:
    return column(f"{words}, customProperties: [{{property: {name}, value: {value}}}]")


def level(words: str) -> str:
    return f"slaProperties: [{{{words}}}]\n" if words else ""


ON_A = "relationships: [{to: u.k}], "
K = ChangeKind
# kind and what the same is called the other way round, old, new
ROWS = [
    (K.TABLE_ADDED, K.TABLE_DROPPED, "", table("")),
    (K.TABLE_RENAMED, K.TABLE_RENAMED, table("id: x"), table("id: x").replace("name: t", "name: other")),
    (K.TABLE_KIND_CHANGED, K.TABLE_KIND_CHANGED, table("physicalType: table"), table("physicalType: view")),
    (K.PHYSICAL_NAME_CHANGED, K.PHYSICAL_NAME_CHANGED, table("physicalName: one-*.csv"), table("physicalName: two-*.csv")),
    (K.PHYSICAL_NAME_CHANGED, K.PHYSICAL_NAME_CHANGED, column("physicalName: one"), column("physicalName: two")),
    (K.GRAIN_STATED, K.GRAIN_WITHDRAWN, table(""), table("dataGranularityDescription: a row an order")),
    (
        K.GRAIN_CHANGED,
        K.GRAIN_CHANGED,
        table("dataGranularityDescription: a row an order"),
        table("dataGranularityDescription: a row an item"),
    ),
    (K.KEY_ADDED, K.KEY_DROPPED, column("required: true"), column("required: true, primaryKey: true")),
    (
        K.KEY_CHANGED,
        K.KEY_CHANGED,
        table("", "[{name: a, required: true, primaryKey: true}, {name: b, required: true}]"),
        table("", "[{name: a, required: true}, {name: b, required: true, primaryKey: true}]"),
    ),
    (
        K.KEY_REORDERED,
        K.KEY_REORDERED,
        table("", "[{name: a, primaryKey: true, primaryKeyPosition: 1}, {name: b, primaryKey: true, primaryKeyPosition: 2}]"),
        table("", "[{name: a, primaryKey: true, primaryKeyPosition: 2}, {name: b, primaryKey: true, primaryKeyPosition: 1}]"),
    ),
    (K.COLUMN_ADDED, K.COLUMN_DROPPED, table("", "[{name: a}]"), table("", "[{name: a}, {name: b}]")),
    (K.REQUIRED_COLUMN_ADDED, K.REQUIRED_COLUMN_DROPPED, table("", "[{name: a}]"), table("", "[{name: a}, {name: b, required: true}]")),
    (K.COLUMN_RENAMED, K.COLUMN_RENAMED, column("id: x", "a"), column("id: x", "b")),
    (K.COLUMNS_REORDERED, K.COLUMNS_REORDERED, table("", "[{name: a}, {name: b}]"), table("", "[{name: b}, {name: a}]")),
    (
        K.POSITIONS_CHANGED,
        K.POSITIONS_CHANGED,
        table("customProperties: [{property: xdeDialect, value: {header: false}}]", "[{name: a}, {name: b}]"),
        table("customProperties: [{property: xdeDialect, value: {header: false}}]", "[{name: b}, {name: a}]"),
    ),
    (K.POSITIONS_CHANGED, K.POSITIONS_CHANGED, custom("xdePosition", "{start: 1, length: 2}"), custom("xdePosition", "{start: 3, length: 2}")),
    (K.TYPE_WIDENED, K.TYPE_NARROWED, column("physicalType: INTEGER"), column("physicalType: BIGINT")),
    (K.TYPE_CHANGED, K.TYPE_CHANGED, column("logicalType: date"), column("logicalType: timestamp")),
    (K.TYPE_CHANGED, K.TYPE_CHANGED, column("logicalType: string, physicalType: VARCHAR"), column("logicalType: date, physicalType: VARCHAR")),
    (K.TYPE_STATED, K.TYPE_WITHDRAWN, column("required: true"), column("required: true, logicalType: string")),
    (K.TYPE_STATED, K.TYPE_WITHDRAWN, column("logicalType: array"), column("logicalType: array, items: {logicalType: string}")),
    (
        K.TYPE_WIDENED,
        K.TYPE_NARROWED,
        column("logicalType: array, items: {logicalType: number, physicalType: FLOAT}"),
        column("logicalType: array, items: {logicalType: number, physicalType: DOUBLE}"),
    ),
    (K.ZONE_CHANGED, K.ZONE_CHANGED, options("defaultTimezone: UTC", "timestamp"), options("defaultTimezone: Etc/GMT+5", "timestamp")),
    (K.FORMAT_CHANGED, K.FORMAT_CHANGED, options("format: yyyy-MM-dd", "date"), options("format: dd.MM.yyyy", "date")),
    (K.VECTOR_CHANGED, K.VECTOR_CHANGED, options("dimensions: 3", "vector"), options("dimensions: 4", "vector")),
    (K.NULLABLE_TO_REQUIRED, K.REQUIRED_TO_NULLABLE, column("logicalType: date"), column("logicalType: date, required: true")),
    (K.NULLABLE_TO_REQUIRED, K.REQUIRED_TO_NULLABLE, options("", "object"), options("required: [x]", "object")),
    (K.UNIQUE_ADDED, K.UNIQUE_DROPPED, column("logicalType: date"), column("logicalType: date, unique: true")),
    (K.UNIQUE_ADDED, K.UNIQUE_DROPPED, options("", "array"), options("uniqueItems: true", "array")),
    (K.ENUM_ADDED, K.ENUM_DROPPED, column("logicalType: string"), column("logicalType: string, enum: [{value: x}]")),
    (
        K.ENUM_VALUE_ADDED,
        K.ENUM_VALUE_REMOVED,
        column("logicalType: string, enum: [{value: x}]"),
        column("logicalType: string, enum: [{value: y}, {value: x}]"),
    ),
    (
        K.ENUM_VALUE_ADDED,
        K.ENUM_VALUE_REMOVED,
        rule("metric: invalidValues, arguments: {validValues: [x]}, mustBe: 0"),
        rule("metric: invalidValues, arguments: {validValues: [y, x]}, mustBe: 0"),
    ),
    (K.BOUND_TIGHTENED, K.BOUND_LOOSENED, options(""), options("minimum: 0")),
    (K.BOUND_TIGHTENED, K.BOUND_LOOSENED, options("minimum: 0"), options("minimum: 1")),
    (K.BOUND_TIGHTENED, K.BOUND_LOOSENED, options("minimum: 0"), options("exclusiveMinimum: 0")),
    (K.BOUND_TIGHTENED, K.BOUND_LOOSENED, options("maximum: 9"), options("maximum: 8")),
    (K.BOUND_TIGHTENED, K.BOUND_LOOSENED, options('maximum: "2026-01-01"', "date"), options('maximum: "2025-12-31"', "date")),
    (K.BOUND_TIGHTENED, K.BOUND_LOOSENED, options("multipleOf: 5"), options("multipleOf: 10")),
    (K.LENGTH_TIGHTENED, K.LENGTH_LOOSENED, options("maxLength: 9", "string"), options("maxLength: 8", "string")),
    (K.LENGTH_TIGHTENED, K.LENGTH_LOOSENED, options("minItems: 1", "array"), options("minItems: 2", "array")),
    (K.PATTERN_ADDED, K.PATTERN_DROPPED, options("", "string"), options("pattern: '^a$'", "string")),
    (K.PATTERN_CHANGED, K.PATTERN_CHANGED, options("pattern: '^b$'", "string"), options("pattern: '^a$'", "string")),
    (K.CLASSIFICATION_RAISED, K.CLASSIFICATION_LOWERED, column("classification: internal"), column("classification: restricted")),
    (K.CLASSIFICATION_RAISED, K.CLASSIFICATION_LOWERED, column("logicalType: date"), column("logicalType: date, classification: pii")),
    (K.CLASSIFICATION_CHANGED, K.CLASSIFICATION_CHANGED, column("classification: internal"), column("classification: amber")),
    (K.MASKING_ADDED, K.MASKING_DROPPED, column("logicalType: string"), custom("xdeMaskingPolicy", "{method: hash}")),
    (K.MASKING_ADDED, K.MASKING_DROPPED, column("logicalType: string"), column("logicalType: string, encryptedName: a_enc")),
    (K.MASKING_CHANGED, K.MASKING_CHANGED, custom("xdeMaskingPolicy", "{method: hash}"), custom("xdeMaskingPolicy", "{method: blank}")),
    (K.UNIT_STATED, K.UNIT_WITHDRAWN, column("logicalType: string"), custom("unit", "minutes")),
    (K.UNIT_CHANGED, K.UNIT_CHANGED, custom("unit", "minutes"), custom("unit", "seconds")),
    (K.UNIT_CHANGED, K.UNIT_CHANGED, custom("currency", "EUR"), custom("currency", "USD")),
    (
        K.UNIT_TOLD_OTHERWISE,
        K.UNIT_TOLD_OTHERWISE,
        column("description: Minutes late at arrival."),
        column("description: Seconds late at arrival."),
    ),
    (K.MEANING_CHANGED, K.MEANING_CHANGED, column("semanticType: measure"), column("semanticType: dimension")),
    (
        K.MEANING_CHANGED,
        K.MEANING_CHANGED,
        column("authoritativeDefinitions: [{type: businessDefinition, url: https://a}]"),
        column("authoritativeDefinitions: [{type: businessDefinition, url: https://b}]"),
    ),
    (K.PARTITION_ADDED, K.PARTITION_DROPPED, column("logicalType: date"), column("logicalType: date, partitioned: true")),
    (
        K.PARTITIONS_REORDERED,
        K.PARTITIONS_REORDERED,
        table("", "[{name: a, partitioned: true, partitionKeyPosition: 1}, {name: b, partitioned: true, partitionKeyPosition: 2}]"),
        table("", "[{name: a, partitioned: true, partitionKeyPosition: 2}, {name: b, partitioned: true, partitionKeyPosition: 1}]"),
    ),
    (K.ELEMENT_DEPRECATED, K.ELEMENT_RESTORED, column("logicalType: date"), column("logicalType: date, deprecated: true")),
    (K.RULE_ADDED, K.RULE_REMOVED, rule(""), rule("metric: nullValues, mustBe: 0")),
    (K.RULE_TIGHTENED, K.RULE_LOOSENED, rule("metric: nullValues, mustBeLessThan: 9"), rule("metric: nullValues, mustBeLessThan: 5")),
    (
        K.RULE_TIGHTENED,
        K.RULE_LOOSENED,
        rule("metric: nullValues, mustBe: 0, severity: warning"),
        rule("metric: nullValues, mustBe: 0, severity: error"),
    ),
    (K.RULE_CHANGED, K.RULE_CHANGED, rule("type: sql, query: SELECT 1, mustBe: 0"), rule("type: sql, query: SELECT 2, mustBe: 0")),
    (K.ADVICE_ADDED, K.ADVICE_REMOVED, rule(""), rule("metric: nullValues, mustBe: 0, severity: warning")),
    (
        K.RULE_WAIVED,
        K.WAIVER_ENDED,
        rule("metric: nullValues, mustBe: 0"),
        rule(
            "metric: nullValues, mustBe: 0, customProperties: [{property: xdeWaiver, value: {author: a, reason: b, until: 2027-01-01}}]"
        ),
    ),
    (K.REFERENCE_ADDED, K.REFERENCE_DROPPED, column("logicalType: date"), column("logicalType: date, relationships: [{to: u.k}]")),
    (K.REFERENCE_CHANGED, K.REFERENCE_CHANGED, column("relationships: [{to: u.k}]"), column("relationships: [{to: v.k}]")),
    (
        K.DELIVERY_CHANGED,
        K.DELIVERY_CHANGED,
        table('customProperties: [{property: xdeDialect, value: {delimiter: ";"}}]'),
        table('customProperties: [{property: xdeDialect, value: {delimiter: "|"}}]'),
    ),
    (
        K.WRITE_MODE_CHANGED,
        K.WRITE_MODE_CHANGED,
        table("customProperties: [{property: xdeWriteMode, value: append}]"),
        table("customProperties: [{property: xdeWriteMode, value: replace}]"),
    ),
    (K.SLA_ADDED, K.SLA_DROPPED, "", level("property: freshness, value: 1, unit: d, element: t.a")),
    (K.SLA_TIGHTENED, K.SLA_LOOSENED, level("property: latency, value: 1, unit: d"), level("property: latency, value: 12, unit: h")),
    (K.SLA_TIGHTENED, K.SLA_LOOSENED, level("property: ly, value: P1D"), level("property: latency, value: 12, unit: h")),
    (K.SLA_TIGHTENED, K.SLA_LOOSENED, level("property: availability, value: 99, unit: percent"), level("property: availability, value: 99.9, unit: percent")),
    (K.SLA_TIGHTENED, K.SLA_LOOSENED, level('property: timeOfAvailability, value: "09:00"'), level('property: timeOfAvailability, value: "08:00Z"')),
    (K.SLA_CHANGED, K.SLA_CHANGED, level("property: latency, value: soon"), level("property: latency, value: at once")),
    (K.SLA_CHANGED, K.SLA_CHANGED, level("property: frequency, value: 1, unit: d, schedule: 0 5 * * *"), level("property: frequency, value: 1, unit: d, schedule: 0 6 * * *")),
    (K.RETENTION_LENGTHENED, K.RETENTION_SHORTENED, level("property: retention, value: 1, unit: y"), level("property: retention, value: P2Y")),
    (K.SUPPORT_ENDS, K.SUPPORT_GOES_ON, "", level("property: endOfSupport, value: 2027-01-01")),
    (K.SUPPORT_ENDS_LATER, K.SUPPORT_ENDS_SOONER, level("property: endOfLife, value: 2027-01-01"), level("property: endOfLife, value: 2028-01-01")),
    (K.SERVER_ADDED, K.SERVER_REMOVED, "", "servers: [{server: s, type: local, path: a, format: csv}]\n"),
    (
        K.SERVER_MOVED,
        K.SERVER_MOVED,
        "servers: [{server: s, type: local, path: a, format: csv}]\n",
        "servers: [{server: s, type: local, path: b, format: csv}]\n",
    ),
    (K.STATUS_PROMISED, K.STATUS_WITHDRAWN, "status: draft\n", "status: active\n"),
    (K.STATUS_DEPRECATED, K.STATUS_RESTORED, "status: active\n", "status: deprecated\n"),
    (K.STATUS_RETIRED, K.STATUS_RESTORED, "status: deprecated\n", "status: retired\n"),
    (K.STATUS_CHANGED, K.STATUS_CHANGED, "status: proposed\n", "status: draft\n"),
    (K.POLICY_CHANGED, K.POLICY_CHANGED, "", "customProperties: [{property: xdeCompatibility, value: full}]\n"),
    (K.ROLE_ADDED, K.ROLE_REMOVED, "", "roles: [{role: reader}]\n"),
    (K.ROLE_CHANGED, K.ROLE_CHANGED, "roles: [{role: reader}]\n", "roles: [{role: reader, access: write}]\n"),
    (K.DESCRIPTION_CHANGED, K.DESCRIPTION_CHANGED, "", "description: {purpose: something}\n"),
    (K.DESCRIPTION_CHANGED, K.DESCRIPTION_CHANGED, column("businessName: one"), column("businessName: two")),
    (K.TAGS_CHANGED, K.TAGS_CHANGED, "tags: [x]\n", "tags: [y]\n"),
    (K.TAGS_CHANGED, K.TAGS_CHANGED, column("tags: [x]"), column("tags: [x, y]")),
    (K.PEOPLE_CHANGED, K.PEOPLE_CHANGED, "", "team: {members: [{username: a, role: owner}]}\n"),
    (K.SPELLING_CHANGED, K.SPELLING_CHANGED, column("physicalType: INT8"), column("physicalType: BIGINT")),
    (K.OTHER_CHANGED, K.OTHER_CHANGED, custom("somebodyElses", "1"), custom("somebodyElses", "2")),
]  # fmt: skip
BY_OTHERS = {K.CONTRACT_ADDED, K.CONTRACT_DROPPED, K.CONTRACT_ID_CHANGED, K.STANDARD_CHANGED}


@pytest.mark.parametrize(("kind", "back", "old", "new"), ROWS, ids=[f"{n}-{r[0]}" for n, r in enumerate(ROWS)])
def test_a_row(kind, back, old, new):
    assert [c.kind for c in changes_between(contract(old), contract(new))] == [kind]
    assert [c.kind for c in changes_between(contract(new), contract(old))] == [back]
    assert changes_between(contract(old), contract(old)) == ()
    assert changes_between(contract(new), contract(new)) == ()


def test_the_head_of_a_contract():
    other = HEAD.replace("id: c", "id: d").replace("v3.2.0", "v3.1.0")
    assert [c.kind for c in changes_between(contract(""), contract("", other))] == [K.CONTRACT_ID_CHANGED, K.STANDARD_CHANGED]
    assert changes_between(contract(""), contract("", HEAD.replace("1.0.0", "7.0.0"))) == ()


def test_every_kind_has_a_rule_and_a_row():
    assert set(RULES) == set(K)
    assert {k for row in ROWS for k in row[:2]} | BY_OTHERS == set(K)


@pytest.mark.parametrize("kind", K)
def test_a_rule_is_sound(kind):
    rule = RULES[kind]
    assert (rule.consumers is Verdict.BREAKING) == (rule.bump is Bump.MAJOR), "what breaks readers needs a new major version, and only that"
    assert rule.sources
    assert rule.bump is not Bump.NONE
    assert rule.judged(Policy.BACKWARD) is rule.consumers
    assert rule.judged(Policy.FORWARD) is rule.producers
    assert rule.judged(Policy.FULL) is max(rule.consumers, rule.producers)
    assert rule.judged(Policy.NONE) is Verdict.SAFE
    assert (rule.needs(Policy.FORWARD) is Bump.MAJOR) == (rule.producers is Verdict.BREAKING)
    assert rule.needs(Policy.NONE) <= Bump.MINOR


@pytest.mark.parametrize("kind", K)
def test_what_breaks_readers_one_way_does_not_the_other_unless_it_is_neither_more_nor_less(kind):
    """A promise that is taken back breaks readers; the same promise given is none of their harm."""
    backs = {back for k, back, *_ in ROWS if k is kind} | {k for k, back, *_ in ROWS if back is kind}
    both_ways = {K.CLASSIFICATION_RAISED, K.CLASSIFICATION_LOWERED, K.MASKING_ADDED, K.MASKING_DROPPED, K.TYPE_WIDENED, K.TYPE_NARROWED}
    if RULES[kind].consumers is Verdict.BREAKING and kind not in backs and kind not in both_ways:
        assert all(RULES[b].consumers is not Verdict.BREAKING for b in backs)
