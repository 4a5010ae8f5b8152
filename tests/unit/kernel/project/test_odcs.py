"""Contracts of the standard, held against its own schema."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import TYPE_CHECKING

from xde.ground.findings import Severity
from xde.kernel.project.contract_linter import lint_contract
from xde.kernel.project.odcs import read_contract

if TYPE_CHECKING:
    from xde.kernel.project.contract import Contract

SAMPLES = Path(__file__).parent / "samples"


def read(name: str) -> Contract:
    contract, root, findings = read_contract((SAMPLES / name).read_bytes(), name)
    assert contract is not None and root is not None
    assert not findings and not lint_contract(root)
    return contract


def test_the_sample_of_a_batch_table():
    contract = read("lineitem.odcs.yaml")
    assert (contract.name, contract.version, contract.status, contract.domain) == ("sales_lineitem", "1.2.0", "active", "sales")
    assert contract.description.startswith("Order lines for revenue")
    assert [s.name for s in contract.servers] == ["local", "prod"]
    assert contract.servers[1].settings == {"location": "s3://lake/gold/lineitem/", "format": "delta"}
    assert contract.team == (("ada@acme.example", "owner"), ("joe@acme.example", "dpo"))
    assert contract.custom["tier"].value == 1
    table = contract.schema[0]
    assert table.key == ("l_orderkey", "l_linenumber")
    assert table.grain == "One row per order and line number."
    assert table.custom["writeMode"].value == "merge"
    assert table.relationships[0].columns == ("l_orderkey",)
    assert (table.relationships[0].to_dataset, table.relationships[0].to_columns) == ("orders", ("o_orderkey",))
    rules = {rule.id: rule for rule in table.quality}
    assert (rules["rows"].type, rules["rows"].metric, rules["rows"].operator, rules["rows"].threshold) == (
        "library", "rowCount", "mustBeGreaterThan", 1000,
    )  # fmt: skip
    assert rules["pk"].arguments == {"properties": ["l_orderkey", "l_linenumber"]}
    assert rules["ship_before_receipt"].custom["rowPredicate"].value == "l_receiptdate >= l_shipdate"
    assert rules["ship_before_receipt"].severity == "warning"
    assert (rules["human"].type, rules["volume_spc"].engine) == ("text", "xde")
    columns = {p.name: p for p in table.properties}
    assert columns["l_tax"].options == {"minimum": 0, "maximum": 0.08}
    assert columns["l_returnflag"].enum == ("A", "N", "R")
    assert columns["l_shipdate"].partitioned and columns["l_shipdate"].partition_key_position == 1
    assert columns["l_comment"].personal and not columns["l_tax"].personal
    levels = {level.property: level for level in contract.service_levels}
    assert (levels["freshness"].value, levels["freshness"].unit, levels["freshness"].element) == (15000, "d", "lineitem.l_shipdate")
    assert levels["timeOfAvailability"].custom["graceMinutes"].value == 30
    assert contract.raw["context"]["instructions"].startswith("Revenue is")


def test_the_sample_with_personal_data():
    contract = read("crm.odcs.yaml")
    customers, events = contract.schema
    columns = {p.name: p for p in customers.properties}
    assert columns["country"].enum == ("DE", "FR", "NO")
    assert columns["labels"].items is not None and columns["labels"].items.logical_type == "string"
    assert columns["email"].personal and columns["email"].custom["maskingPolicy"].value["method"] == "hash"
    assert events.custom["deadLetter"].value == {"mode": "quarantine", "replay": True, "maxRejectedPercent": 5}
    assert (events.relationships[0].to_dataset, events.relationships[0].to_columns) == ("customers", ("customer_id",))
    assert str(columns["email"].span) == "crm.odcs.yaml:22:15"


def test_a_contract_can_be_kept():
    contract = read("crm.odcs.yaml")
    assert pickle.loads(pickle.dumps(contract)) == contract


OLD = b"""apiVersion: v3.0.2
kind: DataContract
id: a
version: 1.0.0
status: active
schema:
  - name: t
    properties:
      - name: n
        logicalType: integer
        logicalTypeOptions: {minimum: 0, exclusiveMinimum: true, maximum: 9, exclusiveMaximum: false}
        quality:
          - {rule: validValues, validValues: [1, 2], mustBe: 0}
          - {type: library, rule: duplicateCount}
      - name: d
        logicalType: date
        logicalTypeOptions: {maximum: "2013-12-31", exclusiveMaximum: true}
        oddity: 1
    quality:
      - {type: library, rule: rowCount, mustBeGreaterThan: 0}
      - {type: sql, query: "SELECT 1"}
team:
  - {role: owner}
support:
  - {channel: c, url: u, more: x}
"""


def test_a_document_of_3_0():
    contract, _, findings = read_contract(OLD, "old.yaml")
    assert contract is not None
    assert all(f.severity is Severity.WARNING for f in findings)
    assert sorted(f"{f.code} {f.span}" for f in findings) == ["XDE0301 old.yaml:18:9", "XDE0301 old.yaml:25:26", "XDE0302 old.yaml:23:5"]
    first, second = contract.schema[0].properties
    assert first.options == {"exclusiveMinimum": 0, "maximum": 9}
    assert second.options == {"exclusiveMaximum": "2013-12-31"}
    assert (first.quality[0].metric, first.quality[0].arguments) == ("invalidValues", {"validValues": [1, 2]})
    assert (first.quality[1].metric, first.quality[1].operator, first.quality[1].threshold) == ("duplicateValues", "mustBe", 0)
    assert contract.schema[0].quality[0].metric == "rowCount"
    assert contract.schema[0].quality[1].type == "sql"


def test_the_top_of_an_old_document_is_as_strict():
    _, _, findings = read_contract(b"apiVersion: v3.0.0\nkind: DataContract\nid: a\n", "old.yaml")
    assert [(f.code, f.severity) for f in findings] == [("XDE0302", Severity.ERROR)]


REFERENCES = b"""apiVersion: v3.1.0
kind: DataContract
id: a
version: 1.0.0
schema:
  - name: flights
    id: f
    properties:
      - {name: origin, logicalType: string, relationships: [{to: "/schema/ap/properties/code"}, {to: nyc.airports.faa}]}
      - name: pilot
        logicalType: object
        properties:
          - {name: home, logicalType: string, relationships: [{to: airports.place.city}]}
    relationships:
      - {from: [flights.a, flights.b], to: [other.t.x, other.t.y]}
      - {from: "/schema/f/properties/o", to: "geo.odcs.yaml#/schema/cities/properties/name", customProperties: [{vendor: xde, property: severity, value: warning}]}
  - name: airports
    id: ap
    properties: [{name: faa, id: code, logicalType: string}]
"""


def test_all_ways_to_refer_to_a_column():
    contract, _, findings = read_contract(REFERENCES, "r.yaml")
    assert contract is not None and not findings
    found = [(r.columns, r.to_dataset, r.to_columns, r.severity) for r in contract.schema[0].relationships]
    assert found == [
        (("a", "b"), "other.t", ("x", "y"), "error"),
        (("o",), "geo.cities", ("name",), "warning"),
        (("origin",), "airports", ("faa",), "error"),
        (("origin",), "nyc.airports", ("faa",), "error"),
        (("pilot.home",), "airports", ("place.city",), "error"),
    ]


def test_words_of_others_are_not_ours():
    text = b"""apiVersion: v3.1.0
kind: DataContract
id: a
version: 1.0.0
schema:
  - name: t
    properties: [{name: a, logicalType: string}]
    customProperties:
      - {property: xdeWriteMode, value: append}
      - {property: server, vendor: xde, value: here}
      - {property: writeMode, vendor: other, value: upsert}
      - {property: xdeFoo, vendor: other, value: 1}
      - {property: xdelta, value: 1}
servers: [{server: here, type: local, path: x, format: csv}]
"""
    contract, root, findings = read_contract(text, "a.yaml")
    assert contract is not None and root is not None and not findings
    assert {k: c.value for k, c in contract.schema[0].custom.items()} == {"writeMode": "append", "server": "here"}
    assert not lint_contract(root)
    assert len(contract.raw["schema"][0]["customProperties"]) == 5
