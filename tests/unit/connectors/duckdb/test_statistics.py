"""What DuckDB tells of a file it wrote, against the file."""

from __future__ import annotations

import duckdb

from xde.connectors.duckdb.statistics import data_file_from_copy
from xde.lifecycle.storage.port import Statistics


def copied(tmp_path, sql):
    target = tmp_path / "x.parquet"
    (row,) = duckdb.connect().execute(f"COPY ({sql}) TO '{target}' (FORMAT parquet, RETURN_STATS)").fetchall()
    return data_file_from_copy(row), target


def test_rows_size_and_bounds(tmp_path):
    file, target = copied(tmp_path, "SELECT CASE WHEN range > 0 THEN range END AS n, 'w' || range AS w FROM range(5)")
    assert (file.path, file.rows, file.size) == ("x.parquet", 5, target.stat().st_size)
    assert file.statistics == {"n": Statistics(1, "1", "4"), "w": Statistics(0, "w0", "w4")}


def test_only_whole_columns_are_named(tmp_path):
    file, _ = copied(tmp_path, """SELECT {'a': 1} AS st, [1] AS li, MAP {'k': 1} AS ma, 5 AS "st.a", 6 AS "q"".""x" """)
    assert set(file.statistics) == {"st", "li", "ma", "st.a", 'q"."x'}
    assert file.statistics["st"] == Statistics(0)
    assert file.statistics["st.a"].low == "5"


def test_numbers_that_are_none_leave_no_bounds(tmp_path):
    file, _ = copied(tmp_path, "SELECT unnest([1.5, 'nan'::DOUBLE, 2.5]) AS f")
    assert file.statistics == {"f": Statistics(0)}


def test_long_texts_have_bounds_that_are_not_values(tmp_path):
    file, target = copied(tmp_path, "SELECT repeat(chr(97 + range::INTEGER), 400) AS t FROM range(3)")
    told = file.statistics["t"]
    assert not told.exact
    assert duckdb.connect().execute(
        f"SELECT bool_and(t BETWEEN $low AND $high) FROM '{target}'", {"low": told.low, "high": told.high}
    ).fetchone() == (True,)
