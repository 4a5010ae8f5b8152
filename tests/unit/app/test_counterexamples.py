"""Random input kept as cases of the example projects: it fails until it is mended, and nobody's file is harmed."""

import shutil
from pathlib import Path

import pytest

from xde.app.properties import Prover
from xde.app.testing import TestBench

EXAMPLES = Path(__file__).parents[3] / "examples"


@pytest.fixture
def project(tmp_path):
    root = tmp_path / "jaffle"
    shutil.copytree(EXAMPLES / "jaffle_shop", root, ignore=shutil.ignore_patterns(".xde"))
    return root


def change(root, before, after, model="marts/orders"):
    path = root / f"models/{model}.sql"
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))


def kept(root, name):
    bench = TestBench.open(root)
    try:
        prover = Prover(bench.known, bench.house)
        (proved,) = prover.search([name])
        return proved, prover.keep(proved)
    finally:
        bench.close()


def verdicts(root, name):
    bench = TestBench.open(root)
    try:
        assert bench.findings == []
        return {r.case.name: [f.code for f in r.verdict.findings] for r in bench.run(bench.pick([name])) if not r.passed}
    finally:
        bench.close()


@pytest.mark.parametrize("name", ["marts.orders", "marts.customers", "staging.payments"])
def test_the_shop_as_it_is_keeps_its_contracts(project, name):
    proved, added = kept(project, name)
    assert proved.findings == ()
    assert added.cases == []
    assert not (project / f"tests/{name.replace('.', '_')}.yaml").exists()


@pytest.mark.slow
def test_the_known_fault_of_the_shop_is_found_and_kept_until_it_is_mended(project):
    """Amounts of an order without payments are NULL: the shop's own data hides it, for every order was paid."""
    change(project, "coalesce(p.amount, 0)", "p.amount")
    (project / "tests/marts_orders.yaml").write_text("model: marts.orders\ncases:\n    - name: mine  # a remark\n      expect: []\n")
    proved, added = kept(project, "marts.orders")
    ((failure, finding),) = proved.findings
    assert (finding.code, finding.span.path) == ("XDE0930", "models/marts/orders.yaml")
    assert {n: len(r.rows) for n, r in failure.given.items()} == {"raw.orders": 1, "raw.payments": 0}
    assert added.cases == [("tests/marts_orders.yaml", "random input found: amount must not be missing")]
    text = (project / "tests/marts_orders.yaml").read_text()
    assert text.startswith("model: marts.orders\ncases:\n    - name: mine  # a remark\n      expect: []\n    - name: ")
    assert "expect: {contract: true}" in text
    assert verdicts(project, "tests/marts_orders.yaml") == {"random input found: amount must not be missing": ["XDE0930"]}
    assert kept(project, "marts.orders")[1].cases == []  # the same is not kept twice
    assert (project / "tests/marts_orders.yaml").read_text() == text
    change(project, "p.amount AS DECIMAL", "coalesce(p.amount, 0) AS DECIMAL")
    assert verdicts(project, "tests/marts_orders.yaml") == {}


@pytest.mark.slow
def test_a_file_whose_cases_share_what_is_given_is_left_alone(project):
    change(project, "coalesce(p.amount, 0)", "p.amount")
    text = "model: marts.orders\ngiven: {staging.orders: []}\ncases: [{name: mine, expect: []}]\n"
    (project / "tests/marts_orders.yaml").write_text(text)
    _, added = kept(project, "marts.orders")
    assert [path for path, _ in added.cases] == ["tests/marts_orders_found.yaml"]
    assert (project / "tests/marts_orders.yaml").read_text() == text


@pytest.mark.slow
def test_what_depends_on_order_is_kept_by_another_word(project):
    change(project, "o.status,", "first(o.status) OVER (PARTITION BY o.customer_id) AS status,")
    proved, added = kept(project, "marts.orders")
    assert [f.code for _, f in proved.findings] == ["XDE0932"]
    ((path, name),) = added.cases
    assert "expect: {anyOrder: true}" in (project / path).read_text()
    assert verdicts(project, path) == {name: ["XDE0932"]}


@pytest.mark.slow
def test_a_join_that_fans_out(project):
    change(project, "GROUP BY order_id", "GROUP BY order_id, payment_method")
    proved, added = kept(project, "marts.orders")
    assert "the primary key `order_id` must be unique" in {f.guarantee.message for f, _ in proved.findings}
    assert added.cases
    assert all(codes == ["XDE0930"] for codes in verdicts(project, "tests/marts_orders.yaml").values())


BY_DAY = "/* xde\nkind: incremental\ntime: day\n*/\nSELECT %s AS day, count(*) AS n FROM staging.orders WHERE order_date > $start AND order_date < $end GROUP BY ALL\n"
GROWING = {
    "looks back": (
        "/* xde\nkind: incremental\ntime: order_date\n*/\nSELECT order_date, order_id, lag(order_id) OVER (ORDER BY order_date, order_id) AS before "
        "FROM staging.orders WHERE order_date >= $start AND order_date < $end\n",
        "XDE0934",
        ("lag(order_id) OVER (ORDER BY order_date, order_id)", "1"),
    ),
    "start left out": (BY_DAY % "order_date", "XDE0934", ("> $start", ">= $start")),
    "adds up": (
        "/* xde\nkind: append\n*/\nSELECT sum(order_id) AS n FROM staging.orders GROUP BY status\n",
        "XDE0935",
        ("append", "table"),
    ),
    "keys that go": (
        "/* xde\nkind: incremental\nkey: [status]\n*/\nSELECT status, count(*) AS n FROM staging.orders GROUP BY ALL HAVING count(*) < 2\n",
        "XDE0935",
        (" HAVING count(*) < 2", ""),
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize(
    "fault", [pytest.param(f, marks=[pytest.mark.slow] if f in {"keys that go", "start left out"} else []) for f in GROWING]
)
def test_what_takes_several_runs_is_kept_as_two_until_it_is_mended(project, fault):
    sql, code, mended = GROWING[fault]
    model = project / "models/marts/grows.sql"
    model.write_text(sql)
    proved, added = kept(project, "marts.grows")
    assert [f.code for _, f in proved.findings] == [code]
    assert added.findings == []
    ((path, name),) = added.cases
    text = (project / path).read_text()
    assert text.count("      - ") >= 2
    assert "expect: {asFull: true}" in text
    bench = TestBench.open(project)
    ((result,), findings) = ([r for r in bench.run(bench.pick([path])) if not r.passed], bench.findings)
    bench.close()
    assert findings == []
    assert not result.verdict.comparison.equal
    assert "what is expected is what a full refresh gives" in result.verdict.comparison.notes
    assert kept(project, "marts.grows")[1].cases == []  # it is there already
    model.write_text(sql.replace(*mended))
    assert verdicts(project, path) == {}
    assert name.startswith("random input found: the same rows ")


@pytest.mark.slow
def test_what_no_two_runs_show_is_not_kept_and_told(project):
    (project / "models/marts/grows.sql").write_text(BY_DAY % "CAST(order_date AS DATE)")  # the planner cannot tell the days of its input
    proved, added = kept(project, "marts.grows")
    assert [f.code for _, f in proved.findings] == ["XDE0934"]
    assert added.cases == []
    assert [(f.code, "the planner cuts time elsewhere" in f.why) for f in added.findings] == [("XDE0939", True)]


def test_what_a_source_delivers_has_no_full_refresh(project):
    (project / "tests/s.yaml").write_text("source: raw.customers\ncases:\n  - {name: x, raw: a, expect: {asFull: true}}\n")
    bench = TestBench.open(project)
    bench.close()
    assert [(f.code, f.message) for f in bench.findings] == [("XDE0903", "`asFull` belongs to a model")]


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["marts.carrier_delay", "marts.daily_delay", "marts.delay_by_weather", "marts.planes_by_age", "staging.planes"]
)
def test_models_of_the_flights_keep_their_contracts(tmp_path, name):
    bench = TestBench.open(EXAMPLES / "flights")
    try:
        (proved,) = Prover(bench.known, bench.house).search([name], 100)
    finally:
        bench.close()
    assert proved.findings == ()
    assert proved.searched.passed
    assert all(n > 50 for n in proved.searched.rows.values())
