"""Functions called in their own processes: every form of input and output, with the types that are easily lost."""

import datetime as dt
import os

import pytest

TYPES = {
    "i": "TINYINT",
    "big": "BIGINT",
    "d": "DECIMAL(38,10)",
    "f": "FLOAT",
    "g": "DOUBLE",
    "t": "VARCHAR",
    "b": "BLOB",
    "day": "DATE",
    "ts": "TIMESTAMP",
    "tz": "TIMESTAMP WITH TIME ZONE",
    "yes": "BOOLEAN",
    "l": "INTEGER[]",
    "s": "STRUCT(a BIGINT, b DECIMAL(5,2)[])",
    "m": "MAP(VARCHAR, INTEGER)",
    "nothing": "VARCHAR",
}
VALUES = (
    "(1, 9223372036854775807, 1234567890123456789012345678.0123456789, 1.5::FLOAT, 0.1::DOUBLE, 'ä', '\\x00\\xFF', '1600-02-29', "
    "'1969-12-31 23:59:59.999999', '2024-07-01 12:00:00.000001+02', true, [1, NULL], {'a': 1, 'b': [1.25]}, MAP {'k': 1, 'l': NULL}, NULL)",
    "(-128, -9223372036854775808, -0.0000000001, 'nan'::FLOAT, '-inf'::DOUBLE, '', '', '9999-12-31', '2024-01-01', '1969-01-01 00:00:00+00', false, "
    "[], {'a': NULL, 'b': NULL}, MAP {}, NULL)",
    "(NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)",
)
ROWS = "SELECT {} FROM (VALUES {}) AS v({})".format(
    ", ".join(f"CAST({n} AS {t}) AS {n}" for n, t in TYPES.items()), ", ".join(VALUES), ", ".join(TYPES)
)
FORMS = {
    "pyarrow.Table": "import pyarrow",
    "pyarrow.RecordBatchReader": "import pyarrow",
    "Iterator[pyarrow.RecordBatch]": "import pyarrow\nfrom collections.abc import Iterator",
    "polars.DataFrame": "import polars",
    "polars.LazyFrame": "import polars",
    "pandas.DataFrame": "import pandas",
    "duckdb.DuckDBPyRelation": "import duckdb",
    "narwhals.DataFrame": "import narwhals",
    "narwhals.LazyFrame": "import narwhals",
}


def same(form: str) -> str:
    return f"{FORMS[form]}\n@model\ndef m(rows: Annotated[{form}, Reads('s.t')]) -> {form}:\n    return rows\n"


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
def test_rows_come_through_as_they_are(bench, asked, form: str) -> None:
    rows = bench.call(same(form), TYPES, {"s.t": bench.given("s.t", ROWS)})
    assert [repr(r) for r in rows] == [repr(r) for r in asked(ROWS)]


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
def test_of_no_rows_come_no_rows(bench, form: str) -> None:
    assert bench.call(same(form), TYPES, {"s.t": bench.given("s.t", ROWS + " LIMIT 0")}) == []


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
def test_a_column_that_came_later_is_null_in_older_files_and_a_narrower_one_is_widened(bench, form: str) -> None:
    old, new = bench.given("s.old", "SELECT 1::INTEGER AS a"), bench.given("s.new", "SELECT 2::BIGINT AS a, 'x' AS b")
    both = type(new)(new.schema, (*old.paths, *new.paths))
    assert sorted(bench.call(same(form), {"a": "BIGINT", "b": "VARCHAR"}, {"s.t": both}), key=str) == [(1, None), (2, "x")]


def test_a_function_sees_only_the_columns_that_it_reads_and_is_given_its_parameters(bench) -> None:
    text = """import datetime
import duckdb
@model
def m(rows: Annotated[duckdb.DuckDBPyRelation, Reads('s.t', columns=['b'])], more: Annotated[duckdb.DuckDBPyRelation, Reads('s.u')],
      start: datetime.datetime, end: datetime.date, least: float, words: list) -> duckdb.DuckDBPyRelation:
    assert rows.columns == ['b'], rows.columns
    assert type(start) is datetime.datetime and type(end) is datetime.date and type(least) is float and words == ['a']
    print('heard by nobody')
    return rows.join(more, 'b').aggregate('sum(b)::BIGINT AS b')
"""
    inputs = {"s.t": bench.given("s.t", "SELECT 'x' AS a, i AS b FROM range(5) AS t(i)"), "s.u": bench.given("s.u", "SELECT 3 AS b")}
    values = {"start": dt.date(2024, 1, 1), "end": dt.date(2024, 1, 2), "least": 1, "words": ["a"]}
    assert bench.call(text, {"b": "BIGINT"}, inputs, values) == [(3,)]


def test_a_generator_gives_batches_one_by_one(bench) -> None:
    text = """from collections.abc import Iterator
import pyarrow as pa
@model
def m() -> Iterator[pa.RecordBatch]:
    for i in range(3):
        yield pa.record_batch({'x': pa.array([i, i], pa.int8())})
"""
    assert bench.call(text, {"x": "BIGINT"}) == [(0,), (0,), (1,), (1,), (2,), (2,)]


@pytest.mark.slow
def test_five_million_rows_in_batches_within_little_memory(bench_of) -> None:
    bench = bench_of(memory="400MB")
    text = """from collections.abc import Iterator
import pyarrow as pa, pyarrow.compute as pc
@model
def m(rows: Annotated[pa.RecordBatchReader, Reads('s.t')]) -> Iterator[pa.RecordBatch]:
    for batch in rows:
        yield pa.record_batch({'i': batch['i'], 't': pc.ascii_upper(batch['t'])})
"""
    given = bench.given("s.t", "SELECT i, 'a text of some length, so that it weighs something ' || i AS t FROM range(5_000_000) AS r(i)")
    rows = bench.call(text, {"i": "BIGINT", "t": "VARCHAR"}, {"s.t": given})
    assert len(rows) == 5_000_000
    assert rows[-1] == (4_999_999, "A TEXT OF SOME LENGTH, SO THAT IT WEIGHS SOMETHING 4999999")


@pytest.mark.slow
def test_an_input_may_have_any_name(bench) -> None:
    names = ("out", "project", "spill", "output", "report")
    given = ", ".join(f"{n}: Annotated[duckdb.DuckDBPyRelation, Reads('s.{n}')]" for n in names)
    text = (
        f"import duckdb\n@model\ndef m({given}) -> duckdb.DuckDBPyRelation:\n    return {'.union('.join(names)}{')' * (len(names) - 1)}\n"
    )
    inputs = {f"s.{n}": bench.given(f"s.{n}", f"SELECT {i} AS i") for i, n in enumerate(names)}
    assert bench.call(text, {"i": "INTEGER"}, inputs) == [(i,) for i in range(len(names))]


@pytest.mark.slow
def test_what_a_killed_process_left_is_taken_away_and_what_a_living_one_has_is_not(bench) -> None:
    folder = bench.folder / "tmp"
    dead, alive = folder / "python-4194303-abc", folder / f"python-{os.getppid()}-abc"
    for old in (dead, alive):
        (old / "given").mkdir(parents=True)
    with bench.functions.folder():
        assert (dead.exists(), alive.exists()) == (False, True)
    alive.joinpath("given").rmdir()
    alive.rmdir()
