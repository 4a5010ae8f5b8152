"""Dialects told from the beginning of a file: what real exports look like, and what they look like when a spreadsheet saved them."""

from __future__ import annotations

import pytest

from xde.undercurrents.management.profiling.sniffing import guess

GERMAN = "Datum;Betrag;Ort\n01.02.2024;1,50;Bonn\n02.02.2024;3,75;Köln\n"


@pytest.mark.parametrize(
    ("text", "delimiter", "columns"),
    [
        ("id,name\n1,Ada\n2,Bob\n", ",", ("id", "name")),
        ("id\tname\n1\tAda\n2\tBob\n", "\t", ("id", "name")),
        ("id|name, first\n1|Ada, a\n2|Bob, b\n", "|", ("id", "name, first")),
        (GERMAN, ";", ("Datum", "Betrag", "Ort")),
        ('id,place\n1,"(30.2,-97.7)"\n2,"(30.3,-97.6)"\n', ",", ("id", "place")),
    ],
)
def test_the_delimiter_is_the_one_that_makes_all_records_alike(text, delimiter, columns):
    found = guess(text)
    assert (found.delimiter, found.columns, found.header) == (delimiter, columns, True)


def test_a_comma_in_numbers_is_a_decimal_comma_where_it_parts_nothing():
    assert guess(GERMAN).decimal == ","
    assert guess("a;b\n1.5;x\n2,5;y\n").decimal == "."


def test_a_first_line_of_values_is_no_header():
    found = guess("1,2.5,x\n2,3.5,y\n3,4.5,z\n")
    assert not found.header
    assert found.columns == ("column_1", "column_2", "column_3")


def test_titles_above_the_header_are_passed_over():
    found = guess("Report of May\nid,amount\n1,2\n2,3\n3,4\n")
    assert (found.skip, found.columns) == (1, ("id", "amount"))


def test_comments_are_no_records():
    found = guess("# made by hand\nid,amount\n1,2\n2,3\n")
    assert (found.comment, found.columns) == ("#", ("id", "amount"))


def test_single_quotes_and_backslashes():
    assert guess("id,text\n1,'a,b'\n2,'c,d'\n").quote == "'"
    assert guess('id,text\n1,"a \\" b"\n2,"c"\n').escape == "\\"


def test_records_quoted_as_a_whole_are_one_column_and_said_to_be():
    found = guess('id,name,place\n"1,Ada,""Bonn, Rhein"""\n"2,Bob,Rom"\n')
    assert found.whole
    assert found.columns == ("id,name,place",)
    assert found.delimiter == "\t"


def test_one_column_is_one_column():
    found = guess("name\nAda\nBob\n")
    assert (found.columns, found.whole, found.header) == (("name",), False, True)
