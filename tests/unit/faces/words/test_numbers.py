"""Numbers with their units, and where one unit gives way to the next."""

import pytest

from xde.faces.words.numbers import amount, count, duration, moment, size


def test_counts_have_commas():
    assert [count(n) for n in (0, 999, 1234, 336776, 10**9)] == ["0", "999", "1,234", "336,776", "1,000,000,000"]


def test_amounts_know_one_from_many():
    assert [amount(n, "file") for n in (0, 1, 2, 1200)] == ["0 files", "1 file", "2 files", "1,200 files"]
    assert amount(2, "query", "queries") == "2 queries"


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (8_123_456, "8.1 MB"),
        (999_949, "999.9 kB"),
        (999_950, "1.0 MB"),
        (5 * 10**18, "5,000.0 PB"),
    ],
)
def test_sizes(number, text):
    assert size(number) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 ms"),
        (0.04, "40 ms"),
        (0.0994, "99 ms"),
        (0.0996, "0.1 s"),
        (2.1, "2.1 s"),
        (59.94, "59.9 s"),
        (59.96, "1 min 0 s"),
        (185, "3 min 5 s"),
        (3599.4, "59 min 59 s"),
        (3599.6, "1 h 0 min"),
        (7440, "2 h 4 min"),
    ],
)
def test_durations(seconds, text):
    assert duration(seconds) == text


def test_moments_lose_fraction_and_zone():
    assert moment("2026-01-01T12:30:00.123456+00:00") == "2026-01-01 12:30:00"
    assert moment(None) == ""
