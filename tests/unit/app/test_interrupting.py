"""Ctrl-C reaches the engine while the main thread is inside of it."""

import os
import signal
import threading

import duckdb
import pytest

from xde.app.interrupting import interruptible

ENDLESS = "SELECT sum(hash(a.range) % 7) FROM range(20000000) AS a, range(1000) AS b"


@pytest.fixture
def heard():
    """SIGINT as on a terminal."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("turn", range(5))
def test_a_query_is_left_at_once(heard, turn):
    connection = duckdb.connect()
    threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt), interruptible(connection.interrupt):
        connection.sql(ENDLESS).fetchall()
    assert connection.sql("SELECT 1").fetchall() == [(1,)]


def test_an_error_that_has_nothing_to_do_with_it_stays_what_it_is(heard):
    with pytest.raises(RuntimeError, match="mine"), interruptible(lambda: None):
        raise RuntimeError("mine")


def test_what_was_there_before_is_there_again(heard):
    here = signal.set_wakeup_fd(-1)
    with interruptible(lambda: None), interruptible(lambda: None):
        assert signal.set_wakeup_fd(-1) != here
    assert signal.set_wakeup_fd(here) == here
    assert not [t for t in threading.enumerate() if "_listen" in t.name]


def test_in_another_thread_signals_are_left_alone():
    done = []

    def work():
        with interruptible(lambda: None):
            done.append(threading.current_thread())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [thread]
