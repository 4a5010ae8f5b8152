"""Processes that are kept for more work: by the thread that began them, for work of one kind, and gone when they are let go of."""

from __future__ import annotations

import os
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from xde.ground.processes import Child, Limits
from xde.ground.underway import Running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ECHO = """\
import pathlib, sys
for line in sys.stdin:
    pathlib.Path(line.strip()).write_text("done")
"""
LIMITS = Limits(10**10, 30.0)


@pytest.fixture
def running() -> Iterator[Running]:
    made = Running()
    yield made
    made.close()


def worked(running: Running, folder: Path, kind: object = "a") -> Child:
    """Some work of a process, that is over when a file is there."""
    target = folder / f"{time.monotonic_ns()}"
    with running.working(kind, lambda: Child([sys.executable, "-c", ECHO], folder, dict(os.environ))) as child:
        child.tell(f"{target}\n".encode())
        assert child.until(target.exists, LIMITS, time.monotonic) is None
    return child


def test_one_process_does_the_work_of_a_thread(running: Running, tmp_path: Path) -> None:
    first = worked(running, tmp_path)
    assert worked(running, tmp_path) is first
    found: list[Child] = []
    other = threading.Thread(target=lambda: found.append(worked(running, tmp_path)))
    other.start()
    other.join()
    assert found[0] is not first


def test_other_work_has_another_process(running: Running, tmp_path: Path) -> None:
    first = worked(running, tmp_path)
    assert worked(running, tmp_path, "b") is not first
    assert not first.alive


def test_none_is_left_when_all_is_closed(running: Running, tmp_path: Path) -> None:
    child = worked(running, tmp_path)
    running.close()
    assert not child.alive


def test_one_that_failed_or_died_is_not_kept(running: Running, tmp_path: Path) -> None:
    first = worked(running, tmp_path)
    with pytest.raises(KeyError), running.working("a", lambda: pytest.fail("there is one")):
        raise KeyError
    assert not first.alive
    second = worked(running, tmp_path)
    second.end("killed")
    second.until(lambda: not second.alive, LIMITS, time.monotonic)
    assert worked(running, tmp_path) is not second


def test_what_is_under_way_can_be_cancelled(running: Running, tmp_path: Path) -> None:
    threading.Timer(0.3, running.cancel).start()
    with running.working("a", lambda: Child([sys.executable, "-c", ECHO], tmp_path, dict(os.environ))) as child:
        ended = child.until(lambda: False, LIMITS, time.monotonic)
    assert ended is not None
    assert ended.why == "cancelled"
