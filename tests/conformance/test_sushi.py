"""SQLMesh beside us: its example project `sushi`, as published, and `examples/sushi` give the same rows on each of seven days.

SQLMesh is installed into a virtual environment of its own; its project is in its source distribution and in no wheel. Both begin with nothing and
run at each midnight. Amounts of money are decimals with us and floating point there: they are compared as cents.
"""

from __future__ import annotations

import csv
import datetime
import json
import shutil
import subprocess
from decimal import Decimal
from pathlib import Path

import pytest
from peers import ENVIRONMENT, SQLMESH, interpreter, sqlmesh_sources
from sushi_peer import DATASETS, DAYS, FIRST, RESTATED
from xde.app.workspace import Workspace

EXAMPLE = Path(__file__).parents[2] / "examples/sushi"
PEER = Path(__file__).with_name("sushi_peer.py")
RAW = {"items", "order_items", "orders"}
NARROW = 1e-9  # farther from a whole cent than this, and it is no rounding of binary fractions
DAYS_OF_IT = [FIRST + datetime.timedelta(days=n) for n in range(DAYS)]


@pytest.fixture(scope="module")
def theirs(tmp_path_factory):
    """What SQLMesh has of every dataset after each day, and at last of the one whose past it computed anew."""
    folder = tmp_path_factory.mktemp("sqlmesh")
    examples = sqlmesh_sources(folder) / "examples"
    python = interpreter(folder / "venv", f"sqlmesh[duckdb]=={SQLMESH}", "duckdb==1.5.6")
    (folder / "out").mkdir()
    command = [python, PEER, examples, folder / "out", EXAMPLE / "data"]
    done = subprocess.run(command, env=ENVIRONMENT, check=False, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    shutil.rmtree(folder / "venv")
    return {p.stem: json.loads(p.read_text()) for p in (folder / "out").glob("*.json")}


@pytest.fixture(scope="module")
def ours(tmp_path_factory):
    """What we have after each day: the files of the day are delivered, and those of marketing at its end."""
    root = tmp_path_factory.mktemp("xde") / "sushi"
    shutil.copytree(EXAMPLE, root, ignore=shutil.ignore_patterns(".xde", "data"))
    (root / "data").mkdir()
    shutil.copy(EXAMPLE / "data/demographics.csv", root / "data")
    found = {}
    for day in DAYS_OF_IT:
        for name in (f"orders-{day}", f"order_items-{day}", f"items-{day}", f"marketing-{day + datetime.timedelta(days=1)}"):
            shutil.copy(EXAMPLE / f"data/{name}.csv", root / "data")
        found[str(day)] = run(root)
    return found


def run(root):
    with Workspace.open(root) as workspace:
        finished = workspace.run()
        assert finished.status == "done", [f.message for o in finished.outcomes for f in o.findings]
        names = {n: f"{'raw' if n in RAW else 'sushi'}.{n}" for n in DATASETS if n != "raw_marketing"}
        return {n: workspace.show(name, limit=None).read_all().to_pylist() for n, name in names.items()}


def plain(value):
    if isinstance(value, float):
        assert abs(value - round(value, 2)) < NARROW
        return Decimal(f"{value:.2f}")
    return str(value) if isinstance(value, datetime.date) else value


def rows(found):
    """Rows as pairs of column and value, in one order; none is dropped."""
    return sorted((sorted((k, plain(v)) for k, v in row.items()) for row in found), key=repr)


@pytest.mark.peer
@pytest.mark.parametrize("dataset", [n for n in DATASETS if n not in {RESTATED, "raw_marketing"}])
def test_a_dataset_is_the_same_after_each_day(dataset, ours, theirs):
    for day in map(str, DAYS_OF_IT):
        assert rows(ours[day][dataset])
        assert rows(ours[day][dataset]) == rows(theirs[day][dataset]), day


@pytest.mark.peer
def test_a_row_of_the_past_that_a_new_customer_changes_is_there_at_once_with_us_and_after_a_restatement_there(ours, theirs):
    """Who is a customer is asked anew by each run; they compute a day once, we compute what has changed."""
    last = str(DAYS_OF_IT[-1])
    here, restated = rows(ours[last][RESTATED]), rows(theirs["restated"][RESTATED])
    assert here == restated
    for day in map(str, DAYS_OF_IT):
        there, today = rows(theirs[day][RESTATED]), rows(ours[day][RESTATED])
        assert [r for r in today if ("event_date", day) in r] == [r for r in there if ("event_date", day) in r]
        assert [r for r in there if r not in today] == []
    assert (len(there), len(here)) == (25, 41)


@pytest.mark.peer
def test_their_generator_makes_the_files_that_we_keep(theirs):
    """Of orders, their lines and the menu; marketing's lots have no seed, and its rows are given to both."""
    for dataset in sorted(RAW):
        kept = [
            row for path in sorted((EXAMPLE / "data").glob(f"{dataset}-*.csv")) for row in csv.DictReader(path.read_text().splitlines())
        ]
        made = [{k: f"{v:.2f}" if isinstance(v, float) else str(v) for k, v in row.items()} for row in theirs[str(DAYS_OF_IT[-1])][dataset]]
        assert rows(kept) == rows(made)


@pytest.mark.slow
def test_a_week_in_one_run_is_the_week_day_by_day(ours, tmp_path):
    shutil.copytree(EXAMPLE, tmp_path / "sushi", ignore=shutil.ignore_patterns(".xde"))
    whole, last = run(tmp_path / "sushi"), ours[str(DAYS_OF_IT[-1])]
    assert {n: rows(r) for n, r in whole.items()} == {n: rows(r) for n, r in last.items()}
