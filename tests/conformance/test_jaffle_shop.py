"""dbt beside us: its jaffle shop for DuckDB, as published, and `examples/jaffle_shop` begin with the same files and give the same rows.

The project lies in SQLMesh's source distribution, unchanged. dbt is installed into a virtual environment of its own.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from peers import ENVIRONMENT, interpreter, sqlmesh_sources
from xde.app.workspace import Workspace

pytestmark = pytest.mark.peer

EXAMPLE = Path(__file__).parents[2] / "examples/jaffle_shop"
FILES = ("raw_customers.csv", "raw_orders.csv", "raw_payments.csv")
THEIRS = {
    "staging.customers": "stg_customers",
    "staging.orders": "stg_orders",
    "staging.payments": "stg_payments",
    "marts.customers": "customers",
    "marts.orders": "orders",
}
PROFILE = "jaffle_shop: {target: dev, outputs: {dev: {type: duckdb, path: jaffle_shop.duckdb, threads: 1}}}\n"
READ = """
import json, sys
import duckdb

with duckdb.connect("jaffle_shop.duckdb", read_only=True) as database:
    print(json.dumps({n: [json.loads(r) for r, in database.execute(f"SELECT to_json(t) FROM {n} AS t").fetchall()] for n in sys.argv[1:]}))
"""


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """dbt's project."""
    return sqlmesh_sources(tmp_path_factory.mktemp("sources")) / "tests/fixtures/dbt/jaffle_shop_duckdb"


@pytest.fixture(scope="module")
def theirs(published, tmp_path_factory):
    folder = tmp_path_factory.mktemp("dbt")
    python = interpreter(folder / "venv", "dbt-core==1.10.23", "dbt-duckdb==1.10.1")
    shop = shutil.copytree(published, folder / "shop")
    (shop / "profiles.yml").write_text(PROFILE)
    build = [python.with_name("dbt"), "--no-version-check", "build", "--profiles-dir", "."]
    done = subprocess.run(build, cwd=shop, env=ENVIRONMENT, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout
    read = subprocess.run([python, "-c", READ, *THEIRS.values()], cwd=shop, env=ENVIRONMENT, capture_output=True, text=True, check=True)
    shutil.rmtree(folder / "venv")
    return json.loads(read.stdout)


@pytest.fixture(scope="module")
def ours(tmp_path_factory):
    root = tmp_path_factory.mktemp("xde") / "shop"
    shutil.copytree(EXAMPLE, root, ignore=shutil.ignore_patterns(".xde"))
    with Workspace.open(root) as workspace:
        assert workspace.run().status == "done"
        return {n: workspace.show(n, limit=None).read_all().to_pylist() for n in THEIRS}


def plain(value):
    """Dates as text; amounts, which are floating point there, as numbers of cents at most."""
    if value is None or isinstance(value, str | int):
        return value
    return str(value) if hasattr(value, "year") else round(float(value), 2)


def rows(found):
    return sorted(([(k, plain(v)) for k, v in sorted(row.items())] for row in found), key=repr)


def test_both_begin_with_the_same_files(published):
    for name in FILES:
        assert (EXAMPLE / "data" / name).read_text().split() == (published / "seeds" / name).read_text().split()


@pytest.mark.parametrize("dataset", [n for n in THEIRS if n != "marts.customers"])
def test_a_dataset_is_the_same(dataset, ours, theirs):
    assert ours[dataset]
    assert rows(ours[dataset]) == rows(theirs[THEIRS[dataset]])


def test_customers_are_the_same_but_that_nothing_is_0_with_us_and_null_there(ours, theirs):
    said = theirs["customers"]
    never = [row for row in said if row["first_order"] is None]
    assert len(never) == 38
    for row in never:
        assert (row["number_of_orders"], row["customer_lifetime_value"]) == (None, None)
        row.update(number_of_orders=0, customer_lifetime_value=0)
    assert rows(ours["marts.customers"]) == rows(said)
