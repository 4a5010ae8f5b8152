"""A small shop whose processes are killed: its project, its deliveries, and all that it holds."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from projects.contracts import source
from projects.warm import command
from xde.app.workspace import Workspace
from xde.ground.crash import CrashPoint
from xde.lifecycle.storage.port import TableId

if TYPE_CHECKING:
    pass

LOAD_POINTS = [
    CrashPoint.RUN_STARTED,
    CrashPoint.STEP_STARTED,
    CrashPoint.LOAD_STAGED,
    CrashPoint.FILES_WRITTEN,
    CrashPoint.AUDITED,
    CrashPoint.BEFORE_COMMIT,
    CrashPoint.AFTER_COMMIT,
    CrashPoint.POINTER_MOVED,
    CrashPoint.STEP_RECORDED,
    CrashPoint.RUN_RECORDED,
]
"""Those that every load passes that reads from a server."""
XDE = [sys.executable, "-m", "xde.faces.cli.main"]
TABLES = ("shop.orders", "shop.customers", "marts.daily", "marts.by_customer", "marts.by_country", "staging.orders")
CONTRACT = source("""\
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
""")
MODELS = {
    "staging/orders": "/* xde\nkind: view\n*/\nSELECT * FROM shop.orders\n",
    "marts/daily": "/* xde\nkind: incremental\ntime: day\nlookback: 2 days\n*/\nSELECT day, count(*) AS n, sum(amount) AS amount FROM staging.orders GROUP BY day\n",
    "marts/by_customer": "/* xde\nkind: incremental\nkey: customer\n*/\nSELECT customer, sum(amount) AS amount FROM staging.orders GROUP BY customer\n",
    "marts/by_country": "SELECT c.country, sum(o.amount) AS amount FROM staging.orders AS o LEFT JOIN shop.customers AS c USING (customer) GROUP BY c.country\n",
}


MORE = {
    "marts.told": "/* xde\nkind: history\nkey: customer\nupdated: day\n*/\nSELECT customer, day, amount FROM staging.orders\n",
    "marts.cheap": "/* xde\nkind: incremental\ntime: day\n*/\nSELECT order_id, day, amount "
    "FROM validate(staging.orders, holds := amount < 95, rule := is_cheap, keep := letters)\n",
    "marts.pairs": "/* xde\nkind: incremental\nwatermark: 3 days\nlate: separate\n*/\nSELECT window_start, window_end, sum(amount) AS amount "
    "FROM tumble(staging.orders, at := day, size := INTERVAL 2 DAYS) GROUP BY ALL\n",
    "marts.visits": "/* xde\nkind: incremental\nwatermark: 3 days\n*/\nSELECT customer, window_start, window_end, count(*) AS orders "
    "FROM session(staging.orders, key := customer, at := day, gap := INTERVAL 1 DAY) GROUP BY ALL\n",
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


def make(root: Path, deliveries: int, *, more: bool = False) -> Path:
    for folder in ("sources", "data", "models/marts", "models/staging"):
        (root / folder).mkdir(parents=True)
    (root / "xde.yaml").write_text("name: shop\n")
    (root / "sources/shop.yaml").write_text(CONTRACT)
    for name, sql in {**MODELS, **({m.replace(".", "/"): sql for m, sql in MORE.items()} if more else {})}.items():
        (root / f"models/{name}.sql").write_text(sql)
    for number in range(deliveries):
        deliver(root, number)
    return root


def xde(root: Path, *words: str, crash: str = "", kill_after: float | None = None) -> int:
    code, said = command("--project", str(root), *words, kill_after=kill_after, XDE_CRASH_AT=crash)
    assert "Traceback" not in said, said
    return code


def xde_anew(root: Path, *words: str, crash: str = "") -> int:
    """The same by an interpreter of its own, as people start it."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"} | {"XDE_CRASH_AT": crash}
    done = subprocess.run([*XDE, "--project", str(root), *words], env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert "Traceback" not in done.stdout + done.stderr, done.stdout + done.stderr
    return done.returncode


def everything(root: Path) -> dict[str, list[str]]:
    """All rows of all tables and all letters, without what differs from run to run."""
    with Workspace.open(root) as workspace:
        found = {
            name: sorted(json.dumps(r, default=str) for r in workspace.show(name, limit=None).read_all().to_pylist())
            for name in (*TABLES, *(m for m in MORE if m in workspace.known.project.datasets))
        }
        found["letters"] = sorted(f"{x.letter.dataset} {x.letter.id} {x.letter.raw!r} {x.status}" for x in workspace.letters(status=None))
    return found


def settled(root: Path) -> None:
    """Run to the end; then there is nothing to do, and no file lies in the lake that no commit names."""
    assert xde(root, "run") == 0
    seen = 0
    with Workspace.open(root) as workspace:
        assert workspace.plan().steps == ()
        pointers = workspace.house.ledger.pointers("dev")
        for log in (root / ".xde/lake").glob("*/*/*/_delta_log"):
            told = "".join(p.read_text() for p in log.glob("*.json"))
            dataset = f"{log.parent.parent.parent.name}.{log.parent.parent.name}"
            if pointers.get(dataset) != log.parent.name:
                continue
            snapshot = workspace.house.lake.snapshot(TableId(dataset, log.parent.name))
            assert snapshot is not None
            for path in snapshot.paths:
                assert Path(path).exists() and Path(path).name in told
                seen += 1
    assert seen > 0


@dataclass(frozen=True)
class Prepared:
    """A project as it was at one moment, to be brought back to its own place as often as a test wants it."""

    root: Path
    kept: Path

    @classmethod
    def keep(cls, root: Path) -> Prepared:
        kept = root.with_name(f"{root.name}.kept")
        shutil.copytree(root, kept)
        return cls(root, kept)

    def again(self) -> Path:
        shutil.rmtree(self.root)
        shutil.copytree(self.kept, self.root)
        return self.root


MARTS = {"marts.daily": "day", "marts.by_customer": "customer", "marts.by_country": "country"}


def tell_amounts(root: Path, times: int) -> None:
    """The change: every amount is told so many times as large, in the view that all marts read."""
    sql = MODELS["staging/orders"].replace("*\n*/", "\n*/").replace("SELECT *", f"SELECT * REPLACE (amount * {times} AS amount)")
    (root / "models/staging/orders.sql").write_text(sql)


def shown(root: Path) -> dict[str, dict[str, Decimal]]:
    """The amounts of every mart as production shows them."""
    with Workspace.open(root, environment="prod") as workspace:
        return {
            mart: {str(r[key]): Decimal(r["amount"]) for r in workspace.show(mart, limit=None).read_all().to_pylist()}
            for mart, key in MARTS.items()
        }


def factor(root: Path, base: dict[str, dict[str, Decimal]]) -> int:
    """How many times as large all amounts of all marts are shown; a mixture of two states is an error."""
    now = shown(root)
    factors = {now[mart][key] / amount for mart, amounts in base.items() for key, amount in amounts.items()}
    assert {m: set(a) for m, a in now.items()} == {m: set(a) for m, a in base.items()}
    assert len(factors) == 1, f"a mixture of states: {factors}"
    return int(factors.pop())
