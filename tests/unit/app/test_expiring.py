"""Environments that nobody uses any more are dropped by a clean, and no others."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from xde.app.deploying import Order
from xde.app.environments import environments
from xde.app.workspace import Workspace
from xde.ground.clock import SystemClock
from xde.kernel.plan.ledger import NEXT
from xde.kernel.run.claims import held_claim
from xde.kernel.project.settings_reader import read_settings


def aged(sales, environment, days):
    """The environment's runs and deployments were so many days ago."""
    with Workspace.open(sales.root) as workspace:
        ledger = workspace.house.ledger
        for name in (environment, environment + NEXT):
            for run in ledger.runs(name, 100):
                then = (SystemClock().now() - timedelta(days=days)).isoformat()
                ledger.record_run(replace(run, started_at=then, ended_at=then))


def expire(sales, environment=None, **how):
    with Workspace.open(sales.root, environment=environment) as workspace:
        return [e.environment for e in workspace.expire(**how)]


def names(sales):
    return {e.name for e in environments(sales.root)}


@pytest.fixture
def branch(sales):
    sales.run()
    sales.run("my_branch")
    return sales


def test_one_that_nothing_declares_expires_thirty_days_after_its_last_run(branch):
    assert expire(branch) == []
    aged(branch, "my_branch", 29)
    assert expire(branch) == []
    aged(branch, "my_branch", 31)
    assert expire(branch, dry_run=True) == ["my_branch"]
    assert "my_branch" in names(branch)
    assert expire(branch) == ["my_branch"]
    assert names(branch) == {"dev"}
    assert expire(branch) == []
    with Workspace.open(branch.root) as workspace:
        workspace.rebuild_ledger()
    assert names(branch) == {"dev"}, "the lake was told, too"


def test_ones_own_and_the_one_that_is_worked_in_never_do(branch):
    aged(branch, "dev", 1000)
    aged(branch, "my_branch", 1000)
    assert expire(branch, "my_branch") == []


def test_a_declared_one_expires_as_the_settings_say(branch):
    branch.write("xde.yaml", "name: sales\nenvironments:\n  my_branch: {}\n")
    aged(branch, "my_branch", 1000)
    assert expire(branch) == []
    branch.write("xde.yaml", "name: sales\nenvironments:\n  my_branch: {expires: 2 weeks}\n")
    aged(branch, "my_branch", 13)
    assert expire(branch) == []
    (line,) = [e for e in environments(branch.root) if e.name == "my_branch"]
    assert (line.expires_days, line.last_used is not None) == (14, True)
    aged(branch, "my_branch", 15)
    assert expire(branch) == ["my_branch"]


def test_what_was_deployed_does_not_expire_unless_it_is_said(sales):
    sales.run()
    with Workspace.open(sales.root, environment="prod", working_tree=True) as workspace:
        assert workspace.deploy(Order()).deployment is not None
    aged(sales, "prod", 1000)
    assert expire(sales) == []
    sales.write("xde.yaml", "name: sales\nenvironments:\n  prod: {expires: 0 days}\n")
    assert expire(sales) == ["prod"]


def test_one_at_work_is_left_alone(branch):
    aged(branch, "my_branch", 31)
    with Workspace.open(branch.root) as workspace:
        who = (workspace.house.ledger, "my_branch", "somebody", "run", SystemClock(), 0.0, lambda _: None)
        with held_claim(*who):
            assert expire(branch) == []
    assert expire(branch) == ["my_branch"]


def test_its_tables_go_with_a_clean(branch):
    branch.write("models/marts/by_country.sql", "SELECT country, count(id) AS sales FROM shop.sales GROUP BY country\n")
    branch.run("my_branch")
    aged(branch, "my_branch", 31)
    assert expire(branch) == ["my_branch"]
    branch.write("models/marts/by_country.sql", "SELECT country, count(*) AS sales FROM shop.sales GROUP BY country\n")
    branch.run()  # what both share was made from the table of the branch last
    gone = [c for c in branch.clean(keep_days=0) if c.dropped]
    assert "marts.by_country" in {c.table.dataset for c in gone}


@pytest.mark.parametrize(("text", "days"), [("14 days", 14), ("12 hours", 0.5), ("P1W", 7), ("0 days", 0)])
def test_how_long(text, days):
    settings, findings = read_settings(f"name: x\nenvironments:\n  b: {{expires: {text}}}\n".encode(), "xde.yaml")
    assert findings == []
    assert settings.environments["b"].expires_days == days


def test_no_length():
    _, findings = read_settings(b"name: x\nenvironments:\n  b: {expires: soon}\n", "xde.yaml")
    assert [f.code for f in findings] == ["XDE0113"]
