"""SQLite ledgers in every bad form: each gives a finding or a `TemporaryError`, and never a traceback."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from xde.ground.errors import TemporaryError, UserError
from xde.kernel.plan.ledger import TableState
from xde.ledger.open import open_ledger
from xde.ledger.queries import pyformat_queries, queries
from xde.ledger.relational import RelationalLedger
from xde.ledger.sqlite import SqliteStore, set_aside

if TYPE_CHECKING:
    from collections.abc import Callable

AT = "2026-01-01T00:00:00+00:00"
URL = "sqlite:.xde/ledger.sqlite"


def code(open_it: Callable[[], object]) -> str:
    with pytest.raises(UserError) as caught:
        open_it()
    (finding,) = caught.value.findings
    assert finding.message[0].islower()
    assert not finding.message.endswith(".")
    assert finding.hint
    return finding.code


def many(number: int = 300, snapshot: int = 0) -> list[TableState]:
    return [TableState(f"a.t{n}", "v", snapshot, 1, 1, AT, {"pad": "x" * 300}) for n in range(number)]


def full_ledger(root: Path) -> Path:
    ledger = open_ledger(URL, root)
    ledger.remember(many())
    ledger.close()
    return root / URL.removeprefix("sqlite:")


@pytest.mark.parametrize(
    "url",
    [
        "sqlit:x",
        "mysql://u:secret@h/d",
        "ledger.sqlite",
        "",
        "sqlite:",
        "sqlite:  ",
        "sqlite::memory:",
        "sqlite:///abs/x",
        "sqlite:a/",
        "sqlite:a\0b",
    ],
)
def test_wrong_addresses(url: str, tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        open_ledger(url, tmp_path)
    (finding,) = caught.value.findings
    assert finding.code == "XDE0700"
    assert "secret" not in finding.message + finding.why + finding.hint
    assert list(tmp_path.iterdir()) == []


def test_the_nearest_scheme_is_named(tmp_path: Path) -> None:
    for wrong, right in [("sqlite3:x", "sqlite"), ("postgre://h/d", "postgresql"), ("postgress://h/d", "postgresql")]:
        with pytest.raises(UserError) as caught:
            open_ledger(wrong, tmp_path)
        assert caught.value.findings[0].hint == f"did you mean `{right}`?"


def test_it_is_made_with_its_folders_and_opened_again(tmp_path: Path) -> None:
    path = full_ledger(tmp_path)
    assert path.exists()
    again = open_ledger(URL, tmp_path)
    assert len(again.states()) == 300
    again.close()
    absolute = open_ledger(f"sqlite:{path}", Path("/nowhere"))
    assert len(absolute.states()) == 300
    absolute.close()


def test_a_folder_in_its_place(tmp_path: Path) -> None:
    (tmp_path / ".xde/ledger.sqlite").mkdir(parents=True)
    assert code(lambda: open_ledger(URL, tmp_path)) == "XDE0703"


def test_a_file_in_the_place_of_its_folder(tmp_path: Path) -> None:
    (tmp_path / ".xde").write_text("")
    assert code(lambda: open_ledger(URL, tmp_path)) == "XDE0702"


AS_ANOTHER = """
import os, sys
from pathlib import Path
from xde.ground.errors import UserError
from xde.kernel.plan.ledger import TableState
from xde.ledger.open import open_ledger
import xde.ledger.sqlite, xde.ledger.queries
xde.ledger.queries.queries(), [m.statements() for m in xde.ledger.migrate.MIGRATIONS]
if os.geteuid() == 0: os.setgid(65534); os.setuid(65534)  # only now: another user may not be allowed to read this code
try:
    ledger = open_ledger("sqlite:x/ledger.sqlite", Path(sys.argv[1]))
    ledger.remember([TableState("a.b", "v", 0, 1, 1, "")])
except UserError as error:
    print(error.findings[0].code)
"""


@pytest.mark.parametrize("there_already", [False, True])
def test_a_folder_that_may_not_be_written(there_already: bool, tmp_path: Path) -> None:
    root = Path(tempfile.mkdtemp(prefix="xde-ledger-"))  # pytest's own folders are closed to other users
    try:
        (root / "x").mkdir()
        if there_already:
            open_ledger("sqlite:x/ledger.sqlite", root).close()
            (root / "x/ledger.sqlite").chmod(0o444)
        (root / "x").chmod(0o555)
        root.chmod(0o755)
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        done = subprocess.run([sys.executable, "-c", AS_ANOTHER, str(root)], env=env, capture_output=True, text=True, check=False, cwd="/")
        assert (done.stdout.strip(), done.stderr) == ("XDE0702", "")
    finally:
        (root / "x").chmod(0o755)
        shutil.rmtree(root)


@pytest.mark.parametrize("content", [b"name: my project\n" * 100, b"\x89PNG\r\n" + os.urandom(5000), b"PK\x03\x04"])
def test_a_file_of_something_else(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "xde.yaml"
    path.write_bytes(content)
    assert code(lambda: open_ledger("sqlite:xde.yaml", tmp_path)) == "XDE0704"
    assert path.read_bytes() == content


def test_a_database_of_something_else(tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "other.db")
    other.execute("CREATE TABLE customers (x)")
    other.close()
    assert code(lambda: open_ledger("sqlite:other.db", tmp_path)) == "XDE0705"
    other = sqlite3.connect(tmp_path / "other.db")
    assert other.execute("SELECT name FROM sqlite_master").fetchall() == [("customers",)]
    other.close()


def test_an_empty_file_is_a_new_ledger(tmp_path: Path) -> None:
    (tmp_path / "ledger.sqlite").touch()
    ledger = open_ledger("sqlite:ledger.sqlite", tmp_path)
    assert ledger.states() == {}
    ledger.close()


def use(root: Path) -> None:
    ledger = open_ledger(URL, root)
    try:
        ledger.remember(many(snapshot=1))
        ledger.states()
        ledger.pointers("dev")
        ledger.unfinished()
    finally:
        ledger.close()


@pytest.mark.parametrize("damage", ["garbage in the middle", "cut short", "cut to nothing but a head"])
def test_a_damaged_file(damage: str, tmp_path: Path) -> None:
    path = full_ledger(tmp_path)
    size = path.stat().st_size
    match damage:
        case "garbage in the middle":
            with path.open("r+b") as stream:
                stream.seek(4096)
                stream.write(os.urandom(size - 8192))
        case "cut short":
            os.truncate(path, size // 2)
        case _:
            os.truncate(path, 100)
    with pytest.raises(UserError) as caught:
        use(tmp_path)
    (finding,) = caught.value.findings
    assert (finding.code, finding.hint) == ("XDE0706", "xde ledger rebuild")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE xde_state SET facts = '{\"pad\": ' WHERE dataset = 'a.t7'",
        "UPDATE xde_state SET facts = CAST(x'fffe' AS TEXT)",
        "DROP TABLE xde_state",
        "ALTER TABLE xde_state DROP COLUMN facts",
    ],
)
def test_damage_that_sqlite_does_not_see(statement: str, tmp_path: Path) -> None:
    other = sqlite3.connect(full_ledger(tmp_path))
    other.execute(statement)
    other.commit()
    other.close()
    ledger = open_ledger(URL, tmp_path)
    assert code(ledger.states) == "XDE0706"
    ledger.close()


def test_set_aside_and_begin_anew(tmp_path: Path) -> None:
    path = full_ledger(tmp_path)
    path.write_bytes(b"SQLite format 3\0" + os.urandom(9000))
    path.with_name(path.name + "-wal").write_bytes(b"left behind")
    aside = set_aside(path)
    assert aside == path.with_name("ledger.sqlite.broken-1")
    assert sorted(p.name for p in path.parent.iterdir()) == ["ledger.sqlite.broken-1", "ledger.sqlite.broken-1-wal"]
    full_ledger(tmp_path)
    assert set_aside(path) == path.with_name("ledger.sqlite.broken-2")
    assert set_aside(path) is None


def test_no_room_left_and_nothing_half_written(tmp_path: Path) -> None:
    path = full_ledger(tmp_path)
    store = SqliteStore(path, "ledger")
    ledger = RelationalLedger(store)
    store._connection.execute("PRAGMA max_page_count = 1")  # the file may not grow: SQLite then says that the disk is full
    big = [TableState(f"b.t{n}", "v", 1, 1, 1, AT, {"pad": "y" * 3000}) for n in range(100)]
    assert code(lambda: ledger.remember(big)) == "XDE0708"
    assert set(ledger.states()) == {(f"a.t{n}", "v") for n in range(300)}
    ledger.move("dev", {}, AT)
    ledger.close()


def test_one_who_holds_it_for_long_is_temporary_trouble(tmp_path: Path) -> None:
    path = full_ledger(tmp_path)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    ledger = RelationalLedger(SqliteStore(path, "ledger", busy_seconds=0.1))
    assert len(ledger.states()) == 300, "a reader does not wait for a writer"
    with pytest.raises(TemporaryError, match="held by another process"):
        ledger.remember(many())
    other.execute("ROLLBACK")
    ledger.remember(many())
    ledger.close()
    other.close()


def test_one_who_holds_all_of_it_is_temporary_trouble_at_the_door(tmp_path: Path) -> None:
    path = tmp_path / "new.sqlite"
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    other.execute("CREATE TABLE t (x)")
    with pytest.raises(TemporaryError):
        SqliteStore(path, "ledger", busy_seconds=0.1)
    other.close()


def test_an_interrupt_in_a_write_undoes_it(tmp_path: Path) -> None:
    store = SqliteStore(full_ledger(tmp_path), "ledger")

    def work(t: object) -> None:
        t.change("drop_states")  # type: ignore[attr-defined]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.write(work)
    assert len(RelationalLedger(store).states()) == 300
    store.close()


def test_every_query_is_explained_and_used() -> None:
    folder = Path(sys.modules["xde.ledger.queries"].__file__ or "").parent
    text = (folder / "queries.sql").read_text()
    for name in queries():
        explained = text.split(f"-- name: {name}\n")[1]
        assert explained.startswith("-- "), f"{name} has no reason"
    code_ = "".join((folder / f"{module}.py").read_text() for module in ("relational", "migrate"))
    for name in queries():
        said = name.replace("_sqlite", "_{store.dialect}").replace("_postgres", "_{store.dialect}")
        assert f'"{said}"' in code_, f"{name} is used by nobody"
    assert "%(environment)s" in pyformat_queries()["pointers"]
    assert not any(":" in q for q in pyformat_queries().values())
