"""Killed around a commit, a table is what it was or what it should be, and work goes on from either."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

CHILD = """
import sys
sys.path.insert(0, sys.argv[2])
from conftest import Bench
bench = Bench(sys.argv[1])
match sys.argv[3]:
    case "create": bench.append("SELECT 1 AS id", facts={"run": "r"})
    case "append": bench.append("SELECT 2 AS id", facts={"run": "r"})
    case "evolve": bench.append("SELECT 2 AS id, TIMESTAMP '2013-01-01' AS at", facts={"run": "r"})
    case "replace": bench.replace("SELECT 2 AS id", facts={"run": "r"})
    case "full":
        import resource, signal
        from xde.ground.errors import UserError
        schema, files = bench.write("SELECT 2 AS id" if bench.snapshot() else "SELECT 1 AS id")
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (300, before[1]))
        try:
            bench.commit(schema, files)
            code = "none"
        except UserError as error:
            code = error.findings[0].code
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        print(code)
    case "clean":
        bench.write("SELECT 3 AS id")
        bench.lake.clean(bench.table, keep_hours=0, dry_run=False)
    case "drop":
        bench.lake.drop(bench.table)
"""


def child_of(bench, work, at=""):
    command = [sys.executable, "-c", CHILD, bench.lake.root, str(Path(__file__).parent), work]
    return subprocess.run(command, env={**os.environ, "XDE_CRASH_AT": at}, check=False, capture_output=True, text=True)


def killed(bench, work, at):
    child = child_of(bench, work, at)
    assert child.returncode == -signal.SIGKILL, child.stderr


@pytest.mark.parametrize("work", ["create", "append", "evolve", "replace"])
def test_killed_before_a_commit_nothing_is_published(bench, work):
    before = _begun(bench, work)
    killed(bench, work, "commit.before")
    assert _rows(bench) == before
    assert work == "create" or bench.lake.history(bench.table)[0].facts == {"run": "before"}
    _again(bench, work)


@pytest.mark.parametrize(("work", "after"), [("create", [1]), ("append", [1, 2]), ("evolve", [1, 2]), ("replace", [2])])
def test_killed_after_a_commit_all_of_it_is_published(bench, work, after):
    _begun(bench, work)
    killed(bench, work, "commit.after")
    assert _rows(bench) == after
    assert bench.lake.history(bench.table)[0].facts == {"run": "r"}


def test_killed_while_cleaning_every_snapshot_still_reads(bench):
    bench.append("SELECT 1 AS id")
    killed(bench, "clean", "clean.listed")
    assert bench.rows() == [(1,)]


def test_killed_while_dropping_the_table_is_gone_and_the_next_cleaning_takes_the_rest(bench):
    bench.append("SELECT 1 AS id")
    killed(bench, "drop", "drop.aside")
    assert bench.snapshot() is None
    assert bench.lake.tables() == ()
    (left,) = bench.lake.ruins()
    assert bench.path.parent.joinpath(left.version).is_dir()
    bench.append("SELECT 2 AS id")
    assert bench.rows() == [(2,)]
    told = bench.lake.clean(left, keep_hours=24, dry_run=False)
    assert len(told.files) >= 2
    assert bench.lake.ruins() == ()
    assert bench.rows() == [(2,)]


def test_a_column_that_was_added_before_a_crash_is_null_and_the_next_attempt_goes_on(bench, monkeypatch):
    """The one moment between two commits: the column stands, its files do not yet."""
    from deltalake import DeltaTable

    bench.append("SELECT 1 AS id")

    class Crash(BaseException):
        pass

    def die(*_, **__):
        raise Crash

    monkeypatch.setattr(DeltaTable, "create_write_transaction", die)
    with pytest.raises(Crash):
        bench.append("SELECT 2 AS id, 'x' AS word")
    monkeypatch.undo()
    assert bench.rows() == [(1, None)]
    assert "run" not in bench.lake.history(bench.table)[0].facts
    bench.append("SELECT 2 AS id, 'x' AS word", facts={"run": "again"})
    assert bench.rows() == [(1, None), (2, "x")]
    assert [r.facts for r in bench.lake.history(bench.table)] == [{"run": "again"}, {"kind": "schema", "what": "columns"}, {}]


@pytest.mark.parametrize("begun", [True, False])
def test_a_disk_that_is_full_is_a_finding_and_nothing_is_published(bench, begun):
    if begun:
        bench.append("SELECT 1 AS id")
    child = child_of(bench, "full")
    assert (child.returncode, child.stdout.strip()) == (0, "XDE0603"), child.stderr
    assert _rows(bench) == ([1] if begun else [])
    bench.append("SELECT 3 AS id")
    assert _rows(bench)[-1] == 3


def _begun(bench, work):
    if work != "create":
        bench.append("SELECT 1 AS id", facts={"run": "before"})
    return _rows(bench)


def _rows(bench):
    return [r[0] for r in bench.rows()] if bench.snapshot() else []


def _again(bench, work):
    match work:
        case "create":
            bench.append("SELECT 1 AS id")
        case "replace":
            bench.replace("SELECT 2 AS id")
        case _:
            bench.append("SELECT 2 AS id")
    assert len(_rows(bench)) == {"create": 1, "append": 2, "evolve": 2, "replace": 1}[work]
