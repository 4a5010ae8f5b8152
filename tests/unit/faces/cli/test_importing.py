"""`xde import dbt` as a process: streams, exit codes, the document."""

import json
import os
import subprocess
import sys
from pathlib import Path

import xde
from projects.dbt import write


def call(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(Path(xde.__file__).parents[1])}
    command = [sys.executable, "-m", "xde.faces.cli.main", "import", "dbt", *words]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=60)


def test_the_document_names_every_part(tmp_path):
    write(tmp_path / "dbt", {"models/a/b.sql": "select * from {{ ref('items') }}", "models/a/c.sql": "select {{ run_query('x') }}"})
    done = call(tmp_path, "dbt", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert [(c["what"], c["name"], c["became"]) for c in told["carried"]] == [
        ("model", "b", "models/a/b.sql"),
        ("seed", "items", "models/seeds/items.csv"),
    ]
    assert [(w["name"], w["kept"]) for w in told["waiting"]] == [("c", "undecided/models/a/c.sql")]
    assert [(d["code"], d["place"]["path"], d["place"]["line"]) for d in told["decisions"]] == [("XDE0181", "dbt/models/a/c.sql", 1)]
    assert told["project"] == "shop_xde"
    assert set(told["files"]) == {str(p.relative_to(tmp_path / "shop_xde")) for p in (tmp_path / "shop_xde").rglob("*") if p.is_file()}


def test_a_bad_project_is_shown_with_its_lines_and_leaves_nothing(tmp_path):
    write(tmp_path / "dbt", {"models/a/b.sql": "select *\nfrom {{ ref('item') }}\n"})
    done = call(tmp_path, "dbt")
    assert (done.returncode, done.stdout) == (1, "")
    assert "error[XDE0174]: `ref('item')` names no model, seed or snapshot" in done.stderr
    assert "2 | from {{ ref('item') }}" in done.stderr
    assert "hint: did you mean `items`?" in done.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["dbt"]
