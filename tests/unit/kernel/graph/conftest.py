"""A shop of five small tables, the corpus of queries over it, and an engine that answers both."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa
import pytest

from xde.ground.digests import bytes_digest
from xde.ground.errors import UserError
from xde.ground.findings import Finding
from xde.kernel.project.declarations import ModelDataset, ModelHead, Project, SourceDataset
from xde.kernel.project.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SHOP = {
    "shop.orders": {
        "id": "INTEGER",
        "customer_id": "INTEGER",
        "amount": "INTEGER",
        "status": "VARCHAR",
        "placed": "DATE",
        "shipped": "DATE",
        "tags": "VARCHAR[]",
        "address": "STRUCT(city VARCHAR, zip INTEGER)",
        "note": "JSON",
    },
    "shop.customers": {"id": "INTEGER", "name": "VARCHAR", "city": "VARCHAR"},
    "shop.notes": {"id": "INTEGER", "body": "VARCHAR"},
    "shop.payments": {"order_id": "INTEGER", "method": "VARCHAR", "amount": "INTEGER", "day": "DATE"},
    "shop.rates": {"currency": "VARCHAR", "day": "DATE", "rate": "INTEGER"},
}
ARROW = {
    "INTEGER": pa.int32(),
    "VARCHAR": pa.string(),
    "DATE": pa.date32(),
    "JSON": pa.string(),
    "VARCHAR[]": pa.list_(pa.string()),
    "STRUCT(city VARCHAR, zip INTEGER)": pa.struct([("city", pa.string()), ("zip", pa.int32())]),
}
PARAMETERS = {"factor": 3, "start": date(2026, 1, 5), "today": date(2026, 2, 1)}


@dataclass(frozen=True)
class Case:
    """A query of the corpus with the lineage that it must have, a line a column and one for the rows."""

    title: str
    sql: str
    lineage: tuple[str, ...]


def corpus() -> list[Case]:
    """All cases of all files."""
    cases = []
    for path in sorted((Path(__file__).parent / "corpus").glob("*.sql")):
        for block in path.read_text().split("\n\n"):
            lines = block.strip().split("\n")
            title = lines[0].removeprefix("-- ")
            sql = "\n".join(line for line in lines[1:] if not line.startswith("--")).strip().removesuffix(";")
            cases.append(Case(f"{path.stem}: {title}", sql, tuple(line[3:] for line in lines if line.startswith("--> "))))
    return cases


def rows_of(types: Mapping[str, str], dice: random.Random, count: int = 9) -> list[list[object]]:
    """Random rows of few values, so that joins and groups meet."""
    return [[value_of(kind, name, dice) for name, kind in types.items()] for _ in range(count)]


def value_of(kind: str, name: str, dice: random.Random) -> object:
    """A random value of a type; now and then none."""
    if dice.random() < 0.08:
        return None
    match kind:
        case "INTEGER":
            return dice.randint(1, 6 if name.endswith("id") else 99)
        case "DATE":
            return date(2026, 1, 1) + timedelta(days=dice.randint(0, 20))
        case "VARCHAR[]":
            return [dice.choice("abc") * dice.randint(1, 2) for _ in range(dice.randint(0, 3))]
        case "JSON":
            return '{"k": "' + "x" * dice.randint(1, 5) + '"}'
        case "VARCHAR":
            return dice.choice(["card", "cash"] if name == "method" else ["paid", "open", "gone"])
        case _:
            return {"city": dice.choice(["Ulm", "Bonn"]), "zip": dice.randint(1, 9)}


class Engine:
    """DuckDB with the shop's tables, filled with rows from a seed."""

    def __init__(self) -> None:
        self.connection = duckdb.connect(config={"threads": 1})
        self.connection.execute("CREATE SCHEMA shop")
        for name, types in SHOP.items():
            columns = ", ".join(f"{c} {t}" for c, t in types.items())
            self.connection.execute(f"CREATE TABLE {name} ({columns})")

    def fill(self, seed: int) -> None:
        """All tables anew."""
        for name in SHOP:
            self.refill(seed, name)

    def refill(self, seed: int, dataset: str, column: str = "") -> None:
        """One table from its seed, with other values in one column."""
        types = SHOP[dataset]
        rows = rows_of(types, random.Random(f"{seed} {dataset}"))
        if column:
            dice = random.Random(f"{seed} {dataset} {column} anew")
            for row in rows:
                row[list(types).index(column)] = value_of(types[column], column, dice)
        given = pa.table({c: pa.array([row[i] for row in rows], ARROW[t]) for i, (c, t) in enumerate(types.items())})
        self.connection.register("given", given)
        self.connection.execute(f"TRUNCATE {dataset}; INSERT INTO {dataset} SELECT * FROM given")

    def rows(self, sql: str) -> list[tuple[str, ...]]:
        return [tuple(map(repr, row)) for row in self.connection.execute(sql, used(sql)).fetchall()]

    def describe(self, sql: str) -> list[tuple[str, str]]:
        return [(n, t) for n, t, *_ in self.connection.execute(f"DESCRIBE {sql}", used(sql)).fetchall()]


def used(sql: str) -> dict[str, object]:
    """The parameters that a query names."""
    return {n: PARAMETERS[n] for n in re.findall(r"\$(\w+)", sql) if n in PARAMETERS}


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    found = Engine()
    yield found
    found.connection.close()


def describe(sql: str, given: Mapping[str, Mapping[str, str]], parameters: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """The oracle: names and types by the engine, over empty tables."""
    with duckdb.connect() as connection:
        for name, types in given.items():
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {name.split('.')[0]}")
            connection.execute(f"CREATE TABLE {name} ({', '.join(f'{c} {t}' for c, t in types.items())})")
        try:
            found = connection.execute(f"DESCRIBE {sql}", {p: PARAMETERS[p] for p in parameters}).fetchall()
        except duckdb.Error as error:
            raise UserError(Finding("XDE0804", "the query failed in the engine", why=" ".join(str(error).split()))) from error
    return tuple((n, t) for n, t, *_ in found)


def model(name: str, sql: str, **head: object) -> ModelDataset:
    """A model, as if read from its file."""
    text = sql.strip("\n")
    return ModelDataset(name, f"models/{name.replace('.', '/')}.sql", text, 1, ModelHead(**head), bytes_digest(text.encode()))  # type: ignore[arg-type]


def project(*models: ModelDataset) -> Project:
    """The shop with models on it."""
    sources = {n: SourceDataset(n, None, None) for n in SHOP}  # type: ignore[arg-type]
    return Project(Path(), Settings("shop"), {**sources, **{m.name: m for m in models}}, "")


class Kit:
    """What tests take from here; fixtures, since test files import nothing from each other."""

    shop, parameters, corpus = SHOP, PARAMETERS, staticmethod(corpus)
    describe, model, project, used = staticmethod(describe), staticmethod(model), staticmethod(project), staticmethod(used)


@pytest.fixture(scope="session")
def kit() -> type[Kit]:
    return Kit


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "case" in metafunc.fixturenames:
        cases = corpus()
        metafunc.parametrize("case", cases, ids=[c.title for c in cases])
