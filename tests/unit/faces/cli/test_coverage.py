"""`xde test --coverage` on a real project: lines for a person, a document for a machine, the exit code of the cases."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import xde

EXAMPLE = Path(__file__).parents[4] / "examples/jaffle_shop"
CASE = """\
model: marts.orders
cases:
  - name: nothing paid
    given: {staging.orders: [{order_id: 1}]}
    expect: [{order_id: 1, amount: 0}]
"""


@pytest.fixture
def project(tmp_path):
    root = tmp_path / "jaffle"
    shutil.copytree(EXAMPLE, root, ignore=shutil.ignore_patterns(".xde", "tests"))
    (root / "tests").mkdir()
    (root / "tests/orders.yaml").write_text(CASE)
    return root


def told_by(project: Path, *arguments: str, code: int = 0) -> str:
    environment = {**os.environ, "PYTHONPATH": str(Path(xde.__file__).parents[1])}
    command = [sys.executable, "-m", "xde.faces.cli.main", "--project", str(project), *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == code, done.stderr
    return done.stdout


@pytest.mark.slow
def test_for_a_person(project):
    told = told_by(project, "test", "--coverage")
    assert told.startswith("1 case: 1 passed")
    assert "28 ~ | LEFT JOIN paid AS p USING (order_id)\n" in told
    assert "no row finds a match, no right row without match\n" in told
    assert "marts.customers  0 %  0 of 17 branches, no case  models/marts/customers.sql\n" in told
    assert "staging.orders" not in told  # no branches
    assert told.endswith("% of 44 branches reached; 1 model without a case\n")


@pytest.mark.slow
def test_for_a_machine(project):
    document = json.loads(told_by(project, "test", "marts.orders", "--coverage", "--json"))
    assert [m["dataset"] for m in document["coverage"]] == ["marts.orders"]
    assert len(document["cases"]) == 1
    assert "coverage" not in json.loads(told_by(project, "test", "--json"))


@pytest.mark.slow
def test_a_case_that_fails_is_covered_too_and_the_exit_code_is_its(project):
    (project / "tests/orders.yaml").write_text(CASE.replace("amount: 0", "amount: 1"))
    assert "28 ~ | LEFT JOIN" in told_by(project, "test", "marts.orders", "--coverage", code=1)
