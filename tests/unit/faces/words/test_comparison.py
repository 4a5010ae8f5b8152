"""Differences as a person reads them, as a reviewer reads them, and as a machine does."""

import json
import math
from dataclasses import replace

from xde.faces.words.comparison import difference_fact, difference_text, overview_text, summary
from xde.faces.words.comparison_page import difference_page, overview_page
from xde.lifecycle.serving.comparing import ChangedRow, ColumnChange, Difference, Figures, Layout, Retyped, Samples, Side, WholeRow
from xde.lifecycle.storage.port import Column

KEY = (Retyped("id", "INTEGER", "INTEGER", "INTEGER"),)
COLUMNS = (Retyped("name", "VARCHAR", "VARCHAR", "VARCHAR"), Retyped("score", "FLOAT", "DOUBLE", "DOUBLE"))
LEFT = Side("prod:a.b@1", dataset="a.b", environment="prod", version="v1", number=1, at="2026-01-01T00:00:00+00:00", checks=(2, 0))
RIGHT = Side("dev:a.b@4", dataset="a.b", environment="dev", version="v2", number=4, at="2026-01-02T00:00:00+00:00", checks=(1, 1))
SAMPLES = Samples(
    ("id", "name", "score"),
    1,
    added=(WholeRow((7, "x|y\n`z` <b>@you", None)),),
    removed=(WholeRow((8, "gone", math.nan), 2),),
    changed=(ChangedRow((1, None, 0.1), (1, "", 0.1), (1,)), ChangedRow((2, "b", 0.1), (2, "b", 0.30000000000000004), (2,))),
)
FOUND = Difference(
    LEFT,
    RIGHT,
    Layout(KEY, COLUMNS, (Column("more", "DATE"),), (Column("less", "DATE"),)),
    2002,
    2001,
    1,
    2,
    2,
    columns=(
        ColumnChange("name", "VARCHAR", 1),
        ColumnChange("score", "DOUBLE", 1, 1, Figures(0.1, 1.5, 2.0, 0), Figures(0.1, 2.5, 2.0, 3)),
    ),
    samples=SAMPLES,
)
EQUAL = Difference(LEFT, RIGHT, Layout(KEY, COLUMNS[:1], (), ()), 5, 5)


def test_for_a_terminal():
    assert difference_text(FOUND) == (
        "a.b: 2 rows changed, 1 added, 2 removed; 1,998 unchanged\n"
        "  -  prod:a.b@1  2,002 rows  2026-01-01 00:00:00, version v1\n"
        "  +  dev:a.b@4   2,001 rows  2026-01-02 00:00:00, version v2\n"
        "  rows are paired by id\n"
        "\n"
        "+ column more DATE\n"
        "- column less DATE\n"
        "~ column score FLOAT → DOUBLE\n"
        "\n"
        "column  rows changed         min  mean       max  nulls\n"
        "──────  ────────────  ─────  ───  ─────────  ───  ─────\n"
        "name               1  0.1 %\n"
        "score              1  0.1 %  0.1  1.5 → 2.5  2    0 → 3\n"
        "score: all differ by less than 1e-9 (`--tolerance 1e-9` takes them for the same)\n"
        "\n"
        "2 rows changed, old → new\n"
        "id  name       score\n"
        "──  ─────────  ─────────────────────────\n"
        "1   NULL → ''  0.1\n"
        "2   b          0.1 → 0.30000000000000004\n"
        "\n"
        "1 row added\n"
        "id  name             score\n"
        "──  ───────────────  ─────\n"
        " 7  x|y↵`z` <b>@you   NULL\n"
        "\n"
        "2 rows removed\n"
        "times  id  name  score\n"
        "─────  ──  ────  ─────\n"
        "    2   8  gone    nan\n"
    )


def test_nothing_differs():
    assert summary(EQUAL) == "no difference in 5 rows"
    assert summary(replace(EQUAL, layout=FOUND.layout)) == "other columns; the values of the others are the same in 5 rows"


def test_long_texts_are_shown_where_they_part():
    one, other = "a" * 500 + "old" + "z" * 500, "a" * 500 + "new" + "z" * 500
    text = difference_text(replace(FOUND, samples=replace(SAMPLES, changed=(ChangedRow((1, one, 0.1), (1, other, 0.1), (1,)),))))
    assert f"…{'a' * 10}old{'z' * 27}… → …{'a' * 10}new{'z' * 27}…" in text


def test_for_a_reviewer_nothing_in_a_value_is_markup():
    page = difference_page(FOUND)
    assert "| checks | 2 passed | 1 passed, **1 failed** |\n" in page
    assert "| `7` | ``x\\|y↵`z` <b>@you`` | NULL |\n" in page
    assert "| `1` | `NULL` → `''` | `0.1` |\n" in page
    assert page.count("<details>") == page.count("</details>") == 3
    assert all(line.replace("\\|", "").count("|") in {0, 3, 4, 5, 8} for line in page.splitlines())


def test_of_two_environments():
    only = (["a.old"], ["a.new"])
    page = overview_page([FOUND, EQUAL], ("prod", "dev"), only)
    assert "| `a.old` | only in `prod` |  |  |\n| `a.new` | only in `dev` |  |  |\n" in page
    assert "| dataset | rows | columns changed | checks passed |\n" in page
    assert "| 2 of 2 → 1 of 2 |\n" in page
    assert page.count("### ") == 1, "what does not differ has no section"
    assert overview_text([EQUAL], ("prod", "dev"), only).splitlines() == [
        "a.b: no difference in 5 rows",
        "a.old: only in `prod`",
        "a.new: only in `dev`",
    ]
    assert overview_text([], ("prod", "dev"), ([], [])) == "`dev` shows the same versions of all datasets as `prod`\n"
    assert "No dataset differs." in overview_page([], ("prod", "dev"), ([], []))


def test_a_page_of_many_datasets_is_one_that_a_platform_takes_as_a_comment():
    page = overview_page([FOUND] * 400, ("prod", "dev"), ([], []))
    assert len(page) < 65_536
    assert "And 200 more." in page
    assert "Not shown, for a comment is no longer than this: `a.b`" in page


def test_for_a_machine():
    fact = json.loads(json.dumps(difference_fact(FOUND), allow_nan=False))
    assert set(fact) == {"equal", "left", "right", "key", "rows", "schema", "columns", "samples"}
    assert fact["rows"] == {"added": 1, "removed": 2, "changed": 2, "unchanged": 1998, "shared": 0}
    assert fact["left"]["checks"] == {"passed": 2, "failed": 0}
    assert fact["schema"]["retyped"] == [{"name": "score", "left": "FLOAT", "right": "DOUBLE", "compared_as": "DOUBLE"}]
    assert fact["samples"]["changed"][1]["columns"] == ["score"]
    assert fact["samples"]["removed"] == [{"times": 2, "row": {"id": 8, "name": "gone", "score": None}}]
