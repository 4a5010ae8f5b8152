"""dbt beside us: a project of its own, built by dbt-duckdb, and the same project imported and built by xde, hold the same rows and types.

dbt is installed into a virtual environment of its own. Each builds twice: the second time with an order that changed and one that is new,
so that the incremental model, the snapshots and what reads them have something to remember.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from peers import ENVIRONMENT, interpreter

from xde.app.importing import import_dbt
from xde.app.workspace import Workspace
from xde.faces.words.imports import import_page

pytestmark = pytest.mark.peer

SHOP = Path(__file__).parents[1] / "data/dbt_jaffle"
VERSIONS = ("dbt-core==1.10.23", "dbt-duckdb==1.10.1")
READ = """
import json, sys
import duckdb

with duckdb.connect(sys.argv[1], read_only=True) as database:
    found = {}
    for schema, name in database.execute("SELECT table_schema, table_name FROM information_schema.tables").fetchall():
        table = f'"{schema}"."{name}"'
        types = {c[0]: c[1] for c in database.execute(f"DESCRIBE {table}").fetchall()}
        texts = ", ".join(f'CAST("{c}" AS VARCHAR)' for c in types)
        found[name] = [types, sorted(database.execute(f"SELECT {texts} FROM {table}").fetchall(), key=repr)]
json.dump(found, sys.stdout)
"""
CHANGING = {"dbt_valid_from", "dbt_valid_to", "dbt_updated_at", "dbt_scd_id"}  # by comparison, these are the time of the run
OURS = {  # where each of dbt's tables is here
    **{n: f"seeds.{n}" for n in ("raw_customers", "raw_orders", "raw_payments")},
    **{n: f"staging.{n}" for n in ("stg_customers", "stg_orders", "stg_payments")},
    **{n: f"marts.{n}" for n in ("customers", "orders", "order_log", "order_history", "monthly")},
    "orders_by_day": "snapshots.orders_by_day_as_dbt",
    "orders_snapshot": "snapshots.orders_snapshot",
}


@pytest.fixture
def python(tmp_path):
    """The interpreter of an environment with dbt: the one that `XDE_TEST_DBT` names, or a new one that does not outlive the test."""
    if "XDE_TEST_DBT" in os.environ:
        yield Path(os.environ["XDE_TEST_DBT"])
        return
    yield interpreter(tmp_path / "venv", *VERSIONS)
    shutil.rmtree(tmp_path / "venv")


def theirs(python: Path, shop: Path) -> dict[str, tuple[dict[str, str], list[list[str | None]]]]:
    words = [python.with_name("dbt"), "--no-version-check", "build", "--profiles-dir", "."]
    done = subprocess.run(words, cwd=shop, env=ENVIRONMENT, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout
    read = subprocess.run([python, "-c", READ, shop / "jaffle.duckdb"], env=ENVIRONMENT, capture_output=True, text=True, check=True)
    return json.loads(read.stdout)


def test_what_is_imported_holds_the_rows_and_types_that_dbt_makes(python, tmp_path, subtests):
    shop = tmp_path / "shop"
    shutil.copytree(SHOP, shop)
    made = import_dbt(shop, tmp_path / "ours", import_page)
    assert not made.report.waiting
    assert not made.report.unread

    for turn in ("first", "second"):
        if turn == "second":
            orders = shop / "seeds/raw_orders.csv"
            text = orders.read_text().replace("99,85,2018-04-09,placed", "99,85,2018-04-11,shipped")
            orders.write_text(text.rstrip("\n") + "\n100,85,2018-04-12,placed\n")
            payments = shop / "seeds/raw_payments.csv"
            payments.write_text(payments.read_text().rstrip("\n") + "\n114,100,coupon,250\n")
            for file in (orders, payments):
                shutil.copy(file, tmp_path / "ours/models/seeds" / file.name)
        expected = theirs(python, shop)
        assert set(expected) == set(OURS)
        with Workspace.open(tmp_path / "ours") as workspace:
            assert workspace.run().status == "done"
            for name, dataset in OURS.items():
                with subtests.test(turn, table=name):
                    same(workspace, dataset, *expected[name], CHANGING if name == "orders_snapshot" else set())


def same(workspace: Workspace, dataset: str, types: dict[str, str], rows: list, changing: set[str]) -> None:
    found = {c.name: c.type for c in workspace.known.schemas[dataset]}
    kept = [c for c in types if c not in changing]
    assert {c: found.get(c) for c in kept} == {c: types[c] for c in kept}
    if not changing:
        assert list(found) == list(types)
    places = [list(types).index(c) for c in kept]
    wanted = sorted(([row[p] for p in places] for row in rows), key=repr)
    shown = workspace.show(dataset, limit=None, columns=kept).read_all().to_pylist()
    assert sorted(([None if v is None else text(v) for v in row.values()] for row in shown), key=repr) == wanted


def text(value: object) -> str:
    """A value as DuckDB writes it."""
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)
