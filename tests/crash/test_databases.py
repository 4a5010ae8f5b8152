"""Killed at every named point while a table of a database is loaded: no row is lost and none is there twice."""

from __future__ import annotations

import signal
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from crash.shop import LOAD_POINTS, xde

from projects.contracts import SQLITE, source
from xde.app.workspace import Workspace
from xde.ground.crash import CrashPoint

if TYPE_CHECKING:
    from pathlib import Path

CONTRACT = source(
    """\
  - name: orders
    customProperties: [{property: xdeIncrementalCursor, value: {property: id}}]
    properties:
      - {name: id, logicalType: integer, primaryKey: true, required: true}
      - {name: amount, logicalType: integer}
""",
    SQLITE,
)


def sell(root: Path, *ids: int) -> None:
    with closing(sqlite3.connect(root / "till.db")) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS orders (id INTEGER PRIMARY KEY, amount)")
        connection.executemany("INSERT INTO orders VALUES (?, ?)", [(i, "bad" if i % 10 == 3 else i) for i in ids])
        connection.commit()


def found(root: Path) -> tuple[list[int], list[bytes]]:
    with Workspace.open(root) as workspace:
        rows = workspace.show("shop.orders", limit=None).read_all().to_pylist()
        letters = [x.letter.raw for x in workspace.letters(status="open")]
    return sorted(r["id"] for r in rows), sorted(letters)


def died_and_rose(root: Path, point: CrashPoint) -> None:
    (root / "sources").mkdir(parents=True)
    (root / "xde.yaml").write_text("name: shop\n")
    (root / "sources/shop.yaml").write_text(CONTRACT)
    sell(root, *range(1, 6))
    assert xde(root, "run", crash=str(point)) == -signal.SIGKILL
    sell(root, *range(6, 9))
    assert xde(root, "run") == 0
    sell(root, *range(9, 16))
    assert xde(root, "run", crash=str(point)) == -signal.SIGKILL
    assert xde(root, "run") == 0
    assert found(root) == ([i for i in range(1, 16) if i % 10 != 3], [b'13,"bad"', b'3,"bad"'])
    assert not list((root / ".xde/tmp").glob("table-*")), "no row lies about"


def test_a_crash_after_a_commit(tmp_path):
    died_and_rose(tmp_path / "shop", CrashPoint.AFTER_COMMIT)


@pytest.mark.crash
@pytest.mark.parametrize("point", LOAD_POINTS)
def test_every_point(point, tmp_path):
    died_and_rose(tmp_path / "shop", point)
