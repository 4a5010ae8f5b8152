"""Promises read from contracts, and kept by views."""

from __future__ import annotations

from xde.kernel.project.contract import Property, Relationship, SchemaObject
from xde.undercurrents.engineering.mutants.contracts import promises_of

INPUTS = {
    "raw.orders": {"id": "BIGINT", "user": "BIGINT", "note": "VARCHAR"},
    "staging.orders": {"order_id": "BIGINT", "user_id": "BIGINT"},
}
ORDERS = SchemaObject(
    "orders",
    properties=(Property("id", primary_key=True), Property("user", required=True), Property("note", unique=True)),
    relationships=(
        Relationship(("user",), "users", ("id",)),
        Relationship(("note",), "other.notes", ("id",), severity="warning"),
    ),
)


def test_required_keys_and_references():
    promises = promises_of(INPUTS, {"raw.orders": ORDERS})
    assert promises.is_required("raw.orders", "ID")
    assert promises.is_required("raw.orders", "user")
    assert not promises.is_required("raw.orders", "note")
    assert promises.is_key("raw.orders", "id")
    assert not promises.is_key("raw.orders", "note")  # unique, but there may be several nulls
    assert promises.referred("raw.orders", "user") == ("raw.users", "id")
    assert promises.referred("raw.orders", "note") is None


def test_a_view_without_a_contract_keeps_what_it_reads():
    text = "SELECT id AS order_id, user AS user_id FROM raw.orders"
    promises = promises_of(INPUTS, {"raw.orders": ORDERS, "staging.orders": None}, {"staging.orders": text})
    assert promises.is_key("staging.orders", "order_id")
    assert promises.is_required("staging.orders", "user_id")


def test_a_view_behind_an_outer_join_promises_less():
    text = "SELECT o.id AS order_id, p.user AS user_id FROM raw.orders AS o LEFT JOIN raw.orders AS p ON p.user = o.id"
    promises = promises_of(INPUTS, {"raw.orders": ORDERS}, {"staging.orders": text})
    assert not promises.is_required("staging.orders", "user_id")
    assert not promises.is_key("staging.orders", "order_id")
