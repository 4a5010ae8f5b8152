"""Append, merge, replace, delete and compact on a real lake give what a plain list of rows gives."""

from __future__ import annotations

import tempfile
import uuid
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from xde.connectors.delta.lake import DeltaLake
from xde.connectors.duckdb.statistics import data_file_from_copy
from xde.lifecycle.storage.merging import Merger
from xde.lifecycle.storage.port import Column, Commit, DataFile, Snapshot, TableId
from xde.lifecycle.storage.prune import may_hold
from xde.lifecycle.storage.rewrite import (
    NEW,
    doubled_finding,
    doubled_keys,
    merge_by_key,
    replace_interval,
    small_files,
)

TABLE = TableId("shop.orders", "v1")
SCHEMA = (Column("k", "INTEGER"), Column("w", "VARCHAR"), Column("day", "DATE"), Column("v", "INTEGER"))
START = date(2013, 1, 1)
DUCK = duckdb.connect()


def write(sql, inputs, parameters, folder, _arranged=None):
    """A writer as the engine is one: the result of a query over files, as one fresh file, or none for no rows."""
    cursor = DUCK.cursor()
    for name, (schema, paths) in inputs.items():
        cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {name.split('.')[0]}")
        columns = ", ".join(f'"{c.name}"' for c in schema)
        empty = ", ".join(f'CAST(NULL AS {c.type}) AS "{c.name}"' for c in schema)
        files = f"UNION ALL BY NAME SELECT * FROM read_parquet({list(paths)}, union_by_name = true)" if paths else ""
        cursor.execute(f"CREATE OR REPLACE VIEW {name} AS SELECT {columns} FROM (SELECT {empty} WHERE false {files})")
    target = Path(folder, f"{uuid.uuid4().hex}.parquet")
    rows = cursor.execute(f"COPY ({sql}) TO '{target}' (FORMAT parquet, RETURN_STATS)", dict(parameters)).fetchall()
    return tuple(f for f in map(data_file_from_copy, rows) if f.rows)


class Orders:
    """A table with short words for what is done to it, and beside it the plain model: a list of rows."""

    def __init__(self, root):
        self.lake = DeltaLake(str(root))
        self.merger = Merger(self.lake, write)
        self.model = []
        self.publish(SCHEMA, (), ())

    def publish(self, schema, adds, removes):
        before = self.lake.snapshot(TABLE)
        self.lake.commit(Commit(TABLE, schema, adds, removes, before.number if before else None))

    def new(self, rows):
        values = ", ".join(
            f"({k if k is not None else 'NULL'}, {repr(w) if w is not None else 'NULL'}, {f'DATE {str(d)!r}' if d else 'NULL'}, {v})"
            for k, w, d, v in rows
        )
        casts = ", ".join(f"CAST({c.name} AS {c.type}) AS {c.name}" for c in SCHEMA)
        return write(f"SELECT {casts} FROM (VALUES {values}) AS t(k, w, day, v)", {}, {}, self.lake.folder(TABLE)) if rows else ()

    def append(self, rows):
        self.publish(SCHEMA, self.new(rows), ())
        self.model += rows

    def merge(self, rows):
        rows = list({(r[0], r[1]): r for r in rows}.values())
        done = self.merger.merge(self.lake.snapshot(TABLE), self.new(rows), SCHEMA, ["k", "w"])
        self.publish(SCHEMA, done.adds, done.removes)
        keys = {(r[0], r[1]) for r in rows}
        self.model = [r for r in self.model if (r[0], r[1]) not in keys] + rows

    def replace(self, rows, start, days):
        end = start + timedelta(days=days)
        rows = [r for r in rows if r[2] is not None and start <= r[2] < end]
        bounds = {"__start": start, "__end": end}
        done = self.merger.replace_interval(self.lake.snapshot(TABLE), self.new(rows), SCHEMA, "day", bounds)
        self.publish(SCHEMA, done.adds, done.removes)
        self.model = [r for r in self.model if r[2] is None or not start <= r[2] < end] + rows

    def compact(self, target):
        before = self.lake.snapshot(TABLE)
        done = self.merger.compact(before, target)
        if done.removes:
            self.publish(SCHEMA, done.adds, done.removes)

    def rows(self):
        paths = list(self.lake.snapshot(TABLE).paths)
        return DUCK.cursor().execute(f"SELECT k, w, day, v FROM read_parquet({paths})").fetchall() if paths else []


ROWS = st.lists(
    st.tuples(
        st.none() | st.integers(0, 6),
        st.none() | st.sampled_from(["", "a", "b", "é"]),
        st.none() | st.integers(0, 9).map(lambda d: START + timedelta(days=d)),
        st.integers(0, 99),
    ),
    max_size=6,
)
DEEDS = st.lists(
    st.one_of(
        st.tuples(st.just("append"), ROWS),
        st.tuples(st.just("merge"), ROWS),
        st.tuples(st.just("replace"), ROWS, st.integers(0, 9).map(lambda d: START + timedelta(days=d)), st.integers(1, 4)),
        st.tuples(st.just("compact"), st.integers(500, 5000)),
    ),
    min_size=1,
    max_size=7,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(DEEDS)
def test_a_lake_is_a_list_of_rows(deeds):
    with tempfile.TemporaryDirectory() as root:
        orders = Orders(root)
        for deed, *given_ in deeds:
            getattr(orders, deed)(*given_)
            assert Counter(orders.rows()) == Counter(orders.model)
            assert orders.lake.snapshot(TABLE).rows == len(orders.model)
        orders.lake.clean(TABLE, keep_hours=0, dry_run=False)
        assert Counter(orders.rows()) == Counter(orders.model)


def day(n):
    return START + timedelta(days=n)


@pytest.fixture
def orders(tmp_path):
    """Ten files, one a day, ten keys a day."""
    orders = Orders(tmp_path)
    for d in range(10):
        orders.append([(d * 10 + i, "x", day(d), 0) for i in range(10)])
    return orders


def test_only_files_that_a_key_can_touch_are_written_again(orders):
    before = orders.lake.snapshot(TABLE)
    new = orders.new([(35, "x", day(3), 1), (36, "x", day(3), 1)])
    rewrite = merge_by_key(before, new, SCHEMA, ["k"])
    assert [f.statistics["k"].low for f in rewrite.removes] == ["30"]
    assert not merge_by_key(before, orders.new([(1000, "x", day(3), 1)]), SCHEMA, ["k"]).removes
    assert not merge_by_key(before, (), SCHEMA, ["k"]).removes


def test_only_files_that_an_interval_can_touch_are_written_again(orders):
    before = orders.lake.snapshot(TABLE)
    rewrite = replace_interval(before, SCHEMA, "day", day(3), day(5))
    assert sorted(f.statistics["k"].low for f in rewrite.removes) == ["30", "40"]
    assert sum(may_hold(f, "day", day(20), day(30)) for f in before.files) == 0


def test_a_column_that_the_table_did_not_have_is_null_in_what_stays(orders):
    schema = (*SCHEMA, Column("note", "VARCHAR"))
    cast = f"SELECT 35 AS k, 'x' AS w, DATE '{day(3)}' AS day, 1 AS v, 'new' AS note"
    before = orders.lake.snapshot(TABLE)
    new = write(cast, {}, {}, orders.lake.folder(TABLE))
    done = orders.merger.merge(before, new, schema, ["k"])
    orders.publish(schema, done.adds, done.removes)
    after = orders.lake.snapshot(TABLE)
    assert after.schema == schema
    told = (
        DUCK.cursor()
        .execute(f"SELECT note, count(*) FROM read_parquet({list(after.paths)}, union_by_name = true) GROUP BY ALL ORDER BY ALL")
        .fetchall()
    )
    assert told == [("new", 1), (None, 99)]


def test_doubled_keys_are_told():
    rows = "(VALUES (1, 'a', 1, 10), (1, 'a', 2, 20), (1, NULL, NULL, 30), (1, NULL, 0, 40), (2, 'b', NULL, 50)) AS t(k, w, \"at\", v)"
    DUCK.execute(f"CREATE SCHEMA IF NOT EXISTS xde; CREATE OR REPLACE TABLE {NEW}_doubled AS FROM {rows}")
    doubled = DUCK.execute(doubled_keys(f"{NEW}_doubled", ["k", "w"])).fetchall()
    assert doubled == [(1, "a", 2), (1, None, 2)]
    told = doubled_finding("shop.orders", ["k", "w"], doubled)
    assert (told.code, told.message) == (
        "XDE0609",
        "new rows for `shop.orders` have a key more than once: (1, a) 2 times; (1, NULL) 2 times",
    )


def test_small_files_are_grouped_and_large_ones_left():
    sizes = [10, 10, 90, 10, 60, 50, 10, 99]
    snapshot = Snapshot(TABLE, 0, SCHEMA, tuple(DataFile(str(i), 1, s) for i, s in enumerate(sizes)), "")
    assert [[f.size for f in g] for g in small_files(snapshot, 100)] == [[10, 10, 10, 60], [50, 10]]
    assert small_files(replace(snapshot, files=snapshot.files[:1]), 100) == ()


def test_compacting_keeps_every_row_and_leaves_few_files(orders):
    orders.compact(1 << 20)
    assert len(orders.lake.snapshot(TABLE).files) == 1
    assert Counter(orders.rows()) == Counter(orders.model)
