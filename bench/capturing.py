"""The log of a PostgreSQL server read by `xde run`, beside the same messages fetched and taken apart and nothing made of them."""

from __future__ import annotations

import atexit
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

import psycopg

from projects import postgres

CHANGES = 200_000  # half of them new rows, a quarter updates, a quarter deletions
SLOT = "bare"
CONTRACT = """
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
    database: bench
    schema: public
    customProperties:
      - {{property: xdeUser, value: xde}}
      - {{property: xdePassword, value: "${{env:BENCH_PASSWORD}}"}}
schema:
  - name: sales
    physicalName: sales
    physicalType: table
    customProperties:
      - {{property: xdeCapture, value: {{batch: 1000000}}}}
    properties:
      - {{name: id, logicalType: integer, primaryKey: true, required: true}}
      - {{name: customer, logicalType: string}}
      - {{name: amount, logicalType: number, physicalType: "DECIMAL(12,2)"}}
      - {{name: paid, logicalType: boolean}}
      - {{name: at, logicalType: timestamp}}
"""
TABLE = "CREATE TABLE sales (id bigint PRIMARY KEY, customer text, amount numeric(12,2), paid boolean, at timestamp)"
ROWS = "SELECT i, 'customer ' || i % 9973, (i % 100000) / 100.0, i % 3 = 0, timestamp '2026-01-01' + i * interval '1 second'"
PEEK = "SELECT data FROM pg_logical_slot_get_binary_changes(%s, NULL, NULL, 'proto_version', '1', 'publication_names', 'xde')"


class NoServerError(Exception):
    """Why there is none here."""


class Log:
    """A server with a table and its log, and a project that reads it: it is gone when this process ends."""

    def __init__(self, project: Path) -> None:
        holding = postgres.serving()
        try:
            server = holding.__enter__()
        except postgres.NoServerError as error:
            raise NoServerError(str(error)) from error
        atexit.register(holding.__exit__, None, None, None)
        self.url = server.url("bench")
        self._from = 0
        with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE bench")
        self._execute(TABLE, "CREATE PUBLICATION xde FOR TABLE sales")
        os.environ["BENCH_PASSWORD"] = postgres.PASSWORD
        (project / "sources").mkdir(parents=True)
        (project / "xde.yaml").write_text("name: captured\n", encoding="utf-8")
        (project / "sources/shop.yaml").write_text(CONTRACT.format(port=server.port), encoding="utf-8")

    def open_bare(self) -> None:
        """A slot for the bare reader."""
        self._execute(f"SELECT pg_create_logical_replication_slot('{SLOT}', 'pgoutput')")

    def change(self) -> None:
        """So many changes, in a few transactions."""
        first, half, quarter = self._from, CHANGES // 2, CHANGES // 4
        self._from += half
        self._execute(
            f"INSERT INTO sales {ROWS} FROM generate_series({first}, {first + half - 1}) AS s(i)",
            f"UPDATE sales SET paid = NOT paid, amount = amount + 1 WHERE id >= {first} AND id < {first + quarter}",
            f"DELETE FROM sales WHERE id >= {first + quarter} AND id < {first + half}",
        )

    def _execute(self, *statements: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            for sql in statements:
                connection.execute(sql.encode())


def fetch(url: str) -> None:
    """Every message of the log that nobody fetched yet, taken apart."""
    from xde.connectors.postgres.capture.pgoutput import decode

    count = 0
    with psycopg.connect(url) as connection, connection.cursor("bare", binary=True) as cursor:
        cursor.execute(PEEK, [SLOT])
        for (data,) in cursor:
            count += decode(data) is not None
    if count < CHANGES:
        sys.exit(f"only {count:,} messages were there")


if __name__ == "__main__":
    fetch(sys.argv[1])
