"""Change data capture from a real PostgreSQL server: the current state, and the log of changes."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest

from xde.app.workspace import Workspace

pytestmark = pytest.mark.postgres
BIG = "x" * 9000


def test_a_snapshot_first_then_each_change_once(desk):
    desk.contract(log="")
    desk.sql("INSERT INTO orders VALUES (1, 'ada', 1.50, NULL), (2, 'bob', 2, '')")
    assert desk.loaded() == {"orders": 2, "orders_log": 2}
    assert desk.run() == {}
    desk.sql(
        "INSERT INTO orders VALUES (3, 'eve', 3, E'a\"b,\\n\\\\N')",
        "UPDATE orders SET amount = 9 WHERE id = 1",
        "DELETE FROM orders WHERE id = 2",
        "UPDATE orders SET id = 7 WHERE id = 1",
    )
    assert desk.loaded() == {"orders": 2, "orders_log": 5}
    assert desk.rows() == desk.there()
    assert [(o, i, c) for o, i, c in desk.log("operation", "id", "customer")] == [
        ("r", 1, "ada"),
        ("r", 2, "bob"),
        ("c", 3, "eve"),
        ("u", 1, "ada"),
        ("d", 2, None),
        ("d", 1, None),
        ("c", 7, "ada"),
    ]
    assert desk.run() == {}


def test_large_values_that_did_not_change_are_kept(desk):
    desk.contract(log="")
    desk.sql(f"INSERT INTO orders VALUES (1, 'ada', 1, '{BIG}'), (2, 'bob', 2, '{BIG}b')")
    desk.loaded()
    desk.sql(
        "UPDATE orders SET amount = 5 WHERE id = 1", "UPDATE orders SET id = 3 WHERE id = 2", "UPDATE orders SET amount = 6 WHERE id = 3"
    )
    desk.sql(f"INSERT INTO orders VALUES (4, 'eve', 4, '{BIG}c')", "UPDATE orders SET customer = 'eva' WHERE id = 4")
    assert desk.loaded() == {"orders": 3, "orders_log": 6}
    assert desk.rows() == desk.there()
    assert [(o, i, n and n[-1]) for o, i, n in desk.log("operation", "id", "note")][2:] == [
        ("u", 1, "x"),
        ("d", 2, None),
        ("c", 3, "b"),
        ("u", 3, "b"),
        ("c", 4, "c"),
        ("u", 4, "c"),
    ]


def test_a_truncate_empties_the_state_and_stands_in_the_log(desk):
    desk.contract(log="")
    desk.sql("INSERT INTO orders VALUES (1, 'ada', 1, NULL)")
    desk.loaded()
    desk.sql("INSERT INTO orders VALUES (2, 'bob', 1, NULL)", "TRUNCATE orders", "INSERT INTO orders VALUES (3, 'eve', 1, NULL)")
    desk.loaded()
    assert desk.rows() == desk.there()
    assert [o for (o,) in desk.log("operation")] == ["r", "c", "t", "c"]
    desk.sql("TRUNCATE orders")
    desk.loaded()
    assert desk.rows() == []


def blocks(root) -> dict[str, str]:
    """The files that the page of the documentation names."""
    page = (Path(__file__).parents[2] / "docs/concepts/change-data-capture.md").read_text()
    return dict(re.findall(r"```\w+ file=(\S+)\n(.*?)```", page, re.DOTALL))


def test_the_page_of_the_documentation_and_a_history_of_the_log(desk, monkeypatch):
    monkeypatch.setenv("SHOP_PASSWORD", "readers password")
    for name, text in blocks(desk.root).items():
        path = desk.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace("port: 5432", f"port: {desk.server.port}").replace("database: shop", f"database: {desk.name}"))
    desk.sql(
        "CREATE TABLE customers (id bigint PRIMARY KEY, city text)",
        "GRANT SELECT ON customers TO scribe",
        "ALTER PUBLICATION xde ADD TABLE customers",
    )
    desk.sql("INSERT INTO customers VALUES (1, 'Delft'), (2, 'Paris')")
    desk.loaded()
    desk.sql("UPDATE customers SET city = 'Ghent' WHERE id = 1", "DELETE FROM customers WHERE id = 2")
    desk.loaded()
    with desk.connect() as one:
        one.execute("INSERT INTO customers VALUES (2, 'Rome')")
        one.execute("UPDATE customers SET city = 'Lyon' WHERE id = 2")
        one.execute("UPDATE customers SET id = 3 WHERE id = 1")
        one.commit()
    desk.sql("TRUNCATE customers", "INSERT INTO customers VALUES (2, 'Bern')")
    desk.loaded()
    assert desk.rows("customers") == [(2, "Bern")]
    with Workspace.open(desk.root) as workspace:
        found = [r for r in workspace.show("crm.customers", limit=None).read_all().to_pylist() if not r["gone"]]
    told = sorted(((r["id"], r["city"], r["is_current"]) for r in found), key=lambda r: (r[0], str(r)))
    assert told == [
        (1, "Delft", False),
        (1, "Ghent", False),
        (2, "Bern", True),
        (2, "Lyon", False),
        (2, "Paris", False),
        (3, "Ghent", False),
    ]
    periods = sorted((r["id"], r["valid_from"], r["valid_to"]) for r in found if r["id"] == 2)
    assert all(end is not None and end <= start for (_, _, end), (_, start, _) in pairwise(periods))


def test_a_look_at_a_sample_leaves_nothing_in_the_database(desk):
    desk.contract(log="")
    desk.sql("INSERT INTO orders VALUES (1, 'ada', 1.50, NULL), (2, 'bob', 2, '')")
    with Workspace.open(desk.root) as workspace:
        smoked = workspace.smoke()
    assert smoked.sampled == {"shop.orders": (2, 2), "shop.orders_log": (2, 2)}
    assert desk.slots() == []


def test_the_current_state_may_tell_of_the_last_change_of_each_row(desk):
    moment = "{name: at, physicalName: $committedAt, logicalType: timestamp, logicalTypeOptions: {timezone: true}}"
    desk.contract(columns=f"      - {moment}\n      - {{name: place, physicalName: $lsn, logicalType: integer}}\n")
    desk.sql("INSERT INTO orders VALUES (1, 'ada', 1.50, NULL), (2, 'bob', 2, '')")
    desk.loaded()
    before = desk.rows("orders", "id", "at", "place")
    desk.sql("UPDATE orders SET amount = 9 WHERE id = 1")
    desk.loaded()
    (one, two), (was_one, was_two) = desk.rows("orders", "id", "at", "place"), before
    assert two == was_two
    assert one[1] > was_one[1]
    assert one[2] > was_one[2]


def test_another_server_with_a_slot_of_the_same_name_is_told(desk, monkeypatch):
    desk.loaded()
    desk.sql("INSERT INTO orders VALUES (1, 'ada', 1, NULL)")
    monkeypatch.setattr("xde.connectors.postgres.capture.slots.system", lambda _: "another")
    assert desk.codes() == ["XDE0425"]
