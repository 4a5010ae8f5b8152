"""Rows that belong together lie in files of their own on Spark, too: the same rows, in the order of the layout."""

import duckdb
import pytest

from xde.kernel.project.arranging import expressions
from xde.lifecycle.transformation.port import Layout, Query

pytestmark = pytest.mark.spark
PARTS = [["month(dt)", "g"], ["bucket(3, id)"], ["year(ts)"], ["day(tz)"], ["g"], ["bo", "hour(ts)"]]


@pytest.mark.parametrize("partition", PARTS, ids="+".join)
def test_rows_of_a_partition_lie_in_files_of_their_own(lab, tmp_path, partition):
    query = Query("SELECT id, g, dt, ts, tz, bo, x FROM lab.facts")
    types = lab.duck.columns(query, lab.inputs)
    layout = Layout(partition=expressions(partition), sort=("id",), types=types, file_bytes=128_000_000)
    files = lab.spark.write(query, lab.inputs, str(tmp_path), layout)
    seen: list[object] = []
    ids: list[int] = []
    with duckdb.connect() as asked:
        asked.execute("SET TimeZone = 'UTC'")
        for file in files:
            items = ", ".join(f"CAST({e} AS VARCHAR)" for e in expressions(partition))
            rows = asked.execute(f"SELECT id, {items} FROM read_parquet('{tmp_path}/{file.path}')").fetchall()
            assert len(rows) == file.rows
            assert [r[0] for r in rows] == sorted(r[0] for r in rows)
            ids += [r[0] for r in rows]
            if "bucket" not in partition[0]:
                assert len({r[1:] for r in rows}) == 1
                seen.append(rows[0][1:])
    assert sorted(ids) == list(range(1, 13))
    assert len(seen) == len(set(seen)), "one file for a partition of few rows"
    assert sorted(p.name for p in tmp_path.rglob("*")) == sorted(f.path for f in files)


def test_a_file_is_ended_where_it_is_large_enough(lab, tmp_path):
    query = Query("SELECT id, x FROM lab.facts")
    types = lab.duck.columns(query, lab.inputs)
    files = lab.spark.write(query, lab.inputs, str(tmp_path), Layout(sort=("id",), types=types, file_bytes=40))
    assert max(f.rows for f in files) <= 4
    assert sum(f.rows for f in files) == 12
