"""Tables of a real PostgreSQL server as a source: exact values, late commits, faults in the middle; nothing lost, nothing twice."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg
import pytest
from conftest import PASSWORD

from xde.app.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.postgres

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


@pytest.fixture
def till(postgres_server, tmp_path, monkeypatch, request) -> Till:
    monkeypatch.setenv("TILL_PASSWORD", "readers password")
    name = f"till_{abs(hash(request.node.name)) % 10**8}_{time.time_ns() % 10**6}"
    return Till(postgres_server, tmp_path / "shop", name)


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
        assert till.run() == {}
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


def test_merged_by_key_updates_arrive_too(till):
    till.contract(BY_ID + ", {property: xdeWriteMode, value: merge}")
    till.sql("INSERT INTO orders (amount) VALUES (1), (2)")
    till.loaded()
    till.sql("UPDATE orders SET amount = 9 WHERE id = 1")
    assert till.loaded() == 1
    assert [(i, float(a)) for i, a in till.rows("id", "amount")] == [(1, 9.0), (2, 2.0)]


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
    assert facts["cost"]["connections"] == 3
    till.sql("INSERT INTO orders (amount) VALUES (1)")
    assert till.loaded() == 1
    assert till.ids() == list(range(1, 100_002))


# faults


@contextmanager
def in_mid_load(monkeypatch, act, after: int = 2) -> Iterator[None]:
    """Do something when so many looks at the limits have been taken in a copy."""
    from xde.lifecycle.sources.pace import Pace

    took, turns = Pace.took, iter(range(10**9))

    def watched(self, rows, size) -> None:
        if next(turns) == after:
            act()
        took(self, rows, size)

    monkeypatch.setattr(Pace, "took", watched)
    yield
    monkeypatch.setattr(Pace, "took", took)


MANY = "INSERT INTO orders (amount) SELECT n FROM generate_series(1, 400000) AS n"


def test_a_connection_that_is_cut_is_tried_again(till, monkeypatch):
    till.sql(MANY)
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'reader'"
    with in_mid_load(monkeypatch, lambda: till.sql(cut)):
        assert till.loaded() == 400_000
    assert till.run() == {}


def test_a_server_that_is_restarted_in_mid_load(till, monkeypatch):
    till.sql(MANY)
    with in_mid_load(monkeypatch, lambda: till.server.control("-l", str(till.server.data.parent / "log"), "-m", "fast", "restart")):
        assert till.loaded() == 400_000


def test_a_statement_that_takes_too_long(till):
    till.contract(
        BY_ID + ", {property: xdeQuery, value: 'SELECT id, amount, at FROM orders, pg_sleep(3)'}"
        ", {property: xdeLimits, value: {statementTimeout: 0.3}}, {property: xdeWriteMode, value: replace}"
    )
    till.sql("INSERT INTO orders (amount) VALUES (1)")
    assert till.codes() == ["XDE0485"]


def test_rights_that_are_taken_away_with_the_statement_that_gives_them_back(till):
    till.sql("INSERT INTO orders (amount) VALUES (1)")
    till.loaded()
    till.sql("REVOKE SELECT (amount) ON orders FROM reader", "INSERT INTO orders (amount) VALUES (2)")
    (outcome,) = till.run().values()
    assert [f.code for f in outcome.findings] == ["XDE0487"]
    assert till.ids() == [1]
    till.sql(outcome.findings[0].hint.partition("run: ")[2])
    assert till.loaded() == 1


def test_a_table_that_is_gone_and_one_of_another_type(till):
    till.sql("INSERT INTO orders (amount) VALUES (1)")
    till.loaded()
    till.sql("ALTER TABLE orders RENAME amount TO price")
    assert till.codes() == ["XDE0482"]
    till.sql("ALTER TABLE orders RENAME price TO amount", "ALTER TABLE orders ALTER amount TYPE text")
    assert till.codes() == ["XDE0488"]
    till.sql("DROP TABLE orders")
    assert till.codes() == ["XDE0482"]
    assert till.ids() == [1]


def test_a_wrong_password_is_told_without_it(till, monkeypatch):
    monkeypatch.setenv("TILL_PASSWORD", "another password")
    (outcome,) = till.run().values()
    assert [f.code for f in outcome.findings] == ["XDE0481"]
    assert "another password" not in str(outcome.findings)


def test_a_port_where_nobody_listens_is_tried_again_and_told(till):
    till.contract(port=1)
    (outcome,) = till.run().values()
    assert outcome.status == "failed"
    assert "cannot be reached just now" in str(outcome)


def test_a_password_in_the_open(till):
    from xde.ground.errors import UserError

    path = till.root / "sources/shop.yaml"
    path.write_text(path.read_text().replace("${env:TILL_PASSWORD}", PASSWORD))
    with pytest.raises(UserError) as raised:
        till.run()
    assert [f.code for f in raised.value.findings] == ["XDE0481"]


def test_the_doctor_goes_the_way_step_by_step(till, monkeypatch):
    def told():
        with Workspace.open(till.root) as workspace:
            found = next(d for d in workspace.doctor() if d.subject == "source shop.orders")
        return found.status, found.detail, found.hint

    status, detail, _ = told()
    assert status == "ok"
    assert "login: as `reader`" in detail
    till.sql("REVOKE ALL ON orders FROM reader", "REVOKE SELECT (id, amount, at, xmin, tableoid, ctid) ON orders FROM reader")
    status, detail, hint = told()
    assert (status, "may not read `id`, `amount`, `at`, `xmin`" in detail) == ("denied", True)
    till.sql(hint)
    assert told()[0] == "ok"
    monkeypatch.setenv("TILL_PASSWORD", "another password")
    assert told()[0] == "denied"
    till.contract(port=1)
    assert "port 1" in told()[1]
    path = till.root / "sources/shop.yaml"
    path.write_text(path.read_text().replace("127.0.0.1", "nowhere.invalid"))
    assert "name `nowhere.invalid`" in told()[1]
