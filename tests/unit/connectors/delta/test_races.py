"""Writers that start from the same snapshot: exactly one of them publishes, whatever delta-rs would have done."""

from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from xde.connectors.delta.lake import DeltaLake
from xde.ground.errors import TemporaryError
from xde.lifecycle.storage.port import Commit

WRITERS = 4
CHILD = """
import sys, pathlib
from xde.connectors.delta.lake import DeltaLake
from xde.ground.errors import TemporaryError
from xde.lifecycle.storage.port import Column, Commit, DataFile, TableId
root, me, rounds = sys.argv[1], sys.argv[2], int(sys.argv[3])
lake, table = DeltaLake(root), TableId("shop.orders", "v1")
folder = pathlib.Path(lake.folder(table))
for number in range(rounds):
    file = folder / f"{me}-{number}.parquet"
    file.write_bytes(b"x" * 10)
    while True:
        before = lake.snapshot(table)
        base = before.number if before else None
        try:
            at = lake.commit(Commit(table, (Column("id", "BIGINT"),), [DataFile(file.name, 1, 10)], (), base, {"base": base, "who": me, "n": number}))
        except TemporaryError:
            continue
        print(base if base is not None else -1, at)
        break
"""


def test_threads_that_saw_the_same_snapshot_publish_one(anywhere):
    schema, files = anywhere.write("SELECT 0 AS id")
    anywhere.commit(schema, files)
    for base in range(anywhere.first, anywhere.first + 8):
        ready = threading.Barrier(WRITERS)
        written = [anywhere.write(f"SELECT {base * 10 + w} AS id")[1] for w in range(WRITERS)]

        def attempt(files, base=base, ready=ready):
            ready.wait()
            try:
                return anywhere.lake.commit(Commit(anywhere.table, schema, files, base=base))
            except TemporaryError:
                return None

        with ThreadPoolExecutor(WRITERS) as pool:
            numbers = list(pool.map(attempt, written))
        assert sorted(n for n in numbers if n is not None) == [base + 1]
        assert anywhere.snapshot().rows == base - anywhere.first + 2


@pytest.mark.parametrize("attempt", range(5))
def test_threads_that_make_the_same_table_make_one(anywhere, attempt):
    """On an object store it may be that none of them does: then each tries again, on the empty table."""
    schema, _ = anywhere.write("SELECT 0 AS id")
    written = [anywhere.write(f"SELECT {w} AS id")[1] for w in range(WRITERS)]
    ready = threading.Barrier(WRITERS)

    def create(files):
        lake = DeltaLake(anywhere.lake.root)
        ready.wait()
        try:
            return lake.commit(Commit(anywhere.table, schema, files))
        except TemporaryError:
            return None

    with ThreadPoolExecutor(WRITERS) as pool:
        numbers = [n for n in pool.map(create, written) if n is not None]
    assert numbers in ([[0]] if anywhere.first == 0 else [[1], []])
    assert anywhere.snapshot().rows == len(numbers)


def test_threads_that_add_different_columns_lose_none(bench):
    bench.append("SELECT 0 AS id")
    written = [bench.write(f"SELECT {w} AS id, {w} AS c{w}") for w in range(WRITERS)]

    def attempt(given):
        while True:
            try:
                return bench.lake.commit(Commit(bench.table, *given, base=bench.snapshot().number))
            except TemporaryError:
                continue

    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(attempt, written))
    assert {c.name for c in bench.snapshot().schema} == {"id", *(f"c{w}" for w in range(WRITERS))}
    assert bench.snapshot().rows == WRITERS + 1


def test_processes_that_race_publish_each_file_once_and_in_one_line(tmp_path):
    rounds = 8
    children = [
        subprocess.Popen([sys.executable, "-c", CHILD, str(tmp_path), str(w), str(rounds)], stdout=subprocess.PIPE, text=True)
        for w in range(3)
    ]
    told = [tuple(map(int, line.split())) for c in children for line in c.communicate(timeout=60)[0].splitlines()]
    assert [c.returncode for c in children] == [0, 0, 0]
    assert all(at == base + 1 for base, at in told)
    assert sorted(at for _, at in told) == list(range(3 * rounds))
    lake = DeltaLake(str(tmp_path))
    (table,) = lake.tables()
    assert lake.snapshot(table).rows == 3 * rounds
    assert {(r.facts["who"], r.facts["n"]) for r in lake.history(table)} == {(str(w), n) for w in range(3) for n in range(rounds)}
    assert all((r.facts["base"] if r.facts["base"] is not None else -1) == r.number - 1 for r in lake.history(table))


def test_an_error_after_the_commit_is_not_taken_for_a_failure(bench, monkeypatch):
    """The log holds our mark, so the commit is done, whatever delta-rs says of it."""
    from deltalake import DeltaTable
    from deltalake.exceptions import CommitFailedError

    bench.append("SELECT 1 AS id")
    real = DeltaTable.create_write_transaction

    def lying(self, *args, **given):
        real(self, *args, **given)
        raise CommitFailedError("the connection was lost")

    monkeypatch.setattr(DeltaTable, "create_write_transaction", lying)
    assert bench.append("SELECT 2 AS id") == 1
    monkeypatch.undo()
    assert bench.rows() == [(1,), (2,)]
    assert bench.append("SELECT 3 AS id") == 2


def test_a_tool_that_knows_nothing_of_us_may_come_between(bench, monkeypatch):
    """Its append is no reason to fail for delta-rs; we tell where our commit stands."""
    import pyarrow as pa
    from deltalake import DeltaTable, write_deltalake

    bench.append("SELECT 1 AS id")
    real = DeltaTable.create_write_transaction

    def late(self, *args, **given):
        monkeypatch.undo()
        write_deltalake(str(bench.path), pa.table({"id": pa.array([7], pa.int32())}), mode="append")
        real(self, *args, **given)

    monkeypatch.setattr(DeltaTable, "create_write_transaction", late)
    assert bench.append("SELECT 2 AS id", facts={"run": "ours"}) == 2
    assert bench.rows() == [(1,), (2,), (7,)]
    assert [r.facts for r in bench.lake.history(bench.table)] == [{"run": "ours"}, {}, {}]
