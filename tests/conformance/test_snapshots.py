"""Capture by comparison of a real PostgreSQL server, by a user who may not replicate."""

from __future__ import annotations

import pytest
from projects.contracts import source

pytestmark = pytest.mark.postgres
OBJECTS = """\
  - name: goods
    physicalName: goods
    physicalType: table
    customProperties: [{property: xdeCapture, value: {by: comparison}}]
    properties:
      - {name: id, logicalType: integer, primaryKey: true, required: true}
      - {name: name, logicalType: string}
      - {name: at, logicalType: timestamp, logicalTypeOptions: {timezone: true}}
  - name: goods_log
    physicalName: goods
    physicalType: table
    customProperties: [{property: xdeCapture, value: {by: comparison, key: [id]}}, {property: xdeWriteMode, value: append}]
    properties:
      - {name: operation, physicalName: $operation, logicalType: string}
      - {name: lsn, physicalName: $lsn, logicalType: integer}
      - {name: sequence, physicalName: $sequence, logicalType: integer}
      - {name: id, logicalType: integer}
      - {name: name, logicalType: string}
"""


def test_a_server_s_table_is_held_against_what_it_was(till):
    till.write("sources/shop.yaml", source(OBJECTS, till.address("till", "reader")))
    till.sql(
        "CREATE TABLE goods (id bigint PRIMARY KEY, name text, at timestamptz DEFAULT now())",
        "GRANT SELECT ON goods TO reader",
        "INSERT INTO goods SELECT n, 'good ' || n FROM generate_series(1, 2000) AS n",
    )
    assert {n: o.rows for n, o in till.done().items()} == {"shop.goods": 2000, "shop.goods_log": 2000}
    till.sql("UPDATE goods SET name = NULL WHERE id = 7", "DELETE FROM goods WHERE id = 8", "INSERT INTO goods VALUES (2001, 'new')")
    assert {n: o.rows for n, o in till.done().items()} == {"shop.goods": 3, "shop.goods_log": 3}
    log = sorted(r for r in till.table("goods_log", "lsn", "sequence", "operation", "id", "name") if r[0] == 2)
    assert [r[2:] for r in log] == [("u", 7, None), ("d", 8, "good 8"), ("c", 2001, "new")]
    assert sorted(till.table("goods", "id", "name")) == sorted(till.asked("SELECT id, name FROM goods"))
    assert all(o.rows == 0 for o in till.done().values())
    till.sql("TRUNCATE goods")
    assert {f.code for o in till.run().values() for f in o.findings} == {"XDE0543"}
