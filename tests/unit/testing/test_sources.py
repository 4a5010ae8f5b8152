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


TILL = """\
import sqlite3
from contextlib import closing
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import dlt

KINDS = {"amount": Decimal, "day": date.fromisoformat, "at": datetime.fromisoformat, "flag": lambda v: v == "true"}


@dlt.source
def till(password: str):
    @dlt.resource
    def things(ids=dlt.sources.incremental("id")):
        if not Path("till.db").exists():
            raise OSError(f"no till for {password}")
        with closing(sqlite3.connect("till.db")) as connection:
            least = -(2**63) if ids.last_value is None else ids.last_value
            found = connection.execute("SELECT * FROM things WHERE id >= ?", [least])
            names = [d[0] for d in found.description]
            while rows := found.fetchmany(7_000):
                yield [{n: KINDS.get(n, lambda v: v)(v) if v is not None else None for n, v in zip(names, row)} for row in rows]

    return things
"""


class DltShelf(SqliteShelf):
    secret = "sesame-open-wide"
    server = (
        "{server: till, type: custom, customProperties: [{property: xdeType, value: dlt}, "
        "{property: xdeSource, value: 'till_source:till'}, {property: xdeArguments, value: {password: '${env:TILL_PASSWORD}'}}]}"
    )

    def __init__(self, root):
        super().__init__(root)
        (root / "till_source.py").write_text(TILL)


@pytest.mark.peer  # it starts dlt some hundred times
class TestDlt(SourceSuite):
    test_a_killed_load_loses_nothing_and_doubles_nothing = None  # kills at every point: tests/crash/test_dlt.py

    @pytest.fixture
    def shelf(self, tmp_path, monkeypatch):
        monkeypatch.setenv("TILL_PASSWORD", DltShelf.secret)
        return DltShelf(tmp_path / "project")


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
