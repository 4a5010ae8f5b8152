"""Every ledger keeps alike what steps took and who read what they made."""

from __future__ import annotations

import multiprocessing
from dataclasses import replace
from typing import TYPE_CHECKING

from ledgers import LATER, MUCH_LATER, NOON, Opener

from xde.kernel.plan.costs import CostRecord, JournalPiece, Reads, Usage
from xde.kernel.plan.ledger import NEXT, Ledger, RunRecord, StepRecord

if TYPE_CHECKING:
    from multiprocessing.queues import Queue

CONTEXT = multiprocessing.get_context("spawn")


def step(run: str = "r1", name: str = "build:a.b", status: str = "running", **more: object) -> StepRecord:
    return StepRecord(run, name, "build", name.partition(":")[2], "v1", status, **{"started_at": NOON, **more})  # type: ignore[arg-type]


USAGE = Usage(1.5, 10, 100, 20, None, 0, 5_000_000_000, None, alone=False)


def spent(run: str = "r1", ended_at: str = NOON, name: str = "build:a.b", **more: object) -> StepRecord:
    told = {"status": "done", "ended_at": ended_at, "facts": {"usage": USAGE.fact()}, **more}
    return step(run, name, **told)  # type: ignore[arg-type]


def cost(run: str, environment: str, ended_at: str, name: str = "build:a.b", status: str = "done") -> CostRecord:
    dataset = name.partition(":")[2]
    at = ended_at.replace("+00:00", ".000000+00:00")
    return CostRecord(
        run, name, environment, dataset, "v1", "build", status, at, Usage(1.5, 10, 100, 20, None, 0, 5_000_000_000, None, alone=False)
    )


class TestCosts:
    def test_what_steps_took_by_environment_since_a_moment(self, ledger: Ledger) -> None:
        for run, environment in (("r1", "dev"), ("r2", "dev"), ("r3", "prod"), ("r4", "prod" + NEXT)):
            ledger.record_run(RunRecord(run, environment, "p", "running", NOON))
        ledger.record_step(spent("r1", NOON))
        ledger.record_step(spent("r2", MUCH_LATER, status="failed"))
        ledger.record_step(spent("r2", LATER, name="load:a.c"))
        ledger.record_step(spent("r3", LATER))
        ledger.record_step(spent("r4", MUCH_LATER))
        assert ledger.costs("dev", LATER) == [cost("r2", "dev", LATER, "load:a.c"), cost("r2", "dev", MUCH_LATER, status="failed")]
        assert [c.run for c in ledger.costs("dev", NOON)] == ["r1", "r2", "r2"]
        assert [c.run for c in ledger.costs("dev", "2026-01-01T14:00:00+02:00")] == ["r1", "r2", "r2"]
        assert [(c.run, c.environment) for c in ledger.costs("prod", NOON)] == [("r3", "prod"), ("r4", "prod" + NEXT)]
        assert ledger.costs("none", NOON) == []

    def test_what_did_no_work_or_has_not_ended_or_says_nothing_is_none(self, ledger: Ledger) -> None:
        ledger.record_run(RunRecord("r1", "dev", "p", "running", NOON))
        ledger.record_step(replace(spent("r1", name="adopt:a.b"), kind="adopt"))
        ledger.record_step(spent("r1", name="build:a.c", ended_at=None))
        ledger.record_step(spent("r1", name="build:a.d", facts={"snapshot": 3}))
        assert ledger.costs("dev", NOON) == []

    def test_the_same_step_again_overwrites(self, ledger: Ledger) -> None:
        ledger.record_run(RunRecord("r1", "dev", "p", "running", NOON))
        ledger.record_step(spent("r1"))
        ledger.record_step(spent("r1", facts={"usage": Usage(9.0).fact()}))
        (found,) = ledger.costs("dev", NOON)
        assert (found.usage.seconds, found.usage.memory, found.usage.alone) == (9.0, None, True)

    def test_rebuilt_adds_what_is_not_known(self, ledger: Ledger) -> None:
        ledger.record_run(RunRecord("r1", "dev", "p", "running", NOON))
        ledger.record_step(spent("r1"))
        told = [replace(cost("r1", "dev", NOON), usage=Usage(0.1)), replace(cost("r0", "dev", NOON), ended_at=LATER)]
        for _ in range(2):
            ledger.rebuilt([], {}, LATER, costs=told)
            assert ledger.costs("dev", NOON) == [cost("r1", "dev", NOON), cost("r0", "dev", LATER)]
            assert {d: (s.run, s.seconds, s.rows) for d, s in ledger.last_costs(["a.b"]).items()} == {"a.b": ("r0", 1.5, 10)}


def read(
    dataset: str = "a.b", how: str = "show", day: str = "2026-01-01", times: int = 1, last: str = NOON, environment: str = "dev"
) -> Reads:
    return Reads(environment, dataset, how, day, times, last)


class TestReads:
    def test_reads_add_up_by_day_and_way(self, ledger: Ledger) -> None:
        assert ledger.count_reads([read(times=2, last=LATER), read("a.c", "diff")], JournalPiece("j1", 0, 90))
        assert ledger.count_reads([read(times=3), read(day="2026-01-02", last="2026-01-02T00:00:00+00:00")], JournalPiece("j1", 90, 180))
        assert ledger.count_reads([read(environment="prod")], JournalPiece("j2", 0, 30))
        assert ledger.reads("dev") == [
            read(times=5, last=LATER),
            read(day="2026-01-02", last="2026-01-02T00:00:00+00:00"),
            read("a.c", "diff"),
        ]
        assert ledger.reads("prod") == [read(environment="prod")]
        assert ledger.journals() == {"j1": 180, "j2": 30}

    def test_a_piece_counts_once(self, ledger: Ledger) -> None:
        first = JournalPiece("j1", 0, 90)
        assert ledger.count_reads([read()], first)
        assert not ledger.count_reads([read()], first)
        assert not ledger.count_reads([read()], JournalPiece("j1", 0, 120))
        assert ledger.count_reads([], JournalPiece("j1", 90, 120))
        assert [r.times for r in ledger.reads("dev")] == [1]

    def test_a_journal_forgotten_leaves_its_reads_and_so_does_a_rebuild(self, ledger: Ledger) -> None:
        ledger.count_reads([read()], JournalPiece("j1", 0, 90))
        ledger.forget_journals(["j1", "none"])
        ledger.rebuilt([], {}, LATER)
        assert (ledger.journals(), ledger.reads("dev")) == ({}, [read()])


def count_same_pieces(opener: Opener, results: Queue[object]) -> None:
    ledger = opener()
    won = sum(ledger.count_reads([read(f"a.t{n % 3}")], JournalPiece(f"j{n}", 0, 10)) for n in range(100))
    ledger.close()
    results.put(won)


def test_of_processes_that_count_the_same_pieces_one_does(shared: Opener) -> None:
    results: Queue[object] = CONTEXT.Queue()
    processes = [CONTEXT.Process(target=count_same_pieces, args=(shared, results)) for _ in range(2)]
    for process in processes:
        process.start()
    won = [results.get(timeout=60) for _ in processes]
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    ledger = shared()
    assert sum(won) == sum(r.times for r in ledger.reads("dev")) == 100  # type: ignore[arg-type]
    ledger.close()
