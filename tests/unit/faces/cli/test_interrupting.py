"""Ctrl-C against a real run whose engine is in the middle of long work: soon over, nothing half done published, and the next run does it."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from projects.contracts import source

XDE = [sys.executable, "-m", "xde.faces.cli.main"]
SOON = 6.0  # seconds: on a busy machine; alone it is a fraction of one
PAIRS = "range(400000) AS a(i), range(400000) AS b(j) WHERE (a.i * 31 + b.j) % 7 = 3"  # minutes of work
CONTRACT = source(
    """\
  - name: rows
    physicalName: rows-*.csv
    properties:
      - {name: id, logicalType: integer}
""",
    name="a",
)
RULE = """\
    quality:
      - {id: slow, type: sql, query: "%s", mustBeGreaterOrEqualTo: 0}
"""
SLOW = {
    "a model": {"models/marts/long.sql": f"SELECT count(*) AS n FROM {PAIRS}\n"},
    "a model of rows": {"models/marts/long.sql": f"SELECT a.i, b.j FROM {PAIRS}\n"},
    "a model that sorts": {"models/marts/long.sql": "SELECT hash(i) AS h FROM range(300000000) AS a(i) ORDER BY h\n"},
    "a check of a source": {
        "sources/s.yaml": CONTRACT + RULE % f"SELECT count(*) FROM {PAIRS} AND (SELECT count(*) FROM {{object}}) >= 0",
        "data/rows-1.csv": "id\n1\n",
    },
    "a check of a view": {
        "models/marts/long.sql": "/* xde\nkind: view\n*/\nSELECT 1 AS n\n",
        "models/marts/long.yaml": CONTRACT.replace("name: rows\n    physicalName: rows-*.csv", "name: long").replace("name: id", "name: n")
        + RULE % f"SELECT count(*) FROM {PAIRS} AND (SELECT count(*) FROM {{object}}) >= 0",
    },
    "a predicate of rows": {
        "sources/s.yaml": CONTRACT
        + "    quality:\n      - {id: slow, type: sql, query: 'SELECT 0', mustBe: 0, customProperties: [{property: xdeRowPredicate, value: "
        + f'"id < (SELECT count(*) FROM {PAIRS})"}}]}}\n',
        "data/rows-1.csv": "id\n1\n",
    },
    "many rows to load": {"sources/s.yaml": CONTRACT, "data/rows-1.csv": "id\n" + "1234567\n" * 6_000_000},
}


def make(root: Path, files: dict[str, str]) -> Path:
    for path, text in {"xde.yaml": "name: x\n", **files}.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return root


def started(root: Path, *words: str) -> subprocess.Popen[str]:
    """The command as on a terminal: a shell in the background has it ignore SIGINT."""
    return subprocess.Popen(
        [*XDE, "--project", str(root), *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def wait_for_a_step(root: Path) -> None:
    for _ in range(600):
        time.sleep(0.05)
        if not (root / ".xde/ledger.sqlite").exists():
            continue
        with closing(sqlite3.connect(root / ".xde/ledger.sqlite")) as ledger:
            try:
                if ledger.execute("SELECT 1 FROM xde_step WHERE status = 'running'").fetchone():
                    return
            except sqlite3.OperationalError:
                continue
    pytest.fail("no step began")


def interrupted(process: subprocess.Popen[str]) -> tuple[int, str, float]:
    begun = time.monotonic()
    process.send_signal(signal.SIGINT)
    try:
        said, _ = process.communicate(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        pytest.fail("it did not end")
    code = process.returncode
    if (
        code == -signal.SIGINT
    ):  # CPython ends so when the signal came within an `exec`, such as that of a dataclass; a shell shows both as 130
        code = 130
    return code, said, time.monotonic() - begun


QUICK = {"a model", "many rows to load", "a check of a source"}


@pytest.mark.parametrize(
    ("slow", "after"),
    [
        pytest.param(s, 0.05 if n % 2 else 0.7, id=s.replace(" ", "_"), marks=() if s in QUICK else pytest.mark.slow)
        for n, s in enumerate(SLOW)
    ],
)
def test_a_run_is_soon_over(slow, after, tmp_path):
    root = make(tmp_path / "p", SLOW[slow])
    process = started(root, "run")
    wait_for_a_step(root)
    time.sleep(after)
    code, said, seconds = interrupted(process)
    assert code == 130, said
    assert "Traceback" not in said
    assert "cancelled; nothing half done was published" in said
    assert seconds < SOON
    assert list((root / ".xde/lake").glob("*/*/*/_delta_log/*.json")) == []
    assert list((root / ".xde/lake").rglob("*.parquet")) == [], "what was written aside is taken away"
    with closing(sqlite3.connect(root / ".xde/ledger.sqlite")) as ledger:
        assert {s for (s,) in ledger.execute("SELECT status FROM xde_step")} == {"cancelled"}
        assert {s for (s,) in ledger.execute("SELECT status FROM xde_run")} == {"cancelled"}


@pytest.mark.slow
def test_the_next_run_does_the_work_and_what_was_done_stays_done(tmp_path):
    """The view's steps take no time; how long the model takes hangs on a file that the second run finds small."""
    long = "SELECT count(*) AS n FROM shop.rows AS s, range(400000) AS a(i), range(s.id) AS b(j) WHERE (a.i * 31 + b.j) % 7 = 3\n"
    quick = {
        "sources/shop.yaml": CONTRACT + "    customProperties: [{property: xdeWriteMode, value: replace}]\n",
        "models/marts/long.sql": long,
    }
    root = make(tmp_path / "p", {**quick, "models/marts/first.sql": "SELECT 1 AS one\n", "data/rows-1.csv": "id\n400000\n"})
    process = started(root, "run")
    for _ in range(400):
        time.sleep(0.05)
        if list((root / ".xde/lake/marts").glob("long/*/*.parquet")):
            break
    code, said, seconds = interrupted(process)
    assert (code, "done     marts.first" in said, "done     shop.rows" in said, "cancelled  marts.long" in said) == (
        130,
        True,
        True,
        True,
    ), said
    assert seconds < SOON
    (root / "data/rows-1.csv").write_text("id\n7\n")
    done = subprocess.run([*XDE, "--project", str(root), "run"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "marts.first" not in done.stdout
    shown = subprocess.run(
        [*XDE, "--project", str(root), "show", "marts.long", "--format", "csv"], capture_output=True, text=True, check=False
    )
    assert shown.stdout == "n\n400000\n"


SHOWN = {
    "at its first row": f"SELECT count(*) AS n FROM {PAIRS}",
    "row by row": f"SELECT a.i FROM {PAIRS} AND hash(a.i, b.j) % 500000000 = 0",
}


@pytest.mark.parametrize("sql", SHOWN.values(), ids=[s.replace(" ", "_") for s in SHOWN])
@pytest.mark.slow
def test_a_view_that_takes_long_to_show(sql, tmp_path):
    root = make(tmp_path / "p", {"models/marts/long.sql": f"/* xde\nkind: view\n*/\n{sql}\n"})
    assert subprocess.run([*XDE, "--project", str(root), "run"], capture_output=True, check=False).returncode == 0
    process = started(root, "show", "marts.long", "--limit", "0", "--format", "csv")
    time.sleep(1.5)
    code, said, seconds = interrupted(process)
    assert code == 130, said
    assert "Traceback" not in said
    assert seconds < SOON


LONG_CASE = "model: marts.long\ncases:\n  - {name: few, given: {}, %s}\n"
TESTED = {
    "mutants_by_cases": ("expect: [{n: 1}]", ("--mutants",)),
    "properties": ("expect: []", ("--properties",)),
    "mutants_by_properties": ("cte: quick, expect: [{one: 1}]", ("--mutants",)),
    "coverage": ("expect: []", ("--coverage",)),
}


@pytest.mark.parametrize("name", [pytest.param(n, marks=[pytest.mark.slow] if "properties" in n else []) for n in TESTED])
@pytest.mark.slow
def test_a_test_that_takes_long(name, tmp_path):
    """A case may look at a part that is quick, so that it is what comes after the cases that takes long. Wherever it is then, it ends."""
    expect, words = TESTED[name]
    none = "LIMIT 0" if name == "coverage" else ""  # none are soon found; how many there would be is long counted
    sql = f"WITH quick AS (SELECT 1 AS one) SELECT count(*) AS n FROM {PAIRS} AND b.j <> (SELECT one FROM quick) {none}\n"
    root = make(tmp_path / "p", {"models/marts/long.sql": sql, "tests/long.yaml": LONG_CASE % expect})
    process = started(root, "test", *words)
    time.sleep(3)
    assert process.poll() is None, process.communicate()
    code, said, seconds = interrupted(process)
    assert code == 130, said
    assert "Traceback" not in said
    assert seconds < SOON
