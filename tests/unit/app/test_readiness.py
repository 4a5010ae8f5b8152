"""What stops a deployment before anything is switched: a query that the engine there does not take, a package that is not there."""

from __future__ import annotations

import json

import pytest

from xde.app.dependencies import declared, not_imported
from xde.app.deploying import Order
from xde.app.placing import place
from xde.app.workspace import Workspace
from xde.ground.errors import UserError
from xde.lifecycle.storage.port import Column


def deploy(root, environment="prod", spoil=lambda _: None):
    with Workspace.open(root, environment=environment, working_tree=True) as workspace:
        spoil(workspace.known)
        return workspace.deploy(Order())


@pytest.fixture
def deployed(tmp_path):
    (tmp_path / "xde.yaml").write_text("name: shop\n")
    for name, text in {"base": "SELECT 1 AS id, 'x' AS name", "mart": "SELECT id, upper(name) AS name FROM m.base"}.items():
        path = tmp_path / f"models/m/{name}.sql"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"/* xde\nkind: table\n*/\n{text}\n")
    assert deploy(tmp_path).deployment.number == 1
    return tmp_path


def edit(root, old, new):
    path = root / "models/m/mart.sql"
    path.write_text(path.read_text().replace(old, new))


def still_runs(root, number):
    with Workspace.open(root, environment="prod") as workspace:
        assert workspace.house.ledger.deployments("prod", 1)[0].number == number
        assert workspace.run().status == "done"
        assert workspace.show("m.mart").read_all().to_pylist() == [{"id": 1, "name": "X"}]


def test_a_query_that_the_engine_there_does_not_bind_switches_nothing(deployed):
    edit(deployed, "upper", "lower")

    def another_schema(known):
        known.schemas = {**known.schemas, "m.base": (Column("id", "INTEGER"),)}

    with pytest.raises(UserError) as raised:
        deploy(deployed, spoil=another_schema)
    (finding,) = raised.value.findings
    assert (finding.code, finding.span.path) == ("XDE0978", "models/m/mart.sql")
    assert "name" in finding.why
    still_runs(deployed, 1)
    assert deploy(deployed).deployment.number == 2


def test_a_query_that_does_not_bind_at_all_is_found_when_the_project_is_read(deployed):
    edit(deployed, "upper(name)", "upper(nam)")
    with pytest.raises(UserError):
        deploy(deployed)
    still_runs(deployed, 1)


def test_an_engine_that_is_not_there_switches_nothing_even_where_nothing_is_to_be_built(deployed):
    (deployed / "xde.yaml").write_text("name: shop\nenvironments: {live: {engine: {name: no_such}}}\n")
    with pytest.raises(UserError) as raised:
        deploy(deployed, "live")
    assert [f.code for f in raised.value.findings] == ["XDE0805"]
    still_runs(deployed, 1)


def test_a_package_that_is_not_there_switches_nothing(deployed):
    edit(deployed, "upper", "lower")
    (deployed / "requirements.txt").write_text("# ours\nclick>=8  # is there\nno-such-package-of-ours\nother-thing; python_version < '3'\n")
    with pytest.raises(UserError) as raised:
        deploy(deployed)
    (finding,) = raised.value.findings
    assert (finding.code, finding.message, finding.span.line) == ("XDE0979", "`no-such-package-of-ours` cannot be imported", 3)
    still_runs(deployed, 1)


def test_what_a_project_needs_is_read_from_either_file(tmp_path):
    assert declared(tmp_path) == ()
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\ndependencies = ["polars[excel]>=2", "a.b==1"]\n')
    assert [d.name for d in declared(tmp_path)] == ["polars", "a.b"]
    (tmp_path / "requirements.txt").write_text("--index-url https://example.org\n-r more.txt\n\nclick>=8\n")
    assert [(d.name, d.span.line) for d in declared(tmp_path)] == [("click", 4)]
    (tmp_path / "requirements.txt").write_text(">=8\n")
    with pytest.raises(UserError) as raised:
        declared(tmp_path)
    assert [f.code for f in raised.value.findings] == ["XDE0972"]


def test_an_import_that_ends_the_process_is_told_by_its_package(tmp_path):
    import sys

    site = tmp_path / "site"
    for name, text in {"good": "", "deadly": "import os; os._exit(7)", "loud": "raise RuntimeError('no')"}.items():
        about = site / f"{name}-1.0.dist-info"
        about.mkdir(parents=True)
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (about / "RECORD").write_text(f"{name}.py,,\n")
        (site / f"{name}.py").write_text(text)
    (tmp_path / "requirements.txt").write_text("good\nloud\ndeadly\ngood\n")
    found = not_imported(sys.executable, declared(tmp_path), {"PYTHONPATH": str(site)})
    assert [d.name for d, _ in found] == ["loud", "deadly"]
    assert "RuntimeError: no" in found[0][1]
    assert "ended with 7" in found[1][1]


def test_a_package_puts_its_definitions_in_place_and_takes_old_ones_away(tmp_path, monkeypatch):
    held = tmp_path / "site/a_shop/project"
    (held / "models/m").mkdir(parents=True)
    (held.parent / "__init__.py").write_text("")
    (held / "xde.yaml").write_text("name: shop\n")
    (held / "models/m/old.sql").write_text("SELECT 1 AS a\n")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    folder = tmp_path / "work"
    assert place("a_shop", folder)
    assert not place("a_shop", folder)
    (folder / "own.txt").write_text("mine")
    (held / "models/m/old.sql").rename(held / "models/m/new.sql")
    mark = folder / ".xde/packaged.json"
    mark.write_text(json.dumps({**json.loads(mark.read_text()), "digest": ""}))  # as one leaves it that is killed in the middle
    assert place("a_shop", folder)
    assert sorted(p.name for p in (folder / "models/m").iterdir()) == ["new.sql"]
    assert (folder / "own.txt").read_text() == "mine"
    other = tmp_path / "other"
    other.mkdir()
    (other / "xde.yaml").write_text("name: other\n")
    with pytest.raises(UserError) as raised:
        place("a_shop", other)
    assert [f.code for f in raised.value.findings] == ["XDE0976"]
