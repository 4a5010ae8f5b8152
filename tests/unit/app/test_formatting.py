"""Files put into their form: heads kept, nothing built anew, what is no SQL left alone and told of."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path

import pytest

from xde.app.formatting import formatted
from xde.app.workspace import Workspace
from xde.faces.cli.main import main
from xde.kernel.project.model_reader import sql_begins
from xde.undercurrents.engineering.formatting.pieces import pieces_of

EXAMPLES = Path(__file__).parents[3] / "examples"
UGLY = "/* xde\nkind:   table   # as it is\n*/\nselect id,country from shop.sales where country='NO' -- why\n"
FORMED = "/* xde\nkind:   table   # as it is\n*/\nSELECT id, country FROM shop.sales WHERE country = 'NO' -- why\n"


def test_a_head_stays_as_it_is_written(sales):
    sales.write("models/marts/ugly.sql", UGLY)
    assert main(["--project", str(sales.root), "format"]) == 0
    path = sales.root / "models/marts/ugly.sql"
    assert path.read_text() == FORMED
    before = path.stat().st_mtime_ns
    assert main(["--project", str(sales.root), "format"]) == 0
    assert path.stat().st_mtime_ns == before, "what is in the form is not written again"


def test_line_ends_rights_and_marks_of_the_file_stay(sales):
    path = sales.root / "models/marts/ugly.sql"
    path.write_bytes(b"\xef\xbb\xbf" + UGLY.replace("\n", "\r\n").encode())
    path.chmod(0o640)
    assert main(["--project", str(sales.root), "format", str(path)]) == 0
    assert path.read_bytes() == b"\xef\xbb\xbf" + FORMED.replace("\n", "\r\n").encode()
    assert path.stat().st_mode & 0o777 == 0o640
    assert sorted(p.name for p in path.parent.iterdir()) == ["by_country.sql", "countries.sql", "ugly.sql"]


def test_check_and_diff_write_nothing(sales, capsys):
    sales.write("models/marts/ugly.sql", UGLY)
    assert main(["--project", str(sales.root), "format", "--check"]) == 1
    assert "XDE0238" in capsys.readouterr().err
    assert main(["--project", str(sales.root), "format", "--diff"]) == 0
    assert "+SELECT id, country FROM shop.sales" in capsys.readouterr().out
    assert main(["--project", str(sales.root), "format", "--check", "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert [f["path"] for f in document["files"] if f["changed"]] == ["models/marts/ugly.sql"]
    assert [(f["code"], f["place"]["line"]) for f in document["findings"]] == [("XDE0238", 4)]
    assert (sales.root / "models/marts/ugly.sql").read_text() == UGLY


@pytest.mark.parametrize(
    "text", ["select (\n", "select 1; select 2\n", "create table a (b int)\n", "/* xde\nkind: table\nselect 1\n", "select 'a\n"]
)
def test_what_is_no_query_stays_and_is_told_of(sales, text):
    sales.write("models/marts/bad.sql", text)
    sales.write("models/marts/ugly.sql", UGLY)
    files = {f.path: f for f in formatted(sales.root, ())}
    assert files["models/marts/bad.sql"].findings
    assert not files["models/marts/bad.sql"].changed
    assert files["models/marts/ugly.sql"].changed
    assert main(["--project", str(sales.root), "format"]) == 1
    assert (sales.root / "models/marts/bad.sql").read_text() == text
    assert (sales.root / "models/marts/ugly.sql").read_text() == FORMED


def test_calls_of_flows_are_formatted_as_they_are_written(sales):
    sales.write("models/marts/f.sql", "select * from pivot(shop.sales,key:=country,values:=(id)) p\n")
    (file,) = formatted(sales.root, [sales.root / "models/marts/f.sql"])
    assert (file.after, file.findings) == ("SELECT * FROM pivot(shop.sales, key := country, values := (id)) p\n", ())


def test_without_a_project_files_are_named(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.sql").write_text("select 1\n")
    assert main(["format", "a.sql"]) == 0
    assert (tmp_path / "a.sql").read_text() == "SELECT 1\n"
    assert main(["format", "b.sql"]) == 1
    assert "did you mean `a.sql`?" in capsys.readouterr().err
    assert main(["format"]) == 1


def mangled(text, chance):
    at = sql_begins(text)
    found = ""
    for piece in pieces_of(text[at:])[0]:
        gap = chance.choice(["\n", "  ", " ", "\n  -- said\n"]) if piece.gap and chance.random() < 0.3 else " " if piece.gap else ""
        found += gap + (piece.text.lower() if piece.kind in {"SELECT", "FROM", "WHERE", "AND", "GROUP_BY", "JOIN", "LEFT"} else piece.text)
    return text[:at] + found


@pytest.mark.parametrize("name", ["jaffle_shop", "flights", "austin_traffic"])
def test_no_model_means_anything_else(tmp_path, name):
    root = tmp_path / name
    shutil.copytree(EXAMPLES / name, root, ignore=shutil.ignore_patterns(".xde", "tests", "data"))
    with Workspace.open(root) as workspace:
        versions, schemas = dict(workspace.known.versions), dict(workspace.known.schemas)
    chance = random.Random(name)
    for path in (root / "models").rglob("*.sql"):
        path.write_text(mangled(path.read_text(), chance))
    assert main(["--project", str(root), "format"]) == 0
    assert main(["--project", str(root), "format", "--check"]) == 0
    with Workspace.open(root) as workspace:
        assert (dict(workspace.known.versions), dict(workspace.known.schemas)) == (versions, schemas)


@pytest.mark.parametrize("name", sorted(p.name for p in EXAMPLES.iterdir() if (p / "xde.yaml").exists()))
def test_the_examples_are_in_the_form(name):
    assert [f.path for f in formatted(EXAMPLES / name, ()) if f.changed or f.findings] == []
