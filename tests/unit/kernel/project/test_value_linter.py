"""Values in a contract that cannot be."""

from __future__ import annotations

import pytest

from xde.kernel.project.contract_linter import lint_contract
from xde.kernel.project.yaml_reader import read_yaml

FRAME = "apiVersion: v3.1.0\nkind: DataContract\nid: a\nversion: 1.0.0\nschema:\n  - name: t\n    properties:\n      - {{name: c, logicalType: {}}}\n"


def codes(column: str) -> list[str]:
    root, findings = read_yaml(FRAME.format(column).encode(), "a.yaml")
    assert root is not None and not findings
    return [f.code for f in lint_contract(root)]


@pytest.mark.parametrize(
    "pattern",
    [
        "^[A-Z]{2}$",
        r"\\d+",
        "(?<year>[0-9]{4})",
        r"\\p{L}+",
        "(?i)abc",
        "[[:alpha:]]",
        "a|b",
        r"\\(x\\)",
        r"[\\w.-]+@x",
        "[[a]",
        r"\\\\(?:=)",
    ],
)
def test_patterns_that_the_engine_can_match(pattern):
    assert codes(f"string, logicalTypeOptions: {{pattern: '{pattern}'}}".replace("\\\\", "\\")) == []


@pytest.mark.parametrize("pattern", ["(", "[a", "a{2,1}", "*a", "(?=x)", "(?<!x)y", r"(a)\1", "a**"])
def test_patterns_that_it_cannot(pattern):
    assert codes(f"string, logicalTypeOptions: {{pattern: '{pattern}'}}") == ["XDE0315"]


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ("integer, logicalTypeOptions: {minimum: 1, maximum: 1}", []),
        ("integer, logicalTypeOptions: {exclusiveMinimum: 1, maximum: 1}", ["XDE0316"]),
        ("string, logicalTypeOptions: {minLength: 3, maxLength: 2}", ["XDE0316"]),
        ("array, logicalTypeOptions: {minItems: 3, maxItems: 2}", ["XDE0316"]),
        ("date, logicalTypeOptions: {minimum: '2013-01-01', maximum: '2013-12-31'}", []),
        ("date, logicalTypeOptions: {format: dd.MM.yyyy, minimum: 31.12.2012, maximum: 01.01.2013}", []),
        ("timestamp, logicalTypeOptions: {minimum: '2013-01-01T00:00:00Z', maximum: '2012-12-31 23:59:59'}", ["XDE0316"]),
        ("time, logicalTypeOptions: {minimum: '06:00', maximum: '22:30:00'}", []),
        ("time, logicalTypeOptions: {minimum: six}", ["XDE0314"]),
        ("boolean, enum: [{value: true}]", []),
        ("boolean, enum: [{value: yes}]", ["XDE0314"]),
        ("integer, enum: [{value: 1}, {value: '2'}, {value: true}, {value: 1.5}]", ["XDE0314"] * 3),
        ("number, enum: [{value: 1}, {value: 2.5}]", []),
        ("string, enum: [{value: a}, {value: a, label: b}]", ["XDE0314"]),
        ("string, quality: [{metric: invalidValues, mustBe: 0, arguments: {validValues: [a, 1, null]}}]", ["XDE0314"]),
        ("string, quality: [{metric: rowCount, mustBe: 0}]", ["XDE0321"]),
        ("string, quality: [{metric: missingValues, mustBe: 0}]", ["XDE0321"]),
        ("map, map: {key: {logicalType: string}, value: {logicalType: string}}", []),
    ],
)
def test_values_and_bounds(column, expected):
    assert codes(column) == expected
