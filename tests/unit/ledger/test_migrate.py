"""Migrations: whole or not at all, once each, never on a newer database."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest

from xde.ground.errors import UserError
from xde.ledger.migrate import MIGRATIONS, Migration, migrate
from xde.ledger.open import open_ledger
from xde.ledger.queries import statements
from xde.ledger.sqlite import SqliteStore

if TYPE_CHECKING:
    from pathlib import Path

NEXT = MIGRATIONS[-1].number + 1


def tables(path: Path) -> set[str]:
    look = sqlite3.connect(path)
    found = {name for (name,) in look.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    look.close()
    return found


def test_the_numbers_have_no_gap() -> None:
    assert [m.number for m in MIGRATIONS] == list(range(1, NEXT))


def test_every_script_has_statements() -> None:
    assert all(m.statements() for m in MIGRATIONS)
    assert all(s.startswith("CREATE ") for s in statements("migrations/0001_tables.sql"))


def test_a_newer_database_is_left_alone(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "l.sqlite", "l.sqlite")
    migrate(store, (*MIGRATIONS, Migration(NEXT, "later", lambda: ["CREATE TABLE xde_later (x text)"])))
    store.close()
    with pytest.raises(UserError) as caught:
        open_ledger("sqlite:l.sqlite", tmp_path)
    (finding,) = caught.value.findings
    assert finding.code == "XDE0707"
    assert f"migration {NEXT}" in finding.why


def test_only_what_is_missing_is_done(tmp_path: Path) -> None:
    path = tmp_path / "l.sqlite"
    store = SqliteStore(path, "l")
    migrate(store)
    later = Migration(NEXT, "later", lambda: ["CREATE TABLE xde_later (x text)"])
    for _ in range(2):
        migrate(store, (*MIGRATIONS, later))
    store.close()
    assert "xde_later" in tables(path)


def test_one_that_fails_half_way_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "l.sqlite"
    store = SqliteStore(path, "l")
    migrate(store)
    before = tables(path)

    def break_off() -> list[str]:
        return ["CREATE TABLE xde_half (x text)", "INSERT INTO xde_half VALUES ('1')", "CREATE TABLE xde_state (x text)"]

    with pytest.raises(Exception, match="already exists"):
        migrate(store, (*MIGRATIONS, Migration(NEXT, "half", break_off)))
    assert tables(path) == before
    migrate(store)
    store.close()
