"""Mutants of real models, put to real cases in the engine."""

import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from xde.app.mutating import ModelMutants, mutants_of_model, mutate, put_to_the_test
from xde.app.properties import Prover
from xde.app.subjects import at, subject_of
from xde.app.testing import TestBench
from xde.faces.words.mutants import model_text
from xde.undercurrents.engineering.mutants import keeping, randomly
from xde.undercurrents.engineering.mutants.cases import CaseTrial
from xde.undercurrents.engineering.mutants.killing import Killer, State, UnboundError, kill
from xde.undercurrents.engineering.mutants.mutant import Mutant
from xde.undercurrents.engineering.testing.sandbox import Asked, QueryError

EXAMPLES = Path(__file__).parents[3] / "examples"
HEAD = "model: staging.payments\ncases:\n"
FEW = "  - {name: dollars, given: {raw.payments: [{id: 1, amount: 250}]}, expect: [{payment_id: 1, amount: 2.50}]}\n"
MORE = """\
  - name: rows and cents
    given:
      raw.payments: [{id: 1, order_id: 5, payment_method: card, amount: 333}, {id: 1, order_id: 5, payment_method: card, amount: 333}]
    expect:
      whole: true
      rows:
        - {payment_id: 1, order_id: 5, payment_method: card, amount: 3.33}
        - {payment_id: 1, order_id: 5, payment_method: card, amount: 3.33}
"""
WRONG = "  - {name: wrong, given: {raw.payments: [{id: 1, amount: 100}]}, expect: [{payment_id: 2}]}\n"


@pytest.fixture
def jaffle(tmp_path):
    root = tmp_path / "jaffle"
    shutil.copytree(EXAMPLES / "jaffle_shop", root, ignore=shutil.ignore_patterns(".xde", "tests", "data"))
    (root / "tests").mkdir()

    def opened(cases):
        (root / "tests" / "cases.yaml").write_text(cases)
        bench = TestBench.open(root)
        assert bench.findings == []
        benches.append(bench)
        return bench

    benches = []
    yield opened
    for bench in benches:
        bench.close()


def told(killing, state):
    return {str(f.mutant) for f in killing.of(state)}


def test_what_survives_few_cases_is_killed_by_more(jaffle):
    bench = jaffle(HEAD + FEW)
    few = put_to_the_test(bench, "staging.payments", bench.cases)
    assert "arithmetic: / -> *" in told(few, State.KILLED)
    assert "cast: 2 -> 1" in told(few, State.SURVIVED)
    assert few.score is not None
    assert few.score < 1
    bench = jaffle(HEAD + FEW + MORE)
    more = put_to_the_test(bench, "staging.payments", bench.cases)
    assert more.score == 1
    assert {f.by for f in more.fates} == {"tests/cases.yaml::dollars", "tests/cases.yaml::rows and cents"}


def test_what_is_known_is_not_asked_again(jaffle):
    bench = jaffle(HEAD + FEW)
    first = put_to_the_test(bench, "staging.payments", bench.cases)
    assert first.asked > 5
    again = put_to_the_test(bench, "staging.payments", bench.cases)
    assert again.fates == first.fates
    assert again.asked == 0
    bench = jaffle(HEAD + FEW + MORE)
    more = put_to_the_test(bench, "staging.payments", bench.cases)
    assert 0 < more.asked <= len(first.of(State.SURVIVED)) + 2  # those that live, and the model itself for each worker
    less = jaffle(HEAD + MORE)
    assert put_to_the_test(less, "staging.payments", less.cases).asked > more.asked  # what another case killed must be asked again


def test_a_memory_that_cannot_be_read_is_none(jaffle, tmp_path):
    bench = jaffle(HEAD + FEW)
    first = put_to_the_test(bench, "staging.payments", bench.cases)
    (kept,) = (tmp_path / "jaffle/.xde/cache/mutants").iterdir()
    kept.write_text("{")
    assert put_to_the_test(bench, "staging.payments", bench.cases) == first
    assert keeping.KeptFates(kept.parent, "staging.payments", "SELECT 1").load() == {}


def test_a_case_that_the_model_does_not_pass_kills_nothing(jaffle):
    bench = jaffle(HEAD + WRONG)
    killing = put_to_the_test(bench, "staging.payments", bench.cases)
    assert killing.failing == ("tests/cases.yaml::wrong",)
    assert killing.trials == ()
    assert not killing.of(State.KILLED)
    bench = jaffle(HEAD + WRONG + FEW)
    assert put_to_the_test(bench, "staging.payments", bench.cases).of(State.KILLED)


def test_a_query_that_does_not_bind_is_invalid_and_one_that_fails_on_the_rows_is_killed(jaffle):
    bench = jaffle(HEAD + FEW)
    (case,) = bench.cases
    trial = CaseTrial(bench.house.sandbox, bench.subject(case), case, {})
    with trial.ready() as passes:
        assert passes(bench.known.model("staging.payments").sql)
        with pytest.raises(UnboundError):
            passes("SELECT nothing FROM raw.payments")
        assert not passes(
            "SELECT id AS payment_id, order_id, payment_method, CAST('x' || id AS DECIMAL(12, 2)) AS amount FROM raw.payments"
        )
        assert not passes("SELECT id AS other FROM raw.payments")
    unbound = Mutant("1", "test", 1, 1, "", "", "SELECT nothing FROM raw.payments", "")
    (fate,) = kill(bench.known.model("staging.payments").sql, [unbound], [trial]).fates
    assert fate.state is State.INVALID


def test_a_mutant_without_the_parameter_of_its_query_is_asked_without_it(jaffle, tmp_path):
    model = tmp_path / "jaffle/models/staging/payments.sql"
    model.write_text(model.read_text() + "\nWHERE amount > $least\n")
    case = "  - {name: few, parameters: {least: 100}, given: {raw.payments: [{id: 1, amount: 250}, {id: 2, amount: 50}]}, expect: [{payment_id: 1}]}\n"
    settings = tmp_path / "jaffle/xde.yaml"
    settings.write_text(settings.read_text() + "\nparameters:\n  least: 1\n")
    bench = jaffle(HEAD + case)
    killing = put_to_the_test(bench, "staging.payments", bench.cases)
    assert "predicate dropped: amount > $least -> TRUE" in told(killing, State.KILLED)


def test_a_case_of_a_part_of_a_model(jaffle):
    cases = """\
model: marts.customers
cases:
  - name: orders of a customer
    cte: ordered
    given: {staging.orders: [{order_id: 1, customer_id: 7, order_date: 2018-01-01}, {order_id: 2, customer_id: 7, order_date: 2018-01-05}]}
    expect: [{customer_id: 7, first_order: 2018-01-01, most_recent_order: 2018-01-05, number_of_orders: 2}]
"""
    bench = jaffle(cases)
    killed = told(put_to_the_test(bench, "marts.customers", bench.cases), State.KILLED)
    assert {"aggregate: min -> max", "aggregate: max -> min"} <= killed
    assert "coalesce default: 0 -> 1" not in killed


@pytest.mark.parametrize("example", ["flights", "jaffle_shop", "austin_traffic"])
@pytest.mark.slow
def test_mutants_of_the_examples_run(example, tmp_path):
    """Over empty tables, nearly every mutant of every model is a query that the engine takes; those that are not are counted."""
    root = tmp_path / example
    shutil.copytree(EXAMPLES / example, root, ignore=shutil.ignore_patterns(".xde", "tests", "data"))
    bench = TestBench.open(root)
    refused, made = [], 0
    for name, dataset in bench.known.project.datasets.items():
        if not hasattr(dataset, "sql"):
            continue
        subject = at(subject_of(bench.known, name), bench.house.clock.now(), bench.known)
        with bench.house.sandbox.scratch() as scratch:
            for table, types in subject.inputs.items():
                if table not in subject.views:
                    scratch.table(table, types, ())
            for mutant in mutants_of_model(bench, name):
                made += 1
                values = {n: subject.parameters[n] for n in subject.used if f"${n}" in mutant.sql}
                try:
                    scratch.ask(Asked(replace(subject, sql=mutant.sql).query, values, subject.views, subject.parameters))
                except QueryError:
                    refused.append(str(mutant))
    bench.close()
    assert made > 25
    assert len(refused) <= made * 0.01, refused


ORDERS = re.sub(
    r"  - name: an order that nobody paid.*?(?=  - name)", "", (EXAMPLES / "jaffle_shop/tests/orders.yaml").read_text(), flags=re.S
)


def fates(found):
    return {str(f.mutant): f for f in found.killing.fates}


@pytest.mark.slow
def test_what_no_case_notices_may_break_a_guarantee(jaffle):
    bench = jaffle(ORDERS)
    (found,) = mutate(bench, ["marts.orders"])
    killing = found.killing
    dropped = fates(found)["coalesce dropped: coalesce(p.amount, 0) -> p.amount"]
    assert (dropped.state, dropped.killer, dropped.by) == (State.KILLED, Killer.PROPERTY, "`amount` must not be missing")
    joined = fates(found)["join kind: LEFT JOIN -> JOIN"]
    assert (joined.state, joined.killer) == (State.SURVIVED, None)  # no rule asks for the orders that nobody paid
    assert killing.by(Killer.CASE)
    assert len(killing.by(Killer.CASE)) + len(killing.by(Killer.PROPERTY)) == len(killing.of(State.KILLED))
    assert killing.score_by_cases < killing.score < 1
    assert killing.score_by_cases == put_to_the_test(bench, "marts.orders", bench.cases).score


@pytest.mark.slow
def test_what_a_property_killed_is_known_and_with_another_contract_it_is_not(jaffle, tmp_path):
    bench = jaffle(ORDERS)
    (first,) = mutate(bench, ["marts.orders"])
    (again,) = mutate(bench, ["marts.orders"])
    assert first.killing.asked > 20
    assert again.killing.asked == 0
    assert again.killing.fates == first.killing.fates
    (other,) = mutate(bench, ["marts.orders"], examples=100)
    assert other.killing.asked == len(put_to_the_test(bench, "marts.orders", bench.cases).of(State.SURVIVED))
    contract = tmp_path / "jaffle/models/marts/orders.yaml"
    text = contract.read_text()
    assert text.count("required: true") > 3
    contract.write_text(text.replace("required: true", "required: false"))
    (less,) = mutate(jaffle(ORDERS), ["marts.orders"])
    assert less.killing.asked > 0
    assert fates(less)["coalesce dropped: coalesce(p.amount, 0) -> p.amount"].killer is not Killer.PROPERTY
    assert less.killing.score_by_cases == first.killing.score_by_cases


def test_what_the_model_breaks_itself_kills_nothing(jaffle, tmp_path):
    model = tmp_path / "jaffle/models/marts/orders.sql"
    text = model.read_text()
    assert "coalesce(p.amount, 0)" in text
    model.write_text(text.replace("coalesce(p.amount, 0)", "p.amount"))
    (found,) = mutate(jaffle(ORDERS), ["marts.orders"])
    assert "`amount` must not be missing" not in {f.by for f in found.killing.fates}
    assert (found.killing.by(Killer.PROPERTY), found.killing.untried, found.killing.trouble) == ((), 0, "")
    assert found.killing.of(State.SURVIVED)


@pytest.mark.slow
def test_when_the_time_is_over_the_rest_is_not_tried_and_told(jaffle, tmp_path):
    bench = jaffle(ORDERS)
    killing = put_to_the_test(bench, "marts.orders", bench.cases)
    random = randomly.RandomInput(bench.house.sandbox, Prover(bench.known, bench.house).target("marts.orders"))
    memory = keeping.KeptFates(tmp_path / "fates", "marts.orders", "SELECT 1")
    every_six_seconds = iter(range(0, 1000, 6)).__next__
    found = randomly.put_to_properties(killing, random, memory, randomly.Bound(every_six_seconds, 10))
    assert found.untried == len(killing.of(State.SURVIVED)) - 1 > 0
    assert f"{found.untried} mutants not put to properties: there was no time left" in model_text(
        ModelMutants("marts.orders", "x", 1, found, 1.0)
    )
    rest = randomly.put_to_properties(killing, random, memory, randomly.Bound(lambda: 0.0, 10))
    assert (rest.untried, rest.asked) == (0, killing.asked + found.untried)


def test_a_model_whose_input_cannot_be_made_is_told(jaffle, monkeypatch):
    def none(*_):
        raise QueryError("no such thing")

    monkeypatch.setattr(randomly.Yardstick, "of", none)
    (found,) = mutate(jaffle(ORDERS), ["marts.orders"])
    assert found.killing.score == found.killing.score_by_cases
    assert "mutants not put to properties: there is no random input: no such thing" in model_text(found)


@pytest.mark.slow
def test_an_order_of_rows_and_a_split_kill_too(jaffle, tmp_path):
    (tmp_path / "jaffle/models/marts/last.sql").write_text(
        "SELECT * FROM staging.orders QUALIFY row_number() OVER (PARTITION BY customer_id ORDER BY order_date, order_id) = 1\n"
    )
    (tmp_path / "jaffle/models/marts/days.sql").write_text(
        "/* xde\nkind: incremental\ntime: order_date\n*/\n"
        "SELECT order_date, count(*) AS n FROM staging.orders WHERE order_date >= $start AND order_date < $end GROUP BY ALL\n"
    )
    cases = "cases:\n" + "".join(f"  - {{name: {m}, model: marts.{m}, given: {{}}, expect: []}}\n" for m in ("last", "days"))
    last, days = mutate(jaffle(cases), [])
    assert {f.by for f in last.killing.by(Killer.PROPERTY)} == {"the same rows whatever the order of the input's rows"}
    assert "the same rows interval by interval" in {f.by for f in days.killing.by(Killer.PROPERTY)}
