"""A project that is watched: each save runs what it reaches, and nothing else."""

import shutil
import threading
from pathlib import Path

import pytest

from xde.app.testing import TestBench
from xde.app.watching import Watch

EXAMPLE = Path(__file__).parents[3] / "examples/jaffle_shop"
CASES_OF_SHOP = Path(__file__).parents[2] / "data/shop_cases"  # not those of the example, which grow
CASES = 10


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "jaffle"
    shutil.copytree(EXAMPLE, root, ignore=shutil.ignore_patterns(".xde", "tests"))
    shutil.copytree(CASES_OF_SHOP, root / "tests")
    return root


@pytest.fixture
def watch(root):
    watch = Watch(root)
    yield watch
    watch.close()


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def ran(look):
    return sorted({r.case.dataset for r in look.results})


def test_the_first_look_runs_all_and_the_next_nothing(watch):
    heard = []
    first = watch.look(heard.append)
    assert (first.saved, first.cases, first.passed) == ((), CASES, True)
    assert [r.case.id for r in heard] == [r.case.id for r in first.results]
    assert watch.look() is None


def test_the_cases_of_what_was_saved_come_first_then_those_nearest_to_it(root, watch):
    (root / "tests/a_first.yaml").write_text("model: marts.customers\ncases: [{name: none, given: {}, expect: []}]\n")
    (root / "tests/aa.yaml").write_text("model: marts.orders\ncases: [{name: none, given: {}, expect: []}]\n")
    watch.look()
    edit(root / "models/staging/payments.sql", "/ 100", "/ 10")
    heard = []
    watch.look(heard.append)
    datasets = [r.case.dataset for r in heard]
    assert datasets[0] == "staging.payments"
    assert len(set(datasets)) > 1
    edit(root / "tests/orders.yaml", "cases:", "# saved\ncases:")
    edit(root / "models/staging/payments.sql", "/ 10", "/ 100")
    heard.clear()
    watch.look(heard.append)
    assert heard[0].case.dataset == "staging.payments" or heard[0].case.path == "tests/orders.yaml"


def test_a_model_that_is_saved_runs_the_cases_that_see_it(root, watch):
    watch.look()
    edit(root / "models/staging/payments.sql", "/ 100", "/ 10")  # a view: `marts.orders` sees it where payments are not given
    look = watch.look()
    assert look.saved == ("models/staging/payments.sql",)
    given = "a customer's orders and payments are added up"
    assert given not in {r.case.name for r in look.results}, "it gives the view itself"
    assert {r.case.dataset: r.passed for r in look.results}["staging.payments"] is False
    assert not look.passed
    edit(root / "models/marts/customers.sql", "count(*) AS", "count(*) + 1 AS")
    look = watch.look()
    assert ran(look) == ["marts.customers"]
    assert {r.case.dataset for r in look.failing} == {"staging.payments"}, "it failed before, and still does"
    edit(root / "models/staging/payments.sql", "/ 10", "/ 100")
    edit(root / "models/marts/customers.sql", "count(*) + 1 AS", "count(*) AS")
    look = watch.look()
    assert len(look.saved) == 2
    assert look.passed


def test_a_comment_reaches_nothing_but_what_is_built_in_earnest(root, watch):
    watch.look()
    path = root / "models/marts/orders.yaml"
    path.write_text(path.read_text() + "# nothing\n")
    look = watch.look()
    assert (look.saved, look.results, look.cases, look.passed) == (("models/marts/orders.yaml",), (), CASES, True)


def test_a_case_that_is_saved_is_run_by_itself(root, watch):
    watch.look()
    edit(root / "tests/orders.yaml", "{order_id: 1, amount: 1}", "{order_id: 1, amount: 2}")
    look = watch.look()
    assert [r.case.name for r in look.results] == ["a payment belongs to its own order and to no other"]
    assert not look.passed
    edit(root / "tests/orders.yaml", "{order_id: 1, amount: 2}", "{order_id: 1, amount: 1}")
    assert watch.look().passed


def test_a_file_of_cases_comes_and_goes(root, watch):
    watch.look()
    new = root / "tests/new.yaml"
    new.write_text("model: marts.orders\ncases: [{name: n, given: {staging.orders: [{order_id: 1}]}, expect: []}]\n")
    look = watch.look()
    assert ([r.case.name for r in look.results], look.cases) == (["n"], CASES + 1)
    new.unlink()
    look = watch.look()
    assert (look.saved, look.results, look.cases, look.failing) == (("tests/new.yaml",), (), CASES, ())


def test_a_fixture_is_watched_wherever_it_lies(root, watch):
    case = "model: marts.orders\ncases: [{name: n, given: {staging.orders: {file: data/few.csv}}, expect: [{order_id: 1}]}]\n"
    (root / "tests/orders.yaml").write_text(case)
    assert [f.code for f in watch.look().findings] == ["XDE0906"]
    (root / "data/few.csv").write_text("order_id\n1\n")
    look = watch.look()
    assert (look.saved, look.passed) == (("data/few.csv",), True)
    (root / "data/few.csv").write_text("order_id\n2\n")
    assert not watch.look().passed


def test_a_project_that_does_not_load_is_told_and_waited_for(root, watch):
    watch.look()
    edit(root / "models/marts/orders.sql", "SELECT", "SELEC")
    look = watch.look()
    assert not look.passed
    assert look.findings
    assert watch.look() is None
    edit(root / "models/marts/orders.sql", "SELEC", "SELECT")
    look = watch.look()
    assert (look.findings, look.results, look.passed) == ((), (), True), "it is as it was, and what passed then passes now"


def test_a_project_may_be_broken_from_the_first(root):
    (root / "xde.yaml").write_text("nam: x\n")
    watch = Watch(root)
    assert watch.look().findings
    shutil.copy(EXAMPLE / "xde.yaml", root / "xde.yaml")
    assert len(watch.look().results) == CASES
    watch.close()


def test_cases_that_are_not_there_yet_are_waited_for(root):
    watch = Watch(root, selection=["marts.daily"])
    assert [f.code for f in watch.look().findings] == ["XDE0911"]
    (root / "models/marts/daily.sql").write_text("SELECT order_date, count(*) AS orders FROM staging.orders GROUP BY ALL\n")
    (root / "tests/daily.yaml").write_text("model: marts.daily\ncases: [{name: n, expect: []}]\n")
    look = watch.look()
    assert (ran(look), look.cases, look.passed) == (["marts.daily"], 1, True)
    watch.close()


def test_what_passed_in_an_earlier_session_is_not_run_first(root):
    bench = TestBench.open(root)
    list(bench.run(bench.cases))
    bench.close()
    watch = Watch(root, changed=True)
    assert {r.skipped for r in watch.look().results} == {True}
    edit(root / "models/marts/orders.sql", "coalesce(p.amount, 0)", "coalesce(p.amount, 1)")
    look = watch.look()
    assert (ran(look), look.passed) == (["marts.orders"], False)
    watch.close()


def test_settings_of_the_engine_take_hold(root, watch):
    watch.look()
    (root / "xde.yaml").write_text((root / "xde.yaml").read_text() + "\nengine: {name: duckdb, threads: 1}\n")
    look = watch.look()
    assert look.findings == ()
    assert watch._bench.house.settings.engine.threads == 1
    assert watch._bench.house.session.cursor().execute("SELECT current_setting('threads')").fetchone() == (1,)


def test_a_warm_watch_has_the_parser(root, watch):
    watch.look()
    watch.warm()
    edit(root / "models/marts/orders.sql", "SELECT", "SELECT ")
    assert watch.look().passed


def test_a_file_that_is_emptied_before_it_is_filled_is_waited_for(root, watch):
    watch.look()
    path = root / "models/marts/orders.sql"
    text = path.read_text()
    path.write_text("")
    threading.Timer(0.02, path.write_text, (text.replace("coalesce(p.amount, 0)", "coalesce(p.amount, 1)"),)).start()
    look = watch.look()
    assert (ran(look), look.findings) == (["marts.orders"], ())
    path.write_text("")
    assert [f.code for f in watch.look().findings] == ["XDE0136"], "but not for ever"


def test_a_save_that_leaves_things_as_they_were_reaches_nothing(root, watch):
    watch.look()
    path = root / "models/marts/orders.sql"
    path.write_text(path.read_text())
    assert watch.look().results == ()
