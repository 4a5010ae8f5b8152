"""`xde test --coverage` on a real project: lines for a person, a document for a machine, the exit code of the cases."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from xde.faces.cli.main import main

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


def test_for_a_person(project, capsys):
    assert main(["--project", str(project), "test", "--coverage"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("1 case: 1 passed")
    assert "28 ~ | LEFT JOIN paid AS p USING (order_id)\n" in told
    assert "no row finds a match, no right row without match\n" in told
    assert "marts.customers  0 %  0 of 17 branches, no case  models/marts/customers.sql\n" in told
    assert "staging.orders" not in told  # no branches
    assert told.endswith("% of 44 branches reached; 1 model without a case\n")


def test_for_a_machine(project, capsys):
    assert main(["--project", str(project), "test", "marts.orders", "--coverage", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [m["dataset"] for m in document["coverage"]] == ["marts.orders"]
    assert len(document["cases"]) == 1
    assert main(["--project", str(project), "test", "--json"]) == 0
    assert "coverage" not in json.loads(capsys.readouterr().out)


def test_a_case_that_fails_is_covered_too_and_the_exit_code_is_its(project, capsys):
    (project / "tests/orders.yaml").write_text(CASE.replace("amount: 0", "amount: 1"))
    assert main(["--project", str(project), "test", "marts.orders", "--coverage"]) == 1
    assert "28 ~ | LEFT JOIN" in capsys.readouterr().out
