"""How far queries are, by the thread that asked, and how they are stopped, whoever asked."""

from __future__ import annotations

import threading
import time
from contextlib import closing

import duckdb
import pytest

from xde.connectors.duckdb.session import DuckdbSession
from xde.connectors.duckdb.transformation import DuckdbEngine
from xde.kernel.project.settings import EngineSettings
from xde.lifecycle.transformation.port import Layout, Query

LONG = "SELECT count(*) AS n FROM range(400000) AS a(i), range(400000) AS b(j) WHERE (a.i * 31 + b.j) % 7 = 3"


@pytest.fixture
def session(tmp_path):
    with closing(DuckdbSession(EngineSettings(threads=2), tmp_path)) as made:
        yield made


class Asked:
    """A long query in a thread of its own."""

    def __init__(self, work):
        self.work, self.error = work, None
        self.thread = threading.Thread(target=self.go)
        self.thread.start()

    def go(self):
        try:
            self.work()
        except BaseException as error:  # noqa: BLE001 - told to the test
            self.error = error


def until(tell, seconds=10.0):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := tell():
            return found
        time.sleep(0.01)
    return None


@pytest.mark.slow
def test_how_far_a_query_is_belongs_to_its_thread(session, tmp_path):
    session.watch()
    engine = DuckdbEngine(session)
    assert engine.progress() == {}
    asked = Asked(lambda: engine.write(Query("SELECT hash(i) AS h FROM range(60000000) AS a(i)"), {}, str(tmp_path), Layout()))
    assert until(lambda: engine.progress().keys() == {asked.thread.ident})
    told = [f for _ in range(20) if not time.sleep(0.02) for f in engine.progress().values()]
    assert told
    assert told == sorted(told)
    assert all(0 <= f <= 1 for f in told)
    asked.thread.join()
    assert asked.error is None
    assert engine.progress() == {}


def test_a_kept_connection_is_of_the_thread_that_uses_it_now(session, tmp_path):
    session.watch()
    engine = DuckdbEngine(session)
    engine.rows(Query("SELECT 1"), {})
    asked = Asked(lambda: engine.rows(Query(LONG), {}))
    assert until(lambda: engine.progress().keys() == {asked.thread.ident})
    engine.cancel()
    asked.thread.join()
    assert isinstance(asked.error, KeyboardInterrupt)


def test_who_does_not_watch_is_told_nothing_and_pays_nothing(session):
    engine = DuckdbEngine(session)
    asked = Asked(lambda: engine.rows(Query(LONG), {}))
    assert until(engine.progress, seconds=0.5) is None
    engine.cancel()
    asked.thread.join()
    with closing(session.cursor()) as cursor:
        assert cursor.execute("SELECT current_setting('enable_progress_bar')").fetchall() == [(False,)]


def test_every_cursor_is_stopped_and_a_closed_one_is_no_matter(session):
    session.cursor().close()
    cursor = session.cursor()
    asked = Asked(lambda: cursor.execute(LONG).fetchall())
    time.sleep(0.2)
    session.cancel()
    asked.thread.join(5)
    assert isinstance(asked.error, duckdb.InterruptException)
    cursor.close()


@pytest.mark.slow
def test_nothing_is_drawn_by_the_engine(session, capfd):
    session.watch()
    with closing(session.cursor()) as cursor:
        cursor.execute("SET progress_bar_time = 1")
        cursor.execute("SELECT count(*) FROM range(300000000) AS a(i) WHERE hash(i) % 7 = 1").fetchall()
    assert capfd.readouterr() == ("", "")


@pytest.mark.slow
def test_a_write_that_is_interrupted_ends_at_whatever_moment(session, tmp_path):
    """By its own threads of writes the engine (2.0.0) waits for itself, after some hundred interruptions for ever."""
    engine = DuckdbEngine(session)
    for number in range(40):
        asked = Asked(lambda: engine.write(Query(LONG.replace("count(*) AS n", "a.i, b.j")), {}, str(tmp_path), Layout()))
        time.sleep(0.1 + number % 10 * 0.03)
        session.cancel()
        asked.thread.join(5)
        assert isinstance(asked.error, KeyboardInterrupt)
    assert list(tmp_path.glob("*.parquet")) == []
