"""An environment with a lake, a ledger and an engine of its own: nothing is shared with it, and every command finds it."""

from __future__ import annotations

import json

import pytest

from xde.app.opening import house_at
from xde.app.workspace import Workspace
from xde.faces.cli.main import main

SETTINGS = """\
name: sales
environments:
  prod:
    lake: ${env:PROD_LAKE}
    ledger: sqlite:${env:PROD_LEDGER}
    engine: {name: duckdb, memory_limit: 300MB, threads: 1}
"""


@pytest.fixture
def apart(sales, tmp_path, monkeypatch):
    monkeypatch.setenv("PROD_LAKE", str(tmp_path / "prod/lake"))
    monkeypatch.setenv("PROD_LEDGER", str(tmp_path / "prod/ledger.sqlite"))
    sales.write("xde.yaml", SETTINGS)
    return sales


@pytest.fixture
def xde(apart, capfd):
    def call(*words, code=0):
        done = main(["--project", str(apart.root), *words])
        out, err = capfd.readouterr()
        assert done == code, out + err
        return out + err

    return call


def test_everything_of_it_lies_apart_and_is_found_there(apart, xde, tmp_path):
    xde("run")
    here = house_at(apart.root, None)
    planned = json.loads(xde("plan", "prod", "--json"))
    assert len(planned["steps"]) == 4, "what another lake has is of no use here: everything is built"
    assert planned["adopted"] == []
    assert not (tmp_path / "prod").exists() or not any((tmp_path / "prod").rglob("*.parquet"))
    xde("deploy", "prod", "--yes")
    house = house_at(apart.root, "prod")
    try:
        assert {t.dataset for t in house.lake.tables()} == {"shop.sales", "marts.by_country", "marts.countries"}
        assert here.ledger.pointers("prod") == {}
        assert here.ledger.deployments("prod") == []
        assert len(house.ledger.pointers("prod")) == 4
        settings = house.session.cursor().execute("SELECT current_setting('memory_limit'), current_setting('threads')").fetchone()
        assert settings == ("286.1 MiB", 1)
    finally:
        house.close()
        here.close()
    assert json.loads(xde("plan", "prod", "--json"))["steps"] == []
    assert "nothing to deploy" in xde("plan", "prod")
    assert "DE" in xde("--env", "prod", "show", "marts.by_country")
    assert "NO" in xde("--env", "prod", "show", "marts.by_country", "--json")


@pytest.mark.slow
def test_a_change_is_told_between_them(apart, xde):
    xde("run")
    xde("deploy", "prod", "--yes")
    apart.write("data/sales-2.csv", "id,country\n3,NO\n")
    xde("run")
    told = json.loads(xde("diff", "shop.sales", "--env", "dev", "--against", "prod", "--exit-code", "--json", code=1))
    assert (told["rows"]["added"], told["rows"]["removed"]) == (1, 0)
    told = json.loads(xde("diff", "--env", "dev", "--against", "prod", "--json"))
    assert {d["left"]["dataset"] for d in told["differences"]} >= {"shop.sales", "marts.by_country"}
    apart.write("models/marts/by_country.sql", "SELECT country, count(*) AS sales, min(id) AS first FROM shop.sales GROUP BY country\n")
    xde("run")
    planned = json.loads(xde("plan", "prod", "--json"))
    assert "marts.by_country" in {s["dataset"] for s in planned["steps"]}
    xde("deploy", "prod", "--yes")
    assert "first" in xde("--env", "prod", "show", "marts.by_country")
    assert "deployment 3" in xde("rollback", "prod")
    assert "first" not in xde("--env", "prod", "show", "marts.by_country")
    assert {e["dataset"] for e in json.loads(xde("env", "diff", "dev", "prod", "--json"))["differences"]} >= {"marts.by_country"}


@pytest.mark.slow
def test_it_is_listed_shown_cleaned_and_dropped(apart, xde):
    xde("run")
    xde("deploy", "prod", "--yes")
    lines = {e["environment"]: e for e in json.loads(xde("env", "list", "--json"))["environments"]}
    assert lines["prod"]["datasets"] == 4
    assert len(json.loads(xde("env", "show", "prod", "--json"))["deployments"]) == 1
    before = apart.rows("marts.by_country", environment="prod")
    xde("clean")
    xde("--env", "prod", "clean")
    assert apart.rows("marts.by_country", environment="prod") == before
    with Workspace.open(apart.root, environment="prod") as workspace:
        assert workspace.rebuild_ledger() == 3
    xde("env", "drop", "prod")
    assert json.loads(xde("env", "list", "--json"))["environments"][1]["datasets"] == 0


def test_one_that_cannot_be_reached_is_listed_as_such_and_keeps_nobody_from_the_others(apart, xde, monkeypatch):
    xde("run")
    xde("deploy", "prod", "--yes")
    monkeypatch.delenv("PROD_LEDGER")
    lines = {e["environment"]: e for e in json.loads(xde("env", "list", "--json"))["environments"]}
    assert lines["dev"]["problem"] == ""
    assert lines["prod"]["problem"] == "`${env:PROD_LEDGER}` has no value"
    assert "`${env:PROD_LEDGER}` has no value" in xde("env", "list")
    assert "XDE0152" in xde("plan", "prod", code=1)
    assert "xde.yaml:5:13" in xde("env", "show", "prod", code=1)
    xde("run")
    xde("clean")


@pytest.mark.slow
def test_two_environments_must_not_be_one_by_accident(apart, xde):
    """A deployment is kept with its definitions in the lake of the environment itself."""
    xde("deploy", "prod", "--yes")
    house = house_at(apart.root, "prod")
    try:
        assert house.lake.all_kept("definitions")
        assert house.lake.all_kept("deployments")
    finally:
        house.close()
    here = house_at(apart.root, None)
    try:
        assert not here.has_lake or not here.lake.all_kept("definitions")
    finally:
        here.close()
