"""`contract: true` and `anyOrder: true`: cases that expect no rows, and yet can fail."""

import shutil
from pathlib import Path

import pytest

from xde.app.testing import TestBench
from xde.undercurrents.engineering.testing.case_reader import read_cases

EXAMPLE = Path(__file__).parents[5] / "examples/jaffle_shop"
FIRST = """\
model: marts.orders
cases:
  - name: it keeps its contract
    given: {staging.orders: [{order_id: 1, status: placed}]}
    expect: {contract: true}
"""


@pytest.fixture
def project(tmp_path):
    root = tmp_path / "jaffle"
    shutil.copytree(EXAMPLE, root, ignore=shutil.ignore_patterns(".xde", "tests"))
    (root / "tests").mkdir()
    return root


def only(root, text):
    (root / "tests/cases.yaml").write_text(text)
    bench = TestBench.open(root)
    try:
        assert bench.findings == []
        (result,) = bench.run(bench.cases)
        return [(f.code, f.message) for f in result.verdict.findings]
    finally:
        bench.close()


def test_the_rows_must_keep_the_contract(project):
    told = only(project, FIRST)  # a case fills in what it must, and a customer is missing in none
    assert {code for code, _ in told} <= {"XDE0930"}
    good = FIRST.replace("order_id: 1,", "order_id: 1, customer_id: 1, order_date: 2018-01-01,")
    assert only(project, good) == []
    assert only(project, good.replace("placed", "lost")) == [
        ("XDE0930", "`marts.orders` breaks its contract on the rows of this case: an order is in one of five states")
    ]
    twice = good.replace("[{order_id: 1,", "[{order_id: 1, customer_id: 1, order_date: 2018-01-01, status: placed}, {order_id: 1,")
    assert [c for c, _ in only(project, twice)] == ["XDE0930"]


def test_the_order_of_given_rows_must_not_matter(project):
    text = """\
model: marts.orders
cases:
  - name: no matter how they come
    given: {staging.orders: [{order_id: 1, status: placed}, {order_id: 2, status: shipped}]}
    expect: {anyOrder: true}
"""
    assert only(project, text) == []
    path = project / "models/marts/orders.sql"
    path.write_text(path.read_text().replace("o.status,", "first(o.status) OVER () AS status,"))
    assert [c for c, _ in only(project, text)] == ["XDE0932"]


@pytest.mark.parametrize(
    "case",
    [
        "{name: x, raw: '1', expect: {anyOrder: true}}",
        "{name: x, expect: {anyOrder: true, finding: XDE0501}}",
        "{name: x, runs: [{expect: {anyOrder: true}}, {expect: []}]}",
        "{name: x, cte: paid, expect: {contract: true}}",
    ],
)
def test_where_they_would_not_be_looked_at_they_are_refused(case):
    cases, findings = read_cases(f"model: a.b\ncases:\n  - {case}\n".encode(), "tests/x.yaml", lambda _: None)
    assert cases == ()
    assert [f.code for f in findings] == ["XDE0903"]
