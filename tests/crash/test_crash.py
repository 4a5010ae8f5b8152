"""Killed at every named point and at random moments, then run again: every table is what an undisturbed run makes it."""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from typing import TYPE_CHECKING

import pytest
from crash.shop import deliver, everything, make, settled, xde, xde_anew

from xde.ground.crash import CrashPoint

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """Two deliveries, run; a third, run."""
    root = make(tmp_path_factory.mktemp("calm") / "shop", 2, more=True)
    assert xde(root, "run") == 0
    deliver(root, 2)
    assert xde(root, "run") == 0
    found = everything(root)
    assert sum(x.startswith("shop.") for x in found["letters"]) == 9
    assert sum(x.startswith("marts.cheap") for x in found["letters"]) == 591 - len(found["marts.cheap"]) > 20
    assert sum(x.startswith("marts.pairs") for x in found["letters"]) > 100
    assert len(found["shop.orders"]) == 591
    return found


READS = {CrashPoint.READ_NOTED, CrashPoint.READS_COUNTED}
ELSEWHERE = {
    CrashPoint.CLEAN_LISTED,
    CrashPoint.DROP_ASIDE,
    CrashPoint.BEFORE_SWITCH,
    CrashPoint.SWITCHED,
    CrashPoint.ARRANGED,
    *READS,
    CrashPoint.PROJECT_WRITTEN,
    CrashPoint.PAGE_READ,
    CrashPoint.PUSH_WRITTEN,
    CrashPoint.SLOT_DROPPED,
    CrashPoint.PUSH_DURABLE,
    CrashPoint.SEGMENT_DELIVERED,
    CrashPoint.EVENTS_READ,
    CrashPoint.MESSAGE_KEPT,
    CrashPoint.SLOT_MADE,
    CrashPoint.CHANGES_READ,
    CrashPoint.SLOT_BEHIND,
    CrashPoint.SLOT_ADVANCED,
}  # a run does not come there
POINTS = [p for p in CrashPoint if p not in ELSEWHERE]


def died_and_rose(root: Path, undisturbed: dict[str, list[str]], *, first: str, second: str, start: Callable[..., int] = xde) -> None:
    make(root, 2, more=True)
    assert start(root, "run", crash=first) == -signal.SIGKILL
    assert start(root, "run") == 0
    deliver(root, 2)
    assert start(root, "run", crash=second) == -signal.SIGKILL
    settled(root)
    assert everything(root) == undisturbed


@pytest.mark.crash
def test_a_crash_before_and_after_a_commit_loses_and_doubles_nothing(tmp_path, undisturbed):
    died_and_rose(tmp_path / "shop", undisturbed, first="commit.before:2", second="commit.after", start=xde_anew)


@pytest.mark.crash
@pytest.mark.parametrize("nth", [1, 3])
@pytest.mark.parametrize("point", POINTS)
def test_every_point(point, nth, tmp_path, undisturbed):
    nth = (
        1
        if point in {CrashPoint.RUN_STARTED, CrashPoint.RUN_RECORDED, CrashPoint.HISTORY_PLACED, CrashPoint.LETTERS_WRITTEN}
        else min(nth, 2)
        if point is CrashPoint.LOAD_STAGED
        else nth
    )
    died_and_rose(tmp_path / "shop", undisturbed, first=f"{point}:{nth}", second=str(point))


@pytest.mark.crash
def test_a_kill_that_comes_too_late_leaves_the_answers_in_step(tmp_path):
    """Of the tests' own way to kill: a command may end, and be reaped, in the moment before its signal is sent."""
    root = make(tmp_path / "shop", 1)
    assert xde(root, "--version") == 0
    began = time.monotonic()
    assert xde(root, "--version") == 0
    length = time.monotonic() - began
    for part in range(60):
        assert xde(root, "--version", kill_after=length * (0.6 + part / 100)) in {0, -signal.SIGKILL}
    assert xde(root, "plan") == 0


@pytest.mark.crash
def test_a_crash_while_cleaning_takes_nothing_that_is_needed(tmp_path, undisturbed):
    root = make(tmp_path / "shop", 2, more=True)
    assert xde(root, "run", crash="commit.before:3") == -signal.SIGKILL
    assert xde(root, "run") == 0
    deliver(root, 2)
    assert xde(root, "run") == 0
    long_ago = time.time() - 90_000
    for path in (root / ".xde/lake").rglob("*.parquet"):
        os.utime(path, (long_ago, long_ago))
    assert xde(root, "clean", "--keep-hours", "0", crash="clean.listed") == -signal.SIGKILL
    assert xde(root, "clean", "--keep-hours", "0") == 0
    assert everything(root) == undisturbed


@pytest.mark.crash
@pytest.mark.parametrize("seed", range(10))
def test_ten_kills_at_random_moments(seed, tmp_path):
    """A hundred in all: the moments are spread over start, load, build and end of runs that always have new files to load."""
    chance = random.Random(seed)
    calm = make(tmp_path / "calm", 0)
    root = make(tmp_path / "shop", 0)
    deliver(root, 0)
    killed, number, length = 0, 1, length_of_a_run(make(tmp_path / "timed", 1))
    while killed < 10:
        deliver(root, number)
        number += 1
        for _ in range(3):
            if xde(root, "run", kill_after=chance.uniform(0, length)) != -signal.SIGKILL:
                break
            killed += 1
    settled(root)
    shutil.copytree(root / "data", calm / "data", dirs_exist_ok=True)
    assert xde(calm, "run") == 0
    found, wanted = everything(root), everything(calm)
    assert found == wanted


def length_of_a_run(root: Path) -> float:
    """How many seconds a run takes that has a file to load; the first one brings the imports."""
    assert xde(root, "run") == 0
    deliver(root, 1)
    began = time.monotonic()
    assert xde(root, "run") == 0
    return time.monotonic() - began


@pytest.mark.crash
@pytest.mark.parametrize("point", ["arranged", "commit.before", "commit.after", "pointer.moved"])
def test_a_crash_while_files_are_laid_otherwise_changes_no_row(point, tmp_path, undisturbed):
    root = make(tmp_path / "shop", 2, more=True)
    assert xde(root, "run") == 0
    deliver(root, 2)
    assert xde(root, "run") == 0
    for name in ("marts/daily", "marts/told"):
        path = root / f"models/{name}.sql"
        path.write_text(path.read_text().replace("kind:", "partition: month(day)\nsort: day\nkind:", 1))
    assert xde(root, "run", crash=point) == -signal.SIGKILL
    settled(root)
    assert everything(root) == undisturbed
