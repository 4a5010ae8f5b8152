"""Small projects on disk, opened for real: contracts and models as a user writes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from xde.app.properties import Prover
from xde.app.testing import TestBench
from xde.ground.clock import SetClock
from xde.undercurrents.engineering.properties.generating import held
from xde.undercurrents.engineering.properties.searching import Search
from xde.undercurrents.engineering.testing.sandbox import Asked

SHOP = """\
apiVersion: v3.1.0
kind: DataContract
id: 5f1d3f6c-25f1-4f9e-8d0b-6a1f2f3b7c55
name: shop
version: 1.0.0
status: active
servers:
  - {server: files, type: local, path: data, format: csv}
schema:
  - name: customers
    physicalName: customers*.csv
    physicalType: file
    properties:
      - {name: id, logicalType: integer, required: true, primaryKey: true}
      - {name: mail, logicalType: string, unique: true, logicalTypeOptions: {pattern: "^[a-z]{2,5}@[a-z]+[.]example$"}}
      - {name: guide, logicalType: integer, relationships: [{type: foreignKey, to: customers.id}]}
  - name: orders
    physicalName: orders*.csv
    physicalType: file
    quality:
      - id: parts
        type: sql
        query: SELECT count(*) FROM {object} WHERE NOT (net + tax = gross)
        mustBe: 0
        customProperties: [{property: xdeRowPredicate, value: net + tax = gross}]
      - id: sent_after_ordered
        type: sql
        query: SELECT count(*) FROM {object} WHERE NOT (ordered_at <= sent_at)
        mustBe: 0
        customProperties: [{property: xdeRowPredicate, value: ordered_at <= sent_at}]
    properties:
      - {name: id, logicalType: integer, required: true, primaryKey: true}
      - {name: customer, logicalType: integer, required: true, relationships: [{type: foreignKey, to: customers.id}]}
      - {name: ordered_at, logicalType: timestamp, required: true, logicalTypeOptions: {minimum: "2013-01-01", maximum: "2014-12-31"}}
      - {name: sent_at, logicalType: timestamp}
      - {name: status, logicalType: string, required: true, enum: [{value: open}, {value: sent}, {value: lost}]}
      - {name: net, logicalType: number, physicalType: "DECIMAL(9,2)", required: true, logicalTypeOptions: {exclusiveMinimum: 0, maximum: 1000}}
      - {name: tax, logicalType: number, physicalType: "DECIMAL(9,2)", required: true, logicalTypeOptions: {minimum: 0}}
      - {name: gross, logicalType: number, physicalType: "DECIMAL(9,2)", required: true}
      - {name: code, logicalType: string, logicalTypeOptions: {minLength: 2, maxLength: 4}}
      - {name: boxes, logicalType: integer, logicalTypeOptions: {minimum: 0, maximum: 30, multipleOf: 6}}
"""


@dataclass
class Shop:
    """A project of the shop's contract and the models of a test."""

    root: Path
    opened: list[TestBench] = field(default_factory=list)

    def model(self, name: str, sql: str, contract: str = "") -> Shop:
        schema, _, stem = name.partition(".")
        folder = self.root / "models" / schema
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{stem}.sql").write_text(sql)
        if contract:
            head = f"apiVersion: v3.1.0\nkind: DataContract\nid: {name}\nname: {name}\nversion: 1.0.0\nstatus: active\nschema:\n  - name: {stem}\n"
            (folder / f"{stem}.yaml").write_text(head + contract)
        return self

    def prover(self) -> Prover:
        bench = TestBench.open(self.root)
        bench.house.clock = SetClock()  # it stands still: making things small ends when it is done, however busy the machine is
        self.opened.append(bench)
        return Prover(bench.known, bench.house)

    def close(self) -> None:
        for bench in self.opened:
            bench.close()

    def prove(self, name: str, examples: int = 200, seed: int = 0):
        (proved,) = self.prover().search([name], examples, seed)
        return proved

    def rows(self, name: str, examples: int = 200, seed: int = 0) -> dict[str, list[dict]]:
        """The rows of every input over all examples, by name of column."""
        prover = self.prover()
        target = prover.target(name)
        with prover.house.sandbox.scratch() as scratch:
            search = Search(scratch, target, examples, seed)
            search.suspects()
            found = {n: scratch.ask(Asked(f"SELECT * FROM {held(n)} ORDER BY 1, 2")) for n in search.premises}
        return {n: [dict(zip([c for c, _ in r.columns], row, strict=True)) for row in r.rows] for n, r in found.items()}


def _set_up(folder: Path) -> Shop:
    (folder / "xde.yaml").write_text("name: shop\n")
    (folder / "sources").mkdir()
    (folder / "data").mkdir()
    (folder / "sources/shop.yaml").write_text(SHOP)
    return Shop(folder)


@pytest.fixture
def shop(tmp_path) -> Iterator[Shop]:
    made = _set_up(tmp_path)
    yield made
    made.close()


@pytest.fixture(scope="module")
def big_shop(tmp_path_factory) -> Iterator[Shop]:
    """One project for all models of a module, opened once."""
    made = _set_up(tmp_path_factory.mktemp("shop"))
    yield made
    made.close()


@pytest.fixture
def codes() -> Callable:
    """The codes of all that was found of a model, warnings too."""
    return lambda proved: [finding.code for _, finding in proved.findings]
