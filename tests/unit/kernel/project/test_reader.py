"""Whole projects, good and bad."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING

from xde.kernel.project.reader import project_digest, read_project

if TYPE_CHECKING:
    from pathlib import Path

CONTRACT = """apiVersion: v3.1.0
kind: DataContract
id: a
version: 1.0.0
schema:
  - name: {name}
    properties: [{{name: id, logicalType: integer{more}}}]
"""


def write(root: Path, files: dict[str, str]) -> Path:
    for path, content in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(content)
    return root


def project_files() -> dict[str, str]:
    return {
        "xde.yaml": "name: x\n",
        "sources/nyc.odcs.yaml": CONTRACT.format(name="airports", more=""),
        "models/staging/deep/er/flights.sql": "SELECT 1 AS id\n",
        "models/marts/delay.sql": "/* xde\nkind: view\n*/\nSELECT id FROM staging.flights\n",
        "models/marts/delay.yaml": CONTRACT.format(name="delay", more=", relationships: [{to: nyc.airports.id}, {to: staging.flights.id}]"),
        "models/.hidden.sql": "",
        "models/marts/README.md": "words",
    }


def test_datasets_by_name(tmp_path):
    project, findings = read_project(write(tmp_path, project_files()))
    assert project is not None and not list(findings)
    assert list(project.datasets) == ["nyc.airports", "marts.delay", "staging.flights"]
    assert list(project.sources) == ["nyc.airports"] and list(project.models) == ["marts.delay", "staging.flights"]
    delay = project.models["marts.delay"]
    assert delay.contract is not None and delay.object is not None and delay.object.name == "delay"
    assert delay.sql == "SELECT id FROM staging.flights\n" and delay.sql_line == 4
    assert project.models["staging.flights"].path == "models/staging/deep/er/flights.sql"
    assert pickle.loads(pickle.dumps(project)).datasets == project.datasets


def test_the_digest_changes_with_every_file(tmp_path):
    root = write(tmp_path, project_files())
    project, _ = read_project(root)
    assert project is not None and project.digest == project_digest(root)
    seen = {project.digest}
    for path in ("xde.yaml", "sources/nyc.odcs.yaml", "models/marts/delay.sql", "models/marts/delay.yaml"):
        with (root / path).open("a") as stream:
            stream.write("\n")
        seen.add(project_digest(root))
    (root / "models/marts/delay.sql").rename(root / "models/marts/delays.sql")
    seen.add(project_digest(root))
    assert len(seen) == 6
    (root / "models/marts/README.md").write_text("other words")
    assert project_digest(root) in seen


def test_equal_bytes_at_other_borders_are_another_project(tmp_path):
    one = write(tmp_path / "1", {"models/a/x.sql": "ab", "models/a/y.sql": "c"})
    two = write(tmp_path / "2", {"models/a/x.sql": "a", "models/a/y.sql": "bc"})
    assert project_digest(one) != project_digest(two)


def test_a_project_of_nothing_is_one(tmp_path):
    project, findings = read_project(write(tmp_path, {"xde.yaml": "name: x\n"}))
    assert project is not None and not project.datasets and not list(findings)


def test_findings_come_also_where_the_settings_are_broken(tmp_path):
    files = {**project_files(), "xde.yaml": "name: [", "models/marts/delay.sql": ""}
    project, findings = read_project(write(tmp_path, files))
    assert project is None and [f.code for f in findings] == ["XDE0104", "XDE0136"]
