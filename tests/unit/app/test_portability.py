"""Models that Spark is not given are told when a plan is made for it, each at its place; DuckDB builds them as before."""

import shutil
from pathlib import Path

import pytest

from xde.app.workspace import Workspace
from xde.ground.errors import UserError

EXAMPLE = Path(__file__).parents[3] / "examples/jaffle_shop"


@pytest.fixture
def shop(tmp_path):
    root = tmp_path / "shop"
    shutil.copytree(EXAMPLE, root, ignore=shutil.ignore_patterns(".xde"))
    (root / "models/marts/any.sql").write_text("SELECT status,\n    any_value(order_id) AS one\nFROM staging.orders\nGROUP BY status\n")
    return root


def test_a_plan_for_spark_is_refused_with_the_place(shop):
    with (shop / "xde.yaml").open("a") as stream:
        stream.write("\nengine: {name: spark, master: 'local[2]'}\n")
    with Workspace.open(shop) as workspace, pytest.raises(UserError) as raised:
        workspace.plan()
    (finding,) = raised.value.findings
    assert finding.code == "XDE0820"
    assert str(finding.span) == "models/marts/any.sql:2:5"
    assert finding.message == "`marts.any`: `any_value()` is not proven to give the same on Spark"
    assert "min(x)" in finding.hint


def test_what_is_not_selected_does_not_stop_a_plan(shop):
    with (shop / "xde.yaml").open("a") as stream:
        stream.write("\nengine: {name: spark, master: 'local[2]'}\n")
    with Workspace.open(shop) as workspace:
        assert [s.dataset for s in workspace.plan(["+marts.orders"]).steps][-1] == "marts.orders"


def test_an_environment_may_have_spark_of_its_own(shop):
    with (shop / "xde.yaml").open("a") as stream:
        stream.write("\nenvironments:\n  prod:\n    engine: {name: spark, remote: 'sc://somewhere:15002'}\n")
    with Workspace.open(shop) as workspace:
        assert workspace.plan().steps
    with Workspace.open(shop, environment="prod") as workspace, pytest.raises(UserError):
        workspace.plan()


def test_doctor_tells_it_without_spark_being_chosen(shop):
    with Workspace.open(shop) as workspace:
        told = {d.subject: d for d in workspace.doctor("spark")}
    assert told["models/marts/any.sql:2:5"].status == "missing"
    assert "models on Spark" not in told


def test_what_was_found_once_is_kept(shop, monkeypatch):
    from xde.app import portability

    with Workspace.open(shop) as workspace:
        first = portability.refusals(workspace.house, workspace.known, None)
        monkeypatch.setattr(portability, "_asked", lambda *_: pytest.fail("asked again"))
        assert portability.refusals(workspace.house, workspace.known, None) == first
