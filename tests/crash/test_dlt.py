"""Killed at every named point while a source of dlt is read, and in mid-page: nothing is lost, and nothing twice, appended as well."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from crash.shop import LOAD_POINTS, xde
from projects.contracts import head

from xde.app.workspace import Workspace
from xde.ground.crash import CrashPoint

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.crash
SOURCE = """\
import json
import os
import time
from pathlib import Path

import dlt


@dlt.resource(primary_key="id")
def orders(last=dlt.sources.incremental("day", initial_value=0)):
    found = [r for r in json.loads(Path("shelf.json").read_text()) if r["day"] >= last.last_value]
    for n in range(0, len(found), 2):
        if n and Path("slow").exists():
            Path("child.txt").write_text(str(os.getpid()))
            time.sleep(60)
        yield found[n : n + 2]
"""
CONTRACT = """\
servers:
  - server: shop
    type: custom
    customProperties: [{{property: xdeType, value: dlt}}, {{property: xdeSource, value: "shop_source:orders"}}]
schema:
  - name: orders
    customProperties: [{{property: xdeWriteMode, value: {mode}}}]
    properties:
      - {{name: id, logicalType: integer, primaryKey: true, required: true}}
      - {{name: day, logicalType: integer}}
"""


def shop(root: Path, mode: str = "append") -> Path:
    (root / "sources").mkdir(parents=True)
    (root / "xde.yaml").write_text("name: shop\nretries: 0\n")
    (root / "shop_source.py").write_text(SOURCE)
    (root / "sources/shop.yaml").write_text(head() + CONTRACT.format(mode=mode))
    return root


def sell(root: Path, last: int) -> None:
    """Orders up to a number, three a day; every tenth is none."""
    (root / "shelf.json").write_text(json.dumps([{"id": "no" if n % 10 == 4 else n, "day": n // 3} for n in range(1, last + 1)]))


def found(root: Path) -> tuple[list[int], int]:
    with Workspace.open(root) as workspace:
        rows = workspace.show("shop.orders", limit=None).read_all().to_pylist()
        return sorted(r["id"] for r in rows), len(workspace.letters(status="open"))


def good(last: int) -> list[int]:
    return [n for n in range(1, last + 1) if n % 10 != 4]


@pytest.mark.parametrize("point", LOAD_POINTS)
def test_every_point(point: str, tmp_path: Path) -> None:
    root = shop(tmp_path / "shop")
    sell(root, 13)
    assert xde(root, "run", crash=str(point)) == -signal.SIGKILL
    sell(root, 17)
    assert xde(root, "run") == 0
    assert found(root) == (good(17), 2)
    assert not list((root / ".xde/tmp").glob("table-*")), "what a killed process left is taken away by the next that reads"


@pytest.mark.parametrize("mode", ["append", "merge"])
def test_the_process_of_the_source_dies_between_two_pages(mode: str, tmp_path: Path) -> None:
    root = shop(tmp_path / "shop", mode)
    sell(root, 7)
    environment = {**os.environ, "XDE_CRASH_AT": f"{CrashPoint.PAGE_READ}:2"}
    command = [sys.executable, "-m", "xde.faces.cli.main", "--project", str(root), "run"]
    said = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert said.returncode == 1
    assert "XDE0527" in said.stderr
    assert "SIGKILL" in said.stderr
    assert xde(root, "run") == 0
    assert found(root) == (good(7), 1)


def test_a_process_of_ours_that_is_killed_in_mid_page_takes_the_source_along(tmp_path: Path) -> None:
    root = shop(tmp_path / "shop")
    sell(root, 13)
    (root / "slow").touch()
    ours = subprocess.Popen([sys.executable, "-m", "xde.faces.cli.main", "--project", str(root), "run"], stderr=subprocess.DEVNULL)
    child = _wait_for(root / "child.txt")
    ours.kill()
    ours.wait()
    for _ in range(100):
        if not _alive(child):
            break
        time.sleep(0.05)
    assert not _alive(child)
    (root / "slow").unlink()
    assert xde(root, "run") == 0
    assert found(root) == (good(13), 1)
    assert not list((root / ".xde/tmp").glob("table-*"))


def _wait_for(path: Path) -> int:
    for _ in range(600):
        with suppress(FileNotFoundError, ValueError):
            return int(path.read_text())
        time.sleep(0.05)
    raise AssertionError("the source was never read")


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    with suppress(OSError), open(f"/proc/{process}/stat", encoding="ascii") as stat:  # noqa: PTH123 - a file of the kernel's
        return stat.read().rpartition(")")[2].split()[0] != "Z"
    return True
