"""What a source gives, as it lies before the loader: every value with all of its digits, Arrow as Parquet, dict pages as lines."""

from __future__ import annotations

import datetime as dt
import io
import json
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from uuid import UUID

import pyarrow as pa
import pytest
from pyarrow import parquet

from xde.connectors.dlt.job import LOOKED_RECORDS, Job
from xde.connectors.dlt.writing import Given, Written, written


class Colour(Enum):
    RED = "red"


@dataclass
class Order:
    id: int
    amount: Decimal


IST = dt.timezone(dt.timedelta(hours=5, minutes=30))


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (Decimal("1.10"), "1.10"),
        (Decimal("1E+5"), "100000"),
        (Decimal("0.1234567890123456789012345678"), "0.1234567890123456789012345678"),
        (2**70, 2**70),
        (0.1, 0.1),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        (dt.datetime.fromisoformat("2026-03-29T02:30:00.123456"), "2026-03-29 02:30:00.123456"),
        (dt.datetime(2026, 3, 29, 2, 30, tzinfo=IST), "2026-03-29 02:30:00+05:30"),
        (dt.date(1, 1, 1), "0001-01-01"),
        (dt.time(23, 59, 59, 1), "23:59:59.000001"),
        (UUID(int=7), "00000000-0000-0000-0000-000000000007"),
        (Colour.RED, "red"),
        (b"abc", "abc"),
        ({"a": [Decimal("2.50"), {"b": float("inf")}]}, {"a": ["2.50", {"b": "inf"}]}),
        ((1, 2), [1, 2]),
        ({3: "x"}, {"3": "x"}),
        (Order(1, Decimal("9.90")), {"id": 1, "amount": "9.90"}),
        ("two\nlines\u2028", "two\nlines\u2028"),
        (None, None),
    ],
)
def test_a_value_is_written_as_it_is(value, told):
    line = written({"v": value})
    assert "\n" not in line
    assert json.loads(line) == {"v": told}


def test_bytes_of_a_column_of_bytes_are_written_as_the_engine_reads_them():
    assert json.loads(written({"v": b"\x00\xff"}, frozenset({"v"}))) == {"v": "\\x00\\xff"}


def test_what_is_no_record_is_the_value_of_one():
    assert written("a") == '{"value": "a"}'
    assert json.loads(written(Order(1, Decimal("2.0")))) == {"id": 1, "amount": "2.0"}


@pytest.mark.parametrize("record", [object(), pa.schema([]), len])
def test_what_can_be_no_record_is_refused(record):
    with pytest.raises(TypeError, match="which is no record"):
        written(record)


def job(tmp_path, **how):
    columns = how.pop("columns", [("id", "BIGINT", []), ("city", "VARCHAR", [])])
    return Job("read", 1, "", "a:b", {}, "orders", "merge", None, "", tables=str(tmp_path / "tables"), columns=columns, **how)


def taken(of, *items):
    out = io.StringIO()
    done = Written(of, out)
    for item in items:
        done.take(item)
    done.finish()
    return done, [json.loads(line) for line in out.getvalue().splitlines()]


def test_pages_are_counted_and_single_records_make_pages_too(tmp_path):
    done, rows = taken(job(tmp_path), [{"id": 1}, {"id": 2}], {"id": 3}, {"id": 4}, [{"id": 5}])
    assert [r["id"] for r in rows] == [1, 2, 3, 4, 5]
    assert done.parts == [(1, "orders page 1"), (3, "orders page 2"), (5, "orders page 3")]


def test_lists_within_carry_what_is_above_them(tmp_path):
    of = job(tmp_path, inner=[["lines"]], carried=[("../id", 1, ["id"])])
    _, rows = taken(of, [{"id": 1, "lines": [{"n": Decimal("1.50")}, {"n": 2}]}, {"id": 2, "lines": []}, {"id": 3}])
    assert rows == [{"../id": 1, "n": "1.50"}, {"../id": 1, "n": 2}]


def test_arrow_stays_arrow_with_the_columns_that_are_asked_for(tmp_path):
    amounts = pa.array([Decimal("1.10"), Decimal("2.20")], pa.decimal128(38, 10))
    page = pa.table({"id": [1, 2], "amount": amounts, "else": ["x", "y"]})
    columns = [("id", "BIGINT", []), ("amount", "DECIMAL(38,10)", []), ("lacking", "VARCHAR", [])]
    done, rows = taken(job(tmp_path, columns=columns, tells=True, known=["id", "amount"]), page, page.to_batches()[0])
    assert rows == []
    ((path, count, parts),) = done.tables
    assert (count, parts) == (4, [(1, "orders page 1"), (3, "orders page 2")])
    found = parquet.read_table(path)
    assert found.column_names == ["id", "amount"]
    assert found.column("amount").type == pa.decimal128(38, 10)
    assert list(done.new) == ["else"]


def test_arrow_goes_as_lines_where_a_column_is_looked_into(tmp_path):
    page = pa.table({"id": [1], "person": [{"city": "Oslo"}]})
    done, rows = taken(job(tmp_path, columns=[("id", "BIGINT", []), ("person.city", "VARCHAR", [])]), page)
    assert (done.tables, rows) == ([], [{"id": 1, "person": {"city": "Oslo"}}])


def test_a_new_column_of_arrow_is_kept_where_all_are_asked_for_and_begins_another_file(tmp_path):
    done, _ = taken(job(tmp_path, every=True), pa.table({"id": [1]}), pa.table({"id": [2], "more": ["x"]}))
    assert [parquet.read_table(p).column_names for p, _, _ in done.tables] == [["id"], ["id", "more"]]


@pytest.mark.parametrize(
    ("array", "told"),
    [(pa.array([dt.timedelta(seconds=1)]), "00:00:01"), (pa.array([Decimal(10) ** 60], pa.decimal256(70, 0)), str(10**60))],
)
def test_arrow_of_a_type_that_parquet_does_not_keep_goes_as_lines(tmp_path, array, told):
    done, rows = taken(job(tmp_path), pa.table({"id": array}))
    assert done.tables == []
    assert rows == [{"id": told}]


def test_arrow_lies_on_no_disk_where_nothing_may(tmp_path):
    of = Job("read", 1, "", "a:b", {}, "orders", "merge", None, "", private=True)
    done, rows = taken(of, pa.table({"id": [1]}))
    assert (done.tables, rows) == ([], [{"id": 1}])


def test_what_is_given_in_another_order_or_other_pages_is_the_same():
    one, two, three = Given(), Given(), Given()
    one.take([{"id": 1}, {"id": 2}])
    two.take({"id": 2})
    two.take(pa.table({"id": [1]}))
    three.take([{"id": 1}, {"id": 3}])
    assert str(one) == str(two)
    assert str(one) != str(three)


def test_more_than_is_looked_at_is_only_counted():
    given = Given()
    given.take(pa.table({"id": range(LOOKED_RECORDS + 1)}))
    assert not given.known
    assert str(given).startswith(f"{LOOKED_RECORDS + 1}:")
