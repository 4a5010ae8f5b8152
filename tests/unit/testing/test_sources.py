"""Our own connectors, and a stranger's, by the suite that strangers run."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, contextmanager
from dataclasses import asdict

import subprocess
import sys
from pathlib import Path

import pytest
from stories.story import Write, read_story

from xde.testing import Shelf, SourceSuite

pytestmark = pytest.mark.slow
PAGE = Path(__file__).resolve().parents[3] / "docs/concepts/connectors.md"


class SqliteShelf(Shelf):
    server = "{server: till, type: custom, database: till.db, customProperties: [{property: xdeType, value: sqlite}]}"
    cursor = "{property: id}"

    def __init__(self, root):
        root.mkdir()
        self.path = root / "till.db"
        self.sql("CREATE TABLE things (id INTEGER PRIMARY KEY, word TEXT, amount TEXT, ratio REAL, day TEXT, at TEXT, flag TEXT)")

    def sql(self, text, rows=((),)):
        with closing(sqlite3.connect(self.path)) as connection, connection:
            connection.executemany(text, rows)

    def put(self, rows):
        def cells(row):
            values = asdict(row)
            values |= {n: str(v) for n, v in values.items() if n in {"amount", "day", "at"} and v is not None}
            return list((values | {"flag": None if row.flag is None else str(row.flag).lower()}).values())

        self.sql("INSERT OR REPLACE INTO things VALUES (?, ?, ?, ?, ?, ?, ?)", [cells(r) for r in rows])

    def remove(self, ids):
        self.sql("DELETE FROM things WHERE id = ?", [(i,) for i in ids])

    @contextmanager
    def away(self):
        aside = self.path.with_suffix(".aside")
        self.path.rename(aside)
        yield
        aside.rename(self.path)


class TestSqlite(SourceSuite):
    @pytest.fixture
    def shelf(self, tmp_path):
        return SqliteShelf(tmp_path / "project")


def test_the_connector_of_the_page_passes_all_of_it(tmp_path):
    for act in read_story(PAGE).acts:
        if isinstance(act, Write):
            path = tmp_path / act.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(act.content)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "not killed or before", "test_documents.py"]
    done = subprocess.run(command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": "."}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "2 skipped" in done.stdout.splitlines()[-1], "it has neither transactions nor a secret"
