"""Two people deploy from checkouts of their own to one production at once: one of them wins whole, the other waits or is told why not."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest
from crash.shop import XDE, factor, make, shown, tell_amounts, xde
from ledgers import fresh_url

from xde.app.opening import house_at

if TYPE_CHECKING:
    from pathlib import Path

ROUNDS = int(os.environ.get("XDE_ROUNDS", "3"))
KINDS = [pytest.param("sqlite", marks=pytest.mark.slow), pytest.param("postgres", marks=pytest.mark.postgres)]


@pytest.fixture(params=KINDS)
def checkouts(request: pytest.FixtureRequest, tmp_path: Path) -> list[Path]:
    """Two folders of one project, with a lake and a ledger between them."""
    url = fresh_url(request.param, request).replace("sqlite:.xde", f"sqlite:{tmp_path}")
    roots = [make(tmp_path / name, 2) for name in ("ada", "bob")]
    for root in roots:
        (root / "xde.yaml").write_text(
            f"name: shop\nlake: {tmp_path}/lake\nledger: {url}\nenvironments: {{prod: null}}\nenvironment: {root.name}\n"
        )
        tell_amounts(root, 1)
    assert xde(roots[0], "run") == 0
    assert xde(roots[0], "deploy", "prod", "--yes") == 0
    return roots


def begin(root: Path, *words: str) -> subprocess.Popen[bytes]:
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return subprocess.Popen([*XDE, "--project", str(root), *words], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


@pytest.mark.parametrize("wait", ["0", "60"])
def test_of_two_deployments_one_wins_whole(checkouts: list[Path], wait: str) -> None:
    base = shown(checkouts[0])
    now, won, lost = 1, 0, 0
    for number in range(ROUNDS):
        wanted = [2 + 2 * number, 3 + 2 * number]
        for root, times in zip(checkouts, wanted, strict=True):
            tell_amounts(root, times)
        both = [begin(root, "deploy", "prod", "--yes", "--wait", wait) for root in checkouts]
        told = [p.communicate(timeout=120)[0].decode() for p in both]
        assert not any("Traceback" in t for t in told), told
        ends = [p.returncode for p in both]
        assert 0 in ends, told
        won += ends.count(0)
        for end, text in zip(ends, told, strict=True):
            if end:
                lost += 1
                assert "XDE0741" in text or "XDE0720" in text, text
        found = factor(checkouts[0], base)
        assert found in {w for w, e in zip(wanted, ends, strict=True) if e == 0}
        assert factor(checkouts[1], base) == found
        now = found
    house = house_at(checkouts[1], "prod")
    try:
        numbers = [d.number for d in house.ledger.deployments("prod", 100)]
    finally:
        house.close()
    assert numbers == list(range(won + 1, 0, -1)), "each that said so, and no other"
    assert lost + won == 2 * ROUNDS
    tell_amounts(checkouts[1], 77)
    assert xde(checkouts[1], "deploy", "prod", "--yes") == 0
    assert (now, factor(checkouts[0], base)) == (found, 77)


def test_a_run_and_a_deployment_do_not_mix(checkouts: list[Path]) -> None:
    base = shown(checkouts[0])
    for number in range(ROUNDS):
        tell_amounts(checkouts[1], number + 2)
        both = [begin(checkouts[0], "--env", "prod", "run", "--wait", "60"), begin(checkouts[1], "deploy", "prod", "--yes", "--wait", "60")]
        told = [p.communicate(timeout=120)[0].decode() for p in both]
        assert [p.returncode for p in both] == [0, 0], told
        assert factor(checkouts[0], base) == number + 2
