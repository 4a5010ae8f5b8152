"""What a step is said to have taken: parts add up to the whole, memory is a bound where steps work side by side."""

from __future__ import annotations

import threading

from xde.kernel.plan.costs import Usage, spent_by_commits, together, usage_of
from xde.kernel.run.metering import Meters, meter


class Ticks:
    """A clock that goes on by a second a look."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1
        return self.now


def test_there_is_a_meter_within_a_step_only() -> None:
    assert meter() is None
    with Meters().running(Ticks()) as mine:
        assert meter() is mine
    assert meter() is None


def test_parts_are_what_came_since_the_last_and_add_up() -> None:
    with Meters().running(Ticks()) as mine:
        mine.given(100, 1000)
        mine.queried(read=300, memory=50, spilled=0)
        mine.queried(read=20, memory=70, spilled=9)
        assert mine.part(10, 99) == Usage(1.0, 10, 99, 100, 1000, 320, 70, 9)
        assert mine.part(5, 1) == Usage(1.0, 5, 1)
        mine.queried(read=1, memory=60, spilled=0)
        assert mine.whole() == Usage(3.0, 15, 100, 100, 1000, 321, 70, 9)


def test_what_is_tried_again_is_given_once() -> None:
    with Meters().running(Ticks()) as mine:
        mine.given(100, 1000)
        mine.queried(read=300, memory=50, spilled=0)
        mine.again()
        mine.given(100, 1000)
        mine.queried(read=300, memory=50, spilled=0)
        told = mine.whole()
        assert (told.rows_in, told.bytes_in, told.bytes_read) == (100, 1000, 600)


def test_steps_side_by_side_are_not_alone_each_has_its_meter() -> None:
    meters = Meters()
    both, seen = threading.Barrier(2, timeout=10), {}

    def step(name: str) -> None:
        with meters.running(Ticks()) as mine:
            both.wait()
            mine.queried(read=len(name), memory=1, spilled=0)
            told = meter()
            assert told is mine
            seen[name] = mine.whole()

    threads = [threading.Thread(target=step, args=(n,)) for n in ("a", "bb")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert {n: (u.bytes_read, u.alone) for n, u in seen.items()} == {"a": (1, False), "bb": (2, False)}
    with meters.running(Ticks()) as mine:
        assert mine.whole().alone


def test_a_fact_comes_back_as_the_usage_it_was() -> None:
    told = Usage(1.5, 3, 4, None, 0, None, 5, None, alone=False)
    assert told.fact() == {"seconds": 1.5, "rows": 3, "bytes": 4, "bytes_in": 0, "memory": 5, "alone": False}
    assert usage_of(told.fact()) == told
    assert [usage_of(wrong) for wrong in (None, 3, {}, {"rows": 3})] == [None] * 4


def test_of_nothing_nothing_is_known() -> None:
    assert together([]) == Usage()


def test_commits_of_one_step_are_put_together() -> None:
    first, second = Usage(1.0, 3, 4, rows_in=7, memory=9), Usage(2.0, 1, 1, memory=5)
    facts = [
        ("2026-01-02", {"run": "r", "step": "s", "cost": second.fact()}),
        ("2026-01-01", {"run": "r", "step": "s", "cost": first.fact()}),
        ("2026-01-01", {"run": "old", "step": "s"}),
    ]
    assert spent_by_commits(facts) == {("r", "s"): ("2026-01-02", Usage(3.0, 4, 5, rows_in=7, memory=9))}
