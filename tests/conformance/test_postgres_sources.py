"""Tables of a real PostgreSQL server as a source: exact values, and late commits; nothing lost, nothing twice."""

from __future__ import annotations

import threading
import time

import pytest
from till import BY_ID, COLUMNS

from xde.app.workspace import Workspace

pytestmark = pytest.mark.postgres


def test_a_second_run_loads_what_came_since_and_a_third_nothing(till):
    till.sql("INSERT INTO orders (amount) VALUES (1.25), (NULL), (3)")
    assert till.loaded() == 3
    till.sql("INSERT INTO orders (amount) VALUES (4)")
    assert till.loaded() == 1
    assert till.run() == {}
    assert till.ids() == [1, 2, 3, 4]


def test_a_transaction_that_commits_late_is_loaded_by_the_next_run(till):
    with till.connect() as late:
        late.execute("INSERT INTO orders (amount) VALUES (1)")
        till.sql("INSERT INTO orders (amount) VALUES (2)")
        till.loaded()
        assert till.ids() == [], "what is written while an older transaction is at work waits for it"
        late.commit()
        assert till.loaded() == 2
        late.execute("INSERT INTO orders (amount) VALUES (3)")
        till.sql("INSERT INTO orders (amount) VALUES (4)")
        with Workspace.open(till.root) as workspace:
            assert workspace.plan().steps == ()
            assert [f.code for f in workspace.warnings] == ["XDE0490"], "a load that waits says so"
        late.commit()
    assert till.loaded() == 2
    assert till.run() == {}
    assert till.ids() == [1, 2, 3, 4]


def test_a_low_number_that_a_later_transaction_uses_is_loaded(till):
    """A sequence's numbers may be taken long before they are written: no order of the cursor's values helps."""
    with till.connect() as idle:
        (low,) = idle.execute("SELECT nextval('orders_id_seq')").fetchone()
        idle.commit()
        till.sql("INSERT INTO orders (amount) VALUES (2)")
        assert till.loaded() == 1
        idle.execute("INSERT INTO orders (id) VALUES (%s)", (low,))
    assert till.loaded() == 1
    assert till.ids() == [1, 2]


def test_a_savepoint_of_a_late_transaction_is_held_back_with_it(till):
    with till.connect() as late:
        late.execute("INSERT INTO orders (amount) VALUES (1)")
        with late.transaction():
            late.execute("INSERT INTO orders (amount) VALUES (2)")
        with late.transaction(force_rollback=True):
            late.execute("INSERT INTO orders (amount) VALUES (3)")
        till.loaded()
        late.commit()
    assert till.loaded() == 2
    assert till.ids() == [1, 2]


def test_many_writers_and_many_loads_lose_nothing_and_double_nothing(till):
    def write(number: int) -> None:
        with till.connect() as connection:
            for turn in range(60):
                connection.execute("INSERT INTO orders (amount) VALUES (%s)", (number,))
                time.sleep(0.002 * (number + turn % 7))
                connection.rollback() if turn % 11 == 5 else connection.commit()

    writers = [threading.Thread(target=write, args=(n,)) for n in range(4)]
    for writer in writers:
        writer.start()
    while any(w.is_alive() for w in writers):
        till.run()
    till.run()
    with till.connect() as connection:
        there = [i for (i,) in connection.execute("SELECT id FROM orders ORDER BY id")]
    assert till.ids() == there
    assert till.run() == {}


TYPES = {
    "n numeric": ("DECIMAL(38,15)", "123456789.123456789012345", "123456789.123456789012345"),
    "w numeric(40,12)": ("VARCHAR", "1234567890123456789012345678.123456789012", "1234567890123456789012345678.123456789012"),
    "f double precision": ("DOUBLE", "0.1", "0.1"),
    "g real": ("FLOAT", "0.1", None),
    "b boolean": ("BOOLEAN", "true", "True"),
    "t text": ("VARCHAR", "''", ""),
    "z text": ("VARCHAR", "E'a\\r\\n\"b\",\\\\N'", 'a\r\n"b",\\N'),
    "y text": ("VARCHAR", "'\\N'", "\\N"),
    "m text": ("VARCHAR", "NULL", "None"),
    "ts timestamp": ("TIMESTAMP", "'2026-03-29 02:30:00.123456'", "2026-03-29 02:30:00.123456"),
    "tz timestamptz": ("TIMESTAMP WITH TIME ZONE", "'2026-03-29 02:30:00.5+02'", "2026-03-29 00:30:00.500000+00:00"),
    "d date": ("DATE", "'0044-03-15'", "0044-03-15"),
    "u uuid": ("VARCHAR", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
    "j jsonb": ("VARCHAR", "'{\"a\": 1.10}'", '{"a": 1.10}'),
    "i integer[]": ("BIGINT[]", "'{1,NULL,3}'", "[1, None, 3]"),
    "x bytea": ("BLOB", "'\\x00ff41'", "b'\\x00\\xffA'"),
    "e mood": ("VARCHAR", "'sad'", "sad"),
    "v interval": ("VARCHAR", "'1 day 2 hours'", "1 day 02:00:00"),
    "c money_of": ("DECIMAL(10,2)", "9.90", "9.90"),
}


def test_every_type_arrives_exactly(till):
    names = [c.split()[0] for c in TYPES]
    kinds = [kind for kind, _, _ in TYPES.values()]
    till.sql(
        "DROP TABLE orders",
        "CREATE TYPE mood AS ENUM ('sad', 'ok')",
        "CREATE DOMAIN money_of AS numeric(10,2)",
        f"CREATE TABLE orders (id int, {', '.join(TYPES)})",
        f"INSERT INTO orders VALUES (1, {', '.join(v for _, v, _ in TYPES.values())})",
        "GRANT SELECT ON orders TO reader",
    )
    columns = "".join(f'      - {{name: {n}, logicalType: string, physicalType: "{k}"}}\n' for n, k in zip(names, kinds, strict=True))
    till.contract("", columns)
    assert till.loaded() == 1
    (row,) = till.rows()
    expected = [e for _, _, e in TYPES.values()]
    assert [str(v) for v, e in zip(row, expected, strict=True) if e is not None] == [e for e in expected if e is not None]


def test_what_no_column_of_the_contract_can_hold_is_a_dead_letter(till):
    till.sql("INSERT INTO orders (id, amount, at) VALUES (1, 'NaN', NULL), (2, 1, 'infinity'), (3, 1, NULL), (4, 0.125, NULL)")
    (outcome,) = till.run().values()
    assert (outcome.rows, outcome.letters) == (1, 3)
    with Workspace.open(till.root) as workspace:
        told = sorted((x.letter.raw.split(b",")[0], x.letter.reasons[0].message) for x in workspace.letters(status="open"))
    assert told == [
        (b"1", "`NaN` is not a DECIMAL(10,2)"),
        (b"2", "`infinity` is not a TIMESTAMP WITH TIME ZONE"),
        (b"4", "`0.125` is not a DECIMAL(10,2)"),
    ]


def test_numbers_that_the_contracts_type_rounds_are_told(till):
    till.contract(columns="      - {name: id, logicalType: number}\n      - {name: amount, logicalType: number}\n", words="")
    till.sql("INSERT INTO orders (id, amount) VALUES (1, 0.1)")
    (outcome,) = till.run().values()
    assert [(f.code, f.severity.value) for f in outcome.findings] == [("XDE0489", "warning")] * 2


def test_merged_by_key_updates_arrive_too(till):
    till.contract(BY_ID + ", {property: xdeWriteMode, value: merge}")
    till.sql("INSERT INTO orders (amount) VALUES (1), (2)")
    till.loaded()
    till.sql("UPDATE orders SET amount = 9 WHERE id = 1")
    assert till.loaded() == 1
    assert [(i, float(a)) for i, a in till.rows("id", "amount")] == [(1, 9.0), (2, 2.0)]


def test_appended_an_update_is_a_dead_letter_and_no_second_row(till):
    till.sql("INSERT INTO orders (amount) VALUES (1), (2)")
    till.loaded()
    till.sql("UPDATE orders SET amount = 9 WHERE id = 1")
    (outcome,) = till.run().values()
    assert (outcome.rows, outcome.letters) == (0, 1)
    assert till.ids() == [1, 2]


def test_names_are_those_of_the_catalogue_to_the_letter(till):
    till.sql('ALTER TABLE orders RENAME amount TO "Amount"')
    assert till.codes() == ["XDE0482"]
    till.contract(columns=COLUMNS.replace("name: amount,", "name: amount, physicalName: Amount,"))
    till.sql("INSERT INTO orders VALUES (1, 2.5)")
    assert till.loaded() == 1
    assert [float(a) for (a,) in till.rows("amount")] == [2.5]


def test_a_table_that_was_written_anew_is_told_and_not_appended_twice(till):
    till.sql("INSERT INTO orders (amount) VALUES (1), (2)")
    till.loaded()
    till.sql("TRUNCATE orders", "INSERT INTO orders (amount) VALUES (3)")
    assert till.codes() == ["XDE0488"]
    assert till.loaded(full=True) == 1
    assert till.ids() == [3]


def test_partitions_that_are_attached_later(till):
    till.sql(
        "DROP TABLE orders",
        "CREATE TABLE orders (id bigint, amount numeric, at timestamptz) PARTITION BY RANGE (id)",
        "CREATE TABLE orders_1 PARTITION OF orders FOR VALUES FROM (0) TO (10)",
        "GRANT SELECT ON orders TO reader",
        "INSERT INTO orders VALUES (1, 1, NULL)",
        "CREATE TABLE orders_2 (LIKE orders)",
        "INSERT INTO orders_2 VALUES (11, 1, NULL)",
    )
    assert till.loaded() == 1
    till.sql("ALTER TABLE orders ATTACH PARTITION orders_2 FOR VALUES FROM (10) TO (20)", "INSERT INTO orders VALUES (2, 1, NULL)")
    assert till.loaded() == 2
    assert till.run() == {}
    assert till.ids() == [1, 2, 11]


LAGGING = "{property: xdeIncrementalCursor, value: {property: at, lag: PT10M}}, {property: xdeWriteMode, value: merge}"


def test_a_lag_bounds_what_is_looked_through_and_holds_for_transactions_that_are_long(till):
    till.contract(LAGGING)
    till.sql("INSERT INTO orders (at) VALUES ('2026-01-01 10:00Z')")
    with till.connect() as late:
        late.execute("INSERT INTO orders (at) VALUES ('2026-01-01 10:00Z')")
        till.sql("INSERT INTO orders (at) VALUES ('2026-01-01 23:00Z')")
        till.loaded()
        late.commit()
    assert till.loaded() == 2, "its lag counts from the time when it began to write"
    till.sql("INSERT INTO orders (at) VALUES ('2026-01-01 10:00Z'), ('2026-01-01 22:55Z')")
    assert till.loaded() == 1
    assert till.run() == {}
    assert till.ids() == [1, 2, 3, 5], "far below the lag: as the contract says, nobody looks there"


def test_a_view_takes_a_lag_and_a_key(till):
    till.sql("CREATE VIEW paid AS SELECT * FROM orders WHERE amount > 0", "GRANT SELECT ON paid TO reader")
    till.contract(relation="paid")
    assert till.codes() == ["XDE0483"]
    till.contract(LAGGING, relation="paid")
    till.sql("INSERT INTO orders (amount, at) VALUES (1, '2026-01-01 10:00Z')")
    assert till.loaded() == 1
    assert till.run() == {}
    till.sql("INSERT INTO orders (amount, at) VALUES (1, '2026-01-01 09:55Z')")
    assert till.loaded() == 2
    assert till.run() == {}
    assert till.ids() == [1, 2]


def test_several_connections_read_one_snapshot(till):
    till.contract(BY_ID + ", {property: xdeLimits, value: {connections: 3}}")
    till.sql("INSERT INTO orders (amount) SELECT n FROM generate_series(1, 100000) AS n")
    assert till.loaded() == 100_000
    with Workspace.open(till.root) as workspace:
        facts = workspace.house.lake.history(next(iter(workspace.house.lake.tables())))[0].facts
    assert facts["taken"]["connections"] == 3
    till.sql("INSERT INTO orders (amount) VALUES (1)")
    assert till.loaded() == 1
    assert till.ids() == list(range(1, 100_002))


@pytest.mark.parametrize(
    ("words", "column", "values"),
    [
        ("property: at, lag: PT10M", "at", ("'2026-01-01'", "'infinity'", "'2026-01-02'")),
        ("property: at, lag: PT10M", "at", ("'2026-01-01'", "'9999-12-31'", "'2026-01-02'")),
        ("property: amount, lag: 1", "amount", ("1", "'NaN'", "2")),
    ],
)
def test_a_value_that_none_can_follow_hides_no_later_row(till, words, column, values):
    till.contract(f"{{property: xdeIncrementalCursor, value: {{{words}}}}}, {{property: xdeWriteMode, value: merge}}")
    first, endless, later = values
    till.sql(f"INSERT INTO orders (id, {column}) VALUES (1, {first}), (2, {endless})")
    till.done()
    till.sql(f"INSERT INTO orders (id, {column}) VALUES (3, {later})")
    till.done()
    assert 3 in till.ids()
