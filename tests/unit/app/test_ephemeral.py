"""Ephemeral models: parts of their readers, with lineage and cases, and with no place in an environment."""

from __future__ import annotations

import pytest

from xde.app.deploying import Order
from xde.app.testing import TestBench
from xde.app.workspace import Workspace
from xde.ground.errors import UserError

PART = "/* xde\nkind: ephemeral\n*/\nSELECT id, upper(country) AS country FROM shop.sales WHERE id > $least\n"


@pytest.fixture
def shop(sales):
    sales.write("xde.yaml", "name: sales\nparameters: {least: 0}\nenvironments: {prod: {}}\n")
    sales.write("models/staging/loud.sql", PART)
    sales.write("models/marts/loud.sql", "SELECT country, count(*) AS n FROM staging.loud GROUP BY country\n")
    return sales


def test_it_is_computed_within_its_readers_and_stored_nowhere(shop):
    assert "staging.loud" not in shop.run()
    assert shop.rows("marts.loud") == [("DE", 1), ("NO", 1)]
    assert not (shop.root / ".xde/lake/staging/loud").exists()
    assert shop.rows("staging.loud") == [(1, "NO"), (2, "DE")], "and can be looked at"
    with Workspace.open(shop.root) as workspace:
        assert workspace.plan().steps == ()
        reads = {str(r) for c in workspace.known.analyses["marts.loud"].columns for r in c.reads}
        assert "staging.loud.country" in reads
        assert {d.name: d.kind for d in workspace.datasets()}["staging.loud"] == "ephemeral"


def test_what_changes_in_it_changes_its_readers_and_new_rows_reach_them(shop):
    shop.run()
    shop.write("data/sales-2.csv", "id,country\n3,se\n")
    assert "marts.loud" in shop.run()
    assert ("SE", 1) in shop.rows("marts.loud")
    shop.write("models/staging/loud.sql", PART.replace("upper", "lower"))
    assert set(shop.run()) == {"marts.loud"}
    assert ("se", 1) in shop.rows("marts.loud")


def test_it_is_deployed_with_its_readers(shop):
    with Workspace.open(shop.root, environment="prod", working_tree=True) as workspace:
        assert workspace.deploy(Order()).deployment
        assert "staging.loud" not in workspace.house.ledger.pointers("prod")
    assert shop.rows("marts.loud", environment="prod") == [("DE", 1), ("NO", 1)]
    with Workspace.open(shop.root, environment="prod", working_tree=True) as workspace:
        assert workspace.propose().empty


def test_cases_look_at_it_and_see_through_it(shop):
    given = "given: {shop.sales: [{id: 7, country: fr}]}"
    shop.write("tests/part.yaml", f"model: staging.loud\ncases:\n  - name: loud\n    {given}\n    expect: [{{id: 7, country: FR}}]\n")
    shop.write("tests/whole.yaml", f"model: marts.loud\ncases:\n  - name: one\n    {given}\n    expect: [{{country: FR, n: 1}}]\n")
    bench = TestBench.open(shop.root)
    try:
        assert [r.passed for r in bench.run(bench.cases)] == [True, True]
    finally:
        bench.close()


def test_circles_and_rules_without_a_holder_are_told(shop):
    shop.write(
        "models/staging/loud.yaml",
        "apiVersion: v3.1.0\nkind: DataContract\nid: l\nversion: 1.0.0\nstatus: active\nschema:\n  - name: loud\n    properties:\n      - {name: id, logicalType: integer, required: true}\n",
    )
    with Workspace.open(shop.root) as workspace:
        assert [f.code for f in workspace.warnings] == ["XDE0293"]
    shop.write("models/staging/loud.sql", PART.replace("shop.sales", "marts.loud"))
    with pytest.raises(UserError) as raised:
        Workspace.open(shop.root)
    assert "XDE0202" in [f.code for f in raised.value.findings]


def test_a_backfill_sees_through_it(shop):
    from xde.app.backfilling import Backfill

    shop.run()
    with Workspace.open(shop.root) as workspace, pytest.raises(UserError) as raised:
        workspace.plan_backfill(Backfill("staging.loud"))
    assert [f.code for f in raised.value.findings] == ["XDE0767"]
