"""Drafts: read by us and by the standard without a complaint, and a run loads what they were drafted from without a dead letter."""

from __future__ import annotations

import json
import shutil
from importlib import resources
from pathlib import Path

import pytest
from jsonschema import Draft201909Validator

from xde.app.contract_drafts import draft
from xde.app.workspace import Workspace
from xde.ground.errors import UserError
from xde.kernel.project.odcs import read_contract
from xde.kernel.project.yaml_reader import read_yaml

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"


@pytest.fixture
def project(tmp_path, monkeypatch):
    root = tmp_path / "project"
    (root / "data").mkdir(parents=True)
    (root / "xde.yaml").write_text("name: drafted\n")
    monkeypatch.chdir(root)
    return root


def drafted(root, *files, **how):
    return draft(lambda: root, files or ("data/*",), root / "sources/it.yaml", **{"force": False, **how})


def loaded(root):
    """The rows of each dataset, after a run that must leave nothing behind."""
    with Workspace.open(root) as workspace:
        finished = workspace.run()
        assert finished.status == "done", finished
        assert workspace.letters() == ()
        return {line.name: line.rows for line in workspace.datasets()}


def right(text):
    """By the standard's own schema, and by our reader."""
    schema = json.loads((resources.files("open_data_contract_standard") / "schema.json").read_text(encoding="utf-8"))
    root, findings = read_yaml(text.encode(), "it.yaml")
    assert root is not None and not findings
    assert [e.message for e in Draft201909Validator(schema).iter_errors(root.data())] == []
    contract, _, findings = read_contract(text.encode(), "it.yaml")
    assert contract is not None and not findings
    return {o.name: o for o in contract.schema}


def copied(root, *names):
    for name in names:
        shutil.copy(EXAMPLES / name, root / "data")


@pytest.mark.slow
def test_flights(project):
    files = ("flights-2013-02.csv.gz", "weather.csv.gz", "planes.csv", "airports.csv", "airlines.csv")
    copied(project, *(f"flights/data/{f}" for f in files))
    made = drafted(project)
    tables = right(made.text)
    assert tables["flights"].key == ("carrier", "flight", "time_hour")
    assert tables["planes"].key == ("tailnum",)
    columns = {p.name: p for p in tables["airports"].properties}
    assert columns["lat"].options == {"minimum": -90, "maximum": 90}
    assert columns["dst"].quality[0].arguments["validValues"] == ["A", "N", "U"]
    assert not columns["tz"].quality
    flights = {p.name: p for p in tables["flights"].properties}
    assert flights["distance"].required
    assert not flights["dep_time"].required
    assert not flights["origin"].quality, "a reference says it better than a list"
    references = {(r.columns, r.to_dataset, r.severity) for r in tables["flights"].relationships}
    assert (("carrier",), "airlines", "error") in references
    assert (("tailnum",), "planes", "warning") in references
    assert "%) have their partner in planes.tailnum" in made.text
    assert loaded(project) == {"it.airlines": 16, "it.airports": 1_458, "it.flights": 24_951, "it.planes": 3_322, "it.weather": 26_115}


def test_the_shop(project):
    copied(project, *(f"jaffle_shop/data/raw_{n}.csv" for n in ("customers", "orders", "payments")))
    made = drafted(project)
    tables = right(made.text)
    assert {n: t.key for n, t in tables.items()} == dict.fromkeys(("raw_customers", "raw_orders", "raw_payments"), ("id",))
    assert [p.personal for p in tables["raw_customers"].properties] == [False, True, True]
    assert "are these all" in " ".join(made.text.split()), "of a hundred rows a list is a question"
    assert not any(p.quality for t in tables.values() for p in t.properties)
    assert "Michael" not in made.text
    assert loaded(project) == {"it.raw_customers": 100, "it.raw_orders": 99, "it.raw_payments": 113}


@pytest.mark.slow
def test_incidents_and_what_a_spreadsheet_made_of_them(project):
    copied(project, "austin_traffic/data/incidents.csv", "austin_traffic/data/incidents-badly-quoted.csv")
    made = drafted(project)
    tables = right(made.text)
    published = {p.name: p for p in tables["incidents"].properties}["published_date"]
    assert published.options == {"timezone": True, "format": "MM/dd/yyyy hh:mm:ss a xx"}
    assert published.physical_name == "Published Date"
    assert len(tables["incidents_badly_quoted"].properties) == 1
    assert [f.code for f in made.findings] == ["XDE0376"]
    assert loaded(project) == {"it.incidents": 4, "it.incidents_badly_quoted": 4}


ODD = {
    "semi.csv": "Datum;Betrag;PLZ\n"
    + "".join(f"{i % 28 + 1:02}.{i % 12 + 1:02}.2024;{i},5{i % 10};0{i % 9000 + 1000}\n" for i in range(300)),
    "bare.csv": "".join(f"{i},{i * 1.5},abc\n" for i in range(50)),
    "title.csv": "Report of the day\n\nid,amount\n" + "".join(f"{i},{i * 2}\n" for i in range(50)),
    "quotes.csv": "id,text\n1,'a,b'\n2,'c'\n",
    "words.csv": "id,country,note\n1,NO,null\n2,DE,NULL\n3,NO,#N/A\n4,DE,yes: no\n",
    "names.csv": "Größe (cm),class,class?,Größe [cm]\n1,2,3,4\n2,3,4,5\n",
    "days.csv": "d,t\n" + "".join(f"{i % 12 + 1:02}/{i % 12 + 1:02}/2024,{i % 24:02}:30\n" for i in range(60)),
    "events.ndjson": "".join(json.dumps({"id": i, "tags": ["a"], "at": {"x": i}, "n": None if i % 3 else 1.5}) + "\n" for i in range(60)),
    "doc.json": json.dumps({"meta": 1, "items": [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]}),
    "crlf.csv": 'a,b\r\n1,2\r\n3,"x\r\ny"\r\n',
}


@pytest.mark.slow
def test_odd_files_all_in_one(project):
    for name, text in ODD.items():
        (project / "data" / name).write_bytes(text.encode())
    (project / "data/part-1.csv").write_text("a,b\n1,2\n")
    (project / "data/part-2.csv").write_text("a,b,c\n1,2,3\n")
    (project / "data/latin.csv").write_bytes("name,town\nJosé,Köln\nZoë,Bonn\n".encode("latin-1"))
    (project / "data/wide.csv").write_text("a,b\n1,ä\n2,ö\n", encoding="utf-16")
    made = drafted(project)
    right(made.text)
    rows = loaded(project)
    assert rows == {
        "it.bare": 50,
        "it.crlf": 2,
        "it.days": 60,
        "it.doc": 2,
        "it.events": 60,
        "it.latin": 2,
        "it.names": 2,
        "it.part": 2,
        "it.quotes": 2,
        "it.semi": 300,
        "it.title": 50,
        "it.wide": 2,
        "it.words": 4,
    }


def test_values_and_names_that_yaml_would_stumble_over(project):
    odd = ["a: b", "# no comment", "- x", "\x07bell", "\x7f", "tab\there", "\u2028", "'q'", "{x}", "😀"]
    rows = "".join(f'{i},"{odd[i % len(odd)]}",yes\n' for i in range(1_200))
    (project / "data/odd.csv").write_bytes(('"i: #","t\x07 ""x""",yes: no\n' + rows).encode())
    tables = right(drafted(project).text)
    (rule,) = {p.name: p for p in tables["odd"].properties}["t_x"].quality
    assert set(rule.arguments["validValues"]) == set(odd)
    assert loaded(project) == {"it.odd": 1_200}


def test_nothing_is_written_over(project):
    (project / "data/a.csv").write_text("id,n\n1,2\n2,3\n")
    drafted(project)
    before = (project / "sources/it.yaml").read_text()
    (project / "sources/it.yaml").write_text("mine")
    with pytest.raises(UserError) as error:
        drafted(project)
    assert error.value.findings[0].code == "XDE0379"
    assert (project / "sources/it.yaml").read_text() == "mine"
    assert drafted(project, force=True).text == before
    assert [p.name for p in (project / "sources").iterdir()] == ["it.yaml"]


def test_files_elsewhere_are_named_in_full_and_of_two_folders_have_two_servers(project, tmp_path):
    (tmp_path / "far").mkdir()
    (tmp_path / "far/b.csv").write_text("id,n\n1,2\n2,3\n")
    (project / "data/a.csv").write_text("id,n\n1,2\n2,3\n")
    made = drafted(project, "data/a.csv", str(tmp_path / "far/b.csv"))
    assert f"path: {tmp_path / 'far'}" in made.text.replace('"', "")
    right(made.text)
    assert loaded(project) == {"it.a": 2, "it.b": 2}


def test_a_source_of_the_project_by_its_name_and_a_model_that_has_no_files(sales, monkeypatch):
    monkeypatch.chdir(sales.root)
    made = draft(lambda: sales.root, ("shop",), None, force=False)
    (table,) = right(made.text).values()
    assert (table.name, table.physical_name, table.key) == ("sales", "sales-1.csv", ("id",))
    with pytest.raises(UserError) as error:
        draft(lambda: sales.root, ("marts.by_country",), None, force=False)
    assert error.value.findings[0].code == "XDE0385"
    with pytest.raises(UserError) as error:
        draft(lambda: sales.root, ("shopp",), None, force=False)
    assert error.value.findings[0].code == "XDE0370"


def test_headers_in_every_script(project):
    (project / "data/all.csv").write_text("ü,名前,имя,naïve,_\n1,2,3,4,5\n", encoding="utf-8")
    drafted(project)
    assert loaded(project) == {"it.all": 1}
    with Workspace.open(project) as workspace:
        (row,) = workspace.show("it.all", limit=None).read_all().to_pylist()
    assert row == {"u": 1, "column_2": 2, "column_3": 3, "naive": 4, "column_5": 5}
