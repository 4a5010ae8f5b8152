"""A project of one source and three models, small enough to run in a test and real in every part."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from projects.folder import Folder
from projects.people import KEY
from projects.sales import SALES

from xde.app.workspace import Workspace


class Project(Folder):
    """A folder with short words for what a test does in it."""

    def run(self, environment=None, **how):
        with Workspace.open(self.root, environment=environment) as workspace:
            finished = workspace.run(**how)
        assert finished.status == "done", finished
        return {o.step.dataset: o for o in finished.outcomes}

    def rows(self, dataset, environment=None, **how):
        with Workspace.open(self.root, environment=environment) as workspace:
            table = workspace.show(dataset, limit=None, **how).read_all()
        return sorted(tuple(row.values()) for row in table.to_pylist())

    def clean(self, environment=None, **how):
        with Workspace.open(self.root, environment=environment) as workspace:
            return workspace.clean(**how)


@pytest.fixture
def sales(tmp_path: Path) -> Project:
    project = Project(tmp_path / "sales")
    project.write("xde.yaml", "name: sales\n")
    project.write("sources/shop.yaml", SALES)
    project.write("data/sales-1.csv", "id,country\n1,NO\n2,DE\n")
    project.write("models/marts/by_country.sql", "SELECT country, count(*) AS sales FROM shop.sales GROUP BY country\n")
    project.write("models/marts/countries.sql", "SELECT country FROM marts.by_country\n")
    project.write("models/staging/norway.sql", "/* xde\nkind: view\n*/\nSELECT id FROM shop.sales WHERE country = 'NO'\n")
    return project


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    """A folder for a project whose values are treated in flight; what the process puts into its temporary folder lies in `scratch`."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    monkeypatch.setenv("PII_KEY", KEY)
    return Folder(tmp_path / "p")
