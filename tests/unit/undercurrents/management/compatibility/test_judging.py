"""Versions, policies and promises: when a change of a contract is allowed."""

from __future__ import annotations

import pytest

from xde.ground.findings import Severity
from xde.kernel.project.odcs import read_contract
from xde.undercurrents.management.compatibility.judging import judge, judge_added, judge_dropped
from xde.undercurrents.management.compatibility.kinds import Bump, ChangeKind, Verdict
from xde.undercurrents.management.compatibility.rules import Policy
from xde.undercurrents.management.compatibility.versions import Version, bump_between


def contract(version: str, columns: str = "{name: a}", more: str = ""):
    text = f"apiVersion: v3.1.0\nkind: DataContract\nid: c\nversion: {version}\n{more}schema:\n  - {{name: t, properties: [{columns}]}}\n"
    found, _, findings = read_contract(text.encode(), "sources/c.yaml")
    assert found is not None and not findings, findings
    return found


def codes(judgement):
    return [(f.code, f.severity) for f in judgement.findings]


TWO, ONE = "{name: a}, {name: b}", "{name: a}"
ERROR, WARNING = Severity.ERROR, Severity.WARNING


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("1.0.0", "1.0.0", [("XDE0360", ERROR)]),
        ("1.0.0", "1.1.0", [("XDE0360", ERROR)]),
        ("1.0.0", "2.0.0", []),
        ("1.0.0", "2.0.0-rc.1", []),
        ("2.0.0-rc.1", "2.0.0-rc.2", []),
        ("1.4.0", "3.0.0", []),
        ("1.2.0", "1.1.9", [("XDE0361", ERROR)]),
        ("2.0.0", "2.0.0-rc.1", [("XDE0361", ERROR)]),
        ("0.3.0", "0.3.1", [("XDE0360", ERROR)]),
        ("0.3.0", "0.4.0", []),
        ("v1", "v2", []),
        ("v1", "v1.1", [("XDE0360", ERROR)]),
        ('"2026-01"', '"2026-02"', [("XDE0363", WARNING)]),
        ('"2026-01"', '"2026-01"', [("XDE0363", ERROR)]),
        ("1.0.0", "1.0.0+build7", [("XDE0360", ERROR)]),
    ],
)
def test_a_dropped_column_needs_a_new_major_version(old, new, expected):
    assert codes(judge(contract(old, TWO), contract(new, ONE))) == expected


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("1.0.0", "1.0.0", [("XDE0362", WARNING)]),
        ("1.0.0", "1.0.1", [("XDE0362", WARNING)]),
        ("1.0.0", "1.1.0", []),
        ("1.0.0", "2.0.0", []),
        ("0.3.0", "0.3.1", []),
        ('"2026-01"', '"2026-01"', [("XDE0363", WARNING)]),
    ],
)
def test_an_added_column_asks_for_a_new_minor_version(old, new, expected):
    assert codes(judge(contract(old, ONE), contract(new, TWO))) == expected


def test_nothing_changed_asks_for_nothing():
    judgement = judge(contract("1.0.0"), contract("1.0.0"))
    assert (judgement.findings, judgement.needs, judgement.verdict) == ((), Bump.NONE, Verdict.SAFE)
    assert judge(contract("1.0.0"), contract("1.7.0")).findings == ()
    assert codes(judge(contract("1.7.0"), contract("1.0.0"))) == [("XDE0361", ERROR)]


def test_the_mend_is_the_least_version_that_will_do():
    (finding,) = judge(contract("1.4.2", TWO), contract("1.5.0", ONE)).findings
    assert "`version: 2.0.0`" in finding.hint
    assert "`t.b`: column dropped" in finding.why
    (finding,) = judge(contract("0.4.2", TWO), contract("0.4.3", ONE)).findings
    assert "`version: 0.5.0`" in finding.hint
    (finding,) = judge(contract("1.4.2", ONE), contract("1.4.2", TWO)).findings
    assert "`version: 1.5.0`" in finding.hint


POLICY = "customProperties: [{{property: xdeCompatibility, value: {}}}]\n"


@pytest.mark.parametrize(
    ("policy", "dropped", "required"),
    [
        ("backward", [("XDE0360", ERROR)], [("XDE0362", WARNING)]),
        ("forward", [("XDE0362", WARNING)], [("XDE0360", ERROR)]),
        ("full", [("XDE0360", ERROR)], [("XDE0360", ERROR)]),
        ("none", [("XDE0362", WARNING)], [("XDE0362", WARNING)]),
    ],
)
def test_a_policy_protects_readers_or_writers_or_both_or_nobody(policy, dropped, required):
    more = POLICY.format(policy)
    assert codes(judge(contract("1.0.0", TWO, more), contract("1.0.0", ONE, more))) == dropped
    assert codes(judge(contract("1.0.0", ONE, more), contract("1.0.0", "{name: a}, {name: b, required: true}", more))) == required


def test_whom_a_contract_protects_cannot_be_taken_away_with_what_it_protects():
    assert judge(contract("1.0.0", TWO), contract("1.0.0", ONE, POLICY.format("none"))).policy is Policy.BACKWARD


@pytest.mark.parametrize(
    ("status", "read", "verdict", "severity"),
    [
        ("active", False, Verdict.BREAKING, ERROR),
        ("active", True, Verdict.BREAKING, ERROR),
        ("active", None, Verdict.BREAKING, ERROR),
        ("deprecated", False, Verdict.BREAKING, ERROR),
        ("draft", False, Verdict.RISKY, WARNING),
        ("draft", True, Verdict.BREAKING, WARNING),
        ("draft", None, Verdict.BREAKING, WARNING),
        ("proposed", False, Verdict.RISKY, WARNING),
    ],
)
def test_a_draft_promises_nothing_so_that_only_those_who_read_it_are_hit(status, read, verdict, severity):
    more = f"status: {status}\n"
    judgement = judge(contract("1.0.0", TWO, more), contract("1.0.0", ONE, more), is_read=lambda _: read)
    assert judgement.verdict is verdict
    assert judgement.judged[0].rule is Verdict.BREAKING
    assert codes(judgement) == [("XDE0360", severity)]


def test_deprecation_names_its_end():
    active, deprecated = contract("1.0.0", more="status: active\n"), contract("1.1.0", more="status: deprecated\n")
    assert codes(judge(active, deprecated)) == [("XDE0364", WARNING)]
    ends = contract("1.1.0", more="status: deprecated\nslaProperties: [{property: endOfSupport, value: 2027-01-01}]\n")
    assert codes(judge(active, ends)) == []


def test_a_contract_comes_and_goes():
    assert judge_added(contract("1.0.0")).findings == ()
    gone = judge_dropped(contract("1.0.0", more="status: active\n"))
    assert codes(gone) == [("XDE0365", ERROR)]
    assert {j.change.kind for j in gone.judged} == {ChangeKind.CONTRACT_DROPPED, ChangeKind.TABLE_DROPPED}
    for status in ("retired", "draft"):
        assert judge_dropped(contract("1.0.0", more=f"status: {status}\n")).findings == ()


def test_worst_first():
    old, new = contract("1.0.0", "{name: a}, {name: b}, {name: c, logicalType: integer, physicalType: INTEGER}"), contract("2.0.0", "{name: a}, {name: d}, {name: c, logicalType: integer, physicalType: BIGINT}")  # fmt: skip
    assert [j.verdict.word for j in judge(old, new).judged] == ["breaking", "risky", "safe"]


ORDER = [
    *("1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1"),
    *("1.0.0", "1.0.1", "1.2.0", "1.10.0", "2.0.0"),
]


def test_versions_sort_as_the_specification_shows():
    """The chain of semver.org 2.0.0, item 11, and numbers after it."""
    versions = [Version.read(v) for v in ORDER]
    mixed = versions[::2] + versions[1::2]
    assert sorted(mixed, key=lambda v: v.precedence) == versions
    assert [str(v) for v in versions] == ORDER


@pytest.mark.parametrize("text", ["", "1.", "01.0.0", "1.0.0-", "1.0.0.0", "latest", "-1.0.0", "1.0.0 beta"])
def test_no_versions(text):
    assert Version.read(text) is None


@pytest.mark.parametrize(
    ("old", "new", "bump"),
    [
        ("1.0.0", "1.0.1", Bump.PATCH),
        ("1.0.9", "1.1.0", Bump.MINOR),
        ("1.9.9", "2.0.0", Bump.MAJOR),
        ("1.0.0", "1.0.0+x", Bump.NONE),
        ("0.1.0", "0.1.1", Bump.MINOR),
        ("0.1.0", "0.2.0", Bump.MAJOR),
        ("0.9.0", "1.0.0", Bump.MAJOR),
        ("1.0.0-a", "1.0.0", Bump.MAJOR),
        ("1.1.0", "1.0.0", Bump.NONE),
    ],
)
def test_bumps(old, new, bump):
    assert bump_between(Version.read(old), Version.read(new)) is bump


@pytest.mark.parametrize("text", ["0.0.1", "0.3.7", "1.0.0", "4.5.6"])
@pytest.mark.parametrize("bump", Bump)
def test_the_next_version_of_a_bump_declares_it(text, bump):
    version = Version.read(text)
    assert bump_between(version, version.bumped(bump)) >= bump
