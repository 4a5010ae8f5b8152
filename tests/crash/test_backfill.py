"""A backfill killed at every named point and at random moments: its environment shows the old rows or the new ones, nothing between."""

from __future__ import annotations

import random
import signal
import time
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from crash.shop import MODELS, Prepared, make, xde

from xde.app.workspace import Workspace
from xde.ground.crash import CrashPoint
from xde.lifecycle.storage.port import Commit, TableId

if TYPE_CHECKING:
    from pathlib import Path

MARTS = {"marts.daily": "day", "marts.by_customer": "customer", "marts.by_country": "country"}
POINTS = {
    CrashPoint.RUN_STARTED: 1,
    CrashPoint.STEP_STARTED: 4,
    CrashPoint.FILES_WRITTEN: 4,
    CrashPoint.AUDITED: 4,
    CrashPoint.BEFORE_COMMIT: 6,
    CrashPoint.AFTER_COMMIT: 6,
    CrashPoint.POINTER_MOVED: 6,
    CrashPoint.STEP_RECORDED: 4,
    CrashPoint.RUN_RECORDED: 1,
    CrashPoint.BEFORE_SWITCH: 1,
    CrashPoint.SWITCHED: 1,
}
"""Each with the number of times that the backfill passes it: four steps, two of which begin with the files of another table."""


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Prepared, dict[str, dict[str, Decimal]]]:
    """A shop that keeps its orders by day, built and deployed, and what it shows."""
    root = make(tmp_path_factory.mktemp("backfill") / "shop", 2)
    by_day = MODELS["staging/orders"].replace("kind: view", "kind: incremental\ntime: day")
    (root / "models/staging/orders.sql").write_text(by_day)
    assert xde(root, "run") == 0
    assert xde(root, "deploy", "prod", "--yes") == 0
    return Prepared.keep(root), shown(root, "prod")


@pytest.fixture
def shop(prepared: tuple[Prepared, dict[str, dict[str, Decimal]]]) -> tuple[Path, dict[str, dict[str, Decimal]]]:
    return prepared[0].again(), prepared[1]


def shown(root: Path, environment: str) -> dict[str, dict[str, Decimal]]:
    with Workspace.open(root, environment=environment) as workspace:
        return {
            mart: {str(r[key]): Decimal(r["amount"]) for r in workspace.show(mart, limit=None).read_all().to_pylist()}
            for mart, key in MARTS.items()
        }


def factor(root: Path, environment: str, base: dict[str, dict[str, Decimal]]) -> Decimal:
    """How many times as large all amounts of all marts are shown; a mixture of two states is an error."""
    now = shown(root, environment)
    factors = {now[mart][key] / amount for mart, amounts in base.items() for key, amount in amounts.items()}
    assert len(factors) == 1, f"a mixture of states: {factors}"
    return factors.pop()


def correct(root: Path, times: int) -> None:
    """Every amount of the source becomes so many times as large, where no run can see it."""
    with Workspace.open(root) as workspace:
        house = workspace.house
        table = TableId("shop.orders", house.ledger.pointers("dev")["shop.orders"])
        before = house.lake.snapshot(table)
        assert before is not None
        columns = [f"(amount * {times})::DECIMAL(10,2) AS amount" if c.name == "amount" else c.name for c in before.schema]
        sql = f"SELECT {', '.join(columns)} FROM xde.old"
        files = house.write(sql, {"xde.old": (before.schema, before.paths)}, {}, house.lake.folder(table))
        house.lake.commit(Commit(table, before.schema, files, before.files, before.number, {"kind": "compact"}))


def backfill(root: Path, environment: str, *, crash: str = "", kill_after: float | None = None) -> int:
    words = ("staging.orders", "--from", "2026-01-01", "--to", "2026-01-29", "--downstream", "--yes", "--env", environment)
    return xde(root, "backfill", *words, crash=crash, kill_after=kill_after)


def settled(root: Path, environment: str) -> None:
    """There is nothing to do, and what is kept of killed backfills goes with a clean."""
    with Workspace.open(root, environment=environment) as workspace:
        assert [s for s in workspace.plan().steps if s.dataset in MARTS] == []
        assert not workspace.house.ledger.unfinished()
        tables = set(workspace.house.ledger.pointers(environment).items())
        workspace.clean(keep_days=0)
        left = {(t.dataset, t.version) for t in workspace.house.lake.tables() if t.dataset in MARTS}
        other = set(workspace.house.ledger.pointers("prod" if environment == "dev" else "dev").items())
        kept = {p for d in workspace.house.ledger.deployments("prod") for p in d.pointers.items()}
    assert left >= {p for p in tables if p[0] in MARTS}
    assert not {p for p in left - tables - other - kept if "-r" in p[1]}, "a begun restatement that nobody shows"


@pytest.mark.crash
@pytest.mark.parametrize(
    ("point", "nth", "environment"),
    [(p, n, "dev") for p, most in POINTS.items() for n in sorted({1, most})]
    + [
        (p, (most + 1) // 2, "prod")
        for p, most in POINTS.items()
        if p not in {CrashPoint.STEP_STARTED, CrashPoint.AUDITED, CrashPoint.STEP_RECORDED}
    ],
)
def test_every_point(point, nth, environment, shop):
    root, base = shop
    other = "prod" if environment == "dev" else "dev"
    correct(root, 3)
    assert backfill(root, environment, crash=f"{point}:{nth}") == -signal.SIGKILL
    assert factor(root, environment, base) == (3 if point is CrashPoint.SWITCHED else 1)
    assert backfill(root, environment) == 0
    assert factor(root, environment, base) == 3
    settled(root, environment)
    assert xde(root, "ledger", "rebuild") == 0
    assert xde(root, "--env", environment, "run") == 0
    assert factor(root, environment, base) == 3, "what the lake tells of it is what the ledger told"
    assert factor(root, other, base) == 1, "a backfill is of one environment"


@pytest.mark.crash
@pytest.mark.parametrize("seed", range(2))
def test_kills_at_random_moments(seed, shop):
    chance = random.Random(seed)
    environment = ("dev", "prod")[seed % 2]
    root, base = shop
    correct(root, 2)
    began = time.monotonic()
    assert backfill(root, environment) == 0
    length = time.monotonic() - began
    now, amounts, killed = Decimal(2), Decimal(2), 0
    for _ in range(40):
        if killed == 8:
            break
        correct(root, 2 if amounts < 1000 else 1)
        amounts *= 2 if amounts < 1000 else 1
        if backfill(root, environment, kill_after=chance.uniform(0.2 * length, length)) == -signal.SIGKILL:
            killed += 1
        found = factor(root, environment, base)
        assert found in {now, amounts}
        now = found
    assert killed == 8
    assert backfill(root, environment) == 0
    assert factor(root, environment, base) == amounts
    settled(root, environment)
