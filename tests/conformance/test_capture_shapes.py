"""Schema changes in mid-stream, every type of value, and what no table can hold: never a row that is silently wrong."""

from __future__ import annotations

import pytest
from desk import COLUMNS

from xde.app.workspace import Workspace
from xde.ground.errors import UserError

pytestmark = pytest.mark.postgres
BIG = "x" * 9000
POLICY = ", {{property: xdeSchemaChange, value: {{newColumn: {}, missingColumn: {}}}}}"


def test_a_new_column_by_each_policy(desk):
    desk.loaded()
    desk.sql(
        "INSERT INTO orders VALUES (1, 'ada', 1, NULL)",
        "ALTER TABLE orders ADD COLUMN city text",
        "INSERT INTO orders VALUES (2, 'bob', 2, NULL, 'Delft')",
        "UPDATE orders SET city = 'Ghent' WHERE id = 1",
    )
    assert desk.loaded() == {"orders": 2}
    assert desk.rows() == desk.there(), "by `freeze` what the contract does not name is not read"
    desk.contract(state=POLICY.format("evolve", "freeze"))
    desk.loaded(full=True)
    desk.sql(
        "ALTER TABLE orders ADD COLUMN street text",
        "INSERT INTO orders VALUES (3, 'eve', 3, NULL, 'Lyon', 'Rue')",
        "DELETE FROM orders WHERE id = 1",
    )
    desk.loaded()
    assert desk.rows("orders", "id", "city", "street") == [(2, "Delft", None), (3, "Lyon", "Rue")]


def test_a_new_column_with_a_default_is_told(desk):
    desk.contract(state=POLICY.format("evolve", "freeze"))
    desk.sql("INSERT INTO orders VALUES (1, 'ada', 1, NULL)")
    desk.loaded()
    desk.sql("ALTER TABLE orders ADD COLUMN stars int DEFAULT 5", "INSERT INTO orders VALUES (2, 'bob', 2, NULL)")
    with Workspace.open(desk.root) as workspace:
        (outcome,) = workspace.run().outcomes
    assert [f.code for f in outcome.findings] == ["XDE0432", "XDE0424"]
    assert desk.rows("orders", "id", "stars") == [(1, None), (2, 5)]


def test_a_column_that_is_dropped(desk):
    desk.sql("INSERT INTO orders VALUES (1, 'ada', 1, NULL)")
    desk.loaded()
    desk.sql(
        "INSERT INTO orders VALUES (2, 'bob', 1, NULL)", "ALTER TABLE orders DROP COLUMN customer", "INSERT INTO orders VALUES (3, 1, NULL)"
    )
    assert desk.codes() == ["XDE0482"]
    desk.contract(state=POLICY.format("freeze", "evolve"))
    desk.loaded()
    desk.sql("INSERT INTO orders VALUES (4, 1, NULL)")
    desk.loaded()
    assert [(i, a) for i, a in desk.rows("orders", "id", "customer")] == [(1, None), (2, None), (3, None), (4, None)]


def test_a_column_that_is_dropped_in_mid_stream_and_may_be(desk):
    desk.contract(state=POLICY.format("freeze", "evolve"))
    desk.sql("INSERT INTO orders VALUES (1, 'ada', 1, NULL)")
    desk.loaded()
    desk.sql(
        "INSERT INTO orders VALUES (2, 'bob', 1, NULL)",
        "ALTER TABLE orders DROP COLUMN customer",
        "INSERT INTO orders VALUES (3, 1, NULL)",
        "UPDATE orders SET amount = 7 WHERE id = 2",
    )
    desk.loaded()
    assert desk.rows("orders", "id", "customer", "amount") == [(1, "ada", 1), (2, None, 7), (3, None, 1)]


@pytest.mark.parametrize(
    ("change", "codes"),
    [
        ("ALTER TABLE orders ALTER amount TYPE numeric(12,2)", []),
        ("ALTER TABLE orders ALTER customer TYPE varchar", []),
        ("ALTER TABLE orders ALTER amount TYPE bigint USING amount * 100", ["XDE0429"]),
        ("ALTER TABLE orders ALTER amount TYPE text", ["XDE0429"]),
        ("ALTER TABLE orders DROP amount; ALTER TABLE orders ADD amount numeric(10,2)", ["XDE0429"]),
        ("ALTER TABLE orders RENAME amount TO price", ["XDE0482"]),
        ("VACUUM FULL orders", []),
        ("DROP TABLE orders; CREATE TABLE orders (id bigint PRIMARY KEY, customer text, amount numeric, note text)", ["XDE0429"]),
        ("ALTER TABLE orders REPLICA IDENTITY NOTHING", ["XDE0428"]),
        ("ALTER TABLE orders DISABLE ROW LEVEL SECURITY", []),
    ],
)
def test_what_happens_to_a_table(desk, change, codes):
    desk.sql("INSERT INTO orders VALUES (1, 'ada', 1.5, NULL)")
    desk.loaded()
    desk.sql("INSERT INTO orders VALUES (2, 'bob', 1.5, NULL)", *change.split("; "))
    if codes:
        assert desk.codes() == codes
        return
    desk.sql("INSERT INTO orders VALUES (3, 'eve', 1.5, NULL)")
    assert desk.loaded() == {"orders": 2}
    assert desk.rows() == desk.there()


def test_an_identity_that_loses_the_key_in_mid_stream(desk):
    desk.sql(
        "INSERT INTO orders VALUES (1, 'ada', 1, NULL)",
        "CREATE UNIQUE INDEX by_customer ON orders (customer)",
        "ALTER TABLE orders ALTER customer SET NOT NULL",
    )
    desk.loaded()
    desk.sql(
        "ALTER TABLE orders REPLICA IDENTITY USING INDEX by_customer",
        "UPDATE orders SET id = 2 WHERE id = 1",
        "ALTER TABLE orders REPLICA IDENTITY DEFAULT",
    )
    assert desk.codes() == ["XDE0428"]


def test_an_index_as_the_identity(desk):
    desk.sql(
        "ALTER TABLE orders ALTER customer SET NOT NULL",
        "CREATE UNIQUE INDEX by_both ON orders (customer, id)",
        "ALTER TABLE orders REPLICA IDENTITY USING INDEX by_both",
    )
    desk.contract(log="")
    desk.sql(f"INSERT INTO orders VALUES (1, 'ada', 1, '{BIG}'), (2, 'bob', 2, '{BIG}')")
    desk.loaded()
    desk.sql(
        "UPDATE orders SET customer = 'eve' WHERE id = 1",
        "UPDATE orders SET id = 3, amount = 8 WHERE id = 2",
        "DELETE FROM orders WHERE id = 1",
    )
    desk.loaded()
    assert desk.rows() == desk.there()


TYPES = {
    "n numeric": ("DECIMAL(38,15)", "123456789.123456789012345"),
    "f double precision": ("DOUBLE", "0.1"),
    "g real": ("FLOAT", "0.1"),
    "b boolean": ("BOOLEAN", "true"),
    "t text": ("VARCHAR", "''"),
    "z text": ("VARCHAR", "E'a\\r\\n\"b\",\\\\N'"),
    "m text": ("VARCHAR", "NULL"),
    "ts timestamp": ("TIMESTAMP", "'2026-03-29 02:30:00.123456'"),
    "tz timestamptz": ("TIMESTAMP WITH TIME ZONE", "'2026-03-29 02:30:00.5+02'"),
    "d date": ("DATE", "'0044-03-15'"),
    "u uuid": ("VARCHAR", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'"),
    "j jsonb": ("VARCHAR", "'{\"a\": 1.10}'"),
    "i integer[]": ("BIGINT[]", "'{1,NULL,3}'"),
    "k text[]": ("VARCHAR", "ARRAY['a\"b', NULL, '{']"),
    "x bytea": ("BLOB", "'\\x00ff41'"),
    "y bytea": ("VARCHAR", "'\\x00ff41'"),
    "e mood": ("VARCHAR", "'sad'"),
    "v interval": ("VARCHAR", "'1 day 2 hours'"),
    "c money_of": ("DECIMAL(10,2)", "9.90"),
    "q pair": ("STRUCT(a BIGINT, b VARCHAR)", "ROW(1, 'x,y')::pair"),
    "o money": ("VARCHAR", "12.5"),
}


def test_every_type_arrives_from_the_log_as_by_a_query(desk):
    names = [c.split()[0] for c in TYPES]
    values = ", ".join(v for _, v in TYPES.values())
    desk.sql(
        "CREATE TYPE mood AS ENUM ('sad', 'ok')",
        "CREATE DOMAIN money_of AS numeric(10,2)",
        "CREATE TYPE pair AS (a int, b text)",
        f"ALTER TABLE orders {', '.join(f'ADD COLUMN {c}' for c in TYPES)}",
        f"INSERT INTO orders VALUES (1, NULL, NULL, NULL, {values})",
    )
    desk.contract(
        columns="".join(
            f'      - {{name: {n}, logicalType: string, physicalType: "{k}"}}\n' for n, (k, _) in zip(names, TYPES.values(), strict=True)
        )
    )
    assert desk.loaded() == {"orders": 1}
    desk.sql(f"INSERT INTO orders VALUES (2, NULL, NULL, NULL, {values})")
    assert desk.loaded() == {"orders": 1}
    one, two = desk.rows("orders", *names)
    assert one == two


def test_large_values_of_other_types_are_kept_too(desk):
    desk.sql(
        "ALTER TABLE orders ADD COLUMN x bytea, ADD COLUMN k bigint[], ADD COLUMN j jsonb, ALTER x SET STORAGE EXTERNAL, ALTER k SET STORAGE EXTERNAL, ALTER j SET STORAGE EXTERNAL"
    )
    desk.contract(
        columns=COLUMNS
        + "      - {name: x, logicalType: string, physicalType: BLOB}\n      - {name: k, logicalType: array, items: {logicalType: integer}}\n"
        + "      - {name: j, logicalType: string}\n"
    )
    big = "(SELECT string_agg(decode(lpad(to_hex(n % 256), 2, '0'), 'hex'), '') FROM generate_series(1, 9000) n), (SELECT array_agg(n::bigint) FROM generate_series(1, 3000) n), to_jsonb(repeat('é\"', 4000))"
    desk.sql(f"INSERT INTO orders SELECT 1, 'ada', 1, NULL, {big}")
    desk.loaded()
    before = desk.rows("orders", "x", "k", "j")
    desk.sql("UPDATE orders SET amount = 2")
    assert desk.loaded() == {"orders": 1}
    assert desk.rows("orders", "x", "k", "j") == before
    assert desk.rows("orders", "amount") == [(2,)]


def test_a_large_value_that_the_lake_does_not_have_makes_a_dead_letter(desk):
    columns = COLUMNS.replace("name: customer, logicalType: string", "name: customer, logicalType: integer")
    desk.contract(columns=columns, log="")
    desk.sql(f"INSERT INTO orders VALUES (1, '7', 1, '{BIG}'), (2, 'bob', 1, '{BIG}')")
    outcome = desk.run()["shop.orders"]
    assert (outcome.rows, outcome.letters) == (1, 1)
    desk.sql("UPDATE orders SET customer = '8' WHERE id = 2")
    outcome = desk.run()["shop.orders"]
    assert (outcome.rows, outcome.letters) == (0, 1)
    assert [f.code for f in outcome.findings] == ["XDE0431"]
    assert [i for (i,) in desk.rows("orders", "id")] == [1]
    desk.sql(f"UPDATE orders SET note = '{BIG}!' WHERE id = 2")
    assert desk.loaded()["orders"] == 1
    assert [i for (i,) in desk.rows("orders", "id")] == [1, 2]


def test_a_letter_of_the_current_state_is_not_read_again(desk):
    columns = COLUMNS.replace("name: customer, logicalType: string", "name: customer, logicalType: integer")
    desk.contract(columns=columns)
    desk.sql("INSERT INTO orders VALUES (1, 'ada', 1, NULL)")
    desk.run()
    desk.sql("UPDATE orders SET customer = 8 WHERE id = 1")
    desk.run()
    with Workspace.open(desk.root) as workspace:
        (letter,) = workspace.letters(status="open")
        with pytest.raises(UserError) as raised:
            workspace.replay([letter.letter.id])
        assert [f.code for f in raised.value.findings] == ["XDE0433"]
        workspace.discard([letter.letter.id], reason="a later change mended it")
    assert desk.rows("orders", "customer") == [(8,)]


def test_a_partitioned_table_and_a_key_that_moves_to_another_part(desk):
    desk.sql(
        "DROP TABLE orders",
        "CREATE TABLE orders (id bigint PRIMARY KEY, customer text, amount numeric, note text) PARTITION BY RANGE (id)",
        "CREATE TABLE orders_1 PARTITION OF orders FOR VALUES FROM (0) TO (10)",
        "CREATE TABLE orders_2 PARTITION OF orders FOR VALUES FROM (10) TO (20)",
        "GRANT SELECT ON orders TO scribe",
        "ALTER PUBLICATION xde ADD TABLE orders",
        "INSERT INTO orders VALUES (1, 'ada', 1, NULL)",
    )
    assert desk.codes() == ["XDE0427"]
    desk.sql("ALTER PUBLICATION xde SET (publish_via_partition_root = true)")
    desk.loaded()
    desk.sql("INSERT INTO orders VALUES (12, 'bob', 1, NULL)", "UPDATE orders SET id = 13 WHERE id = 1")
    desk.loaded()
    assert desk.rows() == desk.there()


def test_one_large_transaction_goes_over_the_scratch_file(desk, monkeypatch):
    monkeypatch.setattr("xde.connectors.postgres.capture.latest.FRONT", 100)
    desk.contract(log="", capture="{batch: 10}")
    desk.loaded()
    with desk.connect() as one:
        one.execute(f"INSERT INTO orders SELECT n, 'c' || n, n, repeat('{BIG}', n % 2) FROM generate_series(1, 2000) AS n")
        one.execute("UPDATE orders SET amount = 1 WHERE id % 3 = 0")
        one.execute("UPDATE orders SET id = id + 5000 WHERE id % 5 = 0")
        one.execute("DELETE FROM orders WHERE id % 7 = 0")
        one.commit()
    desk.sql("UPDATE orders SET amount = 2 WHERE id % 11 = 0")
    desk.loaded()
    assert desk.rows() == desk.there()
    assert desk.run() == {}


def test_a_column_that_had_another_name_for_a_while_is_asked_for_by_it(desk):
    desk.loaded()
    desk.sql(
        "ALTER TABLE orders RENAME COLUMN customer TO client",
        "INSERT INTO orders VALUES (1, 'ada', 1, NULL)",
        "ALTER TABLE orders RENAME COLUMN client TO customer",
    )
    with Workspace.open(desk.root) as workspace:
        ((finding,),) = (o.findings for o in workspace.run().outcomes)
    assert finding.code == "XDE0482"
    assert "xdeAlsoNamed, value: [client]" in finding.hint
    assert "had none when a change was made" in finding.message
