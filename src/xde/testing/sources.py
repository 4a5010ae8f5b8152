"""The tests of a connector: exact values, nothing lost, nothing twice, nothing half, nothing unsaid."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from xde.app.workspace import Workspace
from xde.ground.crash import CrashPoint
from xde.testing.shelf import COLUMNS, Row

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from xde.kernel.run.events import Outcome
    from xde.testing.shelf import Shelf

POINTS = (CrashPoint.LOAD_STAGED, CrashPoint.FILES_WRITTEN, CrashPoint.BEFORE_COMMIT, CrashPoint.AFTER_COMMIT)
HARD = (
    Row(1, "ada", Decimal("1.25"), 0.1, date(2026, 2, 28), datetime(2026, 2, 28, 23, 59, 59, 999999), flag=True),
    Row(2),
    Row(3, "", Decimal(0), -0.0, date(1, 1, 1), datetime(1970, 1, 1), flag=False),
    Row(4, "\\N", Decimal("-99999999999999.9999"), 1.7976931348623157e308, date(9999, 12, 31), datetime(1969, 12, 31, 23, 59, 59)),
    Row(5, 'a "quoted", text', Decimal("0.0001"), 5e-324, date(2024, 2, 29), datetime(2026, 3, 29, 2, 30)),
    Row(6, "two\nlines, tab\tand \\ backslash", Decimal("12345678901234.5678"), 2.2250738585072014e-308),
    Row(7, " spaces kept ", Decimal("-0.0001"), 0.1 + 0.2),
    Row(8, "Ωλ 漢字 🙂 e\u0301", Decimal("0.1"), -1e15),
    Row(9, "NULL", Decimal(1)),
    Row(10, "null", Decimal("1.5000")),
    Row(2**63 - 1, "the largest"),
    Row(-(2**63), "the smallest"),
)
"""Values at the ends of their types, and texts that are easily taken for something else."""


@dataclass
class Project:
    """A project whose one dataset is the shelf's table."""

    root: Path
    shelf: Shelf

    def contract(self, words: str, *, columns: Sequence[str] = (), relation: str = "", limits: str = "") -> None:
        """Write the contract: `words` are custom properties of the table."""
        listed = "".join(f"      - {COLUMNS[c]}\n" for c in columns or self.shelf.columns)
        limit = f", {{property: xdeLimits, value: {limits}}}" if limits else ""
        (self.root / "sources").mkdir(parents=True, exist_ok=True)
        (self.root / "xde.yaml").write_text("name: shelf\nretries: 0\n", encoding="utf-8")
        (self.root / "sources/shelf.yaml").write_text(
            f"apiVersion: v3.1.0\nkind: DataContract\nid: shelf\nversion: 1.0.0\nstatus: active\nservers:\n  - {self.shelf.server}\n"
            f"schema:\n  - name: things\n    physicalName: {relation or self.shelf.relation}\n    physicalType: table\n"
            f"    customProperties: [{words}{limit}]\n    properties:\n{listed}",
            encoding="utf-8",
        )

    def by_cursor(self) -> None:
        """New rows by their `id`, merged by it."""
        self.contract(f"{{property: xdeIncrementalCursor, value: {self.shelf.cursor}}}, {{property: xdeWriteMode, value: merge}}")

    def whole(self, columns: Sequence[str] = ()) -> None:
        """All rows each time, in the place of those before."""
        self.contract("{property: xdeWriteMode, value: replace}", columns=columns)

    def run(self) -> Outcome | None:
        """What became of the load; None where there was nothing to do."""
        with Workspace.open(self.root) as workspace:
            outcomes = workspace.run().outcomes
        return outcomes[0] if outcomes else None

    def loaded(self) -> None:
        """Run; it must have loaded something."""
        outcome = self.run()
        assert outcome is not None, "the source says that it has nothing new"
        assert outcome.status == "done", outcome.findings

    def rows(self) -> list[Row]:
        """The rows of the lake, in order."""
        with Workspace.open(self.root) as workspace:
            found = workspace.show("shelf.things", limit=None).read_all().to_pylist()
        return sorted((Row(**r) for r in found), key=lambda r: r.id)

    def ids(self) -> list[int]:
        """The keys of the lake's rows, in order."""
        return [r.id for r in self.rows()]

    def cut_to(self, rows: Sequence[Row]) -> list[Row]:
        """Rows with the columns that the shelf can hold, in order."""
        lacking = {f.name: None for f in fields(Row) if f.name not in self.shelf.columns}
        held = ({f.name: getattr(r, f.name) for f in fields(Row)} | lacking for r in rows)
        return sorted((Row(**values) for values in held), key=lambda r: r.id)

    def command(self, *words: str, crash: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command of ours in a process of its own, that dies at a crash point where one is named."""
        environment = {**os.environ, "XDE_CRASH_AT": crash}
        command = [sys.executable, "-m", "xde.faces.cli.main", "--project", str(self.root), *words]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=300)  # noqa: S603 - ours


class SourceSuite:
    """Inherit from it, and give a fixture `shelf`, with an empty table for each test."""

    @pytest.fixture
    def project(self, shelf: Shelf, tmp_path: Path) -> Project:
        """A project that reads the shelf, with no contract yet."""
        return Project(tmp_path / "project", shelf)

    def test_every_value_arrives_as_it_is(self, project: Project, shelf: Shelf) -> None:
        """Nothing is rounded, cut, trimmed, or taken for missing, and nothing is a dead letter."""
        shelf.put(HARD)
        project.whole()
        project.loaded()
        assert project.rows() == project.cut_to(HARD)
        with Workspace.open(project.root) as workspace:
            assert workspace.letters(status=None) == ()

    def test_an_empty_table_is_a_table_without_rows(self, project: Project) -> None:
        """It is loaded all the same, so that whoever reads it finds it."""
        project.whole()
        project.loaded()
        assert project.rows() == []

    def test_a_second_run_has_nothing_to_do(self, project: Project, shelf: Shelf) -> None:
        """By a cursor: what was read is not read again."""
        shelf.put([Row(1, "a"), Row(2, "b")])
        project.by_cursor()
        project.loaded()
        assert project.run() is None, "nothing is new, and the source says that something is"

    def test_only_what_is_new_is_added(self, project: Project, shelf: Shelf) -> None:
        """Load by load the lake has what the table has."""
        project.by_cursor()
        for start in (1, 11, 21):
            shelf.put([Row(n, f"row {n}") for n in range(start, start + 10)])
            project.loaded()
            assert project.ids() == list(range(1, start + 10))

    def test_a_changed_row_within_the_lag_is_replaced(self, project: Project, shelf: Shelf) -> None:
        """The row is there once, with its new value."""
        shelf.put([Row(1, "old"), Row(2, "b")])
        project.by_cursor()
        project.loaded()
        shelf.put([Row(1, "new"), Row(3, "c")])
        project.loaded()
        found = {r.id: r.word for r in project.rows()}
        assert found == {1: "new", 2: "b", 3: "c"} or (shelf.cursor.count("lag") == 0 and found == {1: "old", 2: "b", 3: "c"})

    def test_what_is_gone_is_gone_where_all_is_read(self, project: Project, shelf: Shelf) -> None:
        """By `replace` the lake has what the table has, no more."""
        shelf.put([Row(1, "a"), Row(2, "b"), Row(3, "c")])
        project.whole()
        project.loaded()
        shelf.remove([2])
        shelf.put([Row(3, "d")])
        project.loaded()
        assert project.rows() == [Row(1, "a"), Row(3, "d")]

    def test_a_row_that_is_committed_late_is_not_lost(self, project: Project, shelf: Shelf) -> None:
        """A load in the middle of somebody's transaction sees later rows and not its own; a later load does."""
        project.by_cursor()
        late = shelf.late([Row(1, "late")])
        if late is None:
            pytest.skip("this source knows no transactions")
        with late:
            shelf.put([Row(2, "early")])
            project.run()
        project.run()
        assert project.ids() == [1, 2]

    def test_columns_that_nobody_asks_for_are_not_there(self, project: Project, shelf: Shelf) -> None:
        """Of a table only the columns of the contract come into the lake."""
        shelf.put([Row(1, "a", Decimal(1))])
        project.whole(("id", "word"))
        project.loaded()
        with Workspace.open(project.root) as workspace:
            assert workspace.show("shelf.things", limit=None).read_all().schema.names == ["id", "word"]

    def test_a_table_that_is_not_there_is_told(self, project: Project, shelf: Shelf) -> None:
        """By a finding that names it; nothing is published."""
        shelf.put([Row(1, "a")])
        project.contract("{property: xdeWriteMode, value: replace}", relation="no_such_thing")
        outcome = project.run()
        assert outcome is not None
        assert outcome.status == "failed"
        assert [f for f in outcome.findings if "no_such_thing" in str(f.message)], outcome.findings

    def test_a_source_that_is_away_fails_and_nothing_is_lost(self, project: Project, shelf: Shelf) -> None:
        """A load while it is away says why; the next one goes on."""
        shelf.put([Row(1, "a")])
        project.by_cursor()
        project.loaded()
        shelf.put([Row(2, "b")])
        away = shelf.away()
        if away is None:
            pytest.skip("this source cannot be taken away")
        with away:
            said = project.command("run")
            assert said.returncode not in {0, 70}, said.stdout + said.stderr
            assert "Traceback" not in said.stdout + said.stderr
            assert project.ids() == [1]
            assert project.command("doctor").returncode == 1
        project.loaded()
        assert project.ids() == [1, 2]

    def test_the_doctor_finds_a_source_well(self, project: Project, shelf: Shelf) -> None:
        """What is looked at is said."""
        shelf.put([Row(1, "a")])
        project.by_cursor()
        said = project.command("doctor")
        assert said.returncode == 0, said.stdout + said.stderr
        assert "shelf.things" in said.stdout

    @pytest.mark.parametrize("point", POINTS)
    def test_a_killed_load_loses_nothing_and_doubles_nothing(self, point: CrashPoint, project: Project, shelf: Shelf) -> None:
        """In a first load and in a later one."""
        project.by_cursor()
        shelf.put([Row(n, f"row {n}") for n in range(1, 6)])
        for last in (5, 9):
            killed = project.command("run", crash=str(point))
            assert killed.returncode == -9, killed.stdout + killed.stderr
            shelf.put([Row(n, f"row {n}") for n in range(last + 1, last + 3)])
            project.run()
            assert project.rows() == [Row(n, f"row {n}") for n in range(1, last + 3)]
            shelf.put([Row(n, f"row {n}") for n in range(last + 3, last + 5)])

    def test_many_rows_arrive_once_each(self, project: Project, shelf: Shelf) -> None:
        """More than one block of whatever is read at once."""
        rows = [Row(n, f"row {n}") for n in range(1, 20_001)]
        shelf.put(rows)
        project.by_cursor()
        project.loaded()
        assert project.rows() == rows

    def test_a_source_is_read_no_faster_than_it_may_be(self, project: Project, shelf: Shelf) -> None:
        """`rowsPerSecond` of the contract holds, and the load tells what it asked of the source."""
        shelf.put([Row(n) for n in range(1, 3_001)])
        project.contract("{property: xdeWriteMode, value: replace}", limits="{rowsPerSecond: 2000}")
        began = time.monotonic()
        project.loaded()
        assert time.monotonic() - began > 1.0, "3,000 rows came in less than a second, where 2,000 may"
        assert project.ids() == list(range(1, 3_001))

    def test_a_secret_is_seen_nowhere(self, project: Project, shelf: Shelf) -> None:
        """Not in what is said, nor in any file of the project, whether a load does well or not."""
        if not shelf.secret:
            pytest.skip("this source has no secret")
        shelf.put([Row(1, "a")])
        project.by_cursor()
        said = [project.command("run"), project.command("doctor"), project.command("plan", "--json")]
        project.contract("{property: xdeWriteMode, value: replace}", relation="no_such_thing")
        said += [project.command("run"), project.command("doctor")]
        assert shelf.secret not in "".join(s.stdout + s.stderr for s in said)
        for path in project.root.rglob("*"):
            assert not path.is_file() or shelf.secret.encode() not in path.read_bytes(), path
