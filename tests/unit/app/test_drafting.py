"""Drafts: a project that loads, a case that fails for the right reason, and nothing that was there touched."""

import json
import shutil
from pathlib import Path

import jsonschema
import open_data_contract_standard
import pytest
import yaml

from xde.app import drafting
from xde.app.testing import TestBench
from xde.app.workspace import Workspace
from xde.ground.errors import UserError

EXAMPLES = Path(__file__).parents[3] / "examples"
CASES_OF_SHOP = Path(__file__).parents[2] / "data/shop_cases"  # not those of the example, which grow
STANDARD = json.loads((Path(open_data_contract_standard.__file__).parent / "schema.json").read_text(encoding="utf-8"))


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "jaffle"
    shutil.copytree(EXAMPLES / "jaffle_shop", root, ignore=shutil.ignore_patterns(".xde", "tests"))
    shutil.copytree(CASES_OF_SHOP, root / "tests")
    return root


def files(root):
    return {str(p.relative_to(root)): p.read_text() for p in root.rglob("*") if p.is_file() and ".xde" not in p.parts}


def told(action):
    with pytest.raises(UserError) as raised:
        action()
    return [f.code for f in raised.value.findings]


def new_model(root, *arguments):
    with Workspace.open(root) as workspace:
        return workspace.new_model(*arguments)


def new_case(root, name):
    with Workspace.open(root) as workspace:
        return workspace.new_case(name)


def outcome(root, selection):
    """Of each case its name, whether it failed by rows that nobody expected and by nothing else, and what came."""
    bench = TestBench.open(root)
    try:
        assert [*bench.findings, *bench.known.warnings] == []
        found = []
        for result in bench.run(bench.pick([selection])):
            assert result.verdict.findings == ()
            comparison = result.verdict.comparison
            assert not (comparison.missing or comparison.changed)
            found.append((result.case.name, [dict(zip(comparison.columns, row, strict=True)) for row in comparison.unexpected]))
        return found
    finally:
        bench.close()


def test_a_model_of_one_input(root):
    made = new_model(root, "marts.placed", ["staging.orders"])
    assert made == ("models/marts/placed.sql", "models/marts/placed.yaml", "tests/marts_placed.yaml")
    assert (root / made[0]).read_text() == (
        "/* xde\nkind: table\ndescription: Say here what one row is\n*/\n"
        "SELECT\n    o.order_id,\n    o.customer_id,\n    o.order_date,\n    o.status\nFROM staging.orders AS o\n"
    )
    assert (root / made[2]).read_text() == (
        "model: marts.placed\ncases:\n  - name: say here what must hold\n    given:\n      staging.orders:\n"
        "        - {order_id: 1, customer_id: 1, order_date: 2018-01-01, status: placed}\n"
        "    expect: []  # write the rows that must come out; it fails until you do\n"
    )
    ((name, rows),) = outcome(root, "marts.placed")
    assert (name, [r["order_id"] for r in rows]) == ("say here what must hold", [1])


def test_inputs_meet_by_their_key(root):
    new_model(root, "marts.paid", ["raw.orders", "raw.payments", "staging.customers"])
    sql = (root / "models/marts/paid.sql").read_text()
    assert "FROM raw.orders AS o\nLEFT JOIN raw.payments AS p USING (id)\nLEFT JOIN staging.customers AS c" in sql
    ((_, rows),) = outcome(root, "marts.paid")
    assert len(rows) == 1
    new_model(root, "marts.nothing_shared", ["raw.customers", "staging.payments"])
    assert "ON false -- say which of its rows belong to a row" in (root / "models/marts/nothing_shared.sql").read_text()
    assert len(outcome(root, "marts.nothing_shared")[0][1]) == 1


def test_a_model_of_nothing(root):
    new_model(root, "marts.one", [])
    assert outcome(root, "marts.one") == [("say here what must hold", [{"id": 1}])]


@pytest.mark.parametrize("inputs", [[], ["raw.orders"], ["raw.orders", "raw.payments"], ["staging.customers"]])
def test_the_contract_is_valid_by_the_standard(root, inputs):
    new_model(root, "marts.x", inputs)
    document = yaml.safe_load((root / "models/marts/x.yaml").read_text())
    validator = jsonschema.validators.validator_for(STANDARD)(STANDARD)
    assert [f"{list(e.absolute_path)}: {e.message}" for e in validator.iter_errors(document)] == []


def test_a_promise_is_kept_where_every_row_is_and_nowhere_else(root):
    new_model(root, "marts.one_input", ["raw.orders"])
    new_model(root, "marts.two_inputs", ["raw.orders", "raw.payments"])
    one, two = ((root / f"models/marts/{n}.yaml").read_text() for n in ("one_input", "two_inputs"))
    assert "primaryKey: true" in one
    assert "primaryKey" not in two
    assert "required" not in two


def test_a_draft_can_be_built(root):
    new_model(root, "marts.x", ["staging.orders", "staging.payments"])
    new_model(root, "marts.y", ["raw.orders"])
    with Workspace.open(root) as workspace:
        assert workspace.run().status == "done"


def test_a_case_of_a_model_gives_what_it_reads(root):
    path, name = new_case(root, "marts.orders")
    assert (path, name) == ("tests/marts_orders.yaml", "say here what must hold")
    assert (root / path).read_text() == (
        "model: marts.orders\ncases:\n  - name: say here what must hold\n    given:\n      staging.orders:\n"
        "        - {order_id: 1, customer_id: 1, order_date: 2018-01-01, status: placed}\n"
        "      staging.payments:\n        - {order_id: 1, payment_method: credit_card, amount: 1}\n"
        "    expect: []  # write the rows that must come out; it fails until you do\n"
    )
    assert [[r["amount"] for r in rows] for _, rows in outcome(root, path)] == [[1]]


def test_a_case_is_added_to_its_file_and_named_anew(root):
    new_case(root, "marts.orders")
    before = (root / "tests/marts_orders.yaml").read_text()
    assert new_case(root, "marts.orders")[1] == "say here what must hold (2)"
    after = (root / "tests/marts_orders.yaml").read_text()
    assert after.startswith(before)
    assert [n for n, _ in outcome(root, "tests/marts_orders.yaml")] == ["say here what must hold", "say here what must hold (2)"]


def test_a_model_that_only_counts_gets_a_row_by_its_key(root):
    (root / "models/marts/counted.sql").write_text("SELECT count(*) AS n FROM raw.orders\n")
    new_case(root, "marts.counted")
    assert "        - {id: 1}\n" in (root / "tests/marts_counted.yaml").read_text()
    assert outcome(root, "marts.counted")[0][1] == [{"n": 1}]


def test_a_model_that_asks_for_the_day_gets_one(root):
    (root / "models/marts/recent.sql").write_text("SELECT id FROM raw.orders WHERE order_date >= $today - 7\n")
    new_case(root, "marts.recent")
    assert "\n    now: 2000-01-02\n" in (root / "tests/marts_recent.yaml").read_text()
    assert outcome(root, "marts.recent")[0][1] == [{"id": 1}]


def test_a_case_of_a_source_is_a_record_that_its_contract_takes(root):
    new_case(root, "raw.orders")
    text = (root / "tests/raw_orders.yaml").read_text()
    assert "    raw: |\n      id,user_id,order_date,status\n      1,1,2018-01-01,placed\n" in text
    ((_, rows),) = outcome(root, "raw.orders")
    assert [r["status"] for r in rows] == ["placed"]


CONTRACT = """\
apiVersion: v3.1.0
kind: DataContract
id: 3d0f3a3c-8f7e-4b7c-9a30-1d3a5b1d0c11
name: shop
version: 1.0.0
status: active
servers:
  - {{server: files, type: local, path: data/shop, format: {format}}}
schema:
  - name: things
    physicalName: "things*.{ending}"
    customProperties: [{{property: xdeDialect, value: {dialect}}}]
    properties:
      - {{name: id, logicalType: integer, required: true, primaryKey: true, customProperties: [{{property: xdePosition, value: {{start: 1, length: 4}}}}]}}
      - {{name: at, logicalType: timestamp, required: true, logicalTypeOptions: {{format: "dd.MM.yyyy HH:mm"}}, customProperties: [{{property: xdePosition, value: {{start: 6, length: 16}}}}]}}
      - {{name: price, logicalType: number, required: true, logicalTypeOptions: {{minimum: 0.5}}, customProperties: [{{property: xdePosition, value: {{start: 23, length: 6}}}}]}}
      - {{name: open, logicalType: boolean, required: true, customProperties: [{{property: xdePosition, value: {{start: 30, length: 5}}}}]}}
"""


@pytest.mark.parametrize(
    ("form", "dialect"),
    [
        ("csv", "{delimiter: ';', decimal: ','}"),
        ("csv", "{header: false, skip: 1}"),
        ("ndjson", "{}"),
        ("json", "{recordsAt: data.things}"),
        ("fixed_width", "{}"),
    ],
)
def test_a_record_of_every_format_that_is_text(root, form, dialect):
    (root / "data/shop").mkdir()
    (root / "sources/shop.yaml").write_text(CONTRACT.format(format=form, ending="txt", dialect=dialect))
    new_case(root, "shop.things")
    ((_, rows),) = outcome(root, "shop.things")
    ((row),) = rows
    assert (row["id"], str(row["at"]), row["price"], row["open"]) == (1, "2000-01-02 00:00:00", 1.0, False)


def test_what_is_no_text_cannot_be_drafted(root):
    (root / "data/shop").mkdir()
    (root / "sources/shop.yaml").write_text(CONTRACT.format(format="parquet", ending="parquet", dialect="{}"))
    before = files(root)
    assert told(lambda: new_case(root, "shop.things")) == ["XDE0958"]
    assert files(root) == before


@pytest.mark.parametrize(
    ("name", "inputs", "codes"),
    [
        ("sales", [], ["XDE0954"]),
        ("marts.daily-sales", [], ["XDE0954"]),
        ("a.b.c", [], ["XDE0954"]),
        ("../x.y", [], ["XDE0954"]),
        ("Marts.Orders", [], ["XDE0955"]),
        ("raw.orders", [], ["XDE0955"]),
        ("marts.x", ["staging.order", "orders"], ["XDE0956", "XDE0956"]),
    ],
)
def test_what_cannot_begin(root, name, inputs, codes):
    before = files(root)
    assert told(lambda: new_model(root, name, inputs)) == codes
    assert files(root) == before


def test_a_case_of_what_is_not_there(root):
    assert told(lambda: new_case(root, "marts.order")) == ["XDE0912"]


def test_nothing_is_overwritten_and_nothing_is_left(root):
    (root / "tests/marts_x.yaml").write_text("model: marts.orders\ncases: [{name: mine, expect: []}]\n")
    before = files(root)
    assert told(lambda: new_model(root, "marts.x", ["raw.orders"])) == ["XDE0957"]
    assert files(root) == before


def test_a_file_that_appears_meanwhile_is_kept_and_the_others_are_taken_back(root, monkeypatch):
    before = files(root)
    link = drafting.os.link

    def late(source, target):
        if str(target).endswith(".yaml"):
            Path(target).write_text("somebody's")
        link(source, target)

    monkeypatch.setattr(drafting.os, "link", late)
    assert told(lambda: new_model(root, "marts.x", ["raw.orders"])) == ["XDE0959"]
    assert files(root) == {**before, "models/marts/x.yaml": "somebody's"}


def test_a_broken_file_of_cases_is_not_added_to(root):
    (root / "tests/marts_orders.yaml").write_text("cases: [\n")
    before = files(root)
    assert told(lambda: new_case(root, "marts.orders"))
    assert files(root) == before


@pytest.mark.parametrize("example", ["flights", "austin_traffic", "jaffle_shop"])
def test_every_dataset_of_the_examples_can_be_drafted(tmp_path, example):
    root = tmp_path / example
    shutil.copytree(EXAMPLES / example, root, ignore=shutil.ignore_patterns(".xde", "tests"))
    with Workspace.open(root) as workspace:
        names = list(workspace.known.project.datasets)
        for name in names:
            if name not in workspace.known.readings or workspace.known.readings[name].dialect.format not in {"parquet", "excel"}:
                workspace.new_case(name)
    bench = TestBench.open(root)
    try:
        assert bench.findings == []
        assert {c.dataset for c in bench.cases} == set(names)
        found = {r.case.dataset: [f.code for f in r.verdict.findings] for r in bench.run(bench.cases) if not r.passed}
        assert set(found) == set(names), "a draft passes nowhere"
        counted = {"XDE0504"}  # a rule about the number of rows: one is too few
        refused = {n: codes for n, codes in found.items() if set(codes) - counted}
        # a rule that ties columns together, and a text that must be the name of a time zone: the case says which value it is
        told = {"nyc.flights": ["XDE0420"], "staging.flights": ["XDE0910"]}
        assert {n: codes for n, codes in refused.items() if told.get(n) != codes} == {}
    finally:
        bench.close()
