"""A changed contract held against the deliveries of before, on a real lake."""

from __future__ import annotations

import shutil

import pytest

from xde.app.backtesting import backtest
from xde.app.workspace import Workspace
from xde.faces.words.backtest import backtest_fact, backtest_text
from xde.ground.errors import UserError

CONTRACT = """\
apiVersion: v3.1.0
kind: DataContract
id: shop
version: 1.0.0
servers: [{{server: local, type: local, path: data, format: csv}}]
schema:
  - name: sales
    physicalName: sales-*.csv
    customProperties: [{{property: xdeDeadLetter, value: {{mode: quarantine, maxRejectedPercent: {percent}}}}}]
    properties:
      - {{name: id, logicalType: integer, primaryKey: true}}
      - {{name: buyer, logicalType: string, classification: restricted}}
      - {{name: amount, logicalType: integer{amount}}}
"""


@pytest.fixture
def shop(sales):
    """Two deliveries: the first is spotless, in the second one of four amounts is negative."""
    shutil.rmtree(sales.root / "models")
    sales.write("sources/shop.yaml", CONTRACT.format(percent=50, amount=""))
    sales.write("data/sales-1.csv", "id,buyer,amount\n1,Ada,5\n2,Bob,6\n")
    sales.run()
    sales.write("data/sales-2.csv", "id,buyer,amount\n3,Cy,7\n4,Di,-8\n5,Ed,9\n6,Flo,1\n")
    sales.run()
    return sales


def held(project, contract=None, last=10):
    with Workspace.open(project.root, working_tree=True) as workspace:
        return backtest(workspace.house, workspace.known, contract, last)


def test_a_contract_that_did_not_change_would_have_published_everything(shop):
    found = held(shop)
    assert found.harmless
    assert [(t.dataset, t.rows, t.failed) for t in found.tried] == [("shop.sales", 2, ()), ("shop.sales", 4, ())]


def test_a_new_rule_tells_which_delivery_it_would_have_divided_and_shows_no_person(shop):
    shop.write("sources/shop.yaml", CONTRACT.format(percent=50, amount=", logicalTypeOptions: {minimum: 0}"))
    found = held(shop, "sources/shop.yaml")
    assert [(t.rows, t.aside, t.stopped) for t in found.tried] == [(2, 0, False), (4, 1, False)]
    (result,) = found.tried[1].failed
    assert result.failing == 1
    text = backtest_text(found)
    assert "-8" in text
    assert "would put aside: 1 row" in text
    assert "Di" not in text.replace("Did", "")
    assert "Di" not in str(backtest_fact(found)["deliveries"])


def test_more_than_a_load_may_refuse_would_have_stopped_it(shop):
    shop.write("sources/shop.yaml", CONTRACT.format(percent=10, amount=", logicalTypeOptions: {minimum: 0}"))
    tried = held(shop, "shop").tried[1]
    assert tried.stopped
    assert tried.limit == "a load may have 10 % dead letters"
    assert not held(shop).harmless


def test_only_the_last(shop):
    assert [t.rows for t in held(shop, "shop.sales", last=1).tried] == [4]


def test_what_is_not_there(shop):
    with pytest.raises(UserError) as error:
        held(shop, "shopp")
    assert (error.value.findings[0].code, error.value.findings[0].hint) == ("XDE0383", "did you mean `shop`?")


def test_nothing_is_loaded(sales):
    with pytest.raises(UserError) as error:
        held(sales, "shop")
    assert error.value.findings[0].code == "XDE0384"
    assert held(sales).unknown
