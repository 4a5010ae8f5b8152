"""How a comparison of contracts is told: to a person, in a pull request, to a machine; and the documentation of the rules."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from xde.app.contracts import ChangeLine, Compared, Comparison
from xde.app.impact import Consumer, Impact
from xde.faces.words.compatibility import comparison_fact, comparison_markdown, comparison_text, rules_markdown
from xde.faces.words.ink import Ink
from xde.kernel.project.odcs import read_contract
from xde.undercurrents.management.compatibility.judging import judge

ROOT = Path(__file__).resolve().parents[4]
HEAD = "apiVersion: v3.1.0\nkind: DataContract\nid: c\nversion: {}\nstatus: {}\nschema:\n  - name: t\n    properties:\n{}"
THREE = "      - {name: a, logicalType: string}\n      - {name: b, logicalType: integer, physicalType: INTEGER}\n      - {name: c, description: x}\n"
TWO = "      - {name: b, logicalType: integer, physicalType: BIGINT}\n      - {name: c, description: 'y | z'}\n"
CONSUMERS = tuple(Consumer(f"marts.m{n}", "table", ("a",), False, ("me@example.com",)) for n in range(5))


def compared(impact, status="active", new="1.1.0"):
    old, now = (read_contract(HEAD.format(v, status, c).encode(), "sources/s.yaml")[0] for v, c in (("1.0.0", THREE), (new, TWO)))
    judgement = judge(old, now, is_read=lambda _: None if impact is None else bool(impact.consumers))
    lines = tuple(ChangeLine(j, "s.t" if j.change.element else "", impact) for j in judgement.judged)
    return Comparison("HEAD", (Compared(judgement, lines),), judgement.findings)


def test_a_change_is_told_with_its_place_its_reason_and_who_is_hit():
    text = comparison_text(compared(Impact(CONSUMERS, ("marts.last",))))
    assert text == (
        "sources/s.yaml  1.0.0 -> 1.1.0: needs a new major version (it has none)\n"
        "  breaking  s.t.a: column dropped, was string         sources/s.yaml:9\n"
        "            every query that names it fails"
        " (SemVer 2.0.0, 8; dbt, Breaking Changes of Contracts; Buf, Breaking Rules; measured: datacontract-cli 1.2.8)\n"
        "            breaks 5 datasets here: marts.m0, marts.m1, marts.m2 and 2 more (me@example.com), and through them 1 more dataset\n"
        "  risky     s.t.b: type widened, INTEGER to BIGINT    sources/s.yaml:9\n"
        "            all old values fit; a reader that keeps the old type may overflow on new ones"
        " (Avro, Schema Resolution; Delta Lake, Type Widening)\n"
        "            reaches 5 datasets here: marts.m0, marts.m1, marts.m2 and 2 more (me@example.com), and through them 1 more dataset\n"
        "  safe      s.t.c: description changed (description)  sources/s.yaml:10\n"
        "\n"
        "1 contract changed: 1 breaking, 1 risky, 1 safe\n"
    )


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("active", "nobody here reads it; others may: the contract promises it"),
        ("draft", "nobody here reads it; and it promises nothing yet"),
    ],
)
def test_what_nobody_reads(status, said):
    text = comparison_text(compared(Impact(), status))
    assert said in text
    assert ("1 breaking" in text) == (status == "active")


def test_what_is_not_known_is_not_claimed():
    text = comparison_text(compared(None))
    assert "nobody" not in text
    assert "breaks" not in text
    assert comparison_text(Comparison("HEAD", (), ())) == "no contract differs from HEAD\n"
    assert "does not load" in comparison_text(Comparison("HEAD", compared(None).compared, (), "the project as it was does not load: x"))
    assert "(it has one)" in comparison_text(compared(None, new="2.0.0"))


def test_colour_is_for_terminals():
    assert "\x1b[1;31mbreaking\x1b[0m" in comparison_text(compared(None), ink=Ink(on=True))
    assert "\x1b" not in comparison_text(compared(None))


def test_a_table_for_a_pull_request():
    text = comparison_markdown(compared(Impact(CONSUMERS[:1])))
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len(rows) == 5
    assert all(row.replace("\\|", "").count("|") == 5 for row in rows), "a bar in a cell is escaped"
    assert (
        "| **breaking** | s.t.a: column dropped, was string | every query that names it fails | breaks 1 dataset here: marts.m0 (me@example.com) |"
        in text
    )
    assert "error XDE0360" in text
    assert comparison_markdown(Comparison("HEAD", (), ())) == "No contract differs from `HEAD`.\n"


def test_a_document_for_a_machine():
    fact = json.loads(json.dumps(comparison_fact(compared(Impact(CONSUMERS[:1], ("marts.last",))))))
    (contract,) = fact["contracts"]
    assert {k: contract[k] for k in ("verdict", "needs", "declared", "policy", "promised")} == {
        "verdict": "breaking", "needs": "major", "declared": "minor", "policy": "backward", "promised": True
    }  # fmt: skip
    change = contract["changes"][0]
    assert (change["kind"], change["subject"], change["was"], change["now"]) == ("column dropped", "s.t.a", "t.a", None)
    assert change["hit"] == {
        "consumers": [{"dataset": "marts.m0", "kind": "table", "columns": ["a"], "rows": False, "owners": ["me@example.com"]}],
        "further": ["marts.last"],
    }
    assert change["place"]["path"] == "sources/s.yaml"
    assert fact["findings"][0]["code"] == "XDE0360"


def test_the_documentation_holds_the_whole_table():
    assert rules_markdown() in (ROOT / "docs/concepts/compatibility.md").read_text(encoding="utf-8"), (
        "make it again: python -c 'from xde.faces.words.compatibility import rules_markdown; print(rules_markdown())'"
    )
