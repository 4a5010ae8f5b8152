"""The linter over whole projects: promises carried from model to model, allowances with reasons, flows, and what is kept."""

from __future__ import annotations

import json
import pickle
import shutil
from pathlib import Path

import pytest

from xde.app.linting import KEPT, lint_project
from xde.faces.cli.main import main
from xde.ground.errors import UserError

EXAMPLES = Path(__file__).parents[3] / "examples"


def found(project, *selection):
    return {(f.code, f.span.path, f.span.line, f.span.column) for f in lint_project(project.root, None, selection).findings}


@pytest.mark.parametrize("name", sorted(p.name for p in EXAMPLES.iterdir() if (p / "xde.yaml").exists()))
def test_the_examples_are_clean(tmp_path, name):
    root = tmp_path / name
    shutil.copytree(EXAMPLES / name, root, ignore=shutil.ignore_patterns(".xde", "tests", "data"))
    assert lint_project(root, None, ()).findings == ()


def test_keys_are_carried_through_views_and_models(sales):
    sales.write("models/staging/sales.sql", "/* xde\nkind: view\n*/\nSELECT id AS sale, country FROM shop.sales\n")
    query = "SELECT sum(c.sales) AS n FROM marts.by_country AS c JOIN staging.sales AS s ON s.{} = c.{}\n"
    sales.write("models/marts/good.sql", query.format("sale", "sales"))
    assert found(sales) == set()
    sales.write("models/marts/bad.sql", query.format("country", "country"))
    assert found(sales) == {("XDE0222", "models/marts/bad.sql", 1, 58)}


def test_an_increment_has_the_keys_of_its_intervals_only_with_their_time(sales):
    head = "/* xde\nkind: append\n*/\n"
    sales.write("models/staging/seen.sql", head + "SELECT country, count(*) AS n FROM shop.sales GROUP BY country\n")
    sales.write(
        "models/marts/m.sql", "SELECT sum(c.sales) AS n FROM marts.by_country AS c JOIN staging.seen AS s ON s.country = c.country\n"
    )
    assert {code for code, *_ in found(sales)} == {"XDE0222"}


def test_a_rule_is_allowed_in_a_head_with_a_reason(sales):
    sales.write("models/marts/copy.sql", "/* xde\nlint: {allow: [star-at-edge], reason: an exact copy}\n*/\nSELECT * FROM shop.sales\n")
    report = lint_project(sales.root, None, ())
    assert (report.findings, report.allowed) == ((), 1)
    sales.write("models/marts/copy.sql", "/* xde\nlint: {allow: [star-at-edge]}\n*/\nSELECT * FROM shop.sales\n")
    with pytest.raises(UserError) as error:
        lint_project(sales.root, None, ())
    assert "`reason` is missing" in error.value.findings[0].message


def test_a_rule_is_allowed_for_a_project(sales):
    sales.write("models/marts/copy.sql", "SELECT * FROM shop.sales\n")
    sales.write("xde.yaml", "name: sales\nlint: {allow: [star-at-edge], reason: a prototype}\n")
    report = lint_project(sales.root, None, ())
    assert (report.findings, report.allowed) == ((), 1)


def test_an_allowance_that_allows_nothing_is_told_of_at_its_place(sales):
    sales.write("models/marts/one.sql", "/* xde\nlint: {allow: [unused-cte], reason: none}\n*/\nSELECT id FROM shop.sales\n")
    sales.write("xde.yaml", "name: sales\nlint: {allow: [time-zone], reason: a prototype}\n")
    assert found(sales) == {("XDE0236", "models/marts/one.sql", 2, 16), ("XDE0236", "xde.yaml", 2, 16)}
    assert found(sales, "marts.one") == {("XDE0236", "models/marts/one.sql", 2, 16)}


def test_a_rule_that_is_misspelt_has_the_nearest_name(sales):
    sales.write("xde.yaml", "name: sales\nlint: {allow: [fanout], reason: none}\n")
    with pytest.raises(UserError) as error:
        lint_project(sales.root, None, ())
    assert error.value.findings[0].hint == "did you mean `fan-out`?"


def test_an_allowance_builds_nothing_anew(sales):
    from xde.app.workspace import Workspace

    sales.run()
    text = (sales.root / "models/marts/countries.sql").read_text()
    sales.write("models/marts/countries.sql", "/* xde\nlint: {allow: [unused-cte], reason: none}\n*/\n" + text)
    with Workspace.open(sales.root) as workspace:
        assert workspace.plan().steps == ()


def test_what_a_flow_makes_is_not_its_callers_to_mend(sales):
    sales.write("models/marts/unique.sql", "SELECT s.id, s.country FROM dedupe(shop.sales, key := country) AS s\n")
    sales.write(
        "models/marts/joined.sql",
        "SELECT sum(c.sales) AS n\nFROM marts.by_country AS c\nJOIN dedupe(shop.sales, key := country) AS s ON s.country = c.country\n",
    )
    assert found(sales) == set()
    sales.write(
        "models/marts/joined.sql",
        "SELECT sum(c.sales) AS n\nFROM marts.by_country AS c\nJOIN dedupe(shop.sales, key := id) AS s ON s.country = c.country\n",
    )
    assert {(c, line) for c, _, line, _ in found(sales)} == {("XDE0222", 3)}


def test_what_was_found_is_kept_until_the_model_or_a_promise_changes(sales, monkeypatch):
    import xde.app.linting as app

    linted = []
    real = app.lint
    monkeypatch.setattr(app, "lint", lambda model, inputs: (linted.append(model.name), real(model, inputs))[1])
    assert found(sales) == found(sales) == set()
    assert sorted(linted) == ["marts.by_country", "marts.countries", "staging.norway"]
    sales.write("models/marts/countries.sql", "SELECT * FROM shop.sales\n")
    assert len(found(sales)) == 1
    assert linted[3:] == ["marts.countries"]
    kept = sales.root / ".xde/cache" / KEPT
    kept.write_bytes(kept.read_bytes().partition(b"\n")[0] + b"\n" + pickle.dumps([1]))
    assert len(found(sales)) == 1


def test_the_command_fails_on_errors_and_strictly_on_warnings(sales, capsys):
    def xde(*arguments):
        return main(["--project", str(sales.root), "lint", *arguments])

    assert xde() == 0
    sales.write("models/marts/copy.sql", "SELECT * FROM shop.sales\n")
    assert (xde(), xde("--strict")) == (0, 1)
    capsys.readouterr()
    sales.write("models/marts/copy.sql", "SELECT id\nFROM shop.sales WHERE country = NULL\n")
    assert xde("--sarif", str(sales.root / "out.sarif")) == 1
    assert "--> models/marts/copy.sql:2:23" in capsys.readouterr().out
    xde("--json")
    document = json.loads(capsys.readouterr().out)
    assert [f["code"] for f in document["findings"]] == ["XDE0231"]
    (result,) = json.loads((sales.root / "out.sarif").read_text())["runs"][0]["results"]
    assert (result["ruleId"], result["level"]) == ("XDE0231", "error")
    assert result["locations"][0]["physicalLocation"]["region"]["startLine"] == 2
