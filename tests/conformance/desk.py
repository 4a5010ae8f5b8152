"""A table on the real server whose changes are captured twice: as it is now, and as the log of all that happened to it."""

from __future__ import annotations

from contextlib import suppress

import psycopg

from xde.app.workspace import Workspace

SERVER = """\
apiVersion: v3.1.0
kind: DataContract
id: shop
name: shop
version: 1.0.0
status: active
servers:
  - server: desk
    type: postgres
    host: 127.0.0.1
    port: {port}
    database: {database}
    schema: public
    customProperties:
      - {{property: xdeUser, value: {user}}}
      - {{property: xdePassword, value: "${{env:TILL_PASSWORD}}"}}
schema:
"""
STATE = """\
  - name: orders
    physicalName: orders
    physicalType: table
    customProperties: [{words}]
    properties:
      - {{name: id, logicalType: integer, primaryKey: true, required: true}}
{columns}
"""
LOG = """\
  - name: orders_log
    physicalName: orders
    physicalType: table
    customProperties: [{words}, {{property: xdeWriteMode, value: append}}]
    properties:
      - {{name: operation, physicalName: $operation, logicalType: string, required: true}}
      - {{name: lsn, physicalName: $lsn, logicalType: integer, required: true}}
      - {{name: sequence, physicalName: $sequence, logicalType: integer, required: true}}
      - {{name: transaction, physicalName: $transaction, logicalType: integer}}
      - {{name: committed_at, physicalName: $committedAt, logicalType: timestamp, logicalTypeOptions: {{timezone: true}}, required: true}}
      - {{name: id, logicalType: integer}}
{columns}
"""
COLUMNS = """\
      - {name: customer, logicalType: string}
      - {name: amount, logicalType: number, physicalType: "DECIMAL(10,2)"}
      - {name: note, logicalType: string}
"""
TABLE = "CREATE TABLE orders (id bigint PRIMARY KEY, customer text, amount numeric(10,2), note text)"


class Desk:
    """A database of its own, a user who may read and replicate, a publication, and a project."""

    def __init__(self, server, root, name: str) -> None:
        self.server, self.root, self.name, self.user = server, root, name, "scribe"
        with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        self.sql(
            "DO $$ BEGIN CREATE ROLE scribe LOGIN REPLICATION PASSWORD 'readers password'; EXCEPTION WHEN duplicate_object THEN NULL; END $$",
            TABLE,
            "ALTER TABLE orders ALTER note SET STORAGE EXTERNAL",
            "GRANT SELECT ON orders TO scribe",
            "CREATE PUBLICATION xde FOR TABLE orders",
        )
        (root / "sources").mkdir(parents=True)
        (root / "xde.yaml").write_text("name: shop\nretries: 2\nparallel: 1\n")
        self.contract()

    def contract(self, state: str = "", log: str | None = None, columns: str = COLUMNS, capture: str = "{}") -> None:
        """Words besides `xdeCapture` of the current state, and of the log, where there is one."""
        word = f"{{property: xdeCapture, value: {capture}}}"
        text = SERVER.format(port=self.server.port, database=self.name, user=self.user)
        text += STATE.format(words=word + state, columns=columns)
        if log is not None:
            text += LOG.format(words=word + log, columns=columns)
        (self.root / "sources/shop.yaml").write_text(text)

    def connect(self, **how) -> psycopg.Connection:
        return psycopg.connect(self.server.url(self.name), **how)

    def sql(self, *texts: str) -> None:
        with self.connect(autocommit=True) as connection:
            for text in texts:
                connection.execute(text)

    def asked(self, sql: str) -> list[tuple]:
        with self.connect(autocommit=True) as connection:
            return connection.execute(sql).fetchall()

    def run(self, **how):
        with Workspace.open(self.root) as workspace:
            finished = workspace.run(**how)
        return {o.step.dataset: o for o in finished.outcomes}

    def loaded(self, **how) -> dict[str, int]:
        """How many rows a run loads, by dataset."""
        outcomes = self.run(**how)
        assert all(o.status == "done" for o in outcomes.values()), outcomes
        return {n.partition(".")[2]: o.rows for n, o in outcomes.items()}

    def codes(self, dataset: str = "shop.orders", **how) -> list[str]:
        outcome = self.run(**how)[dataset]
        assert outcome.status == "failed", outcome
        return [f.code for f in outcome.findings]

    def rows(self, dataset: str = "orders", *columns: str) -> list[tuple]:
        with Workspace.open(self.root) as workspace:
            found = workspace.show(f"shop.{dataset}", limit=None).read_all().to_pylist()
        return sorted((tuple(r[c] for c in columns or r) for r in found), key=str)

    def log(self, *columns: str) -> list[tuple]:
        with Workspace.open(self.root) as workspace:
            found = workspace.show("shop.orders_log", limit=None).read_all().to_pylist()
        found.sort(key=lambda r: (r["lsn"], r["sequence"]))
        return [tuple(r[c] for c in columns) for r in found]

    def there(self) -> list[tuple]:
        """The rows of the server."""
        return sorted(self.asked("SELECT id, customer, amount, note FROM orders"), key=str)

    def slots(self) -> list[tuple]:
        return self.asked(
            "SELECT slot_name::text, (confirmed_flush_lsn - '0/0')::bigint FROM pg_replication_slots WHERE database = current_database()"
        )

    def close(self) -> None:
        with suppress(psycopg.Error):
            self.sql(
                "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = current_database() AND NOT active"
            )
