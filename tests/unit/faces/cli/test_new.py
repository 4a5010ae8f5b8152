"""`xde new` as its user has it: what it says, and where that leads."""

import json
import shutil
from pathlib import Path

import pytest

from xde.faces.cli.main import main

EXAMPLE = Path(__file__).parents[4] / "examples/jaffle_shop"
CASES_OF_SHOP = Path(__file__).parents[3] / "data/shop_cases"  # not those of the example, which grow


@pytest.fixture
def xde(tmp_path, capsys):
    root = tmp_path / "jaffle"
    shutil.copytree(EXAMPLE, root, ignore=shutil.ignore_patterns(".xde", "tests"))
    shutil.copytree(CASES_OF_SHOP, root / "tests")

    def run(*words):
        code = main(["--project", str(root), *words])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def test_from_nothing_to_a_case_that_fails(xde):
    code, out, err = xde("new", "model", "marts.placed", "--from", "staging.orders, staging.customers")
    assert (code, out) == (0, "models/marts/placed.sql\nmodels/marts/placed.yaml\ntests/marts_placed.yaml\n")
    assert err == "now say in tests/marts_placed.yaml what must come out, and then: xde test --watch marts.placed\n"
    code, out, _ = xde("test", "marts.placed")
    assert code == 1
    assert "0 rows expected, 1 row came" in out


def test_for_a_machine(xde):
    code, out, err = xde("new", "model", "marts.placed", "--from", "staging.orders", "--from", "staging.customers", "--json")
    assert (code, err) == (0, "")
    assert json.loads(out)["files"] == ["models/marts/placed.sql", "models/marts/placed.yaml", "tests/marts_placed.yaml"]
    code, out, _ = xde("new", "case", "raw.orders", "--json")
    assert json.loads(out) == {"dataset": "raw.orders", "path": "tests/raw_orders.yaml", "name": "say here what must hold"}


def test_what_is_there_is_not_overwritten(xde):
    code, out, err = xde("new", "model", "marts.orders")
    assert (code, out) == (1, "")
    assert err == "error[XDE0955]: the model `marts.orders` is there already\n\nhint: begin a case of it: `xde new case marts.orders`\n"
    assert xde("new", "case", "marts.orders")[:2] == (0, "tests/marts_orders.yaml: say here what must hold\n")
