"""A deployment killed at every named point and at random moments: its environment shows the old state or the new one, nothing between."""

from __future__ import annotations

import random
import signal
from typing import TYPE_CHECKING

import pytest
from crash.shop import factor, make, shown, tell_amounts, xde

from xde.ground.crash import CrashPoint

if TYPE_CHECKING:
    from decimal import Decimal
    from pathlib import Path

POINTS = {
    CrashPoint.RUN_STARTED: 1,
    CrashPoint.STEP_STARTED: 3,
    CrashPoint.FILES_WRITTEN: 3,
    CrashPoint.AUDITED: 3,
    CrashPoint.BEFORE_COMMIT: 3,
    CrashPoint.AFTER_COMMIT: 3,
    CrashPoint.POINTER_MOVED: 3,
    CrashPoint.STEP_RECORDED: 4,
    CrashPoint.RUN_RECORDED: 1,
    CrashPoint.BEFORE_SWITCH: 1,
    CrashPoint.SWITCHED: 1,
}
"""Each with the number of times that a deployment of the shop passes it."""


def deploy(root: Path, *, crash: str = "", kill_after: float | None = None) -> int:
    return xde(root, "deploy", "prod", "--yes", crash=crash, kill_after=kill_after)


def deployed(folder: Path) -> tuple[Path, dict[str, dict[str, Decimal]]]:
    """A shop whose production shows amounts as they are."""
    root = make(folder, 2)
    tell_amounts(root, 1)
    assert xde(root, "run") == 0
    assert deploy(root) == 0
    base = shown(root)
    assert all(len(amounts) > 2 for amounts in base.values())
    return root, base


@pytest.mark.crash
@pytest.mark.parametrize(("point", "nth"), [(p, n) for p, most in POINTS.items() for n in sorted({1, most})])
def test_every_point(point, nth, tmp_path):
    root, base = deployed(tmp_path / "shop")
    tell_amounts(root, 2)
    assert deploy(root, crash=f"{point}:{nth}") == -signal.SIGKILL
    assert factor(root, base) == (2 if point is CrashPoint.SWITCHED else 1)
    assert deploy(root) == 0
    assert factor(root, base) == 2
    assert xde(root, "ledger", "rebuild") == 0
    assert xde(root, "--env", "prod", "run") == 0
    assert factor(root, base) == 2, "what the lake tells of it is what the ledger told"
    assert xde(root, "rollback", "prod", crash=f"{CrashPoint.BEFORE_SWITCH}") == -signal.SIGKILL
    assert factor(root, base) == 2
    assert xde(root, "rollback", "prod") == 0
    assert factor(root, base) == 1


@pytest.mark.crash
@pytest.mark.parametrize("seed", range(10))
def test_ten_kills_at_random_moments(seed, tmp_path):
    """A hundred in all: every deployment has something to build."""
    chance = random.Random(seed)
    root, base = deployed(tmp_path / "shop")
    now, killed = 1, 0
    for times in range(2, 200):
        if killed == 10:
            break
        tell_amounts(root, times)
        if deploy(root, kill_after=chance.uniform(0.1, 1.5)) == -signal.SIGKILL:
            killed += 1
        found = factor(root, base)
        assert found in {now, times}
        now = found
    assert killed == 10
    tell_amounts(root, 500)
    assert deploy(root) == 0
    assert factor(root, base) == 500
