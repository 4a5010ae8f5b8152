"""Coverage of real projects: cases of every kind put to the probes of their models."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from xde.app.covering import cover
from xde.app.testing import TestBench
from xde.kernel.project.declarations import Kind
from xde.undercurrents.engineering.testing.sandbox import Asked

EXAMPLES = Path(__file__).parents[3] / "examples"


@pytest.fixture
def project(tmp_path):
    root = tmp_path / "jaffle"
    shutil.copytree(EXAMPLES / "jaffle_shop", root, ignore=shutil.ignore_patterns(".xde", "tests"))
    (root / "tests").mkdir()
    return root


def covered(root, text, *selection):
    (root / "tests/cases.yaml").write_text(text)
    bench = TestBench.open(root)
    try:
        assert bench.findings == []
        return {m.dataset: m for m in cover(bench, selection)}
    finally:
        bench.close()


def hits(model):
    return {(b.text, b.outcome): count for line in model.lines for b, count in line.hits}


NOTHING_PAID = """\
model: marts.orders
cases:
  - name: nothing paid
    given: {staging.orders: [{order_id: 1}]}
    expect: [{order_id: 1, amount: 0}]
"""


def test_cases_reach_branches_and_lines_are_those_of_the_file(project):
    found = covered(project, NOTHING_PAID)
    orders = found["marts.orders"]
    assert orders.cases == 1
    assert hits(orders)["LEFT JOIN paid AS p USING (order_id)", "left row without match"] == 1
    assert hits(orders)["LEFT JOIN paid AS p USING (order_id)", "matched"] == 0
    assert hits(orders)["coalesce(p.amount, 0)", "fallback used"] == 1
    text = (project / orders.path).read_text().splitlines()
    assert [line.text for line in orders.lines] == text[orders.first - 1 :]
    assert found["marts.customers"].cases == 0
    assert found["marts.customers"].coverage.reached == 0
    assert found["staging.orders"].coverage.percent == 100


def test_a_selection_takes_its_cases_and_models_alone(project):
    assert list(covered(project, NOTHING_PAID, "marts.orders")) == ["marts.orders"]
    assert list(covered(project, NOTHING_PAID, "nothing paid")) == ["marts.orders"]


def test_promises_of_contracts_behind_views_rule_outcomes_out(project):
    orders = covered(project, NOTHING_PAID)["marts.orders"]
    ruled_out = {(r.text, r.outcome) for r in orders.coverage.ruled_out}
    assert ("payment_method = 'coupon'", "unknown (NULL)") in ruled_out  # `raw.payments` requires it
    assert ("LEFT JOIN paid AS p USING (order_id)", "several matches") in ruled_out  # grouped by it


def test_a_case_of_a_part_reaches_the_part_alone(project):
    text = """\
model: marts.orders
cases:
  - name: paid
    cte: paid
    given:
      staging.orders: [{order_id: 1}]
      staging.payments: [{order_id: 1, payment_method: coupon, amount: 2}]
    expect: [{order_id: 1, amount: 2}]
"""
    orders = hits(covered(project, text)["marts.orders"])
    assert orders["payment_method = 'coupon'", "kept"] == 1
    assert orders["coalesce(p.amount, 0)", "fallback not needed"] == 0


def test_rounds_see_what_was_given_before_them(project):
    (project / "models/marts/daily.sql").write_text(
        "/* xde\nkind: incremental\ntime: order_date\n*/\n"
        "SELECT order_date, count(*) AS orders, count(*) FILTER (WHERE status = $wanted) AS wanted\n"
        "FROM raw.orders WHERE order_date < $today GROUP BY order_date\n"
    )
    (project / "xde.yaml").write_text((project / "xde.yaml").read_text() + "parameters: {wanted: placed}\n")
    text = """\
model: marts.daily
now: 2026-01-03
cases:
  - name: a late order
    given: {raw.orders: [{id: 1, order_date: 2026-01-01, status: placed}]}
    expect: [{order_date: 2026-01-01, orders: 1, wanted: 1}]
    runs:
      - expect: [{order_date: 2026-01-01, orders: 1, wanted: 1}]
      - add: {raw.orders: [{id: 2, order_date: 2026-01-01, status: shipped}]}
        now: 2026-01-01
        expect: [{order_date: 2026-01-01, orders: 2, wanted: 1}]
"""
    found = hits(covered(project, text)["marts.daily"])
    assert found["GROUP BY order_date", "group of one row"] == 1
    assert found["order_date < $today", "kept"] == 1
    assert found["order_date < $today", "left out"] == 2
    assert found["status = $wanted", "kept"] == 1


def test_rows_that_cannot_be_given_are_told(project):
    found = covered(project, NOTHING_PAID.replace("order_id: 1}]", "order_id: one}]", 1))
    assert [f.code for f in found["marts.orders"].findings] == ["XDE0908"]


@pytest.mark.parametrize("name", sorted(p.parent.name for p in EXAMPLES.glob("*/xde.yaml")))
def test_every_example_probes_over_empty_tables(tmp_path, name):
    root = tmp_path / name
    shutil.copytree(EXAMPLES / name, root, ignore=shutil.ignore_patterns(".xde", "tests", "data"))
    known = TestBench.open(root).known
    seeds = {n for n, m in known.project.models.items() if m.head.kind is Kind.SEED}  # they are no queries, and give their rows to cases
    models = [n for n in known.project.models if n not in seeds]
    empty = "cases:\n" + "".join(f"  - {{name: {m}, model: {m}, expect: []}}\n" for m in models)
    (root / "tests").mkdir()
    found = covered(root, empty)
    assert sorted(found) == sorted(models)
    for name, model in found.items():
        assert model.findings == ()
        assert model.coverage.unprobed == ()
        assert (
            seeds & set(known.upstream[name])
            or sum(count for (_, outcome), count in hits(model).items() if outcome != "no row at all") == 0
        )


def test_probes_of_every_example_are_refused_by_no_engine_in_parts_either(tmp_path):
    from xde.app.covering import promises_of
    from xde.app.subjects import at, subject_of
    from xde.undercurrents.engineering.coverage.probing import survey
    from xde.undercurrents.engineering.testing.exercising import give

    root = tmp_path / "flights"
    shutil.copytree(EXAMPLES / "flights", root, ignore=shutil.ignore_patterns(".xde", "tests", "data"))
    bench = TestBench.open(root)
    asked = 0
    for name, model in bench.known.project.models.items():
        subject = at(subject_of(bench.known, name), bench.house.clock.now(), bench.known)
        with bench.house.sandbox.scratch() as scratch:
            give(scratch, subject, {}, {})
            for probe in survey(model.sql, promises_of(subject)).probes:
                for part in probe.parts:
                    values = {p: subject.parameters[p] for p in part.parameters}
                    assert len(scratch.ask(Asked(part.sql, values, subject.views, subject.parameters)).rows[0]) == len(part.branches)
                    asked += 1
    bench.close()
    assert asked > 20
