"""A project whose source is one of dlt: somebody's own over a file of JSON, or whatever a contract names."""

from __future__ import annotations

import json

from projects.contracts import head
from projects.loaded import Loaded

from xde.app.workspace import Workspace

ORDERS = """\
  - name: orders
    customProperties: [{property: xdeWriteMode, value: merge}]
    properties:
      - {name: id, logicalType: integer, primaryKey: true, required: true}
      - {name: customer, physicalName: customer.name, logicalType: string}
      - {name: amount, logicalType: number, physicalType: "DECIMAL(30,10)"}
      - {name: at, logicalType: timestamp, logicalTypeOptions: {timezone: true}}
"""
OWN = """\
import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import dlt
import pyarrow as pa


def shelf():
    return json.loads(Path("shelf.json").read_text())


def number(text):
    return Decimal(text) if text[:1].isdigit() else text


@dlt.source
def shop(token: str = dlt.secrets.value, size: int = 2):
    @dlt.resource(primary_key="id")
    def orders(since=dlt.sources.incremental("at", initial_value="2026-01-01")):
        found = sorted((r for r in shelf() if r["at"] >= since.last_value), key=lambda r: r["at"])
        for n in range(0, len(found), size):
            yield [{**r, "amount": number(r["amount"])} for r in found[n : n + size]]

    @dlt.transformer(data_from=orders)
    def lines(page):
        for order in page:
            for n, line in enumerate(order["lines"]):
                yield {"order": order["id"], "n": n, **line}

    @dlt.resource
    def tables():
        yield pa.table({"id": [1, 2], "amount": pa.array([Decimal("1.1234567890"), None], pa.decimal128(38, 10))})
        yield [{"id": 5}]
        yield pa.table({"id": pa.array([], pa.int64()), "amount": pa.array([], pa.decimal128(38, 10))})
        yield pa.table({"id": [3, None], "amount": pa.array([Decimal(3), Decimal(4)], pa.decimal128(38, 10))})

    return orders, lines, tables
"""


def order(n, at="2026-02-01", amount="1.1234567890"):
    lines = [{"sku": f"{n}a"}, {"sku": f"{n}b"}]
    return {"id": n, "customer": {"name": f"customer {n}"}, "amount": amount, "at": at, "lines": lines}


class Shop(Loaded):
    """A project whose source is one of dlt."""

    def contract(self, objects=ORDERS, source="shop_source:shop", arguments='{token: "${env:SHOP_TOKEN}"}', more=""):
        self.write("xde.yaml", "name: shop\nretries: 0\n")
        words = f'{{property: xdeType, value: dlt}}, {{property: xdeSource, value: "{source}"}}'
        words += f", {{property: xdeArguments, value: {arguments}}}" if arguments else ""
        server = f"{{server: shop, type: custom, customProperties: [{words}{more}]}}"
        self.write("sources/shop.yaml", f"{head()}servers:\n  - {server}\nschema:\n{objects}")

    def put(self, *orders):
        path = self.root / "shelf.json"
        there = json.loads(path.read_text()) if path.exists() else []
        ids = {o["id"] for o in orders}
        path.write_text(json.dumps([o for o in there if o["id"] not in ids] + list(orders)))

    def failed(self, dataset="shop.orders"):
        outcome = self.run()[dataset]
        assert outcome.status == "failed", outcome
        return outcome.findings[0]

    def position(self, dataset="shop.orders"):
        with Workspace.open(self.root) as workspace:
            states = [s for (name, _), s in workspace.house.ledger.states().items() if name == dataset]
        return max(states, key=lambda s: s.number).facts["position"]
