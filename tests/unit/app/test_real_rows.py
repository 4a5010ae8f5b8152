"""Cases recorded from real rows, and the smoke test: both on projects that were really run."""

import shutil
from pathlib import Path

import pytest

from xde.app.testing import TestBench
from xde.app.workspace import Workspace
from xde.ground.errors import UserError
from xde.undercurrents.engineering.testing.case_reader import read_cases
from xde.undercurrents.engineering.testing.case_writer import appended, case_text, row_text

EXAMPLE = Path(__file__).parents[3] / "examples/jaffle_shop"


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    root = tmp_path_factory.mktemp("recorded") / "jaffle"
    shutil.copytree(EXAMPLE, root, ignore=shutil.ignore_patterns(".xde", "tests"))
    with Workspace.open(root) as workspace:
        assert workspace.run().status == "done"
    return root


@pytest.mark.slow
def test_a_recorded_case_passes_until_the_model_changes(project):
    with Workspace.open(project) as workspace:
        made = workspace.record("marts.customers", "three customers", rows=3)
    assert made.given["raw.customers"] == 3
    assert made.expected == 3
    text = (project / made.path).read_text()
    bench = TestBench.open(project)
    (result,) = bench.run(bench.pick(["three customers"]))
    bench.close()
    assert result.passed
    model = project / "models/marts/customers.sql"
    before = model.read_text()
    model.write_text(before.replace("sum(p.amount)", "max(p.amount)"))
    bench = TestBench.open(project)
    (result,) = bench.run(bench.pick(["three customers"]))
    bench.close()
    model.write_text(before)
    assert not result.passed
    assert "last_name-" in text


@pytest.mark.slow
def test_no_person_is_in_a_recorded_case(project):
    with Workspace.open(project) as workspace:
        made = workspace.record("marts.customers", "nobody", rows=20)
        names = {r["first_name"] for r in workspace.show("raw.customers", limit=None).read_all().to_pylist()}
    (case,) = [c for c in read_cases((project / made.path).read_bytes(), made.path, lambda _: None)[0] if c.name == "nobody"]
    assert {r.cells["first_name"] for r in case.rounds[0].given["raw.customers"].rows}.isdisjoint(names)


def test_only_the_rows_and_columns_that_matter_are_kept(project):
    with Workspace.open(project) as workspace:
        made = workspace.record("marts.orders", "one order", rows=1)
    (case,) = [c for c in read_cases((project / made.path).read_bytes(), made.path, lambda _: None)[0] if c.name == "one order"]
    given = case.rounds[0].given
    (order,) = given["raw.orders"].rows
    assert {p.cells["order_id"] for p in given["raw.payments"].rows} <= {order.cells["id"]}
    assert "id" not in given["raw.payments"].columns


def test_a_name_is_taken_once_and_a_source_is_not_recorded(project):
    with Workspace.open(project) as workspace:
        workspace.record("marts.orders", "twice", rows=1)
        for dataset, name, code in (("marts.orders", "twice", "XDE0904"), ("raw.orders", "x", "XDE0915")):
            with pytest.raises(UserError) as told:
                workspace.record(dataset, name)
            assert [f.code for f in told.value.findings] == [code]


def test_what_was_never_run_cannot_be_recorded(tmp_path):
    shutil.copytree(EXAMPLE, tmp_path / "new", ignore=shutil.ignore_patterns(".xde", "tests"))
    with Workspace.open(tmp_path / "new") as workspace, pytest.raises(UserError) as told:
        workspace.record("marts.orders", "x")
    assert [f.code for f in told.value.findings] == ["XDE0724"]


def test_smoke_runs_all_models_on_a_sample_that_keeps_references(project):
    with Workspace.open(project) as workspace:
        smoked = workspace.smoke(rows=10)
        state = workspace.datasets()
    assert smoked.finished.status == "done"
    assert {o.step.dataset for o in smoked.finished.outcomes} == set(workspace.known.project.models)
    assert smoked.sampled["raw.payments"] == (10, 113)
    assert 10 <= smoked.sampled["raw.orders"][0] < 30
    with Workspace.open(project) as workspace:
        assert workspace.datasets() == state


def test_smoke_loads_what_was_never_loaded_and_tells_a_model_that_fails(tmp_path):
    root = tmp_path / "new"
    shutil.copytree(EXAMPLE, root, ignore=shutil.ignore_patterns(".xde", "tests"))
    with Workspace.open(root) as workspace:
        assert workspace.smoke().finished.status == "done"
    model = root / "models/marts/orders.sql"
    model.write_text(model.read_text().replace("o.status,", "CAST(o.status AS INTEGER) AS status,"))
    (root / "models/marts/orders.yaml").unlink()
    with Workspace.open(root) as workspace:
        finished = workspace.smoke().finished
    assert {o.step.dataset: o.status for o in finished.outcomes}["marts.orders"] == "failed"


def test_what_is_written_is_what_is_read():
    rows = [
        {
            "a": "x: y",
            "b": "null",
            "c": None,
            "d": ["1.10", None],
            "e": {"k": "v"},
            "f": "",
            "g": "- x",
            "h": "a\nb",
            "i": 1.5,
            "j": True,
            "k": "é{",
        }
    ]
    text = appended(None, "a.b", "model", case_text("it's: odd", {"r.t": rows, "r.empty": []}, [f"- {row_text(r)}" for r in rows]))
    (case,), findings = read_cases(text.encode(), "x.yaml", lambda _: None)
    assert findings == []
    assert case.name == "it's: odd"
    cells = case.rounds[0].given["r.t"].rows[0].cells
    assert (cells["a"], cells["b"], cells["c"], cells["f"], cells["g"], cells["h"], cells["i"], cells["j"], cells["k"]) == (
        "x: y",
        "null",
        None,
        "",
        "- x",
        "a\nb",
        "1.5",
        "true",
        "é{",
    )
    assert (cells["d"].json, cells["e"].json) == ('["1.10", null]', '{"k": "v"}')


def test_a_case_is_added_as_the_others_stand():
    old = "# mine\nmodel: a.b\ncases:\n- name: one   # kept\n  expect: []\n"
    new = appended(old, "a.b", "model", case_text("two", {}, []))
    assert new == old + "- name: two\n  expect: []\n"
    other = appended(old, "c.d", "model", case_text("two", {}, []))
    assert other == old + "- name: two\n  model: c.d\n  expect: []\n"
