"""Deployments: nothing of them is seen before the switch, all of it after it, and it can be taken back."""

import json
import shutil
from pathlib import Path

import pytest

from xde.app import understanding
from xde.app.deploying import Order
from xde.app.rolling_back import rollback
from xde.app.environments import deployments, differences, drop, environments
from xde.app.opening import house_at
from xde.app.workspace import Workspace
from xde.ground.errors import UserError

EXAMPLE = Path(__file__).parents[3] / "examples/jaffle_shop"
AMOUNT = "models/staging/payments.sql"


@pytest.fixture(scope="module")
def deployed_once(tmp_path_factory):
    root = tmp_path_factory.mktemp("deployed") / "jaffle"
    shutil.copytree(EXAMPLE, root, ignore=shutil.ignore_patterns(".xde", "tests"))
    with Workspace.open(root) as workspace:
        assert workspace.run().status == "done"
    assert deploy(root).deployment.number == 1
    return root


@pytest.fixture
def project(deployed_once, tmp_path):
    """A copy of its own; the lake moves with it."""
    root = tmp_path / "jaffle"
    shutil.copytree(deployed_once, root)
    return root


def edit(root, path, old, new):
    file = root / path
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def deploy(root, environment="prod", **order):
    with Workspace.open(root, environment=environment, working_tree=True) as workspace:
        return workspace.deploy(Order(**order))


def propose(root, environment="prod"):
    with Workspace.open(root, environment=environment, working_tree=True) as workspace:
        return workspace.propose()


def worth(root, environment="prod"):
    with Workspace.open(root, environment=environment) as workspace:
        return sum(r["amount"] for r in workspace.show("marts.orders", limit=None).read_all().to_pylist())


def take_back(root, to=None):
    house = house_at(root, "prod")
    try:
        return rollback(house, to, Order())
    finally:
        house.close()


def code(raised):
    return [f.code for f in raised.value.findings]


def test_what_was_deployed_is_understood_by_the_time_it_is_compared_with(project, monkeypatch):
    understood = []
    original = understanding.work_out

    def noted(found, *others):
        understood.append(found.root)
        return original(found, *others)

    monkeypatch.setattr(understanding, "work_out", noted)
    edit(project, AMOUNT, "/ 100", "/ 1000")
    assert propose(project).plan.steps
    assert understood == [project.resolve()]
    deploy(project)
    edit(project, AMOUNT, "/ 1000", "/ 10")
    assert propose(project).plan.steps
    assert understood == [project.resolve()] * 2


@pytest.mark.parametrize("lost", ["", "models/staging/payments.sql"])
def test_definitions_that_were_lost_or_spoilt_beside_the_working_tree_come_back_from_the_lake(project, lost):
    edit(project, AMOUNT, "/ 100", "/ 1000")
    expected = propose(project).digest
    (folder,) = (project / ".xde/deployed").iterdir()
    if lost:
        (folder / lost).write_text("SELECT 1 AS id\n")
    else:
        shutil.rmtree(folder)
    assert propose(project).digest == expected
    assert worth(project) > 0


def test_what_was_built_already_is_pointed_at_and_not_built_again(deployed_once):
    with Workspace.open(deployed_once, environment="prod") as workspace:
        steps = {s.kind for r in workspace.house.ledger.runs("prod~next") for s in workspace.house.ledger.steps(r.run)}
        assert steps <= {"view"}
        assert len(workspace.house.ledger.pointers("prod")) == 8


def test_a_change_is_seen_only_when_it_was_deployed_and_can_be_taken_back(project):
    assert worth(project) == 1672
    edit(project, AMOUNT, "amount / 100", "amount / 50")
    assert worth(project) == 1672
    with Workspace.open(project) as workspace:
        workspace.run()
    assert (worth(project, "dev"), worth(project)) == (3344, 1672)
    assert deploy(project, note="double").deployment.note == "double"
    assert worth(project) == 3344
    assert take_back(project).number == 3
    assert worth(project) == 1672
    assert take_back(project, 2).pointers == deploy_pointers(project, 2)
    assert worth(project) == 3344


def deploy_pointers(root, number):
    house = house_at(root, "prod")
    try:
        return next(d.pointers for d in deployments(house, 10) if d.number == number)
    finally:
        house.close()


def test_what_runs_in_an_environment_is_what_was_deployed_to_it(project):
    edit(project, AMOUNT, "amount / 100", "amount / 50")
    with Workspace.open(project, environment="prod") as workspace:
        assert workspace.plan().steps == ()
        assert workspace.run().status == "done"
    assert worth(project) == 1672


def test_a_working_tree_that_cannot_be_read_keeps_nobody_from_production(project):
    edit(project, "models/marts/customers.sql", "SELECT", "SELEKT")
    assert worth(project) == 1672
    with pytest.raises(UserError) as raised:
        deploy(project)
    assert "XDE0203" in code(raised) or "XDE0212" in code(raised)
    assert worth(project) == 1672


def test_data_that_does_not_pass_switches_nothing(project):
    edit(project, AMOUNT, "amount / 100", "amount / 100 - 5")
    edit(project, "models/marts/orders.sql", "coalesce(p.amount, 0)", "coalesce(p.amount, 0) + 1")
    edit(project, "models/marts/customers.sql", "coalesce(p.total_amount, 0)", "coalesce(p.total_amount, 1)")
    deployed = deploy(project)
    assert deployed.deployment is None
    assert deployed.finished.status == "failed"
    assert worth(project) == 1672
    assert [d.number for d in _deployments(project)] == [1]


def _deployments(root):
    house = house_at(root, "prod")
    try:
        return deployments(house, 10)
    finally:
        house.close()


def test_what_is_applied_is_what_was_shown(project):
    edit(project, AMOUNT, "amount / 100", "amount / 50")
    shown = propose(project)
    assert propose(project).digest == shown.digest
    edit(project, AMOUNT, "amount / 50", "amount / 25")
    with pytest.raises(UserError) as raised:
        deploy(project, shown=shown.digest)
    assert code(raised) == ["XDE0741"]
    assert worth(project) == 1672
    edit(project, AMOUNT, "amount / 25", "amount / 50")
    assert deploy(project, shown=shown.digest).deployment is not None


def test_a_file_that_is_edited_while_it_is_deployed_is_deployed_as_it_was_shown(project):
    edit(project, AMOUNT, "amount / 100", "amount / 50")

    class Busy:
        def hear(self, event):
            (project / AMOUNT).write_text("SELECT")

    done = deploy(project, observers=(Busy(),))
    assert (project / AMOUNT).read_text() == "SELECT"
    shutil.rmtree(project / ".xde/deployed")
    with Workspace.open(project, environment="prod") as workspace:
        assert workspace.run().status == "done"
        assert workspace.known.project.digest == done.deployment.definitions


def test_a_file_that_is_edited_before_anything_is_built_is_not_deployed(project):
    edit(project, AMOUNT, "amount / 100", "amount / 50")
    with Workspace.open(project, environment="prod", working_tree=True) as workspace:
        assert workspace.known.project.datasets
        edit(project, AMOUNT, "amount / 50", "amount / 20")
        with pytest.raises(UserError) as caught:
            workspace.deploy(Order())
    assert caught.value.findings[0].code == "XDE0741"


def test_a_plan_says_what_changed_and_what_it_reaches(project):
    edit(project, "models/marts/orders.sql", "coalesce(p.coupon_amount, 0)", "coalesce(p.coupon_amount, 1)")
    changes = propose(project).changes
    assert set(changes) == {"marts.orders"}
    assert changes["marts.orders"].columns == ("coupon_amount",)
    assert "models/marts/orders.sql:23" in changes["marts.orders"].text
    edit(project, AMOUNT, "amount / 100", "amount / 50")
    changes = propose(project).changes
    assert set(changes) == {"marts.orders", "marts.customers", "staging.payments"}
    assert changes["marts.customers"].because == ("staging.payments.amount",)
    assert changes["marts.customers"].columns == ("customer_lifetime_value",)


def test_a_comment_deploys_definitions_and_builds_nothing(project):
    edit(project, AMOUNT, "SELECT", "-- dollars\nSELECT")
    proposal = propose(project)
    assert (proposal.plan.steps, proposal.empty) == ((), False)
    deployed = deploy(project)
    assert deployed.finished.outcomes == ()
    assert deployed.deployment.number == 2
    assert propose(project).empty


def test_a_dataset_that_is_gone_goes_with_the_switch(project):
    (project / "models/marts/customers.sql").unlink()
    (project / "models/marts/customers.yaml").unlink()
    assert propose(project).dropped == ("marts.customers",)
    with Workspace.open(project, environment="prod") as workspace:
        assert workspace.show("marts.customers").read_all().num_rows == 20
    with pytest.raises(UserError) as raised:
        deploy(project)
    assert code(raised) == ["XDE0365"]
    deploy(project, allow_breaking="nobody has asked for them since March")
    with Workspace.open(project, environment="prod") as workspace:
        assert "marts.customers" not in workspace.house.ledger.pointers("prod")
    take_back(project)
    with Workspace.open(project, environment="prod") as workspace:
        assert workspace.show("marts.customers").read_all().num_rows == 20


ORDERS = "models/marts/orders.yaml"


def test_a_broken_promise_is_not_deployed_without_a_new_major_version(project):
    edit(project, ORDERS, "validValues: [placed, ", "validValues: [lost, placed, ")
    proposal = propose(project)
    assert proposal.breaks
    (compared,) = proposal.contracts.compared
    assert [(c.dataset, c.impact.consumers) for c in compared.lines] == [("marts.orders", ())]
    with pytest.raises(UserError) as raised:
        deploy(project)
    assert code(raised) == ["XDE0360"]
    assert raised.value.findings[0].span.path == ORDERS
    assert [d.number for d in _deployments(project)] == [1]
    edit(project, ORDERS, "version: 1.", "version: 2.")
    assert deploy(project).deployment.facts.get("allowed") is None


def test_a_broken_promise_may_be_deployed_with_a_reason_that_is_kept(project):
    edit(project, ORDERS, "validValues: [placed, ", "validValues: [lost, placed, ")
    deployed = deploy(project, allow_breaking="the shop says that it tells them now")
    assert deployed.deployment.facts["allowed"] == "the shop says that it tells them now"
    assert deployed.deployment.facts["breaks"] == [f"`{ORDERS}` breaks its promise without a new major version"]
    assert propose(project).empty


def test_a_reason_that_nothing_needs_is_not_kept(project):
    edit(project, AMOUNT, "amount / 100", "amount / 50")
    assert "allowed" not in deploy(project, allow_breaking="to be sure").deployment.facts


def test_ones_own_environment_is_not_deployed_to(project):
    with pytest.raises(UserError) as raised:
        deploy(project, "dev")
    assert code(raised) == ["XDE0740"]


def test_there_must_be_something_to_go_back_to(project):
    for to, expected in ((None, "XDE0744"), (9, "XDE0744")):
        with pytest.raises(UserError) as raised:
            take_back(project, to)
        assert code(raised) == [expected]


def test_tables_that_are_gone_cannot_be_shown_again(project):
    edit(project, AMOUNT, "amount / 100", "amount / 50")
    deploy(project)
    first = deploy_pointers(project, 1)
    shutil.rmtree(project / ".xde/lake/marts/orders" / first["marts.orders"])
    with pytest.raises(UserError) as raised:
        take_back(project, 1)
    assert code(raised) == ["XDE0743"]
    assert [d.number for d in _deployments(project)] == [2, 1]


def test_a_lost_ledger_is_rebuilt_with_its_deployments(project):
    edit(project, AMOUNT, "amount / 100", "amount / 50")
    deploy(project, note="double")
    before = _deployments(project)
    for file in (project / ".xde").glob("ledger.sqlite*"):
        file.unlink()
    with Workspace.open(project) as workspace:
        workspace.rebuild_ledger()
    assert [(d.number, d.note, d.pointers, d.definitions) for d in _deployments(project)] == [
        (d.number, d.note, d.pointers, d.definitions) for d in before
    ]
    with Workspace.open(project, environment="prod") as workspace:
        workspace.run()  # views have no table: what is known of them was in the ledger alone
    assert worth(project) == 3344


def test_a_deployment_that_the_lake_was_not_told_of_is_told_by_the_next(project):
    (told,) = (project / ".xde/lake/_deployments/prod").glob("*1.json")
    said = json.loads(told.read_text())
    told.unlink()
    edit(project, AMOUNT, "amount / 100", "amount / 50")
    deploy(project)
    assert json.loads(told.read_text()) == said


def test_environments_are_listed_compared_and_dropped(project):
    edit(project, AMOUNT, "amount / 100", "amount / 50")
    with Workspace.open(project, environment="branch") as workspace:
        workspace.run()
    lines = {e.name: e for e in environments(project)}
    assert (lines["dev"].own, lines["prod"].deployment.number, lines["branch"].deployment) == (True, 1, None)
    prod, branch = house_at(project, "prod"), house_at(project, "branch")
    try:
        assert [d.dataset for d in differences(prod, branch)] == ["marts.customers", "marts.orders", "staging.payments"]
        assert drop(branch) == 8
        with pytest.raises(UserError) as raised:
            drop(branch)
        assert code(raised) == ["XDE0746"]
    finally:
        prod.close()
        branch.close()
    with pytest.raises(UserError) as raised:
        drop(house_at(project, "dev"))
    assert code(raised) == ["XDE0747"]
    assert worth(project) == 1672
