"""Columns that likely show persons, and decoys that look like it."""

from __future__ import annotations

import pytest

from xde.undercurrents.management.profiling.facts import ColumnFacts
from xde.undercurrents.management.profiling.personal import iban, luhn, personal


def column(name, kind="VARCHAR"):
    return ColumnFacts(name, kind, 10, 0, 10)


def found(name, *values, kind="VARCHAR"):
    return personal(column(name, kind), lambda: values)


@pytest.mark.parametrize(
    ("name", "values", "kind"),
    [
        ("first_name", ("Ada", "Bob"), "name of a person"),
        ("customerEmail", ("x", "y"), "e-mail address"),
        ("contact", ("ada@example.com", "bob@example.org", "-"), "e-mail address"),
        ("note", tuple(["call me", "thanks", "ok", "see you"] * 2 + ["it is ada@example.com"[6:], "none"]), "e-mail address"),
        ("account", ("GB82 WEST 1234 5698 7654 32", "DE89370400440532013000"), "bank account"),
        ("payment", ("4111 1111 1111 1111", "5500000000000004"), "bank account"),
        ("source", ("10.0.0.1", "192.168.1.254"), "network address"),
        ("reach", ("+49 228 123456", "+1 212-555-0100"), "telephone number"),
        ("date_of_birth", ("1980-01-01",), "day of birth"),
        ("number", ("123-45-6789", "321-54-9876"), "number of identity"),
    ],
)
def test_persons(name, values, kind):
    told = found(name, *values)
    assert told is not None
    assert told.kind == kind
    assert told.sure == "high"


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("tailnum", ("N14228", "N24211")),
        ("name", ("Endeavor Air Inc.", "American Airlines Inc.")),
        ("payment", ("4111111111111112", "1234567890123456")),  # no right check digits
        ("sku", ("4006381333931", "9780306406157")),  # thirteen digits are not yet a card
        ("account", ("GB82WEST12345698765433", "DE00370400440532013000")),
        ("at", ("1587158703", "1528871759")),  # seconds, and no telephones
        ("version", ("1.2.3", "10.0.1")),
        ("published", ("2013-01-01", "2013-02-01")),
        ("filename", ("a.csv", "b.csv")),
    ],
)
def test_decoys(name, values):
    assert found(name, *values) is None


def test_a_name_alone_can_be_unsure_and_the_evidence_says_so():
    told = found("Address", "W 21ST ST")
    assert told is not None
    assert told.sure == "low"
    assert "`Address`" in told.evidence


def test_evidence_counts():
    told = found("contact", "a@b.co", "c@d.co", "none")
    assert told is not None
    assert told.evidence == "67 % of 3 different values are e-mail addresses"


def test_check_digits():
    assert luhn("79927398713")
    assert not luhn("79927398710")
    assert iban("GB82WEST12345698765432")
