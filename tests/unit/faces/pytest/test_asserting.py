"""Rows are compared whatever holds them, and what differs is drawn as a table."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from xde.faces.pytest import assert_rows_equal

ROWS = [
    {"id": 1, "name": "Ada", "paid": 2.5, "day": date(2018, 1, 1)},
    {"id": 2, "name": None, "paid": None, "day": None},
]


class Row(dict):
    """As Spark's Row says it."""

    def asDict(self, recursive=False):  # noqa: N802
        assert recursive
        return dict(self)


class SparkFrame:
    """What of a frame of Spark is used; a real one needs a JVM. See `pyspark.sql.DataFrame`."""

    def __init__(self, rows):
        self._rows = rows
        self.columns = list(rows[0]) if rows else ["id", "name", "paid", "day"]

    def collect(self):
        return [Row(r) for r in self._rows]

    def toPandas(self):  # noqa: N802
        raise AssertionError("pandas has no days and no whole numbers that may be missing")


def pandas_typed(rows):
    return pd.DataFrame(rows).astype({"day": "datetime64[ns]"})


HOLDERS = {
    "mappings": list,
    "a generator": lambda rows: (r for r in rows),
    "pandas": pd.DataFrame,
    "pandas with moments": pandas_typed,
    "pandas with an index": lambda rows: pd.DataFrame(rows).set_index("id"),
    "polars": pl.DataFrame,
    "polars, lazy": lambda rows: pl.DataFrame(rows).lazy(),
    "arrow": pa.Table.from_pylist,
    "a reader of arrow": lambda rows: pa.Table.from_pylist(rows).to_reader(),
    "spark": SparkFrame,
}


@pytest.mark.parametrize("came", HOLDERS)
@pytest.mark.parametrize("wanted", HOLDERS)
def test_the_same_rows_are_the_same_in_any_two(came, wanted):
    assert_rows_equal(HOLDERS[came](ROWS), HOLDERS[wanted](list(reversed(ROWS))))
    with pytest.raises(AssertionError, match="1 row expected, 2 rows came"):
        assert_rows_equal(HOLDERS[came](ROWS), HOLDERS[wanted](ROWS[:1]))


def differs(actual, expected, **how):
    with pytest.raises(AssertionError) as raised:
        assert_rows_equal(actual, expected, **how)
    return str(raised.value)


def test_what_differs_is_drawn():
    told = differs(
        [{"id": 1, "amount": 3.51, "note": "x"}, {"id": 4, "amount": 1.0, "note": None}],
        [{"id": 1, "amount": 3.5}, {"id": 2, "amount": 9.0}],
        key="id",
    )
    assert told.splitlines() == [
        "rows differ",
        "",
        "2 rows expected, 2 rows came",
        "a cell that differs: expected → actual",
        "",
        "            id  amount",
        "──────────  ──  ──────────",
        "missing     2   9.0",
        "unexpected  4   1.0",
        "changed     1   3.5 → 3.51",
    ]


@pytest.mark.parametrize(
    ("came", "wanted", "how"),
    [
        ([{"a": 1}], [{"a": 1.0}], {}),
        ([{"a": Decimal("1.50")}], [{"a": 1.5}], {}),
        ([{"a": 0.1 + 0.2}], [{"a": 0.3}], {}),
        ([{"a": 101.0}], [{"a": 100.0}], {"tolerance": 0.02}),
        ([{"a": float("nan")}], [{"a": float("nan")}], {}),
        ([{"a": 1, "b": 2}], [{"a": 1}], {}),
        ([{"a": 1, "b": 2}, {"a": 2, "b": 3}], [{"a": 2}, {"a": 1, "b": 2}], {}),
        ([{"a": [1, 2.0]}], [{"a": [1.0, 2]}], {}),
        ([{"a": date(2020, 1, 1)}], [{"a": datetime.fromisoformat("2020-01-01")}], {}),
        ([{"a": datetime(2020, 1, 1, tzinfo=UTC)}], pl.DataFrame({"a": [datetime(2020, 1, 1, tzinfo=UTC)]}), {}),
        (pd.DataFrame({"a": pd.Series([1, None], dtype="Int64")}), [{"a": None}, {"a": 1}], {}),
        ([{"a": pd.NaT}], [{"a": None}], {}),
        (pd.Series([1, 2], name="a"), [{"a": 1}, {"a": 2}], {}),
        ([], [], {}),
        (pa.table({"a": pa.array([], pa.int64())}), [], {}),
        ([{"a": 1}, {"a": 2}], [{"a": 1}, {"a": 2}], {"ordered": True}),
    ],
)
def test_alike(came, wanted, how):
    assert_rows_equal(came, wanted, **how)


@pytest.mark.parametrize(
    ("came", "wanted", "how", "word"),
    [
        ([{"a": 1}, {"a": 1}], [{"a": 1}], {}, "unexpected"),
        ([{"a": 1}], [{"a": 1}, {"a": 1}], {}, "missing"),
        ([{"a": None}], [{"a": 0}], {}, "missing"),
        ([{"a": 1}], [{"a": True}], {}, "missing"),
        ([{"a": "1"}], [{"a": 1}], {}, "missing"),
        ([{"a": 1.001}], [{"a": 1.0}], {}, "missing"),
        ([{"a": 2}, {"a": 1}], [{"a": 1}, {"a": 2}], {"ordered": True}, "misplaced"),
        ([{"a": datetime.fromisoformat("2020-01-01T01:00")}], [{"a": date(2020, 1, 1)}], {}, "missing"),
        ([{"a": 1, "b": 1}, {"a": 2}], [{"a": 1, "b": 1}, {"a": 2, "b": None}], {"key": "a"}, "(absent)"),
        ([{"a": 1}], [], {}, "unexpected"),
        ([], [{"a": 1}], {}, "missing"),
    ],
)
def test_not_alike(came, wanted, how, word):
    assert word in differs(came, wanted, **how)


def test_a_column_that_did_not_come_is_named():
    assert differs([{"amount": 1}], [{"amout": 1}]) == "what came has no column `amout`; it has `amount`; did you mean `amount`?"


def test_what_holds_no_rows():
    for data in (7, "rows", {"a": 1}, [1, 2]):
        with pytest.raises(TypeError, match="rows are a list of mappings"):
            assert_rows_equal(data, [])


def test_many_rows_take_moments():
    import time

    many = [{"id": i, "x": i / 7, "s": f"name {i}"} for i in range(20_000)]
    near = [{**r, "x": r["x"] * (1 + 1e-12)} for r in reversed(many)]
    begun = time.process_time()
    assert_rows_equal(near, many)
    assert time.process_time() - begun < 20, "each with each would take hours"


def test_many_rows_that_differ_are_told_of_and_not_all_compared():
    many = pl.DataFrame({"id": range(50_000), "x": [1.0] * 50_000})
    told = differs(many.with_columns(x=pl.lit(2.0)), many, key="id")
    assert "50,000 rows expected, 50,000 rows came" in told
    assert "more rows differ, and were not paired" in told
    assert len(told.splitlines()) < 40


def test_many_rows_in_another_order():
    many = [{"id": i} for i in range(5_000)]
    assert "misplaced" in differs(many[::-1], many, ordered=True)
    assert_rows_equal(many[::-1], many)
