"""Whole tables of a real PostgreSQL server by ConnectorX: the very same rows and dead letters as by `COPY`, and its promises too."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from database import Database
from projects.contracts import source
from test_fidelity import EDGES, TAKEN_FOR, Edges, maker
from till import BY_ID

from xde.app.contract_drafts import draft
from xde.app.workspace import Workspace
from xde.connectors.postgres.connectorx import reading
from xde.connectors.postgres.connectorx.carried import Asked
from xde.connectors.postgres.connectorx.job import Job
from xde.connectors.postgres.sources import PostgresTables
from xde.lifecycle.sources.tables import Ask, AskedColumn, Place

pytest.importorskip("connectorx", reason="it is not installed: pip install 'xde[connectorx]'")
pytestmark = pytest.mark.postgres
READER = "{property: xdeReader, value: connectorx}"
BY_READER = f"{BY_ID}, {READER}"
REPLACED = f"{{property: xdeWriteMode, value: replace}}, {READER}"
MANY = "INSERT INTO orders (amount) SELECT n FROM generate_series(1, 100000) AS n"


def taken(database: Database) -> dict[str, object]:
    """What the newest commit says of its source."""
    with Workspace.open(database.root) as workspace:
        lake = workspace.house.lake
        return lake.history(next(iter(lake.tables())))[0].facts["taken"]


@pytest.fixture
def before_it_reads(monkeypatch):
    """Calls something when the process that reads is about to begin; it is given its number once there is one."""

    def when(act):
        begun = reading._begun

        def watched(folder):
            monkeypatch.setattr(reading, "_begun", begun)
            act()
            return begun(folder)

        monkeypatch.setattr(reading, "_begun", watched)

    return when


class Twice(Edges):
    """The same table loaded by either reader."""

    def both(self, contract: str) -> None:
        """Hold what is loaded by ConnectorX against what is loaded by `COPY`."""
        self.write("sources/shop.yaml", contract)
        theirs = self.whole()
        assert "reader" not in taken(self)
        shutil.rmtree(self.root / ".xde")
        servers, schema = contract.split("schema:\n", 1)
        if "    customProperties:\n" in schema:
            schema = schema.replace("    customProperties:\n", f"    customProperties:\n      - {READER}\n", 1)
        else:
            schema = schema.replace("    properties:\n", f"    customProperties: [{READER}]\n    properties:\n", 1)
        contract = f"{servers}schema:\n{schema}"
        self.write("sources/shop.yaml", contract)
        ours = self.whole()
        assert taken(self)["reader"] == "connectorx"
        assert ours == theirs
        assert set(self.reported(at_source=True)) >= {*self.columns} - {"c3"}, "a look at it is by `COPY`"

    def whole(self):
        """The types of the table, its rows as they are written in Python (so that `NaN` is itself), and what its letters say."""
        rows, _ = self.loaded()
        with Workspace.open(self.root) as workspace:
            kinds = workspace.show("shop.edges", limit=0).schema
            letters = [x.letter for x in workspace.letters(status="open")]
        told = sorted((x.file, x.raw, x.header, repr(x.reasons)) for x in letters)
        return str(kinds), {n: repr(r) for n, r in sorted(rows.items())}, told


@pytest.fixture
def edges(postgres_server, tmp_path, monkeypatch, request):
    return maker(Twice, postgres_server, tmp_path, monkeypatch, request)


def test_values_of_every_type_are_those_that_copy_brings(edges):
    """In the types that lose nothing, with all that these have no room for."""
    made = edges([(kind, "") for kind in EDGES])
    made.sql("CREATE TABLE vacant (LIKE edges)", "GRANT SELECT ON vacant TO reader")
    address = f"postgres://reader:${{env:TILL_PASSWORD}}@127.0.0.1:{made.server.port}/{made.name}?table=vacant"
    text = draft(lambda: made.root, [address], None, force=False).text.replace("vacant", "edges")
    made.both(text.replace("maxRejectedPercent: 1", "maxRejectedPercent: 100"))


def test_what_a_contract_takes_a_type_for_is_what_it_is_by_copy(edges):
    wishes = [(kind, wanted) for kind, wanted_ones in TAKEN_FOR.items() for wanted in wanted_ones]
    wishes += [("int2", "SMALLINT"), ("int2", "INT"), ("int4", "INT"), ("numeric(38,10)", "DECIMAL(38,10)"), ("price", "NUMERIC(12, 3)")]
    wishes += [("boolean", "BOOL"), ("timestamp", "DATETIME"), ("timestamptz", "TIMESTAMPTZ"), ("char(5)", "VARCHAR"), ("float4", "REAL")]
    made = edges(wishes)
    columns = "".join(f'      - {{name: {c}, logicalType: string, physicalType: "{w}"}}\n' for c, (_, w) in made.columns.items())
    head = "  - name: edges\n    physicalType: table\n    properties:\n      - {name: id, logicalType: integer, primaryKey: true}\n"
    made.both(source(head + columns, made.address("till", "reader")))


def test_rules_words_for_missing_and_new_columns_are_held_as_of_copy(edges):
    """Of rows that come as values, too: what breaks a rule is told as the line that it would be."""
    made = edges([("int4", ""), ("date", ""), ("text", ""), ("numeric(10,2)", "")])
    made.sql(
        "ALTER TABLE edges RENAME c3 TO fresh", "INSERT INTO edges SELECT n, n, '2026-01-01', 'many', n FROM generate_series(100, 30000) n"
    )
    head = (
        "  - name: edges\n    physicalType: table\n    customProperties:\n      - {property: xdeSchemaChange, value: {newColumn: evolve}}\n"
        "    properties:\n      - {name: id, logicalType: integer, primaryKey: true}\n"
    )
    columns = (
        "      - {name: c0, logicalType: integer, physicalType: INTEGER, logicalTypeOptions: {maximum: 200}, "
        "customProperties: [{property: xdeNullWords, value: ['-2147483648', '101']}]}\n"
        "      - {name: c1, logicalType: date}\n      - {name: c2, logicalType: string, logicalTypeOptions: {minLength: 2}}\n"
    )
    made.values = [*made.values, *[("c0", str(n)) for n in range(len(made.values), 30001)]]
    made.loaded = lambda: (made.rows_there(), None)
    made.rows_there = lambda: {r["id"]: r for r in _run_and_show(made)}
    made.both(source(head + columns, made.address("till", "reader")))


def _run_and_show(made):
    with Workspace.open(made.root) as workspace:
        finished = workspace.run()
        assert finished.status == "done", [f.message + f.why for o in finished.outcomes for f in o.findings]
        return workspace.show("shop.edges", limit=None).read_all().to_pylist()


def test_what_is_new_since_a_load_comes_by_copy(till):
    till.contract(BY_READER)
    till.sql("INSERT INTO orders (amount) VALUES (1.25), (NULL), (3)")
    assert till.loaded() == 3
    assert taken(till) | {"seconds": 0} == {
        "rows": 3,
        "bytes": taken(till)["bytes"],
        "seconds": 0,
        "connections": 2,
        "reader": "connectorx",
    }
    till.sql("INSERT INTO orders (amount) VALUES (4)")
    assert till.loaded() == 1
    assert "reader" not in taken(till)
    assert till.run() == {}
    assert till.ids() == [1, 2, 3, 4]


def test_merged_by_key(till):
    till.contract(f"{{property: xdeWriteMode, value: merge}}, {READER}")
    till.sql("INSERT INTO orders (amount) VALUES (1), (2)")
    assert till.loaded() == 2
    till.sql("UPDATE orders SET amount = 5 WHERE id = 1", "INSERT INTO orders (amount) VALUES (3)")
    till.loaded()
    assert taken(till)["reader"] == "connectorx"
    assert [(i, int(a)) for i, a in sorted(till.rows("id", "amount"))] == [(1, 5), (2, 2), (3, 3)]


def test_a_transaction_that_commits_late_is_loaded_by_the_next_run(till):
    till.contract(BY_READER)
    with till.connect() as late:
        late.execute("INSERT INTO orders (amount) VALUES (1)")
        till.sql("INSERT INTO orders (amount) VALUES (2)")
        till.loaded()
        assert till.ids() == []
        late.commit()
    assert till.loaded() == 2
    assert till.run() == {}
    assert till.ids() == [1, 2]


@pytest.mark.parametrize("words", [BY_READER, REPLACED])
def test_all_of_it_is_of_the_snapshot_that_the_position_is_of(till, before_it_reads, words):
    till.contract(words)
    till.sql("INSERT INTO orders (amount) VALUES (1), (2)")
    before_it_reads(lambda: till.sql("INSERT INTO orders (amount) VALUES (3)", "DELETE FROM orders WHERE id = 1"))
    assert till.loaded() == 2
    assert till.ids() == [1, 2], "as it was when the load began"
    assert till.loaded() == (1 if words == BY_READER else 2)
    assert till.ids() == ([1, 2, 3] if words == BY_READER else [2, 3])


@pytest.mark.parametrize("connections", [1, 3])
def test_a_table_in_parts(till, monkeypatch, connections):
    monkeypatch.setattr(reading, "PART", 500_000)
    till.contract(f"{BY_READER}, {{property: xdeLimits, value: {{connections: {connections}}}}}")
    till.sql(
        MANY,
        "UPDATE orders SET amount = amount WHERE id % 3 = 0",
        "DELETE FROM orders WHERE id < 2000",
        "INSERT INTO orders (amount) VALUES ('NaN')",
    )
    assert till.loaded() == 98_001
    assert taken(till)["connections"] == connections + 1
    assert till.ids() == list(range(2000, 100_001))
    with Workspace.open(till.root) as workspace:
        (letter,) = workspace.letters(status="open")
    assert letter.letter.raw.startswith(b"100001,NaN,")


def test_partitions(till):
    till.sql(
        "DROP TABLE orders",
        "CREATE TABLE orders (id bigint, amount numeric, at timestamptz) PARTITION BY RANGE (id)",
        "CREATE TABLE orders_1 PARTITION OF orders FOR VALUES FROM (0) TO (10)",
        "CREATE TABLE orders_2 PARTITION OF orders FOR VALUES FROM (10) TO (100000)",
        "GRANT SELECT ON orders TO reader",
        "INSERT INTO orders SELECT n, n, now() FROM generate_series(1, 50000) AS n",
    )
    till.contract(BY_READER)
    assert till.loaded() == 50_000
    assert till.ids() == list(range(1, 50_001))


def test_each_connection_only_reads_and_ends_what_takes_too_long(till, tmp_path):
    """By the process itself: what it says of its own transaction."""
    told = ["current_setting('transaction_read_only')", "current_setting('transaction_isolation')", "current_setting('statement_timeout')"]
    with till.connect() as connection, connection.cursor() as cursor:
        before = reading._before(cursor, {"statement_timeout": "300"})
        address = reading._address(cursor)
        report = _by_itself(tmp_path, address, before, f"SELECT {', '.join(told)}, NULL::text")
        assert report["kind"] == "done"
        assert _rows(tmp_path) == [("on", "repeatable read", "300ms")]
        slow = _by_itself(tmp_path, address, before, "SELECT 'a', 'b', pg_sleep(5)::text, NULL::text")
        assert "statement timeout" in slow["why"]
        writes = _by_itself(tmp_path, address, before, "INSERT INTO orders (amount) VALUES (1) RETURNING 'a', 'b', 'c', NULL::text")
        assert "read-only" in writes["why"]
    assert "readers password" not in json.dumps([report, slow, writes])


def _by_itself(folder, address, before, query):
    columns = [(n, "text") for n in "abc"]
    paths = [str(folder / n) for n in ("rows.parquet", "odd.csv", "report.json")]
    job = Job(os.getpid(), address, before, [query], 1, columns, r"\N", *paths)
    with closing(reading._begun(folder)) as child:
        child.tell(job.told())
        child.until(lambda: not child.alive, reading.Limits(1 << 40), time.monotonic)
    return json.loads(Path(job.report).read_text())


def _rows(folder):
    import pyarrow.parquet as pq

    return [tuple(r.values()) for r in pq.read_table(folder / "rows.parquet").to_pylist()]


@pytest.mark.parametrize(("query", "codes"), [("interval '1 day', ", ["XDE0549"]), ("1 / (id - id), ", ["XDE0549"])])
def test_a_panic_is_a_finding(till, monkeypatch, capfd, query, codes):
    """As one of a later release may be, at a type or a value that this one takes."""
    till.contract(REPLACED)
    till.sql("INSERT INTO orders (amount) VALUES (1)")
    monkeypatch.setattr(Asked, "expressions", lambda _self, *, guarded: f"{query}{guarded}::text, 'c', NULL::text")
    (outcome,) = till.run().values()
    assert [f.code for f in outcome.findings] == codes
    assert "readers password" not in repr(outcome.findings)
    assert "panicked" not in "".join(capfd.readouterr())
    monkeypatch.undo()


def test_a_statement_that_takes_too_long(till, monkeypatch):
    till.contract(f"{REPLACED}, {{property: xdeLimits, value: {{statementTimeout: 0.5}}}}")
    till.sql("INSERT INTO orders (amount) VALUES (1)")
    monkeypatch.setattr(Asked, "expressions", lambda _self, **_: "1, pg_sleep(3)::text, 'c', NULL::text")
    assert till.codes() == ["XDE0485"]


def test_a_connection_that_is_cut_is_tried_again(till, before_it_reads):
    till.contract(BY_READER)
    till.sql(MANY)
    before_it_reads(lambda: till.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'reader'"))
    assert till.loaded() == 100_000
    assert till.ids() == list(range(1, 100_001))


def test_a_server_that_ends_who_waits_in_a_transaction(till, before_it_reads):
    till.contract(REPLACED)
    till.sql("INSERT INTO orders (amount) VALUES (1)", f"ALTER DATABASE {till.name} SET idle_in_transaction_session_timeout = '200ms'")
    before_it_reads(lambda: time.sleep(0.5))
    assert till.loaded() == 1


def test_a_disk_that_is_full_is_told_and_more_room_is_enough(till):
    till.contract(REPLACED)
    till.sql(MANY, "UPDATE orders SET amount = id * 1.37")
    disk = till.root / ".xde"
    shutil.rmtree(disk, ignore_errors=True)
    disk.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1500k", "tmpfs", str(disk)], capture_output=True, check=False)
    if made.returncode:
        pytest.skip("only who may mount can make a small disk (root, outside of most containers)")
    try:
        (outcome,) = till.run().values()
        assert outcome.status == "failed"
        told = " ".join(f"{f.message} {f.why}" for f in outcome.findings)
        assert "full" in told or "No space" in told or "no room" in told, told
        subprocess.run(["mount", "-o", "remount,size=200m", str(disk)], check=True)
        assert till.loaded() == 100_000
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=False)


def test_a_login_with_odd_characters(till, monkeypatch):
    password = "p@ss:/w%rd?#[é]&"
    with till.connect(autocommit=True) as connection:
        name = f"odd%40{time.time_ns()}"
        connection.execute(f"""CREATE ROLE "{name}" LOGIN PASSWORD '{password}'""")
        connection.execute(f'GRANT SELECT ON orders TO "{name}"')
    monkeypatch.setenv("TILL_PASSWORD", password)
    till.contract(REPLACED)
    text = (till.root / "sources/shop.yaml").read_text().replace("value: reader}", f"value: '{name}'}}")
    till.write("sources/shop.yaml", text)
    till.sql("INSERT INTO orders (amount) VALUES (1)")
    assert till.loaded() == 1


def test_the_right_to_the_place_of_a_row_is_asked_for(till):
    till.contract(BY_READER)
    till.sql("REVOKE SELECT (ctid) ON orders FROM reader", "INSERT INTO orders (amount) VALUES (1)")
    (told,) = [x for x in _looked(till) if not x.well]
    assert "`ctid`" in told.told
    till.sql(told.mend)
    assert till.loaded() == 1


def test_the_doctor_tells_that_it_is_not_there(till, monkeypatch):
    monkeypatch.setattr("xde.connectors.postgres.sources.installed", lambda: False)
    (told,) = [x for x in _looked(till) if not x.well]
    assert (told.what, told.mend) == ("reader", "pip install 'xde[connectorx]'")


def _looked(till):
    settings = {"host": "127.0.0.1", "port": str(till.server.port), "database": till.name, "user": "reader", "password": "readers password"}
    columns = tuple(AskedColumn(n, t) for n, t in (("id", "BIGINT"), ("amount", "DOUBLE"), ("at", "TIMESTAMPTZ")))
    with closing(PostgresTables(settings)) as tables:
        return tables.look(Ask("shop.orders", Place("postgres", settings), "orders", None, columns, reader="connectorx"))


def test_what_cannot_be_read_in_parts_is_told(till, monkeypatch):
    till.sql("CREATE VIEW paid AS SELECT * FROM orders", "GRANT SELECT ON paid TO reader")
    till.contract(REPLACED, relation="paid")
    assert till.codes() == ["XDE0547"]
    monkeypatch.setattr(reading, "OLDEST", 990_000)
    till.contract(REPLACED)
    assert till.codes() == ["XDE0547"]


def test_a_database_without_an_encoding(till):
    with till.elsewhere() as connection:
        connection.execute(f"CREATE DATABASE {till.name}_ascii ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0")
    till.name += "_ascii"
    till.sql("CREATE TABLE orders (id int, amount numeric, at timestamptz)", "GRANT SELECT ON orders TO reader")
    till.contract(REPLACED)
    assert till.codes() == ["XDE0547"]


def test_it_is_not_installed(till, monkeypatch):
    till.contract(REPLACED)
    monkeypatch.setattr(reading, "find_spec", lambda _: None)
    (outcome,) = till.run().values()
    assert [(f.code, f.hint) for f in outcome.findings] == [("XDE0548", "pip install 'xde[connectorx]'")]


def test_a_run_that_is_killed_leaves_nobody_reading(till):
    till.contract(f"{BY_READER}, {{property: xdeLimits, value: {{connections: 2}}}}")
    till.sql(MANY.replace("100000", "1500000"))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    run = subprocess.Popen([sys.executable, "-c", "from xde.faces.cli.main import main; main()", "run"], cwd=till.root, env=environment)
    readers = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'xde' AND query LIKE 'COPY%BINARY%'"

    def wait(wanted: bool) -> None:
        until = time.monotonic() + 60
        while bool(till.asked(f"{readers} AND datname = '{till.name}'")[0][0]) is not wanted:
            assert time.monotonic() < until
            time.sleep(0.02)

    wait(True)
    run.send_signal(signal.SIGKILL)
    run.wait()
    wait(False)
    assert till.loaded() == 1_500_000
