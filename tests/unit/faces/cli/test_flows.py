"""`xde flows`: ours anywhere, the project's own in it, and one with its picture."""

import json

import pytest

from xde.faces.cli.main import main
from xde.lifecycle.transformation.flows import NAMES


@pytest.fixture
def project(tmp_path, monkeypatch):
    (tmp_path / "xde.yaml").write_text("name: x\n")
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "mine.py").write_text(
        "from xde.plugin.flows import Columns, Relation, flow\n\n\n@flow\ndef mine(rows: Relation, *, key: Columns) -> str:\n"
        '    """Something of our own.\n\n    key: what it is about\n    """\n    return f"SELECT {key} FROM {rows}"\n'
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_outside_of_a_project_there_are_ours(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["flows"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()[2:]] == list(NAMES)


def test_in_a_project_its_own_come_after(project, capsys):
    assert main(["flows"]) == 0
    assert capsys.readouterr().out.splitlines()[-1].split(None, 3) == ["mine", "the", "project", "Something of our own."]
    assert main(["flows", "mine"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:3] == ["mine: Something of our own.", "", "argument  is"]
    assert lines[4:] == ["rows      a relation           what goes in", "key :=    one or more columns  what it is about"]


def test_one_flow_shows_rows_in_and_rows_out(project, capsys):
    assert main(["flows", "UNPIVOT"]) == 0
    out = capsys.readouterr().out
    assert "FROM unpivot(shop.months, columns := (jan, feb), name := month, value := amount)\n" in out
    assert out.endswith("item  month  amount\n────  ─────  ──────\ntea   jan         3\ntea   feb         4\ncake  jan         5\n")


def test_the_same_as_data(project, capsys):
    assert main(["flows", "--json"]) == 0
    flows = json.loads(capsys.readouterr().out)["flows"]
    assert [f["name"] for f in flows] == [*NAMES, "mine"]
    assert flows[-1]["path"] == "flows/mine.py"
    assert main(["flows", "fill", "--json"]) == 0
    one = json.loads(capsys.readouterr().out)
    assert {a["name"]: a["words"] for a in one["arguments"]}["direction"] == ["forward", "backward"]


def test_a_name_that_is_not_there_has_a_neighbour(project, capsys):
    assert main(["flows", "dedup"]) == 1
    assert capsys.readouterr().err == "error[XDE0254]: there is no flow `dedup`\n\nhint: did you mean `dedupe`?\n"


def test_a_broken_file_is_told_and_ours_are_listed_all_the_same(project, capsys):
    (project / "flows" / "mine.py").write_text("import nothing_such\n")
    assert main(["flows"]) == 0
    told = capsys.readouterr()
    assert "error[XDE0248]: `flows/mine.py` cannot be run" in told.err
    assert len(told.out.splitlines()) == len(NAMES) + 2
