"""Which thread carries out which step, by the events alone."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

from xde.ground.errors import TemporaryError
from xde.kernel.run.underway import Underway

sys.path.insert(0, str(Path(__file__).parent))

from doing import Doing, plan, run, step


def test_the_thread_of_each_step_is_known_while_it_runs():
    underway, seen = Underway(), []
    together = threading.Barrier(2)

    def work(a_step, _context):
        together.wait(5)
        seen.append((a_step.id, underway.threads().get(a_step.id) == threading.get_ident(), len(underway.threads())))
        together.wait(5)

    run(plan(step("a.one"), step("a.two")), Doing(work), observers=[underway])
    assert sorted(seen) == [("build:a.one", True, 2), ("build:a.two", True, 2)]
    assert underway.threads() == {}


def test_another_attempt_is_of_its_own_thread_and_a_failed_step_runs_no_more():
    underway, seen = Underway(), []

    def work(a_step, context):
        seen.append(underway.threads() == {a_step.id: threading.get_ident()})
        raise TemporaryError("again")

    run(plan(step("a.one"), step("a.two", "a.one")), Doing(work), retries=1, observers=[underway])
    assert seen == [True, True]
    assert underway.threads() == {}
