"""A table on the real server whose changes are captured twice: as it is now, and as the log of all that happened to it."""

from __future__ import annotations

from contextlib import suppress

import psycopg
from database import Database
from projects.contracts import source

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


class Desk(Database):
    """A user who may read and replicate, a publication, and a project."""

    def __init__(self, server, root, name: str) -> None:
        super().__init__(server, root, name)
        self.user = "scribe"
        self.role("scribe LOGIN REPLICATION")
        self.sql(
            TABLE,
            "ALTER TABLE orders ALTER note SET STORAGE EXTERNAL",
            "GRANT SELECT ON orders TO scribe",
            "CREATE PUBLICATION xde FOR TABLE orders",
        )
        self.write("xde.yaml", "name: shop\nretries: 2\nparallel: 1\n")
        self.contract()

    def contract(self, state: str = "", log: str | None = None, columns: str = COLUMNS, capture: str = "{}") -> None:
        """Words besides `xdeCapture` of the current state, and of the log, where there is one."""
        word = f"{{property: xdeCapture, value: {capture}}}"
        objects = STATE.format(words=word + state, columns=columns)
        if log is not None:
            objects += LOG.format(words=word + log, columns=columns)
        self.write("sources/shop.yaml", source(objects, self.address("desk", self.user)))

    def loaded(self, **how) -> dict[str, int]:
        """How many rows a run loads, by dataset."""
        return {n.partition(".")[2]: o.rows for n, o in self.done(**how).items()}

    def rows(self, dataset: str = "orders", *columns: str) -> list[tuple]:
        return self.table(dataset, *columns)

    def log(self, *columns: str) -> list[tuple]:
        """What happened, in its order."""
        placed = sorted(self.table("orders_log", "lsn", "sequence", *columns), key=lambda r: r[:2])
        return [r[2:] for r in placed]

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
