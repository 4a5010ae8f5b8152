"""A table on the real server that is read by one who may only read."""

from __future__ import annotations

from database import Database
from projects.contracts import source

OBJECT = """\
  - name: orders
    physicalName: {relation}
    physicalType: table
    customProperties: [{words}]
    properties:
{columns}"""
COLUMNS = """\
      - {name: id, logicalType: integer, primaryKey: true, required: true}
      - {name: amount, logicalType: number, physicalType: "DECIMAL(10,2)"}
      - {name: at, logicalType: timestamp, logicalTypeOptions: {timezone: true}}
"""
BY_ID = "{property: xdeIncrementalCursor, value: {property: id}}"
TABLE = "CREATE TABLE orders (id bigserial PRIMARY KEY, amount numeric, at timestamptz DEFAULT now(), secret text)"


class Till(Database):
    """A user who may only read some columns, and a project that does."""

    def __init__(self, server, root, name: str) -> None:
        super().__init__(server, root, name)
        self.role("reader LOGIN")
        self.sql(TABLE, "GRANT SELECT (id, amount, at, xmin, tableoid, ctid) ON orders TO reader")
        self.write("xde.yaml", "name: shop\nretries: 2\n")
        self.contract()

    def contract(self, words: str = BY_ID, columns: str = COLUMNS, relation: str = "orders", port: int = 0) -> None:
        objects = OBJECT.format(relation=relation, words=words, columns=columns)
        self.write("sources/shop.yaml", source(objects, self.address("till", "reader", port)))

    def loaded(self, **how) -> int:
        """How many rows a run loads."""
        return sum(o.rows for o in self.done(**how).values())

    def rows(self, *columns: str) -> list[tuple]:
        return self.table("orders", *columns)

    def ids(self) -> list[int]:
        return [i for (i,) in sorted(self.rows("id"))]
