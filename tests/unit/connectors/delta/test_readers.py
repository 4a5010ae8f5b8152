"""Whoever reads Delta Lake reads what we write: here delta-rs alone, which knows nothing of us."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from xde.lifecycle.storage.port import Column

EVERYTHING = """
    SELECT * FROM (VALUES
        (1::TINYINT, 2::SMALLINT, 3::INTEGER, 4::BIGINT, 1.5::FLOAT, 2.5::DOUBLE, true, 'ünï"c\\ode', '\\xFF\\x00'::BLOB, DATE '2013-01-02',
         TIMESTAMP '2013-01-02 03:04:05.123456', TIMESTAMPTZ '2013-01-02 03:04:05.5+05:30',
         12345678901234567890.1234567890::DECIMAL(38,10), -0.01::DECIMAL(5,2), 18446744073709551615::UBIGINT, 7::UTINYINT,
         [1, NULL, 3], {'a': 1, 'b c': [DATE '2020-02-29']}, MAP {'k': 1.5::DOUBLE}, [{'x': {'y': TIMESTAMP '2013-01-02'}}],
         TIME '12:34:56', '0195f3a8-0000-7000-8000-000000000001'::UUID, INTERVAL 3 DAYS, '{"j": 1}'::JSON, 'b'::ENUM('a', 'b'), 1::HUGEINT),
        (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
         NULL, NULL, NULL)
    ) AS t(i1, i2, i4, i8, f4, f8, bo, tx, bl, da, ts, tz, d38, d5, u8, u1, li, st, ma, deep, ti, uu, iv, js, en, hu)
"""


def zoneless(text):
    return datetime.fromisoformat(text)


def test_every_type_is_read_as_it_was_written(bench):
    bench.append(EVERYTHING)
    table = DeltaTable(str(bench.path))
    types = {f.name: f.type for f in pa.schema(table.schema().to_arrow())}
    assert types["ts"] == pa.timestamp("us")
    assert types["tz"] == pa.timestamp("us", "UTC")
    assert types["d38"] == pa.decimal128(38, 10)
    assert types["u8"] == pa.decimal128(20, 0)
    assert {types[c] for c in ("ti", "uu", "iv", "js", "en", "tx")} == {pa.string()}
    full, empty = sorted(table.to_pyarrow_table().to_pylist(), key=lambda r: r["i1"] is None)
    assert full == {
        "i1": 1,
        "i2": 2,
        "i4": 3,
        "i8": 4,
        "f4": 1.5,
        "f8": 2.5,
        "bo": True,
        "tx": 'ünï"c\\ode',
        "bl": b"\xff\x00",
        "da": date(2013, 1, 2),
        "ts": zoneless("2013-01-02 03:04:05.123456"),
        "tz": datetime(2013, 1, 1, 21, 34, 5, 500000, tzinfo=UTC),
        "d38": Decimal("12345678901234567890.1234567890"),
        "d5": Decimal("-0.01"),
        "u8": Decimal(18446744073709551615),
        "u1": 7,
        "li": [1, None, 3],
        "st": {"a": 1, "b c": [date(2020, 2, 29)]},
        "ma": [("k", 1.5)],
        "deep": [{"x": {"y": zoneless("2013-01-02")}}],
        "ti": "12:34:56",
        "uu": "0195f3a8-0000-7000-8000-000000000001",
        "iv": "3 days",
        "js": '{"j": 1}',
        "en": "b",
        "hu": Decimal(1),
    }
    assert set(empty.values()) == {None}


def test_statistics_are_those_of_the_rows(bench):
    bench.append(EVERYTHING)
    row = pa.table(DeltaTable(str(bench.path)).get_add_actions(flatten=False)).to_pylist()[0]
    assert row["num_records"] == 2
    assert {n for n, v in row["null_count"].items() if v == 1} == set(bench.snapshot().files[0].statistics) - {"st"}
    expected = {
        "i1": 1,
        "i8": 4,
        "f4": 1.5,
        "f8": 2.5,
        "tx": 'ünï"c\\ode',
        "da": date(2013, 1, 2),
        "ts": zoneless("2013-01-02 03:04:05.123456"),
        "tz": datetime(2013, 1, 1, 21, 34, 5, 500000, tzinfo=UTC),
        "d38": Decimal("12345678901234567890.1234567890"),
        "d5": Decimal("-0.01"),
        "u8": Decimal(18446744073709551615),
    }
    for bound in ("min", "max"):
        assert {n: row[bound][n] for n in expected} == expected


def test_statistics_come_back_in_the_engine_s_words(bench):
    bench.append("SELECT * EXCLUDE (st, bl, bo, uu) FROM (" + EVERYTHING + ")")
    schema, files = bench.write("SELECT * EXCLUDE (st, bl, bo, uu) FROM (" + EVERYTHING + ")")
    assert bench.snapshot().schema == schema
    assert bench.snapshot().files[0].statistics == files[0].statistics


def test_a_statistic_prunes_what_delta_rs_reads(bench):
    import pyarrow.dataset as ds

    for day in ("2013-01-01", "2013-01-02", "2013-01-03"):
        bench.append(f"SELECT TIMESTAMP '{day} 10:00:00.000001' AS at, 12.34::DECIMAL(9,2) AS amount")
    data = DeltaTable(str(bench.path)).to_pyarrow_dataset()
    wanted = ds.field("at") == pa.scalar(zoneless("2013-01-02 10:00:00.000001"))
    assert data.to_table(filter=wanted).num_rows == 1
    assert len(list(data.get_fragments(filter=wanted))) == 1


def test_more_columns_than_delta_indexes_by_itself(bench):
    bench.append("SELECT " + ", ".join(f"{i} AS c{i}" for i in range(60)))
    statistics = bench.snapshot().files[0].statistics
    assert {n: s.low for n, s in statistics.items()} == {f"c{i}": str(i) for i in range(60)}


@pytest.mark.parametrize(
    "value",
    [
        "'infinity'::TIMESTAMP",
        "'infinity'::DATE",
        "DATE '0044-03-15 (BC)'",
        "DATE '12013-01-01'",
        "'nan'::DOUBLE",
        "'inf'::DOUBLE",
        "'-infinity'::TIMESTAMPTZ",
        "TIMESTAMPTZ '0001-01-01 00:00:00+14'",
        "repeat('z', 1000)",
        "repeat('é', 1000)",
        "repeat(chr(1114111), 70)",
        "chr(0) || 'a'",
        "''",
        "(-0.0)::DOUBLE",
        "1e308::DOUBLE",
        "0.1::FLOAT",
        "9223372036854775807::BIGINT",
        "(-128)::TINYINT",
        "0::DECIMAL(38,37)",
        "(-99999999999999999999999999999999999999)::DECIMAL(38,0)",
    ],
)
def test_no_value_makes_a_log_that_cannot_be_read_or_a_bound_that_lies(bench, value):
    bench.append(f"SELECT {value} AS v")
    bench.append(f"SELECT NULL::{bench.schema(f'SELECT {value} AS v')[0].type} AS v")
    told = next(f for f in bench.snapshot().files if f.statistics["v"].nulls == 0).statistics["v"]
    if told.low is not None:
        kind = bench.snapshot().schema[0].type
        held = bench.duck.execute(
            f"SELECT v BETWEEN $low::{kind} AND $high::{kind} FROM (SELECT {value} AS v)", {"low": told.low, "high": told.high}
        )
        assert held.fetchone() == (True,)
    assert bench.duck.execute(f"SELECT count(*) FROM read_parquet({list(bench.snapshot().paths)}) WHERE v IS NOT NULL").fetchone() == (1,)


def test_odd_names_of_columns(bench):
    bench.append("""SELECT 1 AS "a.b", {'b': 2} AS a, 3 AS "q""`x", 4 AS "sp ace, comma", 5 AS "ümlaut", 6 AS "select" """)
    snapshot = bench.snapshot()
    assert {n: s.low for n, s in snapshot.files[0].statistics.items() if s.low} == {
        "a.b": "1",
        'q"`x': "3",
        "sp ace, comma": "4",
        "ümlaut": "5",
        "select": "6",
    }
    bench.append(
        """SELECT 7 AS "a.b", {'b': 2} AS a, 3 AS "q""`x", 4 AS "sp ace, comma", 5 AS "ümlaut", 6 AS "select" """, personal=("ümlaut",)
    )
    newest = next(f for f in bench.snapshot().files if f.statistics["a.b"].low == "7")
    assert set(newest.statistics) == {"a.b", 'q"`x', "sp ace, comma", "select"}
    assert DeltaTable(str(bench.path)).to_pyarrow_table().num_rows == 2


def test_tables_without_rows_and_zoneless_times(bench):
    bench.commit((Column("id", "BIGINT"),), ())
    assert DeltaTable(str(bench.path)).protocol().min_reader_version == 1, "no more is asked of a reader than is needed"
    assert DeltaTable(str(bench.path)).to_pyarrow_table().schema.names == ["id"]
    bench.append("SELECT 1::BIGINT AS id, TIMESTAMP '2013-01-01' AS at")
    protocol = DeltaTable(str(bench.path)).protocol()
    assert (protocol.min_reader_version, protocol.reader_features) == (3, ["timestampNtz"])


def test_schemas_that_grew_are_read_by_others_too(bench):
    bench.append("SELECT 1 AS id")
    bench.append("SELECT 2 AS id, 'x' AS word, [1] AS l, {'a': TIMESTAMP '2013-01-01'} AS s")
    rows = DeltaTable(str(bench.path)).to_pyarrow_table().sort_by("id").to_pylist()
    assert rows == [
        {"id": 1, "word": None, "l": None, "s": None},
        {"id": 2, "word": "x", "l": [1], "s": {"a": zoneless("2013-01-01")}},
    ]
