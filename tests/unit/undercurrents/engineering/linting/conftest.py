"""Inputs that the tests of the linter read, and short words for putting a query to it."""

from __future__ import annotations

import duckdb
import pytest

from xde.undercurrents.engineering.linting.facts import Field, Relation
from xde.undercurrents.engineering.linting.linting import lint
from xde.undercurrents.engineering.linting.subject import Model


def relation(columns: str, *keys: str) -> Relation:
    """Columns as `name TYPE, name TYPE!` (`!`: never NULL) and keys as `a b`."""
    fields = {}
    for column in columns.split(", "):
        name, type_ = column.split(" ", 1)
        fields[name.lower()] = Field(name, type_.rstrip("!"), type_.endswith("!"))
    return Relation(fields, frozenset(frozenset(k.split()) for k in keys))


INPUTS = {
    "shop.orders": relation(
        "id BIGINT!, customer_id BIGINT, amount DOUBLE, placed_at TIMESTAMP WITH TIME ZONE, day DATE, code VARCHAR, paid BOOLEAN", "id"
    ),
    "shop.customers": relation("id BIGINT!, name VARCHAR, country VARCHAR, since TIMESTAMP, budget DOUBLE", "id"),
    "shop.payments": relation("order_id BIGINT, amount DOUBLE, method VARCHAR, paid_at TIMESTAMP"),
    "shop.lines": relation("order_id BIGINT!, line INTEGER!, item VARCHAR, amount DOUBLE", "order_id line"),
    "shop.rates": relation("currency VARCHAR!, valid_from DATE!, valid_to DATE, rate DOUBLE, is_current BOOLEAN", "currency valid_from"),
    "staging.orders": relation("id BIGINT!, amount DOUBLE, placed_at TIMESTAMP", "id"),
    "staging.loose": relation("id BIGINT, amount DOUBLE"),
}
SOURCES = frozenset(n for n in INPUTS if n.startswith("shop."))


@pytest.fixture
def inputs():
    """What the queries read."""
    return INPUTS


@pytest.fixture
def linted():
    """Put a query to all rules; what is declared of the model is given by name."""

    def put(sql: str, **model):
        keys = frozenset(frozenset(k.split()) for k in model.pop("keys", ()))
        return lint(Model("marts.it", sql, keys, sources=SOURCES, **model), INPUTS)

    return put


@pytest.fixture(scope="session")
def tables():
    """An engine with empty tables of the inputs."""
    engine = duckdb.connect()
    engine.execute("SET TimeZone = 'UTC'; CREATE SCHEMA shop; CREATE SCHEMA staging")
    for name, found in INPUTS.items():
        engine.execute(f"CREATE TABLE {name} ({', '.join(f'{f.name} {f.type}' for f in found.fields.values())})")
    return engine
