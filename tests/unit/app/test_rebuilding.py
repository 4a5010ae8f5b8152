"""A ledger that is lost, or broken in whatever way: `xde ledger rebuild` brings it back, as its own findings promise."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from xde.app.rebuilding import rebuild_at
from xde.app.workspace import Workspace
from xde.ground.errors import UserError
from xde.kernel.plan.plan import StepKind

LEDGER = ".xde/ledger.sqlite"


def change(path, statement):
    with closing(sqlite3.connect(path)) as other:
        other.execute(statement)
        other.commit()
        other.execute("PRAGMA journal_mode = DELETE")


def cut(path, size):
    path.write_bytes(path.read_bytes()[:size])


def scribble(path):
    """Every page but the first is overwritten."""
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\xa5" * (len(content) - 4096))


BREAKS = {
    "of another kind": lambda p: p.write_text("garbage garbage garbage"),
    "overwritten": scribble,
    "cut short": lambda p: cut(p, 9000),
    "without a table that a run needs": lambda p: change(p, "DROP TABLE xde_step"),
    "without a column": lambda p: change(p, "ALTER TABLE xde_run RENAME COLUMN status TO state"),
}


@pytest.fixture
def loaded(sales):
    with Workspace.open(sales.root) as workspace:
        workspace.run()
    with closing(sqlite3.connect(sales.root / LEDGER)) as ledger:
        ledger.execute("PRAGMA journal_mode = DELETE")  # all of it in the one file
    return sales


@pytest.mark.parametrize("way", BREAKS)
def test_a_broken_ledger_is_moved_aside_and_made_anew(loaded, way):
    path = loaded.root / LEDGER
    BREAKS[way](path)
    with pytest.raises(UserError) as raised, Workspace.open(loaded.root) as workspace:
        workspace.run()
        workspace.runs()
    assert raised.value.findings[0].code in {"XDE0704", "XDE0706"}
    tables, aside = rebuild_at(loaded.root, None)
    assert tables > 0
    assert aside == path.with_name("ledger.sqlite.broken-1")
    assert aside.exists()
    with Workspace.open(loaded.root) as workspace:
        assert {s.kind for s in workspace.plan().steps} <= {StepKind.VIEW}, "views are in no lake: they are shown again"
        assert workspace.runs() == []


def test_a_sound_ledger_keeps_what_it_remembers(loaded):
    assert rebuild_at(loaded.root, None)[1] is None
    with Workspace.open(loaded.root) as workspace:
        assert [r.status for r in workspace.runs()] == ["done"]


def test_somebody_elses_database_is_left_alone(loaded):
    with closing(sqlite3.connect(loaded.root / "shop.db")) as other:
        other.execute("CREATE TABLE orders (id)")
    loaded.write("xde.yaml", "name: shop\nledger: sqlite:shop.db\n")
    with pytest.raises(UserError) as raised:
        rebuild_at(loaded.root, None)
    assert raised.value.findings[0].code == "XDE0705"
    assert (loaded.root / "shop.db").exists()


def test_what_the_command_says(loaded):
    def rebuild(*words):
        command = [sys.executable, "-m", "xde.faces.cli.main", "ledger", "rebuild", *words]
        return subprocess.run(
            command, cwd=loaded.root, env=dict(os.environ), capture_output=True, encoding="utf-8", check=False, timeout=60
        )

    (loaded.root / LEDGER).write_text("garbage garbage garbage")
    loaded.write("models/marts/unread.sql", "SELECT nonsense FROM nowhere.at_all")
    done = rebuild()
    assert done.stderr.startswith("the ledger was broken, and is now `ledger.sqlite.broken-1` beside the new one")
    assert "tables found; the ledger says again what the lake says" in done.stdout
    assert json.loads(rebuild("--json").stdout)["aside"] is None
