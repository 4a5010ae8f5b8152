"""Values at the ends of their types, given by a source of dlt as Python's and as Arrow's: they come out as they went in."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from projects.extracts import Shop

KINDS = """\
import datetime as dt
from decimal import Decimal

import dlt
import pyarrow as pa

IST = dt.timezone(dt.timedelta(hours=5, minutes=30))
ROW = {
    "big": 2**100,
    "dec": Decimal("12345678901234567890.123456789012345678"),
    "bytes": bytes([0, 255, 10]),
    "t": dt.time(23, 59, 59, 999999),
    "at": dt.datetime(2026, 3, 29, 2, 30, tzinfo=IST),
    "naive": dt.datetime(2026, 3, 29, 2, 30, 0, 1),
    "day": dt.date(1, 1, 1),
    "many": [1, None, 3],
    "parts": {"x": Decimal("1.123456789012345678"), "y": "z"},
    "ratio": 5e-324,
    "word": "two\\nlines, \\u2028 and \\x00",
}
TYPES = {
    "big": pa.decimal128(38, 0),
    "dec": pa.decimal128(38, 18),
    "at": pa.timestamp("us", "Asia/Kolkata"),
    "parts": pa.struct([("x", pa.decimal128(38, 18)), ("y", pa.string())]),
}


@dlt.source
def kinds():
    @dlt.resource
    def lines():
        yield [ROW, {"word": None}]

    @dlt.resource
    def arrow():
        yield pa.table({n: pa.array([Decimal(v) if n == "big" else v, None], TYPES.get(n)) for n, v in ROW.items()})

    return lines, arrow
"""
COLUMNS = """\
    properties:
      - {name: big, logicalType: number, physicalType: "DECIMAL(38,0)"}
      - {name: dec, logicalType: number, physicalType: "DECIMAL(38,18)"}
      - {name: bytes, logicalType: string, physicalType: BLOB}
      - {name: t, logicalType: time}
      - {name: at, logicalType: timestamp, logicalTypeOptions: {timezone: true}}
      - {name: naive, logicalType: timestamp}
      - {name: day, logicalType: date}
      - {name: many, logicalType: array, items: {name: x, logicalType: integer}}
      - name: parts
        logicalType: object
        properties: [{name: x, logicalType: number, physicalType: "DECIMAL(38,18)"}, {name: y, logicalType: string}]
      - {name: ratio, logicalType: number}
      - {name: word, logicalType: string}
"""


@pytest.mark.slow
def test_every_value_comes_out_as_it_went_in(tmp_path):
    shop = Shop(tmp_path / "shop")
    shop.write("kinds.py", KINDS)
    shop.contract(f"  - name: lines\n{COLUMNS}  - name: arrow\n{COLUMNS}", "kinds:kinds", "")
    assert {o.rows for o in shop.run().values()} == {2}
    for name in ("lines", "arrow"):
        big, dec, octets, t, at, naive, day, many, parts, ratio, word = next(r for r in shop.rows(of=f"shop.{name}") if r[0] is not None)
        assert (int(big), dec, octets) == (2**100, Decimal("12345678901234567890.123456789012345678"), bytes([0, 255, 10]))
        assert (str(t), day) == ("23:59:59.999999", dt.date(1, 1, 1))
        assert at == dt.datetime(2026, 3, 28, 21, 0, tzinfo=dt.UTC)
        assert naive.isoformat() == "2026-03-29T02:30:00.000001"
        assert (many, parts) == ([1, None, 3], {"x": Decimal("1.123456789012345678"), "y": "z"})
        assert (ratio, word) == (5e-324, "two\nlines, \u2028 and \x00")
