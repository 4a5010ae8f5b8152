"""Versions that nobody uses are dropped, and nothing that anybody may still use, by whatever name and ledger."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import timedelta

import pytest

from xde.app.deploying import Order
from xde.app.rolling_back import rollback
from xde.app.environments import drop as drop_environment
from xde.app.opening import house_at
from xde.app.workspace import Workspace
from xde.ground.clock import SystemClock
from xde.ground.errors import UserError
from xde.kernel.plan.plan import StepKind
from xde.kernel.run.claims import held_claim

COUNT = "SELECT country, count({}) AS sales FROM shop.sales GROUP BY country\n"
MODEL = "models/marts/by_country.sql"


def versions(sales, dataset="marts.by_country"):
    folder = sales.root / ".xde/lake" / dataset.replace(".", "/")
    return {p.name for p in folder.iterdir()} if folder.exists() else set()


def pointed(sales, dataset="marts.by_country", environment=None):
    with Workspace.open(sales.root, environment=environment) as workspace:
        return workspace.house.ledger.pointers(workspace.house.environment).get(dataset)


def dropped(cleaned):
    return [c.table.dataset for c in cleaned if c.dropped]


def changed(sales):
    """A project whose model `marts.by_country` has an older version; gives it."""
    sales.run()
    before = pointed(sales)
    sales.write(MODEL, COUNT.format("id"))
    sales.run()
    return before


def test_a_version_left_is_kept_for_some_days_and_then_dropped(sales):
    before = changed(sales)
    assert dropped(sales.clean()) == []
    told = sales.clean(keep_days=0, dry_run=True)
    assert [(c.table.dataset, c.table.version) for c in told if c.dropped] == [("marts.by_country", before)]
    assert versions(sales) == {before, pointed(sales)}
    assert [c for c in sales.clean(keep_days=0) if c.dropped] == [c for c in told if c.dropped]
    assert versions(sales) == {pointed(sales)}
    with Workspace.open(sales.root) as workspace:
        assert ("marts.by_country", before) not in workspace.house.ledger.states()
    assert sales.rows("marts.by_country") == [("DE", 1), ("NO", 1)]
    assert sales.clean(keep_days=0) == ()


def test_to_go_back_to_a_dropped_version_builds_it_again(sales):
    changed(sales)
    sales.clean(keep_days=0)
    sales.write(MODEL, COUNT.format("*"))
    assert sales.run()["marts.by_country"].step.kind is StepKind.BUILD
    assert sales.rows("marts.by_country") == [("DE", 1), ("NO", 1)]


def test_what_another_environment_points_at_stays(sales):
    sales.run(environment="prod")
    before = changed(sales)
    assert dropped(sales.clean(keep_days=0)) == []
    assert sales.rows("marts.by_country", environment="prod", version=before) == [("DE", 1), ("NO", 1)]
    sales.run(environment="prod")
    assert dropped(sales.clean(keep_days=0)) == ["marts.by_country"]


@pytest.mark.parametrize("known", [True, False], ids=["in our settings", "known by its commits alone"])
def test_an_environment_with_a_ledger_of_its_own_counts_too(sales, known):
    settings = "name: sales\nenvironments:\n  prod: {ledger: 'sqlite:.xde/prod.sqlite'}\n"
    sales.write("xde.yaml", settings)
    sales.run(environment="prod")
    before = changed(sales)
    if not known:
        sales.write("xde.yaml", "name: sales\n")
        shutil.move(sales.root / ".xde/prod.sqlite", sales.root / "elsewhere.sqlite")
    assert dropped(sales.clean(keep_days=0)) == []
    assert before in versions(sales)
    if known:
        sales.run(environment="prod")
        assert dropped(sales.clean(keep_days=0)) == ["marts.by_country"]
        with Workspace.open(sales.root, environment="prod") as workspace:
            assert ("marts.by_country", before) not in workspace.house.ledger.states(), "every ledger forgets it"


def test_environments_without_anything_of_their_own_count_for_one_that_has(sales):
    sales.run()
    sales.write("xde.yaml", "name: sales\nenvironments:\n  prod: {ledger: 'sqlite:.xde/prod.sqlite'}\n")
    sales.run(environment="prod")
    before = pointed(sales)
    for path in (sales.root / ".xde/lake/marts/by_country" / before).glob("_delta_log/*.json"):
        dev = r"\"environment\": \"dev\""
        assert (dev in path.read_text()) == path.name.endswith("0.json")
        path.write_text(path.read_text().replace(dev, dev.replace("dev", "prod")))
    sales.write(MODEL, COUNT.format("id"))
    sales.run(environment="prod")
    assert dropped(sales.clean(environment="prod", keep_days=0)) == [], "only the ledger of `dev` knows that it is in use"
    sales.run()
    assert dropped(sales.clean(environment="prod", keep_days=0)) == ["marts.by_country"]


def test_what_a_table_in_use_was_made_from_stays(sales):
    """`marts.countries` reads only what has not changed, and was not built again: it finds what is new by what it read."""
    sales.run()
    before = pointed(sales)
    sales.write(MODEL, COUNT.format("id"))
    sales.run(selection=["marts.by_country"])
    assert dropped(sales.clean(keep_days=0)) == []
    assert before in versions(sales)


def test_while_another_environment_is_at_work_nothing_is_dropped_and_all_else_is_cleaned(sales):
    before = changed(sales)
    sales.run(environment="prod")
    sales.run(selection=["marts.by_country"], full=True)
    with Workspace.open(sales.root) as workspace:
        house = workspace.house
        with held_claim(house.ledger, "prod", "a machine of ours", "r9", house.clock, 0.0, lambda _: None):
            cleaned = workspace.clean(keep_days=0, keep_hours=0)
            assert [f.code for f in workspace.warnings] == ["XDE0613"]
            assert "`prod`" in workspace.warnings[0].why
        assert dropped(cleaned) == []
        assert "marts.by_country" in [c.table.dataset for c in cleaned], "a file that the full build replaced"
        assert dropped(workspace.clean(keep_days=0)) == ["marts.by_country"]
        assert workspace.warnings == ()
    assert before not in versions(sales)


def test_a_ledger_that_cannot_be_asked_may_point_at_anything(sales):
    before = changed(sales)
    sales.write("xde.yaml", "name: sales\nenvironments:\n  prod: {ledger: 'sqlite:data'}\n")
    with Workspace.open(sales.root) as workspace:
        assert dropped(workspace.clean(keep_days=0)) == []
        assert [f.code for f in workspace.warnings] == ["XDE0613"]
    assert before in versions(sales)


def test_a_lake_of_another_environment_is_none_of_ours(sales):
    sales.write("xde.yaml", "name: sales\nenvironments:\n  prod: {lake: other, ledger: 'sqlite:data'}\n")
    changed(sales)
    assert dropped(sales.clean(keep_days=0)) == ["marts.by_country"]


def deploy(sales, environment="prod"):
    with Workspace.open(sales.root, environment=environment, working_tree=True) as workspace:
        return workspace.deploy(Order()).deployment


def take_back(sales):
    house = house_at(sales.root, "prod")
    try:
        return rollback(house, None, Order())
    finally:
        house.close()


def passed(sales, days):
    """Make all that was said until now older: deployments in ledger and lake, and the commits."""
    earlier = SystemClock().now() - timedelta(days=days)
    for log in (sales.root / ".xde/lake").glob("[a-z]*/*/*/_delta_log/*.json"):
        log.write_text(re.sub(r'"timestamp":(\d+)', lambda m: f'"timestamp":{int(m[1]) - days * 86_400_000}', log.read_text()))
    for told in (sales.root / ".xde/lake").glob("_*/**/*.json"):
        document = json.loads(told.read_text())
        if "at" in document:
            told.write_text(json.dumps({**document, "at": earlier.isoformat()}))
    with closing(sqlite3.connect(sales.root / ".xde/ledger.sqlite")) as ledger, ledger:
        ledger.execute("UPDATE xde_deployment SET at = ?", [earlier.isoformat()])


def test_what_was_deployed_lately_can_be_shown_again(sales):
    """The older version was made long ago by another environment: only the deployment tells that it was in use until now."""
    sales.run()
    deploy(sales)
    before = pointed(sales)
    sales.write(MODEL, COUNT.format("id"))
    sales.run()
    passed(sales, 30)
    deploy(sales)
    assert dropped(sales.clean()) == []
    assert take_back(sales).pointers["marts.by_country"] == before
    assert dropped(sales.clean()) == [], "it is shown again"
    take_back(sales)
    assert dropped(sales.clean(keep_days=0)) == ["marts.by_country"]
    with pytest.raises(UserError) as caught:
        take_back(sales)
    assert caught.value.findings[0].code == "XDE0743"


def test_a_deployment_of_long_ago_keeps_what_it_shows_and_nothing_else(sales):
    sales.run()
    deploy(sales)
    before = pointed(sales)
    passed(sales, 30)
    sales.write(MODEL, COUNT.format("id"))
    sales.run()
    passed(sales, 30)
    assert dropped(sales.clean()) == [], "`prod` shows it"
    deploy(sales)
    passed(sales, 30)
    assert dropped(sales.clean()) == ["marts.by_country"]
    assert before not in versions(sales)


def test_what_a_lost_ledger_s_deployment_shows_is_told_by_the_lake(sales):
    sales.write("xde.yaml", "name: sales\nenvironments:\n  prod: {ledger: 'sqlite:.xde/prod.sqlite'}\n")
    sales.run()
    deploy(sales)
    before = pointed(sales)
    sales.write("xde.yaml", "name: sales\n")
    (sales.root / ".xde/prod.sqlite").rename(sales.root / "elsewhere.sqlite")
    sales.write(MODEL, COUNT.format("id"))
    sales.run()
    assert dropped(sales.clean(keep_days=0)) == []
    assert before in versions(sales)


def test_what_only_a_dropped_environment_used_is_dropped(sales):
    sales.run(environment="trial")
    deploy(sales, "prod")
    sales.write(MODEL, COUNT.format("id"))
    sales.run()
    assert dropped(sales.clean(keep_days=0)) == []
    for name in ("trial", "prod"):
        house = house_at(sales.root, name)
        drop_environment(house)
        house.close()
    assert dropped(sales.clean(keep_days=1)) == [], "it was in use until now"
    assert dropped(sales.clean(keep_days=0)) == ["marts.by_country"]
    (sales.root / ".xde/ledger.sqlite").unlink()
    with Workspace.open(sales.root) as workspace:
        assert workspace.house.ledger.environments() == ("dev",), "a ledger that is made again does not bring them back"
    deploy(sales, "prod")
    with Workspace.open(sales.root, environment="prod") as workspace:
        assert "prod" in workspace.house.ledger.environments()
        workspace.rebuild_ledger()
        assert workspace.house.ledger.environments() == ("dev", "prod"), "what came after it counts"


def test_killed_while_dropping_a_version_comes_back_as_it_should_be(sales):
    changed(sales)
    child = subprocess.run(
        [sys.executable, "-m", "xde.faces.cli.main", "--project", str(sales.root), "clean", "--keep-days", "0"],
        env={**os.environ, "XDE_CRASH_AT": "drop.aside"},
        check=False,
    )
    assert child.returncode == -signal.SIGKILL
    assert len(versions(sales)) == 2
    sales.write(MODEL, COUNT.format("*"))
    assert sales.run()["marts.by_country"].step.kind is StepKind.BUILD
    assert sales.rows("marts.by_country") == [("DE", 1), ("NO", 1)]
    assert any(c.table.version.startswith("_dropped_") for c in sales.clean())
    assert not any(v.startswith("_dropped_") for v in versions(sales))
