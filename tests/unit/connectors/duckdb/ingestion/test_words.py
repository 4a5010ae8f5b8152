"""What is said of a record that the CSV reader refused: how many fields it has, and what was done to it."""

import pytest

from xde.connectors.duckdb.ingestion.words import STRUCTURE, looked_at
from xde.lifecycle.ingestion.port import Dialect, LetterReason

FEW, MANY = (LetterReason("parse", None, STRUCTURE[k]) for k in ("MISSING COLUMNS", "TOO MANY COLUMNS"))


@pytest.mark.parametrize(
    ("reason", "raw", "says"),
    [
        (FEW, b"1,2\r\n", "the record has 2 fields, the header 3"),
        (FEW, b"1\n", "the record has 1 field, the header 3"),
        (MANY, b'1,"2,2",3,4\n', "the record has 4 fields, the header 3"),
        (FEW, b'"1,""2"",3"\n', "the whole record stands in one pair of quotes: 1 field where there should be 3"),
        (FEW, b'"1"\n', "the record has 1 field, the header 3"),
        (LetterReason("parse", None, "another thing"), b"1\n", "another thing"),
        (LetterReason("type", "a", STRUCTURE["MISSING COLUMNS"]), b"1\n", STRUCTURE["MISSING COLUMNS"]),
    ],
)
def test_fields_are_counted(reason, raw, says):
    assert looked_at(reason, raw, ("a", "b", "c"), Dialect()).message == says


def test_without_a_header_or_quotes_nothing_is_made_up():
    assert looked_at(FEW, b"1\n", (), Dialect()) is FEW
    assert looked_at(FEW, b"1;2\n", ("a", "b", "c"), Dialect(delimiter=";", quote="")).message == "the record has 2 fields, the header 3"
