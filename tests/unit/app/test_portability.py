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


def test_every_kind_is_asked_for_what_its_query_gives_and_files_are_parted_by_duckdb_alone(shop):
    (shop / "models/marts/any.sql").unlink()
    (shop / "models/ref").mkdir()
    (shop / "models/ref/states.csv").write_text("status,final\nreturned,true\n")
    (shop / "models/ref/states.yaml").write_text(
        "apiVersion: v3.1.0\nkind: DataContract\nid: s\nversion: 1.0.0\nstatus: active\nschema:\n  - name: states\n    properties:\n"
        "      - {name: status, logicalType: string, primaryKey: true}\n      - {name: final, logicalType: boolean}\n"
    )
    (shop / "models/staging/few.sql").write_text("/* xde\nkind: ephemeral\n*/\nSELECT order_id, status, order_date FROM staging.orders\n")
    (shop / "models/marts/told.sql").write_text(
        "/* xde\nkind: history\nkey: order_id\nupdated: order_date\n*/\n"
        "SELECT f.order_id, f.order_date, s.final FROM staging.few AS f LEFT JOIN ref.states AS s ON s.status = f.status\n"
    )
    with (shop / "xde.yaml").open("a") as stream:
        stream.write("\nengine: {name: spark, master: 'local[2]'}\n")
    with Workspace.open(shop) as workspace:
        assert "marts.told" in [s.dataset for s in workspace.plan().steps]
    path = shop / "models/marts/told.sql"
    path.write_text(path.read_text().replace("key:", "partition: month(order_date)\nkey:"))
    with Workspace.open(shop) as workspace:
        assert "marts.told" in [s.dataset for s in workspace.plan().steps]
    path.write_text("SELECT order_id FROM validate(staging.orders, holds := strlen(status) > 3, rule := long, keep := letters)\n")
    with Workspace.open(shop) as workspace, pytest.raises(UserError) as raised:
        workspace.plan()
    assert [(f.code, str(f.span)) for f in raised.value.findings] == [("XDE0820", "models/marts/told.sql:1:56")]
