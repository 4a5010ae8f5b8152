"""Models by time are built up to a moment; what is left is named by the plan and made by the next run. So are the holes of a failure."""

from __future__ import annotations

import shutil

import pytest

from projects.folder import Folder
from projects.contracts import source
from xde.app.deploying import Order
from xde.app.workspace import Workspace
from xde.ground.errors import UserError

CONTRACT = source("""\
  - name: orders
    physicalName: orders-*.csv
    properties:
      - {name: day, logicalType: date}
      - {name: amount, logicalType: integer}
""")
DAILY = "/* xde\nkind: incremental\ntime: day\n{more}*/\nSELECT day, sum(amount)::BIGINT AS amount FROM shop.orders GROUP BY day\n"
TOTAL = "SELECT sum(amount)::BIGINT AS amount FROM marts.daily\n"


class Shop(Folder):
    def deliver(self, number, days):
        self.write(f"data/orders-{number}.csv", "day,amount\n" + "".join(f"2026-03-{d:02},{d}\n" for d in days))

    def open(self, environment=None, **how):
        return Workspace.open(self.root, environment=environment, **how)

    def run(self, environment=None, **how):
        with self.open(environment) as workspace:
            return workspace.run(**how)

    def days(self, environment=None):
        with self.open(environment) as workspace:
            return sorted(r["day"].day for r in workspace.show("marts.daily", limit=None).read_all().to_pylist())

    def step(self, environment=None, **how):
        with self.open(environment) as workspace:
            found = [s for s in workspace.plan(**how).steps if s.dataset == "marts.daily"]
        return found[0] if found else None


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    shop = Shop(tmp_path_factory.mktemp("until") / "shop")
    shop.write("xde.yaml", "name: shop\nretries: 0\n")
    shop.write("sources/shop.yaml", CONTRACT)
    shop.write("models/marts/daily.sql", DAILY.format(more=""))
    shop.write("models/marts/total.sql", TOTAL)
    shop.deliver(1, range(1, 11))
    assert shop.run(selection=("shop.orders",)).status == "done"
    return shop


@pytest.fixture
def shop(made, tmp_path):
    shutil.copytree(made.root, tmp_path / "shop")
    return Shop(tmp_path / "shop")


def reasons(step):
    return [r.text for r in step.reasons]


def test_a_run_goes_up_to_a_day_and_the_next_one_makes_the_rest(shop):
    assert shop.run(until="2026-03-05").status == "done"
    assert shop.days() == [1, 2, 3, 4]
    step = shop.step()
    assert reasons(step) == ["2026-03-05 .. 2026-03-11 is missing"]
    assert [(i.start, i.end) for i in step.intervals] == [("2026-03-05T00:00:00", "2026-03-11T00:00:00")]
    assert shop.step(until="2026-03-05") is None, "up to there nothing is missing"
    assert [(i.start, i.end) for i in shop.step(until="2026-03-07").intervals] == [("2026-03-05T00:00:00", "2026-03-07T00:00:00")]
    shop.run(until="2026-03-07")
    assert shop.days() == [1, 2, 3, 4, 5, 6]
    shop.run()
    assert shop.days() == list(range(1, 11))
    assert shop.step() is None


@pytest.mark.parametrize("more", ["", "batch: 2\n"])
def test_what_comes_later_waits_too(shop, more):
    shop.write("models/marts/daily.sql", DAILY.format(more=more))
    shop.run(until="2026-03-05")
    shop.deliver(2, [2, 20])
    shop.run(until="2026-03-06")
    assert shop.days() == [1, 2, 3, 4, 5]
    assert "2026-03-20" in reasons(shop.step())[0]
    shop.run()
    assert shop.days() == [*range(1, 11), 20]
    assert shop.step() is None


def test_a_full_rebuild_up_to_a_day_takes_the_rest_away_and_a_full_one_after_it_is_full(shop):
    shop.run()
    shop.run(selection=("marts.daily",), full=True, until="2026-03-03")
    assert shop.days() == [1, 2]
    shop.run(selection=("marts.daily",), full=True)
    assert shop.days() == list(range(1, 11))
    assert shop.step() is None


def test_up_to_before_all_of_it_there_is_an_empty_table(shop):
    assert shop.run(until="2026-01-01").status == "done"
    assert shop.days() == []
    assert reasons(shop.step()) == ["2026-03-01 .. 2026-03-11 is missing"]
    shop.run()
    assert shop.days() == list(range(1, 11))


def test_a_time_that_is_none(shop):
    with pytest.raises(UserError) as error:
        shop.run(until="soon")
    assert error.value.findings[0].code == "XDE0760"


def test_a_deployment_goes_up_to_a_day(shop):
    with shop.open("prod", working_tree=True) as workspace:
        proposal = workspace.propose("2026-03-05")
        assert {s.dataset: s.until for s in proposal.plan.steps} == {"marts.daily": "2026-03-05T00:00:00", "marts.total": ""}
        done = workspace.deploy(Order(proposal.digest, until="2026-03-05"))
    assert done.deployment.facts["until"] == "2026-03-05"
    assert shop.days("prod") == [1, 2, 3, 4]
    assert reasons(shop.step("prod")) == ["2026-03-05 .. 2026-03-11 is missing"]
    with shop.open("prod", working_tree=True) as workspace:
        assert workspace.propose().empty, "what is missing is a run's work"
    shop.run("prod")
    assert shop.days("prod") == list(range(1, 11))
    assert shop.step("prod") is None


def test_the_holes_of_a_failure_are_named_and_filled(shop):
    """The third batch of five fails: what comes before it stays, it and what comes after it is missing."""
    shop.write(
        "models/marts/daily.yaml",
        "apiVersion: v3.1.0\nkind: DataContract\nid: daily\nversion: 1.0.0\nschema:\n  - name: daily\n    properties:\n"
        "      - {name: amount, logicalType: integer, logicalTypeOptions: {maximum: 100}}\n",
    )
    shop.write("models/marts/daily.sql", DAILY.format(more="batch: 2\n"))
    shop.write("data/orders-2.csv", "day,amount\n2026-03-05,1000\n")
    assert shop.run().status == "failed"
    assert shop.days() == [1, 2, 3, 4]
    assert "2026-03-05 .. 2026-03-11 is missing" in reasons(shop.step())
    shop.write("models/marts/daily.yaml", (shop.root / "models/marts/daily.yaml").read_text().replace("100", "10000"))
    assert shop.run().status == "done"
    assert shop.days() == list(range(1, 11))
    assert shop.step() is None


def test_rows_of_an_input_that_changed_and_reach_nothing_leave_nothing_to_do(shop):
    """The input has other files, and the same rows: looked at once, and not again at every run."""
    shop.run()
    shop.run(selection=("shop.orders",), full=True)
    assert shop.step() is not None
    shop.run()
    assert shop.step() is None


def test_a_full_rebuild_in_batches_is_one_commit(tmp_path):
    """A reader sees the days as they were, or as they are now."""
    shop = Shop(tmp_path)
    shop.write("xde.yaml", "name: shop\n")
    shop.write("sources/shop.yaml", CONTRACT)
    shop.write("models/marts/daily.sql", DAILY.format(more="batch: 2\n"))
    shop.deliver(1, range(1, 6))
    shop.run()
    with shop.open() as workspace:
        before = len(workspace.history("marts.daily"))
    shop.run(selection=("marts.daily",), full=True)
    with shop.open() as workspace:
        assert len(workspace.history("marts.daily")) == before + 1
    assert shop.days() == [1, 2, 3, 4, 5]
    assert shop.run().outcomes == ()
