"""A shop of one source and models of every kind, built and deployed, whose source can be corrected where no run sees it."""

from __future__ import annotations

import shutil

import pytest

from projects.folder import Folder
from projects.contracts import source
from xde.app.backfilling import Backfill, Demand
from xde.app.deploying import Order
from xde.app.opening import house_at
from xde.app.rolling_back import rollback
from xde.app.workspace import Workspace
from xde.lifecycle.storage.port import Commit, TableId

ORDERS = source("""\
  - name: orders
    physicalName: orders-*.csv
    properties:
      - {name: order_id, logicalType: integer, primaryKey: true}
      - {name: day, logicalType: date}
      - {name: customer, logicalType: string}
      - {name: amount, logicalType: integer}
""")
TIME = "/* xde\nkind: incremental\ntime: day\n*/\n"
MODELS = {
    "staging/orders": TIME + "SELECT order_id, day, customer, amount FROM shop.orders\n",
    "staging/seen": "/* xde\nkind: view\n*/\nSELECT * FROM staging.orders\n",
    "marts/daily": TIME + "SELECT day, sum(amount)::BIGINT AS amount FROM staging.seen GROUP BY day\n",
    "marts/by_customer": "/* xde\nkind: incremental\nkey: customer\n*/\nSELECT customer, sum(amount)::BIGINT AS amount FROM staging.orders GROUP BY customer\n",
    "marts/total": "SELECT sum(amount)::BIGINT AS amount FROM marts.daily\n",
    "marts/orders_count": "SELECT count(*) AS n FROM shop.orders\n",
}
SHOWN = ("staging.orders", "staging.seen", "marts.daily", "marts.by_customer", "marts.total", "marts.orders_count")


class Shop(Folder):
    def deliver(self, number, days):
        rows = [f"{number * 1000 + i},2026-03-{day:02},c{i % 3},{10 + i}" for i, day in enumerate(days)]
        self.write(f"data/orders-{number}.csv", "order_id,day,customer,amount\n" + "\n".join(rows) + "\n")

    def open(self, environment=None, **how):
        return Workspace.open(self.root, environment=environment, **how)

    def run(self, environment=None, **how):
        with self.open(environment) as workspace:
            finished = workspace.run(**how)
        assert finished.status == "done", [o.findings for o in finished.outcomes]
        return {o.step.dataset: o for o in finished.outcomes}

    def deploy(self, **order):
        with self.open("prod", working_tree=True) as workspace:
            done = workspace.deploy(Order(**order))
        assert done.deployment is not None
        return done.deployment

    def rollback(self):
        house = house_at(self.root, "prod")
        try:
            return rollback(house, None, Order())
        finally:
            house.close()

    def backfill(self, dataset="staging.orders", environment=None, demand=None, **asked):
        with self.open(environment) as workspace:
            return workspace.backfill(Backfill(dataset, **asked), demand or Demand())

    def planned(self, dataset="staging.orders", environment=None, **asked):
        with self.open(environment) as workspace:
            return workspace.plan_backfill(Backfill(dataset, **asked))

    def steps(self, environment=None, **how):
        with self.open(environment) as workspace:
            return {s.dataset: s for s in workspace.plan(**how).steps}

    def all(self, environment=None):
        with self.open(environment) as workspace:
            return {
                name: sorted(tuple(str(v) for v in row.values()) for row in workspace.show(name, limit=None).read_all().to_pylist())
                for name in SHOWN
            }

    def pointers(self, environment="dev"):
        with self.open() as workspace:
            return workspace.house.ledger.pointers(environment)

    def correct(self, where, by="amount * 100"):
        """Rows of the source are corrected where no run can see it: the commit says that no row has changed."""
        with self.open() as workspace:
            house, name = workspace.house, "shop.orders"
            table = TableId(name, house.ledger.pointers("dev")[name])
            before = house.lake.snapshot(table)
            columns = ", ".join(c.name for c in before.schema if c.name != "amount")
            sql = f"SELECT {columns}, (CASE WHEN {where} THEN {by} ELSE amount END)::BIGINT AS amount FROM xde.old"
            files = house.write(sql, {"xde.old": (before.schema, before.paths)}, {}, house.lake.folder(table))
            house.lake.commit(Commit(table, before.schema, files, before.files, before.number, {"kind": "compact"}))


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    shop = Shop(tmp_path_factory.mktemp("backfill") / "shop")
    shop.write("xde.yaml", "name: shop\n")
    shop.write("sources/shop.yaml", ORDERS)
    for name, sql in MODELS.items():
        shop.write(f"models/{name}.sql", sql)
    shop.deliver(1, [1, 2, 3, 4, 5, 6, 7, 8])
    shop.deliver(2, [2, 3, 4, 5, 9])
    shop.run()
    shop.deploy()
    return shop


@pytest.fixture
def shop(built, tmp_path):
    shutil.copytree(built.root, tmp_path / "shop")
    return Shop(tmp_path / "shop")


@pytest.fixture
def rebuilt(shop, tmp_path):
    """Gives what all of it is when it is built from nothing, by the rows that the source has now."""

    def rebuild():
        folder = tmp_path / "again"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(shop.root, folder)
        other = Shop(folder)
        other.run(selection=("staging.orders+",), full=True)
        return other.all()

    return rebuild
