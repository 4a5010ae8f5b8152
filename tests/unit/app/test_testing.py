"""Cases of a real project: plain ones in a sandbox, the others carried out with the real loader, planner and performers."""

import shutil
from pathlib import Path

import pytest

from xde.app.testing import TestBench
from xde.ground.errors import UserError

EXAMPLE = Path(__file__).parents[3] / "examples/jaffle_shop"


@pytest.fixture
def project(tmp_path):
    root = tmp_path / "jaffle"
    shutil.copytree(EXAMPLE, root, ignore=shutil.ignore_patterns(".xde", "tests"))
    (root / "tests").mkdir()
    return root


def run(root, text, selection=(), **how):
    (root / "tests/cases.yaml").write_text(text)
    bench = TestBench.open(root)
    try:
        assert bench.findings == []
        return list(bench.run(bench.pick(selection), **how))
    finally:
        bench.close()


def only(root, text):
    (result,) = run(root, text)
    return result


def test_an_input_that_is_not_given_is_empty_and_a_column_that_is_not_named_is_plain(project):
    found = only(
        project,
        """\
model: marts.orders
cases:
  - name: nothing paid
    given: {staging.orders: [{order_id: 1}]}
    expect: [{order_id: 1, amount: 0, customer_id: null, order_date: null}]
""",
    )
    assert found.passed
    assert found.verdict.empty == ("raw.payments",)  # what its view reads; `raw.orders` is not looked at


def test_views_are_made_from_what_they_read(project):
    found = only(
        project,
        """\
model: marts.orders
cases:
  - name: cents
    given:
      raw.orders: [{id: 1}]
      raw.payments: [{order_id: 1, payment_method: coupon, amount: 250}, {order_id: 1, payment_method: gift_card, amount: 1}]
    expect: [{order_id: 1, amount: 2.51, coupon_amount: 2.50, gift_card_amount: 0.01}]
""",
    )
    assert found.passed


def test_a_difference_is_shown_by_the_key_of_the_contract(project):
    found = only(
        project,
        """\
model: marts.orders
cases:
  - name: wrong
    given: {staging.orders: [{order_id: 1}, {order_id: 2}]}
    expect: [{order_id: 2, amount: 5}, {order_id: 3, amount: 0}]
""",
    )
    comparison = found.verdict.comparison
    assert not found.passed
    (change,) = comparison.changed
    assert (change.expected[0], change.actual[0]) == (2, 2)
    assert [comparison.columns[i] for i in change.columns] == ["amount"]
    assert ([r[0] for r in comparison.missing], [r[0] for r in comparison.unexpected]) == ([3], [1])


def test_a_part_of_a_model(project):
    assert only(
        project,
        """\
model: marts.orders
cases:
  - name: x
    cte: paid
    given: {raw.payments: [{order_id: 1, payment_method: coupon, amount: 250}]}
    expect: {rows: [{order_id: 1, credit_card_amount: null, coupon_amount: 2.5, bank_transfer_amount: null, gift_card_amount: null, amount: 2.5}], whole: true}
""",
    ).passed


WRONG = [
    ("given: {staging.order: []}\n    expect: []", "XDE0905"),
    ("given: {staging.orders: [{order: 1}]}\n    expect: []", "XDE0907"),
    ("given: {staging.orders: [{order_id: x}]}\n    expect: []", "XDE0908"),
    ("given: {staging.orders: [{order_id: 1, order_date: 2018-02-30}]}\n    expect: []", "XDE0908"),
    ("expect: [{order: 1}]", "XDE0907"),
    ("expect: [{order_id: x}]", "XDE0908"),
    ("cte: payed\n    expect: []", "XDE0909"),
    (
        "given: {staging.orders: [{order_id: 1, customer_id: 1, order_date: 2018-01-01, status: placed}]}\n    expect: {finding: XDE0501}",
        "XDE0913",
    ),
]


@pytest.mark.parametrize(("text", "code"), WRONG, ids=[f"{i}-{c}" for i, (_, c) in enumerate(WRONG)])
def test_what_a_case_gets_wrong_is_told(project, text, code):
    found = only(project, f"model: marts.orders\ncases:\n  - name: x\n    {text}\n")
    assert [f.code for f in found.verdict.findings] == [code]
    assert found.verdict.findings[0].span is not None


def test_a_dataset_that_is_not_there(project):
    (project / "tests/cases.yaml").write_text("model: marts.order\ncases: [{name: x, expect: []}]\n")
    bench = TestBench.open(project)
    bench.close()
    assert [(f.code, f.hint) for f in bench.findings] == [("XDE0912", "write `models/marts/order.sql`; or did you mean `marts.orders`?")]
    with pytest.raises(UserError, match=r"no case tests `marts\.orders`"):
        bench.pick(["marts.orders"])


def test_a_finding_that_must_stop_it(project):
    assert only(
        project,
        "model: marts.orders\ncases:\n  - name: x\n    given: {staging.orders: [{order_id: 1, status: lost}]}\n    expect: {finding: XDE0501}\n",
    ).passed


LETTERS = """\
source: raw.orders
cases:
  - name: a month 13 is refused, the rest comes in
    raw: |
      id,user_id,order_date,status
      1,1,2018-01-01,placed
      2,1,2018-13-01,placed
      3,1,2018-01-03,lost
    expect:
      rows: [{id: 1, order_date: 2018-01-01}]
      letters: [{line: 3, column: order_date, rule: type, raw: "2018-13"}, {line: 4, column: status}]
"""


def test_raw_lines_in_rows_and_letters_out(project):
    assert only(project, LETTERS).passed
    assert [f.code for f in only(project, LETTERS.replace("line: 3", "line: 2")).verdict.findings] == ["XDE0914"]
    assert [f.code for f in only(project, LETTERS + "    # and\n".replace("# and", "tags: []")).verdict.findings] == []


INCREMENTAL = """\
/* xde
kind: incremental
time: day
lookback: 1 day
*/
SELECT order_date AS day, count(*) AS orders FROM staging.orders GROUP BY ALL
"""


def test_runs_that_follow_each_other(project):
    (project / "models/marts/daily.sql").write_text(INCREMENTAL)
    text = """\
model: marts.daily
cases:
  - name: a late order of an earlier day comes in, an old one does not lose its day
    given:
      staging.orders: [{order_id: 1, order_date: 2018-01-01}, {order_id: 2, order_date: 2018-01-05}]
    runs:
      - expect: [{day: 2018-01-01, orders: 1}, {day: 2018-01-05, orders: 1}]
      - add: {staging.orders: [{order_id: 3, order_date: 2018-01-05}, {order_id: 4, order_date: 2018-01-06}]}
        expect: [{day: 2018-01-01, orders: 1}, {day: 2018-01-05, orders: 2}, {day: 2018-01-06, orders: 1}]
"""
    found = only(project, text)
    assert found.passed, found.verdict
    found = only(project, text.replace("orders: 2}", "orders: 9}"))
    assert "in run 2 of 2" in found.verdict.comparison.notes


def test_what_passed_and_sees_nothing_new_is_not_run_again(project):
    text = "model: marts.orders\ncases: [{name: x, given: {staging.orders: [{order_id: 1}]}, expect: [{order_id: 1}]}]\n"
    assert [r.skipped for r in run(project, text, changed=True)] == [False]
    assert [r.skipped for r in run(project, text, changed=True)] == [True]
    assert [r.skipped for r in run(project, text.replace("order_id: 1", "order_id: 2"), changed=True)] == [False]
    model = project / "models/marts/orders.sql"
    model.write_text(model.read_text() + "WHERE o.order_id > 1\n")
    assert [(r.skipped, r.passed) for r in run(project, text, changed=True)] == [(False, False)]
    assert [(r.skipped, r.passed) for r in run(project, text, changed=True)] == [(False, False)]


def test_a_moment_that_is_none_fails_its_own_case_and_no_other(project):
    text = "model: marts.orders\ncases: [{name: x, now: soon, expect: []}, {name: y, expect: []}]\n"
    first, second = run(project, text)
    assert [f.code for f in first.verdict.findings] == ["XDE0903"]
    assert second.passed


def test_a_source_to_which_nothing_is_delivered_says_so(project):
    found = only(project, "source: raw.orders\ncases: [{name: x, expect: []}]\n")
    assert [f.code for f in found.verdict.findings] == ["XDE0450"]


def test_a_given_view_hides_what_it_reads(project):
    text = "model: marts.orders\ncases: [{name: x, given: {staging.orders: [], staging.payments: []}, expect: []}]\n"
    run(project, text, changed=True)
    for view, reached in (("payments", True), ("customers", True)):
        path = project / f"models/staging/{view}.sql"
        path.write_text(path.read_text() + "WHERE true\n")
        assert [r.skipped for r in run(project, text, changed=True)] == [reached]
