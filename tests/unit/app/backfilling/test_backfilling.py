"""Backfills: rows computed anew in tables of their own, seen by nobody before all of them are, and taken back as a whole."""

from __future__ import annotations

import pytest

from xde.app.backfilling import Demand
from xde.ground.errors import UserError
from xde.kernel.plan.plan import StepKind
from xde.kernel.run.events import RunStarted, StepFinished

TIME = "/* xde\nkind: incremental\ntime: day\n*/\n"
MARCH = {"start": "2026-03-03", "end": "2026-03-06"}
SHOWN = {"staging.orders", "staging.seen", "marts.daily", "marts.by_customer", "marts.total", "marts.orders_count"}


def test_a_backfill_with_all_that_is_made_from_it_equals_a_rebuild_from_nothing(shop, rebuilt):
    before = shop.all()
    shop.correct("day BETWEEN '2026-03-03' AND '2026-03-05'")
    assert shop.steps() == {}, "no run can see it"
    done = shop.backfill(downstream=True, **MARCH)
    after = shop.all()
    assert after == rebuilt()
    assert after != before
    assert set(done.moved) == {"staging.orders", "staging.seen", "marts.daily", "marts.by_customer", "marts.total"}
    assert shop.steps() == {}
    assert shop.all("prod") == before, "a backfill is of one environment"
    assert shop.steps("prod") == {}


def test_only_the_interval_is_computed(shop):
    shop.correct("true")
    before = dict(shop.all()["marts.daily"])
    shop.backfill(downstream=True, **MARCH)
    after = dict(shop.all()["marts.daily"])
    assert {d for d in before if before[d] != after[d]} == {"2026-03-03", "2026-03-04", "2026-03-05"}


@pytest.mark.slow
def test_what_is_made_from_it_is_stale_and_the_next_run_computes_just_what_has_changed(shop, rebuilt):
    shop.correct("day = '2026-03-04'")
    found = shop.planned(**MARCH)
    assert found.stale == ("marts.by_customer", "marts.daily", "marts.total")
    before = shop.all()
    shop.backfill(**MARCH)
    assert shop.all()["marts.daily"] == before["marts.daily"]
    steps = shop.steps()
    assert set(steps) == {"marts.by_customer", "marts.daily", "marts.total"}
    done = shop.run()
    assert done["marts.daily"].rows == 1, "the one day whose rows are others"
    assert shop.all() == rebuilt()
    assert shop.steps() == {}
    assert shop.all("prod") == before
    assert shop.steps("prod") == {}, "what the one environment computes is not what the other shows"


@pytest.mark.slow
def test_rows_that_come_out_the_same_leave_nothing_to_do_after_the_next_run(shop):
    before = shop.all()
    shop.backfill(**MARCH)
    assert shop.all() == before
    shop.run()
    assert shop.steps() == {}
    assert shop.all() == before


@pytest.mark.slow
def test_an_environment_that_was_deployed_to_shows_it_as_a_deployment_and_can_take_it_back(shop):
    before = shop.all("prod")
    shop.correct("day = '2026-03-04'")
    done = shop.backfill(environment="prod", downstream=True, reason="cents", **MARCH)
    assert done.deployment == 2
    with shop.open("prod") as workspace:
        newest, first = workspace.house.ledger.deployments("prod")
    assert newest.note == "backfill staging.orders 2026-03-03 .. 2026-03-06: cents"
    assert newest.definitions == first.definitions
    after = shop.all("prod")
    assert after["marts.total"] != before["marts.total"]
    assert shop.steps("prod") == {}
    assert shop.all() == before
    with shop.open("prod", working_tree=True) as workspace:
        assert workspace.propose().empty
    shop.rollback()
    assert shop.all("prod") == before
    assert shop.steps("prod") == {}
    shop.rollback()
    assert shop.all("prod") == after


@pytest.mark.slow
def test_upstream_comes_along_and_a_source_cannot(shop, rebuilt):
    shop.correct("day = '2026-03-04'")
    found = shop.planned("marts.daily", upstream=True, **MARCH)
    assert {s.dataset: s.kind for s in found.plan.steps} == {
        "staging.orders": StepKind.BUILD,
        "staging.seen": StepKind.VIEW,
        "marts.daily": StepKind.BUILD,
        "marts.by_customer": StepKind.COPY,
        "marts.total": StepKind.COPY,
    }
    assert found.left_out == {"shop.orders": "it is loaded, not computed"}
    shop.backfill("marts.daily", upstream=True, **MARCH)
    assert shop.all()["marts.daily"] == rebuilt()["marts.daily"]
    shop.run()
    assert shop.all() == rebuilt()


def test_a_table_is_computed_whole(shop):
    shop.correct("true")
    found = shop.planned("marts.total")
    assert [(s.dataset, s.full, s.intervals) for s in found.plan.steps] == [("marts.total", True, ())]
    by_key = shop.planned("marts.by_customer")
    assert by_key.plan.steps[0].full
    assert "all of it" in by_key.plan.steps[0].reasons[1].text
    shop.backfill("marts.by_customer")
    with shop.open() as workspace:
        amounts = {r["customer"]: r["amount"] for r in workspace.show("marts.by_customer", limit=None).read_all().to_pylist()}
    assert sum(amounts.values()) == 13 * 10 + sum(range(8)) + sum(range(5)), "its input was not restated"


@pytest.mark.slow
def test_the_sooner_rows_of_an_input_are_not_lost_by_a_backfill(shop, rebuilt):
    """What came in since the last build is computed too, or still known to be missing."""
    shop.deliver(3, [1, 6, 20])
    shop.run(selection=("shop.orders",))
    shop.backfill(**MARCH)
    shop.run()
    assert shop.all() == rebuilt()
    assert ("2026-03-20", "12") in shop.all()["marts.daily"]


@pytest.mark.slow
def test_nobody_sees_anything_of_it_before_the_switch(shop):
    shop.correct("true")
    old = shop.all("prod")
    seen = []

    class Reader:
        def hear(self, event):
            if isinstance(event, StepFinished):
                with shop.open("prod") as workspace:
                    seen.append({n: workspace.show(n, limit=None).read_all().num_rows for n in SHOWN})
                assert shop.all("prod") == old

    shop.backfill(environment="prod", downstream=True, demand=Demand(observers=(Reader(),)), **MARCH)
    assert len(seen) == 5
    assert shop.all("prod") != old


def test_rows_that_break_the_contract_are_never_shown(shop):
    shop.write(
        "models/marts/daily.yaml",
        "apiVersion: v3.1.0\nkind: DataContract\nid: daily\nversion: 1.0.0\nschema:\n  - name: daily\n    properties:\n"
        "      - {name: amount, logicalType: integer, logicalTypeOptions: {minimum: 0}}\n",
    )
    shop.run()
    before, tables = shop.all(), shop.pointers()
    shop.correct("day = '2026-03-04'", "-amount")
    done = shop.backfill(downstream=True, **MARCH)
    assert done.moved == ()
    assert done.finished.status == "failed"
    assert shop.all() == before
    assert shop.pointers() == tables
    assert shop.pointers("dev~next") == {}
    assert shop.steps() == {}


def test_a_second_backfill_takes_the_next_number(shop):
    shop.backfill(**MARCH)
    first = shop.pointers()["staging.orders"]
    shop.backfill(**MARCH)
    second = shop.pointers()["staging.orders"]
    assert (first[-3:], second[-3:]) == ("-r2", "-r3")
    assert first[:-3] == second[:-3]


def test_the_lake_tells_of_a_backfill_in_ones_own_environment(shop):
    shop.correct("true")
    shop.backfill(downstream=True, **MARCH)
    shop.run()
    tables, rows = shop.pointers(), shop.all()
    with shop.open() as workspace:
        workspace.rebuild_ledger()
    views = {"staging.seen"}
    assert {n: v for n, v in shop.pointers().items() if n not in views} == {n: v for n, v in tables.items() if n not in views}
    shop.run()
    assert shop.all() == rows


@pytest.mark.slow
def test_a_later_change_of_the_model_is_built_for_both_environments_and_the_backfill_stays(shop):
    shop.correct("day = '2026-03-04'")
    shop.backfill(environment="prod", downstream=True, **MARCH)
    shop.write("models/marts/daily.sql", TIME + "SELECT day, sum(amount)::BIGINT AS amount, count(*) AS n FROM staging.seen GROUP BY day\n")
    shop.run()
    dev = {r[0]: r[1] for r in shop.all()["marts.daily"]}
    shop.deploy()
    prod = {r[0]: r[1] for r in shop.all("prod")["marts.daily"]}
    assert prod["2026-03-04"] != dev["2026-03-04"], "each is made from what its environment shows"
    assert {d for d in dev if dev[d] != prod[d]} == {"2026-03-04"}
    assert shop.steps() == {}
    assert shop.steps("prod") == {}


def test_a_new_environment_shows_what_ones_own_shows(shop):
    shop.correct("day = '2026-03-04'")
    shop.backfill(downstream=True, **MARCH)
    assert set(shop.steps("my_branch")) == SHOWN | {"shop.orders"}
    assert all(s.kind in {StepKind.ADOPT, StepKind.VIEW} for s in shop.steps("my_branch").values())
    shop.run("my_branch")
    assert shop.all("my_branch") == shop.all()


def test_the_plan_that_was_shown_is_done_or_nothing_is(shop):
    shown = shop.planned(**MARCH)
    shop.backfill(demand=Demand(shown.digest), **MARCH)
    with pytest.raises(UserError) as error:
        shop.backfill(demand=Demand(shown.digest), downstream=True, **MARCH)
    assert error.value.findings[0].code == "XDE0768"


def test_an_append_model_is_left_out_and_said_to_be(shop):
    shop.write("models/marts/log.sql", "/* xde\nkind: append\n*/\nSELECT order_id, amount FROM staging.orders\n")
    shop.run()
    found = shop.planned(downstream=True, **MARCH)
    assert "appends" in found.left_out["marts.log"]
    assert found.stale == ("marts.log",)
    with shop.open() as workspace:
        rows = workspace.show("marts.log", limit=None).read_all().num_rows
    shop.backfill(downstream=True, **MARCH)
    with shop.open() as workspace:
        finished = workspace.run()
        assert [o.findings[0].code for o in finished.outcomes if o.status == "failed"] == ["XDE0721"]
        assert workspace.show("marts.log", limit=None).read_all().num_rows == rows, "no row is read twice"


@pytest.mark.slow
def test_two_backfills_at_once_do_not_write_into_one_table(shop):
    """Both have chosen the next number before either has begun its table."""
    shop.correct("day = '2026-03-04'")
    before = shop.all()

    class Meanwhile:
        def hear(self, event):
            if isinstance(event, RunStarted):
                shop.backfill(environment="prod", **MARCH)

    done = shop.backfill(demand=Demand(observers=(Meanwhile(),)), **MARCH)
    assert done.moved == ()
    assert "XDE0768" in {f.code for o in done.finished.outcomes for f in o.findings}
    assert shop.all() == before
    assert shop.all("prod") != before
    assert set(shop.backfill(**MARCH).moved) == {"staging.orders", "staging.seen", "marts.daily", "marts.by_customer", "marts.total"}
    assert shop.all()["staging.orders"] == shop.all("prod")["staging.orders"]
