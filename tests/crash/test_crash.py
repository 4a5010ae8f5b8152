"""Killed at every named point and at random moments, then run again: every table is what an undisturbed run makes it."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from xde.app.workspace import Workspace
from xde.ground.crash import CrashPoint

XDE = [sys.executable, "-m", "xde.faces.cli.main"]
TABLES = ("shop.orders", "shop.customers", "marts.daily", "marts.by_customer", "marts.by_country", "staging.orders")
CONTRACT = """\
apiVersion: v3.1.0
kind: DataContract
id: shop
name: shop
version: 1.0.0
status: active
servers:
  - {server: local, type: local, path: data, format: csv}
schema:
  - name: orders
    physicalName: orders-*.csv
    physicalType: file
    properties:
      - {name: order_id, logicalType: integer, primaryKey: true, required: true}
      - {name: customer, logicalType: string, required: true}
      - {name: day, logicalType: date, required: true}
      - {name: amount, logicalType: number, physicalType: "DECIMAL(10,2)", logicalTypeOptions: {minimum: 0}}
  - name: customers
    physicalName: customers-*.csv
    physicalType: file
    customProperties:
      - {property: xdeWriteMode, value: merge}
    properties:
      - {name: customer, logicalType: string, primaryKey: true, required: true}
      - {name: country, logicalType: string}
"""
MODELS = {
    "staging/orders": "/* xde\nkind: view\n*/\nSELECT * FROM shop.orders\n",
    "marts/daily": "/* xde\nkind: incremental\ntime: day\nlookback: 2 days\n*/\nSELECT day, count(*) AS n, sum(amount) AS amount FROM staging.orders GROUP BY day\n",
    "marts/by_customer": "/* xde\nkind: incremental\nkey: customer\n*/\nSELECT customer, sum(amount) AS amount FROM staging.orders GROUP BY customer\n",
    "marts/by_country": "SELECT c.country, sum(o.amount) AS amount FROM staging.orders AS o LEFT JOIN shop.customers AS c USING (customer) GROUP BY c.country\n",
}


def deliver(root: Path, number: int) -> None:
    """One more day's files: 200 orders, three of them bad, and some customers."""
    chance = random.Random(number)
    first = number * 200
    lines = [
        f"{first + i},c{chance.randrange(40)},2026-01-{1 + (number + i) % 28:02},{chance.randrange(10_000) / 100:.2f}" for i in range(200)
    ]
    lines[7], lines[70], lines[170] = f"{first + 7},c1,2026-01-01,-5", f"{first + 70},c1,no day,1", f"{first + 170},c1"
    (root / f"data/orders-{number:03}.csv").write_text("order_id,customer,day,amount\n" + "\n".join(lines) + "\n")
    people = [f"c{chance.randrange(40)},{chance.choice(['NO', 'DE', 'FR'])}" for _ in range(1)]
    (root / f"data/customers-{number:03}.csv").write_text("customer,country\n" + "\n".join(people) + "\n")


def make(root: Path, deliveries: int) -> Path:
    for folder in ("sources", "data", "models/marts", "models/staging"):
        (root / folder).mkdir(parents=True)
    (root / "xde.yaml").write_text("name: shop\n")
    (root / "sources/shop.yaml").write_text(CONTRACT)
    for name, sql in MODELS.items():
        (root / f"models/{name}.sql").write_text(sql)
    for number in range(deliveries):
        deliver(root, number)
    return root


def xde(root: Path, *words: str, crash: str = "", kill_after: float | None = None) -> int:
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"} | {"XDE_CRASH_AT": crash}
    process = subprocess.Popen([*XDE, "--project", str(root), *words], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        said, _ = process.communicate(timeout=kill_after or 120)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        said, _ = process.communicate()
    assert b"Traceback" not in said, said.decode()
    return process.returncode


def everything(root: Path) -> dict[str, list[str]]:
    """All rows of all tables and all letters, without what differs from run to run."""
    with Workspace.open(root) as workspace:
        found = {
            name: sorted(json.dumps(r, default=str) for r in workspace.show(name, limit=None).read_all().to_pylist()) for name in TABLES
        }
        found["letters"] = sorted(f"{x.letter.id} {x.letter.raw!r} {x.status}" for x in workspace.letters(status=None))
    return found


def settled(root: Path) -> None:
    """Run to the end; then there is nothing to do, and no file lies in the lake that no commit names."""
    assert xde(root, "run") == 0
    with Workspace.open(root) as workspace:
        assert workspace.plan().steps == ()
    lake = root / ".xde/lake"
    for log in lake.glob("*/*/*/_delta_log"):
        told = "".join(p.read_text() for p in log.glob("*.json"))
        with Workspace.open(root) as workspace:
            dataset = f"{log.parent.parent.parent.name}.{log.parent.parent.name}"
            if workspace.house.ledger.pointers("dev").get(dataset) != log.parent.name:
                continue
            from xde.lifecycle.storage.port import TableId

            snapshot = workspace.house.lake.snapshot(TableId(dataset, log.parent.name))
        assert snapshot is not None
        for path in snapshot.paths:
            assert Path(path).exists() and Path(path).name in told


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """Two deliveries, run; a third, run."""
    root = make(tmp_path_factory.mktemp("calm") / "shop", 2)
    assert xde(root, "run") == 0
    deliver(root, 2)
    assert xde(root, "run") == 0
    found = everything(root)
    assert len(found["letters"]) == 9
    assert len(found["shop.orders"]) == 591
    return found


POINTS = [p for p in CrashPoint if p not in {CrashPoint.CLEAN_LISTED, CrashPoint.DROP_ASIDE}]


def died_and_rose(root: Path, undisturbed: dict[str, list[str]], *, first: str, second: str) -> None:
    make(root, 2)
    assert xde(root, "run", crash=first) == -signal.SIGKILL
    assert xde(root, "run") == 0
    deliver(root, 2)
    assert xde(root, "run", crash=second) == -signal.SIGKILL
    settled(root)
    assert everything(root) == undisturbed


def test_a_crash_before_and_after_a_commit_loses_and_doubles_nothing(tmp_path, undisturbed):
    died_and_rose(tmp_path / "shop", undisturbed, first="commit.before:2", second="commit.after")


@pytest.mark.crash
@pytest.mark.parametrize("nth", [1, 2, 4])
@pytest.mark.parametrize("point", POINTS)
def test_every_point(point, nth, tmp_path, undisturbed):
    nth = 1 if point in {CrashPoint.RUN_STARTED, CrashPoint.RUN_RECORDED} else min(nth, 2) if point is CrashPoint.LOAD_STAGED else nth
    died_and_rose(tmp_path / "shop", undisturbed, first=f"{point}:{nth}", second=str(point))


@pytest.mark.crash
def test_a_crash_while_cleaning_takes_nothing_that_is_needed(tmp_path, undisturbed):
    root = make(tmp_path / "shop", 2)
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
    killed = 0
    number = 0
    while killed < 10:
        deliver(root, number)
        number += 1
        for _ in range(3):
            if xde(root, "run", kill_after=chance.uniform(0.05, 1.6)) == -signal.SIGKILL:
                killed += 1
    settled(root)
    shutil.copytree(root / "data", calm / "data", dirs_exist_ok=True)
    assert xde(calm, "run") == 0
    found, wanted = everything(root), everything(calm)
    assert found == wanted
