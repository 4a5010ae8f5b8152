"""The engine on real files: what a query sees is what it was given, whatever other queries were given before or at once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import duckdb
import pytest

from xde.connectors.duckdb.session import DuckdbSession
from xde.connectors.duckdb.transformation import DuckdbEngine
from xde.ground.errors import UserError
from xde.kernel.project.settings import EngineSettings
from xde.lifecycle.storage.port import Column
from xde.lifecycle.transformation.port import Input, Layout, Query

NUMBER = (Column("n", "INTEGER"),)


@pytest.fixture
def session(tmp_path):
    made = DuckdbSession(EngineSettings(), tmp_path / "tmp")
    yield made
    made.close()


@pytest.fixture
def engine(session):
    return DuckdbEngine(session)


def given(tmp_path, *numbers):
    """A dataset of one file."""
    path = tmp_path / f"{'-'.join(map(str, numbers))}.parquet"
    if not path.exists():
        duckdb.connect().execute(f"COPY (SELECT unnest({list(numbers)})::INTEGER AS n) TO '{path}' (FORMAT parquet)")
    return Input(NUMBER, (str(path),))


def written(engine, folder, sql, inputs, **more):
    files = engine.write(Query(sql, **more), inputs, str(folder), Layout())
    paths = [str(folder / f.path) for f in files]
    with duckdb.connect() as own:
        return sorted(own.execute(f"FROM read_parquet({paths})").fetchall()) if paths else []


def test_a_query_sees_the_files_that_it_is_given_now(engine, tmp_path):
    for numbers in ((1,), (2, 3), (1,), ()):
        new = given(tmp_path, *numbers) if numbers else Input(NUMBER)
        assert written(engine, tmp_path, "SELECT n FROM raw.t", {"raw.t": new}) == [(n,) for n in numbers]


def test_a_dataset_that_was_a_table_may_be_a_view_and_a_table_again(engine, tmp_path):
    one, two = given(tmp_path, 1), given(tmp_path, 2)
    assert written(engine, tmp_path, "SELECT n FROM a.t", {"a.t": one}) == [(1,)]
    for factor in (10, 20):
        view = {"a.t": f"SELECT n * {factor} AS n FROM b.t"}
        assert written(engine, tmp_path, "SELECT n FROM a.t", {"b.t": two}, views=view) == [(2 * factor,)]
    assert written(engine, tmp_path, "SELECT n FROM a.t", {"a.t": one}) == [(1,)]


def test_a_view_has_the_parameters_of_its_own_query(engine, tmp_path):
    view = {"views": {"a.v": "SELECT n FROM b.t WHERE n > $least"}, "view_parameters": {"a.v": ("least",)}}
    for least, left in ((1, [(2,), (3,)]), (2, [(3,)])):
        told = written(engine, tmp_path, "FROM a.v", {"b.t": given(tmp_path, 1, 2, 3)}, **view, parameters_of_views={"least": least})
        assert told == left


def test_a_view_sees_the_files_that_its_input_has_now(engine, tmp_path):
    view = {"a.v": "SELECT * FROM b.t"}
    assert written(engine, tmp_path, "FROM a.v", {"b.t": given(tmp_path, 1)}, views=view) == [(1,)]
    path = tmp_path / "wide.parquet"
    duckdb.connect().execute(f"COPY (SELECT 7 AS n, 'x' AS word) TO '{path}' (FORMAT parquet)")
    wide = Input((*NUMBER, Column("word", "VARCHAR")), (str(path),))
    assert written(engine, tmp_path, "FROM a.v", {"b.t": wide}, views=view) == [(7, "x")]


def test_queries_at_once_see_each_its_own(engine, tmp_path):
    ready = threading.Barrier(4)
    inputs = {w: given(tmp_path, w) for w in range(4)}

    def one(worker):
        ready.wait()
        return [written(engine, tmp_path, "SELECT n FROM raw.t", {"raw.t": inputs[worker]}) for _ in range(10)]

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(one, range(4))) == [[[(w,)]] * 10 for w in range(4)]


def test_after_an_error_all_goes_on(engine, tmp_path):
    one = given(tmp_path, 1)
    for sql in ("SELECT nowhere FROM raw.t", "SELECT error('no') FROM raw.t"):
        with pytest.raises(UserError):
            written(engine, tmp_path, sql, {"raw.t": one})
    assert written(engine, tmp_path, "SELECT n FROM raw.t", {"raw.t": one}) == [(1,)]
    assert len([p for p in tmp_path.glob("*.parquet") if len(p.stem) == 32]) == 1


def test_a_query_that_is_interrupted_leaves_nothing_and_the_next_one_runs(engine, tmp_path):
    one = given(tmp_path, 1)
    timer = threading.Timer(0.3, engine.cancel)
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        engine.rows(Query("SELECT count(*) FROM raw.t, range(100000000000) AS r(i) WHERE hash(i) = 1"), {"raw.t": one})
    timer.join()
    assert written(engine, tmp_path, "SELECT n FROM raw.t", {"raw.t": one}) == [(1,)]
