"""Every kind of rule, compiled from a contract and carried out on real files: what passes, what fails, what NULL does."""

from __future__ import annotations

import uuid
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from xde.connectors.duckdb.auditing import DuckdbAuditor
from xde.connectors.duckdb.proofs import proved
from xde.connectors.duckdb.statistics import data_file_from_copy
from xde.kernel.plan.checks import Action, Check, CheckKind
from xde.kernel.project.reader import read_project
from xde.lifecycle.storage.audit_port import Audit
from xde.lifecycle.storage.port import Column
from xde.undercurrents.management.quality.compile import compile_checks
from xde.undercurrents.management.quality.verdict import finding_of

HEAD = "apiVersion: v3.1.0\nkind: DataContract\nid: s\nname: s\nversion: 1.0.0\nstatus: active\nservers: [{server: l, type: local, path: data, format: csv}]\n"
INSTANCE = duckdb.connect()


def compiled(root: Path, properties: str, more: str = "") -> tuple[Check, ...]:
    (root / "sources").mkdir(exist_ok=True)
    (root / "xde.yaml").write_text("name: p\n")
    (root / "sources/s.yaml").write_text(
        f"{HEAD}{more}schema:\n  - name: other\n    properties: [{{name: k, logicalType: integer}}]\n  - name: t\n{properties}"
    )
    project, findings = read_project(root)
    assert project is not None and not findings.errors, list(findings)
    checks, told = compile_checks(project.datasets["s.t"])
    assert not told.errors, list(told)
    return checks


def audited(root: Path, checks, rows: str, kept: str = "", other: str = "SELECT 1::BIGINT AS k"):
    def write(sql: str):
        name = root / f"{uuid.uuid4().hex}.parquet"
        return data_file_from_copy(INSTANCE.execute(f"COPY ({sql}) TO '{name}' (FORMAT parquet, RETURN_STATS)").fetchone())

    schema = tuple(Column(n, t) for n, t, *_ in INSTANCE.execute(f"DESCRIBE {rows}").fetchall())
    there = write(other)
    others = {"s.other": ((Column("k", "BIGINT"),), (f"{root}/{there.path}",))}
    audit = Audit("s.t", schema, str(root), [write(rows)], [write(kept)] if kept else [], checks, "2026-03-01T00:00:00+00:00", others)
    return {r.check.id.removeprefix("s.t."): r for r in DuckdbAuditor(INSTANCE.cursor).audit(audit)}


COLUMN = "    properties:\n      - {{name: a, logicalType: {0}}}\n"
RULES = [
    ("integer, required: true", "required", "(1), (2)", "(1), (NULL)", 1),
    ("string, enum: [{value: x}, {value: y}]", "enum", "('x'), (NULL)", "('x'), ('z'), ('X')", 2),
    ("integer, logicalTypeOptions: {minimum: 3}", "minimum", "(3), (NULL)", "(2), (3)", 1),
    ("integer, logicalTypeOptions: {maximum: 3}", "maximum", "(3), (NULL)", "(4), (3)", 1),
    ("number, logicalTypeOptions: {exclusiveMinimum: 0}", "exclusiveMinimum", "(0.1), (NULL)", "(0), (1)", 1),
    ("number, logicalTypeOptions: {exclusiveMaximum: 1}", "exclusiveMaximum", "(0.1), (NULL)", "(0), (1)", 1),
    ("integer, logicalTypeOptions: {multipleOf: 5}", "multipleOf", "(10), (NULL)", "(10), (11)", 1),
    ("string, logicalTypeOptions: {minLength: 2}", "minLength", "('äö'), (NULL)", "('ä'), ('äö')", 1),
    ("string, logicalTypeOptions: {maxLength: 2}", "maxLength", "('äö'), (NULL)", "('äöü'), ('x')", 1),
    ('string, logicalTypeOptions: {pattern: "^[A-Z]+$"}', "pattern", "('AB'), (NULL)", "('AB'), ('aB'), ('')", 2),
    ('string, logicalTypeOptions: {pattern: "^(?<letters>[A-Z]+)$"}', "pattern", "('AB'), (NULL)", "('AB'), ('aB')", 1),
    ("string, logicalTypeOptions: {pattern: '^\\p{L}+$'}", "pattern", "('äB'), (NULL)", "('ä1'), ('ä')", 1),
    (r"string, logicalTypeOptions: {pattern: '^\(?<x[(?<y]$'}", "pattern", "('(<x?'), ('<xy'), (NULL)", "('P<x('), ('<x<')", 1),
    ("string, logicalTypeOptions: {format: email}", "format", "('a@b.cd'), (NULL)", "('a@b.cd'), ('a@b')", 1),
    ('date, logicalTypeOptions: {minimum: "2026-01-01"}', "minimum", "(DATE '2026-01-01'), (NULL)", "(DATE '2025-12-31')", 1),
]


@pytest.mark.parametrize(("words", "rule", "good", "bad", "failing"), RULES, ids=[f"{r[1]}-{r[0][:12]}" for r in RULES])
def test_rules_of_a_column(words, rule, good, bad, failing, tmp_path):
    checks = compiled(tmp_path, COLUMN.format(words))
    assert audited(tmp_path, checks, f"SELECT * FROM (VALUES {good}) AS t(a)")[f"a.{rule}"].passed
    result = audited(tmp_path, checks, f"SELECT * FROM (VALUES {bad}) AS t(a)")[f"a.{rule}"]
    assert (result.passed, result.failing, result.check.action) == (False, failing, Action.DEAD_LETTER)
    assert finding_of(result).message.startswith(f"`s.t`: {failing} of ")


def test_keys_look_at_the_rows_that_stay(tmp_path):
    checks = compiled(
        tmp_path,
        "    properties:\n      - {name: a, logicalType: integer, primaryKey: true, primaryKeyPosition: 1}\n      - {name: b, logicalType: integer, primaryKey: true, primaryKeyPosition: 2}\n",
    )
    same = "SELECT 1::BIGINT AS a, 1::BIGINT AS b"
    assert audited(tmp_path, checks, same)["a+b.unique"].passed
    assert audited(tmp_path, checks, same, kept="SELECT 1::BIGINT AS a, 2::BIGINT AS b")["a+b.unique"].passed
    result = audited(tmp_path, checks, same, kept=same)["a+b.unique"]
    assert (result.passed, result.failing, result.samples) == (False, 2, ({"a": "1", "b": "1", "times": "2"},))


def test_references_counts_freshness_and_sql(tmp_path):
    checks = compiled(
        tmp_path,
        """\
    relationships:
      - {type: foreignKey, from: t.k, to: other.k, customProperties: [{property: xdeSeverity, value: warning}]}
    quality:
      - {id: rows, metric: rowCount, mustBeBetween: [2, 3]}
      - {id: twice, type: sql, query: "SELECT count(*) FROM {object} WHERE k > 5", mustBeLessThan: 2}
      - {id: small, type: sql, query: "SELECT count(*) FROM {object} WHERE k > 5", mustBe: 0, customProperties: [{property: xdeRowPredicate, value: "k <= 5"}, {property: xdeOnFailure, value: warn}]}
    properties:
      - name: k
        logicalType: integer
        quality: [{id: nulls, metric: nullValues, mustBeLessThan: 40, unit: percent}]
      - {name: at, logicalType: timestamp}
""",
        "slaProperties: [{property: freshness, value: 2, unit: d, element: t.at}]\n",
    )
    rows = """SELECT * FROM (VALUES (1::BIGINT, TIMESTAMP '2026-02-28 00:00:00'), (9, NULL), (NULL, NULL)) AS t(k, "at")"""
    found = audited(tmp_path, checks, rows)
    assert {n: r.passed for n, r in found.items()} == {
        "k.reference": False,
        "rows": True,
        "twice": True,
        "small": False,
        "k.nulls": True,
        "at.freshness": True,
    }
    assert found["k.reference"].samples == ({"k": "9", "rows": "1"},)
    assert found["k.reference"].check.action is Action.WARN
    late = audited(tmp_path, checks, "SELECT 1::BIGINT AS k, TIMESTAMP '2026-02-01 00:00:00' AS \"at\"")
    assert (late["at.freshness"].passed, late["at.freshness"].value, late["rows"].passed) == (False, "28.0 days old", False)


def test_a_waiver_holds_until_its_day_and_no_sample_shows_a_person(tmp_path):
    waiver = "customProperties: [{property: xdeWaiver, value: {author: ada, reason: known, until: %s}}]"
    text = "    quality:\n      - {id: r, type: sql, query: 'SELECT count(*) FROM {object} WHERE k > 0', mustBe: 0, %s}\n    properties:\n      - {name: k, logicalType: integer, logicalTypeOptions: {maximum: 0}}\n      - {name: mail, logicalType: string, classification: restricted}\n"
    rows = "SELECT 1::BIGINT AS k, 'ada@b.cd' AS mail"
    held = audited(tmp_path, compiled(tmp_path, text % (waiver % '"2026-03-01"')), rows)
    over = audited(tmp_path, compiled(tmp_path, text % (waiver % '"2026-02-28"')), rows)
    assert (held["r"].passed, held["r"].waived, over["r"].waived) == (False, True, False)
    assert held["k.maximum"].samples == ({"k": "1"},)


def test_a_rule_that_does_not_run_fails_alone(tmp_path):
    rules = "    quality:\n      - {id: bad, type: sql, query: q, mustBe: 0, customProperties: [{property: xdeRowPredicate, value: 'no_such > 1'}]}\n    properties:\n      - {name: k, logicalType: integer, logicalTypeOptions: {maximum: 0}}\n"
    found = audited(tmp_path, compiled(tmp_path, rules), "SELECT 0::BIGINT AS k, 2 AS x UNION ALL SELECT 1, 2")
    assert found["bad"].value.startswith("error:")
    assert (found["k.maximum"].passed, found["k.maximum"].failing) == (False, 1)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.one_of(st.none(), st.integers(-9, 9)), st.one_of(st.none(), st.sampled_from("xyz"))), min_size=1, max_size=30),
    st.integers(-9, 9),
    st.integers(-9, 9),
)
def test_one_masked_scan_and_statistics_say_what_single_queries_say(tmp_path, data, low, high):
    rows = (
        "SELECT * FROM (VALUES "
        + ", ".join(f"({'NULL' if a is None else a}::INTEGER, {'NULL' if b is None else repr(b)}::VARCHAR)" for a, b in data)
        + ") AS t(a, b)"
    )
    rules = {
        "low": (f"a >= {low}", ("range", str(low), None, False, False)),
        "high": (f"a < {high}", ("range", None, str(high), False, True)),
        "there": ("a IS NOT NULL", ("not_null",)),
        "word": ("b IN ('x', 'y')", ()),
        "both": ("a > 0 OR b = 'z'", ()),
    }
    checks = tuple(Check(f"s.t.{n}", "s.t", CheckKind.ROW, Action.STOP, n, ("a",), sql, proof=proof) for n, (sql, proof) in rules.items())
    found = audited(tmp_path, checks, rows)
    for name, (sql, _) in rules.items():
        truly = INSTANCE.execute(f"SELECT count(*) FROM ({rows}) WHERE NOT ({sql})").fetchone()[0]
        assert (found[name].passed, found[name].failing) == (truly == 0, truly)


def test_doubt_is_no_proof():
    from xde.lifecycle.storage.port import DataFile, Statistics

    check = Check("x", "s.t", CheckKind.ROW, Action.STOP, "m", ("a",), "a >= 0", proof=("range", "0", None, False, False))
    assert proved(check, [DataFile("f", 1, 1, {"a": Statistics(0, "0", "1")})])
    for told in (
        {},
        {"a": Statistics(0, None, None)},
        {"a": Statistics(0, "-1", "1")},
        {"a": Statistics(0, "nan", "nan")},
        {"a": Statistics(0, "b", "c")},
    ):
        assert not proved(check, [DataFile("f", 1, 1, told)])
