"""One lake, and ledgers that do not know of each other's work: the lake is the truth, and nothing is loaded twice."""

from __future__ import annotations

import shutil

from xde.app.workspace import Workspace
from xde.kernel.plan.plan import StepKind


def pointed(sales, dataset):
    with Workspace.open(sales.root) as workspace:
        return workspace.house.ledger.pointers("dev")[dataset]


def without_key(sales):
    """A table without a key, which takes every row that it is given."""
    sales.write("sources/shop.yaml", (sales.root / "sources/shop.yaml").read_text().replace(", primaryKey: true", ""))


def test_a_file_that_another_ledger_s_environment_loaded_is_not_loaded_again(sales):
    sales.write("xde.yaml", "name: sales\nenvironments:\n  prod: {ledger: 'sqlite:.xde/prod.sqlite'}\n")
    without_key(sales)
    sales.run()
    sales.run(environment="prod")
    sales.write("data/sales-2.csv", "id,country\n3,NO\n")
    sales.run()
    sales.write("data/sales-3.csv", "id,country\n4,NO\n")
    assert [f.path for f in sales.run(environment="prod")["shop.sales"].step.files] == ["sales-3.csv"]
    assert [row[0] for row in sales.rows("shop.sales")] == [1, 2, 3, 4]
    assert sales.rows("marts.by_country", environment="prod") == [("DE", 1), ("NO", 3)]
    assert "shop.sales" not in sales.run(), "what `prod` has loaded is loaded"
    assert sales.rows("marts.by_country") == [("DE", 1), ("NO", 3)]


def test_a_source_s_table_that_its_ledger_forgot_is_not_loaded_twice(sales):
    """As after a crash between the forgetting and the drop, or where another ledger's environment made the table."""
    without_key(sales)
    sales.run()
    version = pointed(sales, "shop.sales")
    with Workspace.open(sales.root) as workspace:
        workspace.house.ledger.forget([("shop.sales", version)])
        workspace.house.ledger.move("dev", {"shop.sales": None}, "2026-01-01T00:00:00+00:00")
    assert sales.run()["shop.sales"].step.kind is StepKind.ADOPT
    assert sales.rows("shop.sales") == [(1, "NO"), (2, "DE")]
    sales.write("data/sales-2.csv", "id,country\n3,NO\n")
    sales.run()
    assert len(sales.rows("shop.sales")) == 3


def test_a_table_that_somebody_dropped_is_loaded_whole(sales):
    sales.run()
    version = pointed(sales, "shop.sales")
    with Workspace.open(sales.root) as workspace:
        workspace.house.ledger.move("dev", {"shop.sales": None}, "2026-01-01T00:00:00+00:00")
    shutil.rmtree(sales.root / ".xde/lake/shop/sales" / version)
    sales.write("data/sales-2.csv", "id,country\n3,NO\n")
    sales.run()
    assert len(sales.rows("shop.sales")) == 3
