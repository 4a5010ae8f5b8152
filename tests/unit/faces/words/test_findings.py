"""Findings in words, held to the letter."""

import json
from pathlib import Path

import pytest

from xde.faces.words.excerpt import pointed
from xde.faces.words.findings import Look, findings_fact, findings_text
from xde.faces.words.ink import Ink
from xde.ground.findings import Finding, Severity
from xde.ground.spans import Span

MODEL = """/* xde
kind: table
*/
SELECT
    f.day,
    f.origin,
    count(*)

FROM x
  SELECT f.carier, f.flight
\tWHERE '日本' = f.nmae
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "models").mkdir()
    (tmp_path / "models/flights.sql").write_text(MODEL, encoding="utf-8")
    return tmp_path


def said(root: Path, *findings: Finding, cells: int = 100) -> str:
    return findings_text(findings, Look(root, cells=cells))


def test_the_form_of_the_style(root: Path):
    (root / "nine.sql").write_text("\n" * 8 + "  SELECT f.carier, f.flight\n")
    finding = Finding(
        "XDE0204",
        "`staging.flights` reads a column that `nyc.flights` does not have",
        Span("nine.sql", 9, 12, 9, 18),
        "no such column",
        hint="did you mean `carrier`?",
    )
    assert said(root, finding) == (
        "error[XDE0204]: `staging.flights` reads a column that `nyc.flights` does not have\n"
        "  --> nine.sql:9:12\n"
        "   |\n"
        " 9 |   SELECT f.carier, f.flight\n"
        "   |            ^^^^^^ no such column\n"
        "   |\n"
        "hint: did you mean `carrier`?\n"
    )


def test_why_stands_before_the_hint_and_the_margin_grows_with_the_number(root: Path):
    finding = Finding("XDE0204", "no such column", Span("models/flights.sql", 10, 12, 10, 18), "here", "it has `a`\nand `b`", "say `a`")
    assert said(root, finding) == (
        "error[XDE0204]: no such column\n"
        "   --> models/flights.sql:10:12\n"
        "    |\n"
        " 10 |   SELECT f.carier, f.flight\n"
        "    |            ^^^^^^ here\n"
        "    |\n"
        "    = why: it has `a`\n"
        "           and `b`\n"
        "\n"
        "hint: say `a`\n"
    )


def test_tabs_and_wide_characters_do_not_move_the_caret(root: Path):
    finding = Finding("XDE0204", "m", Span("models/flights.sql", 11, 17, 11, 21), "no such column")
    assert said(root, finding).splitlines()[3:5] == [" 11 |     WHERE '日本' = f.nmae", "    |                      ^^^^ no such column"]


def test_a_place_without_an_end_gets_one_caret_and_one_beyond_the_line_stands_after_it(root: Path):
    assert said(root, Finding("XDE0204", "m", Span("models/flights.sql", 5, 5))).splitlines()[4] == "   |     ^"
    assert said(root, Finding("XDE0204", "m", Span("models/flights.sql", 5, 500, 5, 900))).splitlines()[4] == "   |           ^"


def test_several_lines(root: Path):
    finding = Finding("XDE0204", "m", Span("models/flights.sql", 1, 1, 3, 3), "this head")
    assert said(root, finding) == (
        "error[XDE0204]: m\n  --> models/flights.sql:1:1\n   |\n 1 | / /* xde\n 2 | | kind: table\n 3 | | */\n   | |__^ this head\n   |\n"
    )


def test_many_lines_are_left_out_in_the_middle(root: Path):
    finding = Finding("XDE0204", "m", Span("models/flights.sql", 1, 1, 10, 9), "all")
    assert said(root, finding).splitlines()[2:] == [
        "    |",
        "  1 | / /* xde",
        "  2 | | kind: table",
        "  3 | | */",
        "  4 | | SELECT",
        "...   |",
        "  9 | | FROM x",
        " 10 | |   SELECT f.carier, f.flight",
        "    | |________^ all",
        "    |",
    ]


def test_a_very_long_line_is_cut_around_the_caret(tmp_path: Path):
    (tmp_path / "long.csv").write_text("x" * 5000 + "BAD" + "y" * 5000 + "\n")
    lines = said(tmp_path, Finding("XDE0401", "m", Span("long.csv", 1, 5001, 1, 5004), "this"), cells=40).splitlines()
    assert lines[3:5] == [" 1 | …xxxxxxxxxxxxBADyyyyyyyyyyyyyyyyyyyyyyy…", "   |              ^^^ this"]


@pytest.mark.parametrize("cells", [20, 40, 100])
@pytest.mark.parametrize("start", [0, 5, 39, 60, 199])
@pytest.mark.parametrize("char", ["a", "日", "\t", "\x1b"])
def test_the_caret_stays_below_its_character_wherever_the_line_is_cut(cells: int, start: int, char: str):
    from xde.faces.words.cells import width

    line = char * start + "Q" + char * (200 - start)
    text, first, length = pointed(line, start, start + 1, cells)
    before, _, _ = text.partition("Q")
    assert width(before) == first
    assert length == 1
    assert width(text) <= cells + 1


@pytest.mark.parametrize("place", ["models/gone.sql", "models", "../../../../etc/none"])
def test_a_file_that_cannot_be_read_has_no_excerpt(root: Path, place: str):
    assert said(root, Finding("XDE0101", "m", Span(place, 3, 1), "l", hint="h")) == f"error[XDE0101]: m\n  --> {place}:3:1\n\nhint: h\n"


def test_binary_wrongly_encoded_and_windows_files(tmp_path: Path):
    (tmp_path / "binary").write_bytes(b"a\0b\n")
    (tmp_path / "latin").write_bytes("größe\r\n".encode("latin-1"))
    (tmp_path / "bom").write_bytes(b"\xef\xbb\xbfname: x\n")
    assert "binary:1:1\n" in said(tmp_path, Finding("XDE0101", "m", Span("binary"), "l"))
    assert "^" not in said(tmp_path, Finding("XDE0101", "m", Span("binary"), "l"))
    assert " 1 | gr��e\n   |   ^ l\n" in said(tmp_path, Finding("XDE0101", "m", Span("latin", 1, 3), "l"))
    assert " 1 | name: x\n   | ^^^^ l\n" in said(tmp_path, Finding("XDE0101", "m", Span("bom", 1, 1, 1, 5), "l"))


def test_the_line_after_the_last_can_be_pointed_at(tmp_path: Path):
    (tmp_path / "short.yaml").write_text("a: [\n")
    (tmp_path / "empty.yaml").write_text("")
    assert " 2 |\n   | ^ the end\n" in said(tmp_path, Finding("XDE0101", "m", Span("short.yaml", 2, 1), "the end"))
    assert "^" not in said(tmp_path, Finding("XDE0101", "m", Span("empty.yaml", 1, 1), "the end"))
    assert "^" not in said(tmp_path, Finding("XDE0101", "m", Span("short.yaml", 9, 1), "the end"))


def test_escapes_in_the_users_text_do_not_reach_the_terminal(tmp_path: Path):
    (tmp_path / "evil.yaml").write_text("a: \x1b]0;owned\x07\n")
    text = said(tmp_path, Finding("XDE0101", "bad \x1b[31m", Span("evil.yaml", 1, 4), "l\x1b", "w\x1b", "h\x1b"))
    assert "\x1b" not in text
    assert "\x07" not in text


def test_worst_first_then_by_place_and_a_line_of_count():
    one = Finding("XDE0302", "later", Span("b.yaml", 2, 1))
    two = Finding("XDE0301", "warned", Span("a.yaml", 1, 1), severity=Severity.WARNING)
    three = Finding("XDE0303", "sooner", Span("b.yaml", 1, 1))
    assert findings_text([two, one, three]) == (
        "error[XDE0303]: sooner\n  --> b.yaml:1:1\n"
        "\n"
        "error[XDE0302]: later\n  --> b.yaml:2:1\n"
        "\n"
        "warning[XDE0301]: warned\n  --> a.yaml:1:1\n"
        "\n"
        "2 errors, 1 warning\n"
    )


def test_colour_only_where_it_is_wanted(root: Path):
    finding = Finding("XDE0204", "m", Span("models/flights.sql", 5, 5, 5, 6), "l", hint="h")
    coloured = findings_text([finding], Look(root, Ink(on=True)))
    assert coloured.startswith("\x1b[1;31merror[XDE0204]\x1b[0m\x1b[1m: m\x1b[0m\n")
    assert "\x1b[1;31m^ l\x1b[0m" in coloured
    assert "\x1b" not in findings_text([finding], Look(root))


def test_the_same_as_data():
    document = findings_fact([Finding("XDE0204", "m", Span("a.sql", 9, 12), "l", "w", "h"), Finding("XDE0001", "n")])
    assert json.loads(json.dumps(document)) == {
        "findings": [
            {"code": "XDE0001", "severity": "error", "message": "n", "place": None, "label": "", "why": "", "hint": ""},
            {
                "code": "XDE0204",
                "severity": "error",
                "message": "m",
                "place": {"path": "a.sql", "line": 9, "column": 12, "end_line": 9, "end_column": 13},
                "label": "l",
                "why": "w",
                "hint": "h",
            },
        ]
    }
