"""The plug-in as its users have it: pytest runs in a copy of the jaffle shop."""

import re
import shutil
from importlib.metadata import entry_points
from pathlib import Path

import pytest

pytest_plugins = "pytester"
EXAMPLE = Path(__file__).parents[4] / "examples/jaffle_shop"
CASES_OF_SHOP = Path(__file__).parents[3] / "data/shop_cases"  # not those of the example, which grow
INSTALLED = bool(entry_points(group="pytest11", name="xde"))


@pytest.fixture
def shop(pytester):
    shutil.copytree(EXAMPLE, pytester.path / "shop", ignore=shutil.ignore_patterns(".xde", "tests"))
    shutil.copytree(CASES_OF_SHOP, pytester.path / "shop/tests")
    return pytester.path / "shop"


@pytest.fixture
def run(pytester, shop):
    def run(*words):
        plugin = () if INSTALLED else ("-p", "xde.faces.pytest.plugin")
        return pytester.runpytest_subprocess(*plugin, "-p", "no:cacheprovider", "-p", "no:randomly", *words)

    return run


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.mark.slow
def test_a_case_is_an_item_with_its_name(run):
    done = run("-v", "shop")
    done.assert_outcomes(passed=10)
    done.stdout.fnmatch_lines(["shop/tests/orders.yaml::a payment belongs to its own order and to no other PASSED*"])


@pytest.mark.slow
def test_a_case_is_run_by_its_id(run):
    run("shop/tests/orders.yaml::a payment belongs to its own order and to no other").assert_outcomes(passed=1)


@pytest.mark.slow
def test_cases_are_found_by_dataset_and_by_mark(run, shop):
    (shop / "tests/test_x.py").write_text("def test_one(): pass\n")
    run("shop", "-k", "marts.customers").assert_outcomes(passed=4, deselected=7)
    run("shop", "-m", "xde", "--strict-markers").assert_outcomes(passed=10, deselected=1)


@pytest.mark.slow
def test_also_from_within_the_folder_of_tests(run, shop, monkeypatch):
    monkeypatch.chdir(shop / "tests")
    run("orders.yaml").assert_outcomes(passed=3)


@pytest.mark.slow
def test_a_case_that_fails_shows_what_differs_and_the_query(run, shop):
    edit(shop / "tests/orders.yaml", "{order_id: 2, amount: 2}", "{order_id: 2, amount: 7}")
    done = run("shop", "--junitxml=out.xml")
    done.assert_outcomes(passed=9, failed=1)
    done.stdout.fnmatch_lines(
        [
            "*FAIL  marts.orders: a payment belongs to its own order and to no other*",
            "*--> tests/orders.yaml:*",
            "*2 rows expected, 2 rows came",
            "*changed*7.00 → 2.00",
            "*FROM staging.orders AS o",
            "FAILED shop/tests/orders.yaml::a payment belongs to its own order and to no other*",
        ]
    )
    assert "Traceback" not in done.stdout.str()
    assert "7.00 → 2.00" in (shop.parent / "out.xml").read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_failure_is_coloured_where_pytest_colours(run, shop):
    edit(shop / "tests/orders.yaml", "{order_id: 2, amount: 2}", "{order_id: 2, amount: 7}")
    assert "\x1b[1;31mFAIL" in run("shop", "--color=yes").stdout.str()


@pytest.mark.slow
def test_with_xdist_ids_and_results_are_the_same(run, shop):
    edit(shop / "tests/orders.yaml", "{order_id: 2, amount: 2}", "{order_id: 2, amount: 7}")
    (shop / "tests/test_x.py").write_text("def test_one(run_model):\n    assert len(run_model('marts.orders')) == 0\n")
    done = run("shop", "-n", "2", "-v")
    done.assert_outcomes(passed=10, failed=1)
    done.stdout.fnmatch_lines(["*changed*7.00 → 2.00"])


@pytest.mark.slow
def test_a_file_that_cannot_be_read_is_an_error_of_collection(run, shop):
    (shop / "tests/bad.yaml").write_text("model: marts.orders\ncases:\n  - nam: x\n")
    done = run("shop", "--continue-on-collection-errors")
    done.assert_outcomes(passed=10, errors=1)
    done.stdout.fnmatch_lines(["*ERROR collecting shop/tests/bad.yaml*", "error[[]XDE0900]*", "*--> tests/bad.yaml:3:*"])


@pytest.mark.slow
def test_a_project_that_does_not_load_says_why(run, shop):
    edit(shop / "models/marts/orders.sql", "o.order_id,", "o.order_ident,")
    (shop / "tests/test_x.py").write_text("def test_one(run_model): pass\n")
    done = run("shop", "--continue-on-collection-errors")
    done.assert_outcomes(errors=4)
    done.stdout.fnmatch_lines(["*--> models/marts/orders.sql:*"])
    assert "Traceback" not in done.stdout.str()


@pytest.mark.slow
def test_fixtures_and_hidden_files_are_no_cases(run, shop):
    for place in ("tests/fixtures/a.yaml", "tests/_later/a.yaml", "tests/.a.yaml", "data/a.yaml"):
        (shop / place).parent.mkdir(exist_ok=True)
        (shop / place).write_text("model: marts.orders\ncases: [{name: x, expect: [{order_id: 1}]}]\n")
    run("shop", "--override-ini=norecursedirs=none").assert_outcomes(passed=10)


def test_where_there_is_no_project_yaml_is_left_alone_and_nothing_is_imported(run, pytester):
    shutil.rmtree(pytester.path / "shop")
    (pytester.path / "tests").mkdir()
    (pytester.path / "tests/a.yaml").write_text("cases: [{name: x}]\n")
    (pytester.path / "tests/test_x.py").write_text(
        "import sys\n"
        "def test_one():\n"
        "    heavy = {'duckdb', 'pyarrow', 'sqlglot', 'yaml', 'rich', 'click', 'xde.app', 'xde.kernel', 'xde.ground', 'xde.faces.words'}\n"
        "    assert not heavy & set(sys.modules)\n"
    )
    run().assert_outcomes(passed=1)


USES = """\
from datetime import date, datetime
from decimal import Decimal

import pytest


def test_rows_in_and_rows_out(given, run_model):
    given("staging.orders", [{"order_id": 1, "order_date": date(2018, 1, 1)}, {"order_id": 2}])
    given("staging.payments", [{"order_id": 1, "payment_method": "coupon", "amount": Decimal("2.50")}])
    found = run_model("marts.orders")
    assert found.columns[:2] == ("order_id", "customer_id")
    assert sorted((r["order_id"], r["order_date"], r["amount"]) for r in found.rows) == [
        (1, date(2018, 1, 1), Decimal("2.50")), (2, None, Decimal("0.00"))]
    assert found.arrow().num_rows == len(found) == 2
    assert found.pandas()["amount"].sum() == Decimal("2.50")
    assert found.polars().height == 2
    assert repr(found).startswith("<2 rows of marts.orders: order_id, ")
    assert found.empty == ()


def test_nothing_is_left_of_another_test(run_model):
    found = run_model("marts.orders")
    assert (found.rows, set(found.empty)) == ([], {"raw.orders", "raw.payments"})


def test_views_are_made(given, run_model):
    given("raw.orders", [{"id": 1}])
    given("raw.payments", [{"order_id": 1, "amount": 250, "payment_method": "coupon"}])
    assert [r["coupon_amount"] for r in run_model("marts.orders").rows] == [Decimal("2.50")]


def test_a_part(given, run_model):
    given("staging.payments", [{"order_id": 1, "amount": 1}, {"order_id": 1, "amount": 2}])
    assert run_model("marts.orders", cte="paid").rows[0]["amount"] == 3


def test_what_a_model_gave_can_be_given(given, run_model, assert_rows_equal):
    given("raw.orders", [{"id": 1, "user_id": 7, "order_date": "2018-01-01"}])
    given("staging.orders", run_model("staging.orders"))
    given("staging.customers", [{"customer_id": 7}])
    assert_rows_equal(run_model("marts.customers"), [{"customer_id": 7, "number_of_orders": 1, "first_order": date(2018, 1, 1)}])


def test_the_project_is_a_bench(xde_project):
    assert "marts.orders" in xde_project.known.project.datasets
    assert len(xde_project.cases) == 10


def test_the_contract_fills_what_is_left_out_of_a_frame(given, run_model):
    import pandas
    given("raw.payments", pandas.DataFrame({"order_id": [1, 2], "amount": [250, None]}))
    assert [(r["order_id"], r["amount"]) for r in run_model("staging.payments").rows] == [(1, Decimal("2.50")), (2, None)]
    assert len({r["payment_id"] for r in run_model("staging.payments").rows}) == 2, "a primary key is filled with distinct values"
"""


@pytest.mark.slow
def test_the_fixtures(run, shop):
    (shop / "tests/test_uses.py").write_text(USES)
    run("shop/tests/test_uses.py", "-W", "error").assert_outcomes(passed=7)


WRONG = """\
def test_no_dataset(given): given("staging.order", [])
def test_no_model(run_model): run_model("marts.order")
def test_a_source(run_model): run_model("raw.orders")
def test_no_column(given, run_model):
    given("staging.orders", [{"order": 1}])
    run_model("marts.orders")
def test_no_column_of_a_frame(given, run_model):
    import polars
    given("staging.orders", polars.DataFrame({"order": [1]}))
    run_model("marts.orders")
def test_no_value(given, run_model):
    given("staging.orders", [{"order_id": "x"}])
    run_model("marts.orders")
def test_no_value_of_a_frame(given, run_model):
    import polars
    given("staging.orders", polars.DataFrame({"order_id": ["x"]}))
    run_model("marts.orders")
def test_no_parameter(run_model): run_model("marts.orders", late=1)
def test_no_part(run_model): run_model("marts.orders", cte="payed")
def test_no_moment(run_model): run_model("marts.orders", now="soon")
def test_no_rows(given): given("staging.orders", 7)
"""


@pytest.mark.slow
def test_what_is_wrong_is_told_at_the_line_of_the_test(run, shop):
    (shop / "tests/test_wrong.py").write_text(WRONG)
    done = run("shop/tests/test_wrong.py")
    done.assert_outcomes(failed=11)
    said = done.stdout.str()
    for code in ("0912", "0952", "0907", "0908", "0953", "0909", "0903"):
        assert f"error[XDE{code}]" in said
    assert "did you mean `staging.orders`?" in said
    assert len(re.findall(r"shop/tests/test_wrong\.py:\d+: ", said)) == 11, "one frame each, that of the test"
    assert "src/xde" not in said
    assert "rows are a list of mappings, a data frame or an Arrow table, not int" in said


@pytest.mark.slow
def test_the_project_can_be_named(run, shop, pytester):
    (pytester.path / "elsewhere").mkdir()
    test = pytester.path / "elsewhere/test_x.py"
    test.write_text("def test_one(xde_project): assert xde_project.root.name == 'shop'\n")
    done = run("elsewhere")
    done.assert_outcomes(errors=1)
    done.stdout.fnmatch_lines(["*error[[]XDE0001]: no project here*", "*hint: name it: `pytest --xde-project DIR`*"])
    run("elsewhere", "--xde-project", "shop").assert_outcomes(passed=1)
    (pytester.path / "pytest.ini").write_text("[pytest]\nxde_project = shop\n")
    done = run("elsewhere")
    done.assert_outcomes(passed=1)
    done.stdout.fnmatch_lines([f"xde: {shop}"])


@pytest.mark.slow
def test_values_of_parameters_and_the_clock(run, shop):
    (shop / "models/marts/recent.sql").write_text("SELECT order_id FROM staging.orders WHERE order_date > $today - $days\n")
    edit(shop / "xde.yaml", "name: jaffle_shop", "name: jaffle_shop\nparameters: {days: 1}")
    (shop / "tests/test_x.py").write_text(
        "from datetime import date\n"
        "def test_one(given, run_model):\n"
        "    given('staging.orders', [{'order_id': 1, 'order_date': '2018-01-01'}])\n"
        "    assert len(run_model('marts.recent', now='2018-01-03')) == 0\n"
        "    assert len(run_model('marts.recent', now=date(2018, 1, 3), days=3)) == 1\n"
        "    assert len(run_model('marts.recent', now='2018-01-01T23:00:00')) == 1\n"
    )
    run("shop/tests/test_x.py").assert_outcomes(passed=1)
