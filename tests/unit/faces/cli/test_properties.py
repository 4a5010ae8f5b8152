"""`xde test --properties` as it is typed: lines, exit codes, JSON, what is kept."""

import json
import shutil
from pathlib import Path

import pytest
from xde.faces.cli.main import main

EXAMPLE = Path(__file__).parents[4] / "examples/jaffle_shop"


@pytest.fixture
def project(tmp_path):
    root = tmp_path / "jaffle"
    shutil.copytree(EXAMPLE, root, ignore=shutil.ignore_patterns(".xde"))
    return root


@pytest.fixture
def call(project, capsys):
    def called(*words):
        code = main(["--project", str(project), "test", "--properties", *words])
        return code, *capsys.readouterr()

    return called


def test_what_holds_is_a_line_a_model(call):
    code, out, _ = call("staging.*", "--examples", "20")
    assert code == 0
    lines = out.splitlines()
    assert [line.partition(" (")[0] for line in lines[:3]] == [
        "ok    staging.customers: 2 guarantees hold on 20 random inputs",
        "ok    staging.orders: 2 guarantees hold on 20 random inputs",
        "ok    staging.payments: 2 guarantees hold on 20 random inputs",
    ]
    assert lines[3].startswith("3 models: 3 hold")


def test_what_is_broken_is_shown_and_kept(project, call):
    path = project / "models/marts/orders.sql"
    path.write_text(path.read_text().replace("coalesce(p.amount, 0)", "p.amount"))
    code, out, err = call("marts.orders", "--keep")
    assert code == 1
    for text in (
        "FAIL  marts.orders: 1 of 19 guarantees broken by 200 random inputs",
        "error[XDE0930]: `marts.orders`: `amount` must not be missing: input that keeps its contract breaks it",
        "--> models/marts/orders.yaml:",
        "given raw.payments: no rows",
        "came marts.orders: 1 row, 1 of them at fault",
        "wrong",
        "kept in tests/marts_orders.yaml: random input found: amount must not be missing",
    ):
        assert text in out + err


def test_data_for_machines(project, call):
    path = project / "models/marts/orders.sql"
    path.write_text(path.read_text().replace("coalesce(p.amount, 0)", "p.amount"))
    code, out, _ = call("marts.orders", "--seed", "3", "--json")
    assert code == 1
    (told,) = json.loads(out)["properties"]
    assert (told["dataset"], told["status"], told["examples"], told["seed"]) == ("marts.orders", "broken", 200, 3)
    (failure,) = told["failures"]
    assert failure["guarantee"] == "marts.orders.amount.required"
    assert failure["finding"]["code"] == "XDE0930"
    assert [r["amount"] for r in failure["came"]] == [None]
    assert failure["at_fault"] == [0]
    assert set(failure["given"]) == {"raw.orders", "raw.payments"}


def test_a_source_has_no_properties(call):
    code, _, err = call("raw.orders")
    assert code == 1
    assert "error[XDE0938]: `raw.orders` names no model" in err
