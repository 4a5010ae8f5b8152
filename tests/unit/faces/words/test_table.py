"""Tables: alignment in any script, nulls, and what happens when they are too wide."""

from xde.faces.words.ink import Ink
from xde.faces.words.table import Column, draw


def test_numbers_stand_right_nulls_are_named_and_wide_characters_count_two():
    drawn = draw([Column("city"), Column("flights", right=True), Column("note")], [["東京", "12", None], ["Zürich", "1234", "x\ny"]])
    assert drawn.lines == [
        "city    flights  note",
        "──────  ───────  ────",
        "東京         12  NULL",
        "Zürich     1234  x↵y",
    ]
    assert drawn.hidden == ()


def test_a_table_without_rows_is_its_titles():
    assert draw([Column("a"), Column("b", right=True)], []).lines == ["a  b", "─  ─"]


def test_long_cells_are_cut_before_columns_are_hidden():
    rows = [["a" * 100, "b", "c"]]
    drawn = draw([Column("one"), Column("two"), Column("three")], rows, cells=80)
    assert drawn.hidden == ()
    assert drawn.lines[2] == "a" * 59 + "…  b    c"


def test_columns_that_find_no_room_are_hidden_from_the_right_and_named():
    drawn = draw([Column("first"), Column("second"), Column("third")], [["1", "2", "3"]], cells=14)
    assert drawn.lines == ["first  second", "─────  ──────", "1      2"]
    assert drawn.hidden == ("third",)


def test_the_first_column_is_never_hidden():
    drawn = draw([Column("name"), Column("x")], [["abcdefghij", "y"]], cells=6)
    assert drawn.lines == ["name", "──────", "abcde…"]
    assert drawn.hidden == ("x",)


def test_without_a_width_nothing_is_cut():
    assert draw([Column("a"), Column("b")], [["x" * 300, "y"]]).lines[2] == "x" * 300 + "  y"


def test_nulls_are_dim():
    assert draw([Column("a")], [[None]], ink=Ink(on=True)).lines[2] == "\x1b[2mNULL\x1b[0m"
