"""A deployment killed at every named point and at random moments: its environment shows the old state or the new one, nothing between."""

from __future__ import annotations

import random
import signal
import time
from typing import TYPE_CHECKING

import pytest
from crash.shop import Prepared, factor, make, shown, tell_amounts, xde

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


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Prepared, dict[str, dict[str, Decimal]]]:
    """A shop whose production shows amounts as they are."""
    root = make(tmp_path_factory.mktemp("deployed") / "shop", 2)
    tell_amounts(root, 1)
    assert xde(root, "run") == 0
    assert deploy(root) == 0
    base = shown(root)
    assert all(len(amounts) > 2 for amounts in base.values())
    return Prepared.keep(root), base


@pytest.fixture
def deployed(prepared: tuple[Prepared, dict[str, dict[str, Decimal]]]) -> tuple[Path, dict[str, dict[str, Decimal]]]:
    return prepared[0].again(), prepared[1]


@pytest.mark.crash
@pytest.mark.parametrize(("point", "nth"), [(p, n) for p, most in POINTS.items() for n in sorted({1, most})])
def test_every_point(point, nth, deployed):
    root, base = deployed
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
def test_ten_kills_at_random_moments(seed, deployed):
    """A hundred in all: every deployment has something to build."""
    chance = random.Random(seed)
    root, base = deployed
    tell_amounts(root, 2)
    began = time.monotonic()
    assert deploy(root) == 0
    length = time.monotonic() - began
    now, killed = 2, 0
    for times in range(3, 200):
        if killed == 10:
            break
        tell_amounts(root, times)
        if deploy(root, kill_after=chance.uniform(0, length)) == -signal.SIGKILL:
            killed += 1
        found = factor(root, base)
        assert found in {now, times}
        now = found
    assert killed == 10
    tell_amounts(root, 500)
    assert deploy(root) == 0
    assert factor(root, base) == 500
