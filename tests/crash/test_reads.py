"""Readers and those who count them, killed at every point and at once: each read is counted once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest
from crash.shop import XDE, make, xde

from xde.app.workspace import Workspace

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    root = make(tmp_path / "shop", 1)
    assert xde(root, "run") == 0
    return root


def counted(root: Path) -> dict[str, dict[str, int]]:
    with Workspace.open(root) as workspace:
        return {s.dataset: dict(s.readers.reads) for s in workspace.cost().spendings if s.readers.reads}


@pytest.mark.crash
def test_a_reader_that_is_killed_is_counted(shop):
    assert xde(shop, "show", "marts.daily", crash="read.noted") == -signal.SIGKILL
    assert xde(shop, "show", "marts.daily", "--format", "csv") == 0
    assert counted(shop) == {"marts.daily": {"show": 1, "export": 1}}


@pytest.mark.crash
@pytest.mark.parametrize("nth", [1, 2])
def test_one_who_counts_and_is_killed_has_counted_once(nth, shop):
    for dataset in ("marts.daily", "marts.daily", "shop.orders"):
        assert xde(shop, "show", dataset) == 0
    assert xde(shop, "cost", crash=f"reads.counted:{nth}") == -signal.SIGKILL
    assert counted(shop) == counted(shop) == {"marts.daily": {"show": 2}, "shop.orders": {"show": 1}}
    assert list((shop / ".xde/reads").glob("*/*.jsonl")) == []


@pytest.mark.crash
def test_many_read_while_many_count(shop):
    environment = {k: v for k, v in os.environ.items() if k != "XDE_CRASH_AT"}
    reading = ["show", "marts.daily"]
    calls = [
        subprocess.Popen([*XDE, *(["cost", "--json"] if n % 3 == 2 else reading)], cwd=shop, env=environment, stdout=subprocess.PIPE)
        for n in range(12)
    ]
    for call in calls:
        told, _ = call.communicate(timeout=120)
        assert call.returncode == 0
        if call.args[-1] == "--json":
            assert {d["dataset"] for d in json.loads(told)["datasets"]} >= {"marts.daily"}
    assert counted(shop) == {"marts.daily": {"show": 8}}
