"""The shop that the queries are about, its promises, and random rows that keep them."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest

from xde.undercurrents.engineering.mutants.promises import Promises

TABLES = {
    "shop.orders": {
        "id": "INTEGER",
        "customer_id": "INTEGER",
        "amount": "INTEGER",
        "discount": "INTEGER",
        "status": "VARCHAR",
        "note": "VARCHAR",
        "placed": "DATE",
        "shipped": "DATE",
        "paid": "BOOLEAN",
    },
    "shop.customers": {"id": "INTEGER", "name": "VARCHAR", "city": "VARCHAR", "rating": "DOUBLE"},
    "shop.payments": {"order_id": "INTEGER", "method": "VARCHAR", "amount": "INTEGER"},
}
REQUIRED = {
    "shop.orders": {"id", "customer_id", "amount", "status", "placed"},
    "shop.customers": {"id", "name"},
    "shop.payments": {"order_id", "method"},
}
UNIQUE = {"shop.orders": [("id",)], "shop.customers": [("id",)], "shop.payments": [("order_id", "method")]}
REFERENCES = {"shop.orders": {"customer_id": ("shop.customers", "id")}}
PROMISES = Promises(TABLES, REQUIRED, UNIQUE, REFERENCES)
HERE = Path(__file__).parent


class Shop:
    """DuckDB with the shop's tables, filled with few values so that they meet; the promises hold."""

    def __init__(self) -> None:
        self.connection = duckdb.connect(config={"threads": 1})
        self.connection.execute("CREATE SCHEMA shop")
        for name, types in TABLES.items():
            self.connection.execute(f"CREATE TABLE {name} ({', '.join(f'{c} {t}' for c, t in types.items())})")

    def fill(self, seed: int) -> None:
        """Other rows for each seed."""
        dice = random.Random(seed)
        customers = sorted(dice.sample(range(1, 7), dice.randint(1, 5)))
        rows: dict[str, list[dict[str, object]]] = {
            "shop.customers": [{"id": i} for i in customers],
            "shop.orders": [{"id": i, "customer_id": dice.choice(customers)} for i in dice.sample(range(1, 15), dice.randint(0, 12))],
            "shop.payments": [
                {"order_id": o, "method": m}
                for o in dice.sample(range(1, 12), dice.randint(0, 8))
                for m in ("card", "cash")
                if dice.random() < 0.6
            ],
        }
        for name, types in TABLES.items():
            self.connection.execute(f"DELETE FROM {name}")
            for row in rows[name]:
                values = [row.get(c, self._value(t, c not in REQUIRED[name], dice)) for c, t in types.items()]
                self.connection.execute(f"INSERT INTO {name} VALUES ({', '.join('?' * len(values))})", values)

    def rows(self, sql: str) -> list[str]:
        """The rows of a query, without their order."""
        used = {"least": 20} if "$least" in sql else None
        return sorted(map(repr, self.connection.execute(sql, used).fetchall() if used else self.connection.execute(sql).fetchall()))

    @staticmethod
    def _value(kind: str, nullable: bool, dice: random.Random) -> object:
        if nullable and dice.random() < 0.3:
            return None
        match kind:
            case "INTEGER":
                return dice.choice([-3, 0, 1, 4, 5, 6, 19, 20, 21, 50])
            case "DOUBLE":
                return dice.choice([0.5, 1.25, 3.0, 4.75])
            case "DATE":
                return date(2026, 1, 1) + timedelta(days=dice.randint(0, 60))
            case "BOOLEAN":
                return dice.random() < 0.5
            case _:
                return dice.choice(["paid", "open", "gone", "Paid"])


@pytest.fixture(scope="session")
def shop() -> Shop:
    return Shop()


@dataclass(frozen=True)
class Block:
    """A query of `pairs.sql` with the mutants that it must have, each with its line and column."""

    title: str
    sql: str
    mutants: tuple[str, ...]


def blocks() -> list[Block]:
    """All of `pairs.sql`."""
    found = []
    for block in (HERE / "pairs.sql").read_text().split("\n\n"):
        lines = block.strip().split("\n")
        if len(lines) > 1:
            sql = "\n".join(line for line in lines[1:] if not line.startswith("--")).removesuffix(";")
            found.append(Block(lines[0].removeprefix("-- "), sql, tuple(line[4:] for line in lines if line.startswith("--> "))))
    return found


def corpus() -> list[str]:
    """Queries of every kind: those of the tests of lineage, of the examples, and our own."""
    texts = [block.sql for block in blocks()]
    for path in sorted((HERE.parents[2] / "kernel" / "graph" / "corpus").glob("*.sql")):
        for block in path.read_text().split("\n\n"):
            texts.append("\n".join(line for line in block.strip().split("\n") if not line.startswith("--")).removesuffix(";"))
    return texts + [text for _, text in examples()]


def examples() -> list[tuple[str, str]]:
    """The models of the examples: path and SQL without its head."""
    root = HERE.parents[4] / "examples"
    return [(str(p.relative_to(root)), p.read_text().partition("*/\n")[2]) for p in sorted(root.glob("*/models/**/*.sql"))]


class Kit:
    """What tests take from here; a fixture, since test files import nothing from each other."""

    tables, promises = TABLES, PROMISES
    blocks, corpus, examples = staticmethod(blocks), staticmethod(corpus), staticmethod(examples)


@pytest.fixture(scope="session")
def kit() -> type[Kit]:
    return Kit


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "block" in metafunc.fixturenames:
        found = blocks()
        metafunc.parametrize("block", found, ids=[b.title for b in found])
