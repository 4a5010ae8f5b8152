"""Rows in the formats of others, read back by other readers."""

import csv
import io
import json
from datetime import UTC, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from xde.faces.words.exports import export
from xde.faces.words.rows import rows_table

TABLE = pa.table(
    {
        "id": pa.array([1, 2, 3]),
        "text": pa.array(["plain", 'a,"b"\nc', ""]),
        "gone": pa.array([None, "x", None], pa.string()),
        "price": pa.array([Decimal("1.50"), None, Decimal("2.00")], pa.decimal128(9, 2)),
        "mean": pa.array([1.25, float("nan"), None]),
        "at": pa.array([datetime(2013, 1, 1, 5, tzinfo=UTC)] * 3, pa.timestamp("us", "UTC")),
        "tags": pa.array([["a"], [], None], pa.list_(pa.string())),
        "raw": pa.array([b"\x00", None, b"\xff"], pa.binary()),
        "map": pa.array([[("k", 1)], [], None], pa.map_(pa.string(), pa.int64())),
    }
)


def exported(form: str, table: pa.Table = TABLE) -> bytes:
    stream = io.BytesIO()
    assert export(table.to_reader(max_chunksize=2), form, stream) == table.num_rows
    return stream.getvalue()


def test_csv():
    assert list(csv.reader(io.StringIO(exported("csv").decode()))) == [
        ["id", "text", "gone", "price", "mean", "at", "tags", "raw", "map"],
        ["1", "plain", "", "1.50", "1.25", "2013-01-01 05:00:00.000000Z", '["a"]', "AA==", '{"k": 1}'],
        ["2", 'a,"b"\nc', "x", "", "nan", "2013-01-01 05:00:00.000000Z", "[]", "", "{}"],
        ["3", "", "", "2.00", "", "2013-01-01 05:00:00.000000Z", "", "/w==", ""],
    ]


def test_csv_tells_an_empty_text_from_a_null():
    assert exported("csv", pa.table({"n": [1, 2], "t": ["", None]})) == b'n,t\n1,""\n2,\n'


def test_ndjson():
    first, second, third = (json.loads(line) for line in exported("ndjson").decode().splitlines())
    assert first == {
        "id": 1,
        "text": "plain",
        "gone": None,
        "price": 1.5,
        "mean": 1.25,
        "at": "2013-01-01T05:00:00+00:00",
        "tags": ["a"],
        "raw": "AA==",
        "map": {"k": 1},
    }
    assert (second["mean"], second["tags"], third["map"]) == (None, [], None)


def test_json_is_one_document_also_without_rows():
    assert [r["id"] for r in json.loads(exported("json"))] == [1, 2, 3]
    assert json.loads(exported("json", TABLE.slice(0, 0))) == []


def test_parquet_is_the_table_itself():
    back = pq.read_table(io.BytesIO(exported("parquet")))
    assert back.schema == TABLE.schema
    assert back.drop(["mean"]).equals(TABLE.drop(["mean"]))  # NaN equals nothing
    assert back["mean"].to_pylist()[0::2] == [1.25, None]


@pytest.mark.parametrize("form", ["csv", "json", "ndjson", "parquet"])
def test_no_rows_and_no_batches(form):
    stream = io.BytesIO()
    assert export(pa.RecordBatchReader.from_batches(TABLE.schema, []), form, stream) == 0


def test_the_table_for_people():
    drawn = rows_table(
        TABLE.select(["id", "gone", "price", "mean", "tags"]).to_batches(), TABLE.select(["id", "gone", "price", "mean", "tags"]).schema
    )
    assert drawn.lines == [
        "id  gone  price  mean  tags",
        "──  ────  ─────  ────  ─────",
        ' 1  NULL   1.50  1.25  ["a"]',
        " 2  x      NULL   nan  []",
        " 3  NULL   2.00  NULL  NULL",
    ]
