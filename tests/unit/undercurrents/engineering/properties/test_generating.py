"""Random tables keep their contracts: looked at row by row in plain Python, which knows nothing of how they were made."""

import re
from collections import Counter
from decimal import Decimal

import pytest

MODEL = "SELECT o.id, c.mail, o.status FROM shop.orders AS o LEFT JOIN shop.customers AS c ON c.id = o.customer"


def of_example(rows, number):
    return [r for r in rows if r["__example"] == number]


@pytest.fixture
def rows(shop):
    return shop.model("m.x", MODEL).rows("m.x", 400)


def test_rows_keep_the_contract(rows):
    orders, customers = rows["shop.orders"], rows["shop.customers"]
    assert len(orders) > 400
    assert len(customers) > 400
    for order in orders:
        assert order["status"] in {"open", "sent", "lost"}
        assert order["net"] + order["tax"] == order["gross"]
        assert Decimal(0) < order["net"] <= 1000
        assert order["tax"] >= 0
        assert "2013-01-01" <= order["ordered_at"].isoformat() <= "2014-12-31T00:00:00"
        assert order["sent_at"] is None or order["ordered_at"] <= order["sent_at"]
        assert order["code"] is None or 2 <= len(order["code"]) <= 4
        assert order["boxes"] is None or order["boxes"] in {0, 6, 12, 18, 24, 30}
    for customer in customers:
        assert customer["mail"] is None or re.search("^[a-z]{2,5}@[a-z]+[.]example$", customer["mail"])


def test_keys_are_unique_and_references_lead_somewhere(rows):
    for number in range(400):
        orders, customers = (of_example(rows[n], number) for n in ("shop.orders", "shop.customers"))
        for values in ([o["id"] for o in orders], [c["id"] for c in customers], [c["mail"] for c in customers if c["mail"] is not None]):
            assert all(n == 1 for n in Counter(values).values())
        ids = {c["id"] for c in customers}
        assert {o["customer"] for o in orders} <= ids
        assert {c["guide"] for c in customers} - {None} <= ids


def test_they_are_not_all_alike(rows):
    orders, customers = rows["shop.orders"], rows["shop.customers"]
    sizes = Counter(Counter(o["__example"] for o in orders)[n] for n in range(400))
    assert sizes[0] > 20  # empty tables
    assert {1, 2, 3, 4, 5} <= set(sizes)
    assert max(sizes) <= 8
    assert {o["status"] for o in orders} == {"open", "sent", "lost"}
    for column in ("sent_at", "code", "boxes"):
        missing = sum(o[column] is None for o in orders)
        assert 0 < missing < len(orders)
    assert sum(c["guide"] is not None for c in customers) > 50
    assert {o["net"] for o in orders} >= {Decimal("0.01"), Decimal(1000)}  # the bounds
    met = Counter((o["__example"], o["customer"]) for o in orders)
    assert sum(n > 1 for n in met.values()) > 50  # several orders of a customer
    without = [c for c in customers if (c["__example"], c["id"]) not in met]
    assert len(without) > 50  # customers without an order
    alike = Counter((o["__example"], o["ordered_at"], o["status"], o["net"]) for o in orders)
    assert sum(n > 1 for n in alike.values()) > 20  # rows that tie in all but the key


def test_the_same_seed_gives_the_same_rows(shop):
    shop.model("m.x", MODEL)
    first, again, other = (shop.rows("m.x", 50, seed) for seed in (0, 0, 1))
    assert first == again
    assert first != other


def test_warnings_and_waivers_do_not_bind(shop):
    text = (shop.root / "sources/shop.yaml").read_text()
    text = text.replace(
        "to: customers.id}]}\n      - {name: ordered_at",
        "to: customers.id, customProperties: [{property: xdeSeverity, value: warning}]}]}\n      - {name: ordered_at",
    )
    text = text.replace("      - id: sent_after_ordered\n", "      - id: sent_after_ordered\n        severity: warning\n")
    (shop.root / "sources/shop.yaml").write_text(text)
    rows = shop.model("m.x", MODEL).rows("m.x", 400)
    there = {(c["__example"], c["id"]) for c in rows["shop.customers"]}
    lost = [o for o in rows["shop.orders"] if (o["__example"], o["customer"]) not in there]
    assert 20 < len(lost) < len(rows["shop.orders"]) / 2
    assert any(o["sent_at"] is not None and o["sent_at"] < o["ordered_at"] for o in rows["shop.orders"])


RULES = [
    ("mustBe: 1", {1}),
    ("mustBeGreaterThan: 0", set(range(1, 9))),
    ("mustBeBetween: [2, 3]", {2, 3}),
    ("mustBeLessOrEqualTo: 2", {0, 1, 2}),
    ("mustBeGreaterThan: 20000", set(range(9))),
]


@pytest.mark.slow
@pytest.mark.parametrize(("rule", "sizes"), RULES, ids=[r for r, _ in RULES])
def test_rules_about_few_rows_are_kept_and_those_about_many_are_not_looked_at(shop, rule, sizes):
    text = (shop.root / "sources/shop.yaml").read_text()
    text = text.replace(
        "    quality:\n      - id: parts", f"    quality:\n      - {{id: size, metric: rowCount, {rule}}}\n      - id: parts"
    )
    (shop.root / "sources/shop.yaml").write_text(text)
    listed = ", ".join(str(s) for s in sizes)
    contract = f"    properties: [{{name: n, logicalType: integer, quality: [{{id: q, metric: invalidValues, arguments: {{validValues: [{listed}]}}, mustBe: 0}}]}}]\n"
    proved = shop.model("m.x", "SELECT count(*) AS n FROM shop.orders", contract).prove("m.x", 100)
    assert proved.searched.examples > 50
    assert proved.searched.passed
    contract = contract.replace(f"[{listed}]", "[77]")
    assert (
        not shop.model("m.y", "SELECT count(*) AS n FROM shop.orders", contract).prove("m.y", 100).searched.passed
    )  # the rule itself bites


def test_a_rule_by_query_is_kept(shop):
    text = (shop.root / "sources/shop.yaml").read_text()
    rule = "      - {id: one_open, type: sql, query: \"SELECT greatest(count(*) - 1, 0) FROM {object} WHERE status = 'open'\", mustBe: 0}\n"
    text = text.replace("    quality:\n      - id: parts", f"    quality:\n{rule}      - id: parts")
    (shop.root / "sources/shop.yaml").write_text(text)
    rows = shop.model("m.x", MODEL).rows("m.x", 300)["shop.orders"]
    assert max(Counter(r["__example"] for r in rows if r["status"] == "open").values()) == 1
    assert len(rows) > 200
