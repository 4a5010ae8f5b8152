"""Every ledger must do the same: the twin in memory, SQLite, and a real PostgreSQL."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import signal
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from ledgers import LATER, MUCH_LATER, NOON, Opener

from xde.kernel.plan.ledger import Claim, Ledger, RunRecord, StepRecord, TableState

if TYPE_CHECKING:
    from multiprocessing.queues import Queue
    from pathlib import Path


def state(dataset: str = "nyc.flights", version: str = "v1", number: int = 0, **facts: object) -> TableState:
    return TableState(dataset, version, number, number * 10, number * 100, NOON, facts)


def step(run: str = "r1", name: str = "build:a.b", status: str = "running", **more: object) -> StepRecord:
    return StepRecord(run, name, "build", name.partition(":")[2], "v1", status, **{"started_at": NOON, **more})  # type: ignore[arg-type]


class TestPointers:
    def test_none_at_first(self, ledger: Ledger) -> None:
        assert ledger.pointers("dev") == {}

    def test_move_adds_changes_and_takes_out(self, ledger: Ledger) -> None:
        ledger.move("dev", {"a.b": "1", "a.c": "1", "a.d": "1"}, NOON)
        ledger.move("dev", {"a.c": "2", "a.d": None, "a.unknown": None}, LATER)
        assert ledger.pointers("dev") == {"a.b": "1", "a.c": "2"}

    def test_environments_are_apart(self, ledger: Ledger) -> None:
        ledger.move("dev", {"a.b": "1"}, NOON)
        ledger.move("prod", {"a.b": "2"}, NOON)
        ledger.move("prod", {"a.b": None}, NOON)
        assert (ledger.pointers("dev"), ledger.pointers("prod")) == ({"a.b": "1"}, {})

    def test_move_of_nothing(self, ledger: Ledger) -> None:
        ledger.move("dev", {}, NOON)
        assert ledger.pointers("dev") == {}

    def test_environments_are_those_with_a_pointer_or_a_claim(self, ledger: Ledger) -> None:
        assert ledger.environments() == ()
        ledger.move("prod", {"a.b": "1", "a.c": "1"}, NOON)
        ledger.move("dev", {"a.b": "1"}, NOON)
        ledger.move("empty", {"a.b": "1"}, NOON)
        ledger.move("empty", {"a.b": None}, NOON)
        taken = ledger.claim("first run", "me", "r1", now=NOON, seconds=10)
        assert ledger.environments() == ("dev", "first run", "prod")
        assert taken is not None
        ledger.release(taken)
        assert ledger.environments() == ("dev", "prod")

    def test_names_of_any_script_and_quotes(self, ledger: Ledger) -> None:
        ledger.move("bräñch/π'\"--", {"s.名前": "1"}, NOON)
        assert ledger.pointers("bräñch/π'\"--") == {"s.名前": "1"}


class TestStates:
    def test_what_is_remembered_comes_back(self, ledger: Ledger) -> None:
        kept = state(files={"a.csv": {"path": "a.csv", "size": 3}}, intervals=[["2026", "2027"]], data=None, share=0.1, nul="a\0b")
        ledger.remember([kept])
        assert ledger.states() == {("nyc.flights", "v1"): kept}

    def test_facts_are_json_tuples_come_back_as_lists(self, ledger: Ledger) -> None:
        ledger.remember([state(inputs={"a.b": ("v", 1)})])
        assert ledger.states()["nyc.flights", "v1"].facts == {"inputs": {"a.b": ["v", 1]}}

    def test_an_older_snapshot_never_overwrites_a_newer_one(self, ledger: Ledger) -> None:
        ledger.remember([state(number=5)])
        ledger.remember([state(number=4), state("nyc.other", number=4)])
        assert {k[0]: s.number for k, s in ledger.states().items()} == {"nyc.flights": 5, "nyc.other": 4}

    def test_the_same_snapshot_again_takes_the_newer_facts(self, ledger: Ledger) -> None:
        ledger.remember([state(number=5, letters=1)])
        ledger.remember([state(number=5, letters=0)])
        assert ledger.states()["nyc.flights", "v1"].facts == {"letters": 0}

    @pytest.mark.parametrize("number", [3, 50])
    def test_states_of_some(self, ledger: Ledger, number: int) -> None:
        ledger.remember([state(f"a.t{i}", v) for i in range(number) for v in ("v1", "v2")])
        keys = [(f"a.t{i}", "v2") for i in range(number - 1)]
        assert set(ledger.states([*keys, ("a.none", "v1")])) == set(keys)
        assert ledger.states([]) == {}
        assert len(ledger.states()) == 2 * number

    def test_forget(self, ledger: Ledger) -> None:
        ledger.remember([state(version="v1", number=9), state(version="v2")])
        ledger.forget([("nyc.flights", "v1"), ("nyc.none", "v1")])
        assert list(ledger.states()) == [("nyc.flights", "v2")]
        ledger.remember([state(version="v1", number=0)])
        assert ledger.states()["nyc.flights", "v1"].number == 0

    def test_rebuilt_replaces_all_and_leaves_runs(self, ledger: Ledger) -> None:
        ledger.remember([state("a.old"), state("a.kept", number=9)])
        ledger.move("dev", {"a.old": "v1"}, NOON)
        ledger.move("prod", {"a.old": "v1"}, NOON)
        ledger.record_step(step())
        ledger.rebuilt([state("a.kept", number=2), state("a.new")], {"dev": {"a.new": "v1"}}, LATER)
        assert {k[0]: s.number for k, s in ledger.states().items()} == {"a.kept": 2, "a.new": 0}
        assert (ledger.pointers("dev"), ledger.pointers("prod")) == ({"a.new": "v1"}, {})
        assert len(ledger.steps("r1")) == 1


class TestClaims:
    def test_a_free_claim_is_taken_and_a_held_one_is_not(self, ledger: Ledger) -> None:
        first = ledger.claim("dev", "ann", "r1", now=NOON, seconds=30)
        assert first is not None
        assert (first.owner, first.run, first.fence) == ("ann", "r1", 1)
        assert ledger.claim("dev", "bob", "r2", now=LATER, seconds=30) is None
        assert ledger.claim("dev", "ann", "r2", now=LATER, seconds=30) is None, "another run of the same owner is another holder"
        assert ledger.holder("dev") == first
        assert ledger.claim("prod", "bob", "r2", now=LATER, seconds=30) is not None

    def test_the_same_run_takes_its_claim_again_with_the_next_fence(self, ledger: Ledger) -> None:
        ledger.claim("dev", "ann", "r1", now=NOON, seconds=30)
        again = ledger.claim("dev", "ann", "r1", now=LATER, seconds=30)
        assert again is not None
        assert again.fence == 2

    def test_a_claim_that_has_run_out_is_taken_and_the_old_holder_is_fenced_off(self, ledger: Ledger) -> None:
        old = ledger.claim("dev", "ann", "r1", now=NOON, seconds=30)
        new = ledger.claim("dev", "bob", "r2", now=MUCH_LATER, seconds=30)
        assert old
        assert new
        assert new.fence > old.fence
        assert not ledger.renew(old, now=MUCH_LATER, seconds=30)
        ledger.release(old)
        assert ledger.holder("dev") == new

    def test_a_claim_runs_out_at_its_very_moment(self, ledger: Ledger) -> None:
        ledger.claim("dev", "ann", "r1", now=NOON, seconds=20)
        assert ledger.claim("dev", "bob", "r2", now="2026-01-01T12:00:19.999999+00:00", seconds=30) is None
        assert ledger.claim("dev", "bob", "r2", now=LATER, seconds=30) is not None

    def test_moments_are_compared_and_not_their_texts(self, ledger: Ledger) -> None:
        ledger.claim("dev", "ann", "r1", now=NOON, seconds=30)
        assert ledger.claim("dev", "bob", "r2", now="2026-01-01T14:00:20+02:00", seconds=30) is None
        assert ledger.claim("dev", "bob", "r2", now="2026-01-01T11:00:31-01:00", seconds=30) is not None

    def test_renewed_it_lasts_longer(self, ledger: Ledger) -> None:
        held = ledger.claim("dev", "ann", "r1", now=NOON, seconds=30)
        assert held
        assert ledger.renew(held, now=LATER, seconds=60)
        assert ledger.claim("dev", "bob", "r2", now=MUCH_LATER, seconds=30) is None

    def test_the_fence_grows_over_releases(self, ledger: Ledger) -> None:
        fences = []
        for number in range(4):
            held = ledger.claim("dev", "ann", f"r{number}", now=NOON, seconds=30)
            assert held
            fences.append(held.fence)
            ledger.release(held)
            assert ledger.holder("dev") is None
            assert not ledger.renew(held, now=NOON, seconds=30)
        assert fences == [1, 2, 3, 4]

    def test_release_and_renew_of_what_never_was(self, ledger: Ledger) -> None:
        nobody = Claim("dev", "ann", "r1", 1, NOON)
        ledger.release(nobody)
        assert not ledger.renew(nobody, now=NOON, seconds=30)
        assert ledger.holder("dev") is None

    def test_of_many_threads_one_wins(self, ledger: Ledger) -> None:
        won: list[Claim | None] = []
        barrier = threading.Barrier(8)

        def race(number: int) -> None:
            barrier.wait()
            won.append(ledger.claim("dev", f"o{number}", "r", now=NOON, seconds=30))

        threads = [threading.Thread(target=race, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(won) == 8
        assert [c for c in won if c] == [ledger.holder("dev")]


class TestRuns:
    def test_newest_first_of_one_environment(self, ledger: Ledger) -> None:
        for number in range(5):
            ledger.record_run(RunRecord(f"r{number}", "dev", "p", "running", f"2026-01-0{number + 1}T00:00:00+00:00"))
        ledger.record_run(RunRecord("x", "prod", "p", "running", "2027-01-01T00:00:00+00:00"))
        done = RunRecord("r4", "dev", "p", "done", "2026-01-05T00:00:00+00:00", LATER, 7)
        ledger.record_run(done)
        found = ledger.runs("dev", limit=3)
        assert [r.run for r in found] == ["r4", "r3", "r2"]
        assert found[0] == done
        assert len(ledger.runs("dev")) == 5

    def test_steps_in_order_of_start_and_overwritten(self, ledger: Ledger) -> None:
        ledger.record_step(step(name="build:a.late", started_at=LATER))
        ledger.record_step(step(name="build:a.early"))
        done = step(
            name="build:a.late",
            status="done",
            started_at=LATER,
            ended_at=MUCH_LATER,
            attempt=2,
            rows=3,
            bytes=4,
            letters=5,
            seconds=0.25,
            reason="new",
            facts={"snapshot": 3},
        )
        ledger.record_step(done)
        assert [s.step for s in ledger.steps("r1")] == ["build:a.early", "build:a.late"]
        assert ledger.steps("r1")[1] == done
        assert ledger.steps("none") == []

    def test_unfinished_are_those_that_never_ended(self, ledger: Ledger) -> None:
        ledger.record_step(step("r1", "build:a.crashed"))
        ledger.record_step(step("r1", "build:a.done"))
        ledger.record_step(step("r1", "build:a.done", "done", ended_at=LATER))
        ledger.record_step(step("r2", "build:a.failed", "failed", ended_at=LATER))
        assert [(s.run, s.step) for s in ledger.unfinished()] == [("r1", "build:a.crashed")]

    def test_last_costs_are_of_the_last_done(self, ledger: Ledger) -> None:
        ledger.record_step(step("r1", "build:a.b", "done", ended_at=NOON, seconds=1.0))
        ledger.record_step(step("r3", "build:a.b", "done", ended_at=MUCH_LATER, seconds=3.0))
        ledger.record_step(step("r2", "build:a.b", "done", ended_at=LATER, seconds=2.0))
        ledger.record_step(step("r4", "build:a.b", "failed", ended_at="2027-01-01T00:00:00+00:00", seconds=9.0))
        ledger.record_step(step("r4", "build:a.c", "running"))
        costs = ledger.last_costs(["a.b", "a.c", "a.none"])
        assert {d: s.seconds for d, s in costs.items()} == {"a.b": 3.0}

    def test_a_version_taken_over_says_nothing_of_costs(self, ledger: Ledger) -> None:
        ledger.record_step(step("r1", "build:a.b", "done", ended_at=NOON, seconds=7.0))
        ledger.record_step(replace(step("r2", "adopt:a.b", "done", ended_at=LATER), kind="adopt", seconds=0.0))
        ledger.record_step(replace(step("r2", "adopt:a.c", "done", ended_at=LATER), kind="adopt", seconds=0.0))
        assert {d: (s.run, s.seconds) for d, s in ledger.last_costs(["a.b", "a.c"]).items()} == {"a.b": ("r1", 7.0)}
        assert [s.kind for s in ledger.steps("r2")] == ["adopt", "adopt"]

    def test_texts_that_no_database_likes(self, ledger: Ledger) -> None:
        ledger.record_step(step(reason="nul \0, half \ud800, quote ', percent %s :name", facts={"half": "\ud800"}))
        (found,) = ledger.steps("r1")
        assert found.reason.startswith("nul ")
        assert found.reason.endswith("quote ', percent %s :name")
        assert found.facts == {"half": "\ud800"}


# what needs more than one process

CONTEXT = multiprocessing.get_context("spawn")


def race_for_claim(opener: Opener, start: float, number: int, results: Queue[object]) -> None:
    ledger = opener()  # making the tables is part of the race
    won = [ledger.claim(f"e{n}", f"process {number}", "r", now=NOON, seconds=30) for n in range(20)]
    ledger.close()
    results.put([c.environment for c in won if c])


def test_four_processes_race_to_open_and_to_claim(shared: Opener) -> None:
    results: Queue[object] = CONTEXT.Queue()
    processes = [CONTEXT.Process(target=race_for_claim, args=(shared, 0.0, n, results)) for n in range(4)]
    for process in processes:
        process.start()
    won = [environment for _ in processes for environment in results.get(timeout=60)]  # type: ignore[attr-defined]
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    assert sorted(won) == sorted(f"e{n}" for n in range(20))


def write_for_ever(opener: Opener, told: Path) -> None:
    ledger = opener()
    with told.open("ab", buffering=0) as stream:
        for number in itertools.count(1):
            ledger.remember([state(f"a.t{i}", number=number, pad="x" * 500) for i in range(200)])
            ledger.move("dev", {f"a.t{i}": str(number) for i in range(200)}, NOON)
            stream.write(b".")


@pytest.mark.crash
def test_killed_in_mid_write_it_opens_and_is_whole(shared: Opener, tmp_path: Path) -> None:
    for round_ in range(5):
        told = tmp_path / f"told{round_}"
        process = CONTEXT.Process(target=write_for_ever, args=(shared, told))
        process.start()
        while not (told.exists() and told.stat().st_size >= 2):
            assert process.is_alive()
            time.sleep(0.01)
        time.sleep(0.013 * round_)
        os.kill(process.pid or 0, signal.SIGKILL)
        process.join(30)
        ledger = shared()
        states, pointers = ledger.states(), ledger.pointers("dev")
        assert len(states) == len(pointers) == 200
        (number,) = {s.number for s in states.values()}  # a write of 200 states is seen whole or not at all
        (version,) = {int(v) for v in pointers.values()}  # and so is a move of 200 pointers
        assert told.stat().st_size <= version <= number <= version + 1, "what was told done is lost, or more than one write was under way"
        ledger.forget(list(states))
        ledger.close()


def write_numbers(opener: Opener, numbers: list[int], done: Queue[object]) -> None:
    ledger = opener()
    for number in numbers:
        ledger.remember([state(f"a.t{i}", number=number) for i in range(20)])
        ledger.record_step(step(f"r{number}", status="done", ended_at=NOON))
    ledger.close()
    done.put(True)


def test_two_processes_write_states_and_the_newest_stays(shared: Opener) -> None:
    done: Queue[object] = CONTEXT.Queue()
    numbers = list(range(100))
    processes = [CONTEXT.Process(target=write_numbers, args=(shared, n, done)) for n in (numbers, numbers[::-1])]
    for process in processes:
        process.start()
    for process in processes:
        done.get(timeout=60)
        process.join(60)
        assert process.exitcode == 0
    ledger = shared()
    assert {s.number for s in ledger.states().values()} == {99}
    assert ledger.unfinished() == []
    ledger.close()
