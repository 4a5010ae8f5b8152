"""Statistics of a Parquet file that another engine has written, from its footer alone."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq

from xde.connectors.spark.footers import data_file
from xde.lifecycle.storage.port import Statistics


def test_bounds_are_in_the_words_of_duckdb(tmp_path):
    path = tmp_path / "a.parquet"
    table = pa.table(
        {
            "i": pa.array([3, None, 10], pa.int32()),
            "t": pa.array(["b", "a", None]),
            "n": pa.array([Decimal("1.50"), Decimal("-2.25"), None], pa.decimal128(12, 2)),
            "d": pa.array([date(2020, 2, 29), None, None]),
            "ts": pa.array(["2020-01-01 00:00:00.5", None, "2021-01-01"]).cast(pa.timestamp("us")),
            "tz": pa.array([datetime(2020, 1, 1, tzinfo=UTC)] * 3, pa.timestamp("us", "UTC")),
            "none": pa.array([None, None, None], pa.int64()),
            "l": pa.array([[1], [2], None]),
            "s": pa.array([{"x": 1}, {"x": 2}, None]),
            "dot.ted": pa.array([1.5, 2.5, None]),
        }
    )
    pq.write_table(table, path, row_group_size=2)
    file = data_file(path, "b.parquet")
    assert (file.path, file.rows, file.size) == ("b.parquet", 3, path.stat().st_size)
    told = file.statistics
    assert told["i"] == Statistics(1, "3", "10")
    assert told["t"] == Statistics(1, "a", "b")
    assert told["n"] == Statistics(1, "-2.25", "1.50")
    assert told["d"] == Statistics(2, "2020-02-29", "2020-02-29")
    assert told["ts"] == Statistics(1, "2020-01-01 00:00:00.5", "2021-01-01 00:00:00")
    assert told["tz"] == Statistics(0, "2020-01-01 00:00:00+00", "2020-01-01 00:00:00+00")
    assert told["none"] == Statistics(3, None, None)
    assert "l" not in told
    assert "s" not in told
