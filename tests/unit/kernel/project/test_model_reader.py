"""Heads and texts of models, good and bad."""

from __future__ import annotations

import pytest

from xde.kernel.project.declarations import Kind, ModelDataset
from xde.kernel.project.model_head import days
from xde.kernel.project.model_reader import read_model


def read(text: str) -> ModelDataset:
    model, findings = read_model("a.t", "models/a/t.sql", text.encode())
    assert model is not None and not findings
    return model


def test_every_word_of_a_head():
    head = read(
        "/* xde\nkind: incremental\ntime: flight_date\nlookback: 3 days\ngrain: month\nstart: 2013-01-01\nend: 2014-01-01\nbatch: 7\n"
        "description: How late\ntags: [marts, daily]\n*/\nSELECT 1\n"
    ).head
    assert (head.kind, head.time, head.key, head.lookback_days, head.grain) == (Kind.INCREMENTAL, "flight_date", (), 3.0, "month")
    assert (head.start, head.end, head.batch_intervals) == ("2013-01-01", "2014-01-01", 7)
    assert (head.description, head.tags) == ("How late", ("marts", "daily"))
    assert {word: (span.line, span.column) for word, span in head.spans.items()} == {
        "kind": (2, 7), "time": (3, 7), "lookback": (4, 11), "grain": (5, 8), "start": (6, 8), "end": (7, 6), "batch": (8, 8),
        "description": (9, 14), "tags": (10, 7),
    }  # fmt: skip


@pytest.mark.parametrize(("written", "key"), [("id", ("id",)), ("[a, b]", ("a", "b"))])
def test_a_key_is_a_column_or_a_list(written, key):
    assert read(f"/* xde\nkind: incremental\nkey: {written}\n*/\nSELECT 1").head.key == key


def test_the_kinds():
    assert [read(f"/* xde\nkind: {kind}\n*/\nSELECT 1").head.kind for kind in ("view", "table", "append")] == [
        Kind.VIEW,
        Kind.TABLE,
        Kind.APPEND,
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("SELECT x", 1),
        ("\n\nSELECT x", 1),
        ("-- what it is\n\nSELECT x", 1),
        ("/* xde\nkind: view\n*/\nSELECT x", 4),
        ("/* xde\nkind: view\n*/\n\n-- why\nSELECT x", 4),
        ("/* xde kind: view */ SELECT x", 1),
        ("-- licence\n-- more\n/* xde\nkind: view */SELECT x", 4),
        ("/* xde\r\nkind: view\r\n*/\r\nSELECT x", 4),
        ("/*xde\nkind: view\n*/\nSELECT x", 4),
        ("/* XDE: {kind: view} */\nSELECT x", 2),
        ("/* an ordinary comment */\nSELECT x", 1),
        ("/* xdelta is a tool */\nSELECT x", 1),
    ],
)
def test_lines_and_columns_of_the_sql_are_those_of_the_file(text, line):
    model = read(text)
    assert model.sql_line == line
    file = text.replace("\r\n", "\n").splitlines()
    for number, found in enumerate(model.sql.splitlines(), line):
        if found.strip():
            assert file[number - 1].find("SELECT x") == found.find("SELECT x")


@pytest.mark.parametrize("text", ["/* xde */\nSELECT 1", "/* xde\n*/\nSELECT 1", "/* xde\n# nothing yet\n*/\nSELECT 1"])
def test_an_empty_head_says_nothing(text):
    head = read(text).head
    assert head.kind is Kind.TABLE and not head.spans


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("3 days", 3), ("1 day", 1), ("12 hours", 0.5), ("6hours", 0.25), ("2 weeks", 14), ("1.5 days", 1.5),
        ("P3D", 3), ("PT12H", 0.5), ("P2W", 14), ("P1DT6H", 1.25), ("1 month", 0), ("P1Y", 0), ("", 0), ("days", 0), ("P", 0), ("PT", 0),
    ],
)  # fmt: skip
def test_lengths_in_days(text, length):
    assert days(text) == length


def test_the_digest_is_of_the_bytes():
    assert read("SELECT 1").digest == read("SELECT 1").digest != read("SELECT 1 ").digest


def test_a_long_run_of_blanks_is_read_at_once():
    assert read("SELECT" + " " * 1_000 + "\n" * 200_000 + "1")
    assert read(" ;\n" * 100_000 + "SELECT 1").sql_line == 1


@pytest.mark.parametrize(
    ("text", "sql"),
    [
        ("SELECT 1 AS id;\n", "SELECT 1 AS id \n"),
        ("SELECT 1 AS id ;; \n;", "SELECT 1 AS id    \n "),
        ("SELECT 1 AS id; -- done\n", "SELECT 1 AS id  -- done\n"),
        ("SELECT 1 AS id; /* done; */", "SELECT 1 AS id  /* done; */"),
        ("SELECT ';' AS id", "SELECT ';' AS id"),
        ("SELECT '; -- ' AS id", "SELECT '; -- ' AS id"),
        ("SELECT 'it''s; --'", "SELECT 'it''s; --'"),
        (r"SELECT E'\'; --'", r"SELECT E'\'; --'"),
        ('SELECT 1 AS "; --"', 'SELECT 1 AS "; --"'),
        ("SELECT 1 -- ;", "SELECT 1 -- ;"),
        ("SELECT 1 /* ; */", "SELECT 1 /* ; */"),
        ("SELECT $$; --$$", "SELECT $$; --$$"),
        ("SELECT 1; SELECT 2;", "SELECT 1; SELECT 2 "),
    ],
)
def test_a_semicolon_at_the_end_is_no_part_of_the_query(text, sql):
    model, findings = read_model("a.b", "models/a/b.sql", text.encode())
    assert (model.sql, findings) == (sql, [])
