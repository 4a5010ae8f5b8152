"""A disk that is full in the middle of a load: told, nothing half done is visible, and the next run with room goes on."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
from projects.contracts import SQLITE, source

from xde.app.workspace import Workspace

pytestmark = pytest.mark.slow
OBJECT = """\
  - name: orders
    physicalName: {name}
    customProperties: [{{property: xdeWriteMode, value: replace}}]
    properties:
      - {{name: id, logicalType: integer, required: true}}
      - {{name: word, logicalType: string}}
"""
MODEL = "SELECT id, word, md5(word) AS hashed FROM shop.orders\n"
ROWS = 60_000
SOURCE = """\
import sqlite3

import dlt


@dlt.resource
def orders():
    found = sqlite3.connect("data/till.db").execute("SELECT id, word FROM orders")
    while rows := found.fetchmany(5_000):
        yield [{"id": n, "word": word} for n, word in rows]
"""


@contextmanager
def small_disk(folder: Path, kilobytes: int):
    """A disk of its own at a folder; gives a function that makes it larger."""
    folder.mkdir()
    mount = shutil.which("mount")
    made = mount and subprocess.run(
        [mount, "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if not made or made.returncode:
        pytest.skip("only who may mount can make a small disk (root, outside of most containers)")
    try:
        yield lambda megabytes: subprocess.run([mount, "-o", f"remount,size={megabytes}m", str(folder)], check=True)
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)


def sell(root: Path, form: str) -> None:
    """Rows that do not pack."""
    chance = random.Random(1)
    rows = [(n, chance.randbytes(24).hex()) for n in range(ROWS)]
    if form == "csv":
        (root / "data/orders.csv").write_text("id,word\n" + "".join(f"{n},{word}\n" for n, word in rows))
        return
    (root / "till_source.py").write_text(SOURCE)
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(root / "data/till.db")) as till, till:
        till.execute("CREATE TABLE orders (id INTEGER, word TEXT)")
        till.executemany("INSERT INTO orders VALUES (?, ?)", rows)


def run(root: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "xde.faces.cli.main", "--project", str(root), "run"]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)


@pytest.mark.parametrize(
    ("form", "kilobytes"), [("csv", 64), ("csv", 1000), ("csv", 4000), ("sqlite", 1000), ("sqlite", 2500), ("dlt", 1000), ("dlt", 2500)]
)
def test_a_full_disk_is_told_and_more_room_is_enough(form, kilobytes, tmp_path):
    root = tmp_path / "shop"
    with small_disk(root, kilobytes) as enlarge:
        (tmp_path / "data").mkdir()
        (root / "data").symlink_to(tmp_path / "data")
        for folder in ("sources", "models/marts"):
            (root / folder).mkdir(parents=True)
        (root / "xde.yaml").write_text("name: shop\nretries: 0\nparallel: 1\n")
        server = {
            "sqlite": SQLITE.replace("till.db", "data/till.db"),
            "csv": "{server: local, type: local, path: data, format: csv}",
            "dlt": "{server: till, type: custom, customProperties: [{property: xdeType, value: dlt}, "
            '{property: xdeSource, value: "till_source:orders"}]}',
        }[form]
        (root / "sources/shop.yaml").write_text(source(OBJECT.format(name="orders.csv" if form == "csv" else "orders"), server))
        (root / "models/marts/hashed.sql").write_text(MODEL)
        sell(root, form)
        said = run(root)
        told = said.stdout + said.stderr
        assert said.returncode in {1, 3}, told
        assert "Traceback" not in told
        assert "full" in told or "No space" in told or "no room" in told, told
        enlarge(200)
        with Workspace.open(root) as workspace:
            built = {d for d in ("shop.orders", "marts.hashed") if any(x.name == d and x.rows is not None for x in workspace.datasets())}
            for name in built:
                assert workspace.show(name, limit=None).read_all().num_rows == ROWS, "what is there is whole"
        said = run(root)
        assert said.returncode == 0, said.stdout + said.stderr
        with Workspace.open(root) as workspace:
            for name in ("shop.orders", "marts.hashed"):
                assert workspace.show(name, limit=None).read_all().num_rows == ROWS
