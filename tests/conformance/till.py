"""A database of its own on the real server, with a user who may only read, and a project that does."""

from __future__ import annotations

import psycopg

from xde.app.workspace import Workspace

CONTRACT = """\
apiVersion: v3.1.0
kind: DataContract
id: shop
name: shop
version: 1.0.0
status: active
servers:
  - server: till
    type: postgres
    host: 127.0.0.1
    port: {port}
    database: {database}
    schema: public
    customProperties:
      - {{property: xdeUser, value: reader}}
      - {{property: xdePassword, value: "${{env:TILL_PASSWORD}}"}}
schema:
  - name: orders
    physicalName: {relation}
    physicalType: table
    customProperties: [{words}]
    properties:
{columns}
"""
COLUMNS = """\
      - {name: id, logicalType: integer, primaryKey: true, required: true}
      - {name: amount, logicalType: number, physicalType: "DECIMAL(10,2)"}
      - {name: at, logicalType: timestamp, logicalTypeOptions: {timezone: true}}
"""
BY_ID = "{property: xdeIncrementalCursor, value: {property: id}}"
TABLE = "CREATE TABLE orders (id bigserial PRIMARY KEY, amount numeric, at timestamptz DEFAULT now(), secret text)"


class Till:
    """A database of its own, a user who may only read, and a project that does."""

    def __init__(self, server, root, name: str) -> None:
        self.server, self.root, self.name = server, root, name
        with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        self.sql(
            "DO $$ BEGIN CREATE ROLE reader LOGIN PASSWORD 'readers password'; EXCEPTION WHEN duplicate_object THEN NULL; END $$",
            TABLE,
            "GRANT SELECT (id, amount, at, xmin, tableoid, ctid) ON orders TO reader",
        )
        (root / "sources").mkdir(parents=True)
        (root / "xde.yaml").write_text("name: shop\nretries: 2\n")
        self.contract()

    def contract(self, words: str = BY_ID, columns: str = COLUMNS, relation: str = "orders", port: int = 0) -> None:
        text = CONTRACT.format(port=port or self.server.port, database=self.name, relation=relation, words=words, columns=columns)
        (self.root / "sources/shop.yaml").write_text(text)

    def connect(self, **how) -> psycopg.Connection:
        return psycopg.connect(self.server.url(self.name), **how)

    def sql(self, *texts: str) -> None:
        with self.connect(autocommit=True) as connection:
            for text in texts:
                connection.execute(text)

    def run(self, **how):
        with Workspace.open(self.root) as workspace:
            finished = workspace.run(**how)
        return {o.step.dataset: o for o in finished.outcomes}

    def loaded(self, **how) -> int:
        """How many rows a run loads."""
        outcomes = self.run(**how)
        assert all(o.status == "done" for o in outcomes.values()), outcomes
        return sum(o.rows for o in outcomes.values())

    def rows(self, *columns):
        with Workspace.open(self.root) as workspace:
            found = workspace.show("shop.orders", limit=None).read_all().to_pylist()
        return sorted((tuple(r[c] for c in columns or r) for r in found), key=str)

    def ids(self) -> list[int]:
        return [i for (i,) in sorted(self.rows("id"))]

    def codes(self) -> list[str]:
        (outcome,) = self.run().values()
        assert outcome.status == "failed"
        return [f.code for f in outcome.findings]
