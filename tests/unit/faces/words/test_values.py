"""Values for people and for JSON, every kind that Arrow gives."""

from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal

import pytest

from xde.faces.words.values import column_texts, json_value, value_text


def test_floating_point_numbers_of_a_column_share_their_decimals():
    assert column_texts([1.5, None, 13.90271, -2.0]) == ["1.5000", None, "13.9027", "-2.0000"]
    assert column_texts([1.0, 2.0]) == ["1.0", "2.0"]
    assert column_texts([0.1 + 0.2, 10.25]) == ["0.30", "10.25"]
    assert column_texts([float("nan"), float("inf"), 1e-9, 1e20, 0.5]) == ["nan", "inf", "1e-09", "1e+20", "0.5"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (336776, "336776"),
        (Decimal("12.50"), "12.50"),
        (Decimal("1E+3"), "1000"),
        (date(2013, 1, 1), "2013-01-01"),
        (datetime(2013, 1, 1, 5, 15, tzinfo=UTC).replace(tzinfo=None), "2013-01-01 05:15:00"),
        (datetime(2013, 1, 1, 5, 15, tzinfo=UTC), "2013-01-01 05:15:00+00"),
        (datetime(2013, 1, 1, 5, 15, tzinfo=timezone(timedelta(hours=-5))), "2013-01-01 05:15:00-05:00"),
        (time(5, 15), "05:15:00"),
        (b"\x00\xff", "0x00ff"),
        ({"a": [1, None]}, '{"a": [1, null]}'),
        (timedelta(hours=1), "1:00:00"),
        ("x" * 300, "x" * 200 + "…"),
    ],
)
def test_values_for_people(value, text):
    assert value_text(value) == text


@pytest.mark.parametrize(
    ("value", "data"),
    [
        (None, None),
        (2**60, 2**60),
        (0.1, 0.1),
        (float("nan"), None),
        (float("-inf"), None),
        (Decimal("12.50"), 12.5),
        (Decimal("12"), 12),
        (Decimal("12345678901234567890.12"), "12345678901234567890.12"),
        (datetime(2013, 1, 1, 5, 15, tzinfo=UTC), "2013-01-01T05:15:00+00:00"),
        (date(2013, 1, 1), "2013-01-01"),
        (b"\x00\xff", "AP8="),
        ({"a": date(2013, 1, 1)}, {"a": "2013-01-01"}),
        ([Decimal("0.5"), None], [0.5, None]),
    ],
)
def test_values_for_machines(value, data):
    assert json_value(value) == data
