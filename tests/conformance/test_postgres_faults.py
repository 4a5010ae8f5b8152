"""What goes wrong between us and a real PostgreSQL server: a finding or another try, and nothing half done is seen."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from projects.postgres import PASSWORD
from database import in_mid_load
from till import BY_ID

from xde.app.workspace import Workspace
from xde.ground.errors import UserError

if TYPE_CHECKING:
    pass

pytestmark = pytest.mark.postgres


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
    assert "rights: every column may be read" in detail  # as whom stands in the line of the server
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


WIDE = """\
      - {name: id, logicalType: integer, primaryKey: true, required: true}
      - {name: part, logicalType: integer}
      - {name: quantity, logicalType: number, physicalType: "DECIMAL(15,2)"}
      - {name: price, logicalType: number, physicalType: "DECIMAL(15,2)"}
      - {name: day, logicalType: date}
      - {name: at, logicalType: timestamp}
      - {name: mode, logicalType: string}
      - {name: comment, logicalType: string}
"""
TWO_MILLION = """
INSERT INTO orders SELECT n, n % 200000, n % 50, (n % 100000) / 7.0, DATE '2026-01-01' + n % 365, TIMESTAMP '2026-01-01' + n * INTERVAL '1 s',
(ARRAY['AIR', 'RAIL', 'SHIP'])[1 + n % 3], 'carefully final deposits number ' || n FROM generate_series(1, 2000000) AS n
"""
MEASURED = """
import resource, sys
from xde.app.workspace import Workspace
with Workspace.open(__import__("pathlib").Path(sys.argv[1])) as workspace:
    outcomes = workspace.run().outcomes
used = resource.getrusage(resource.RUSAGE_SELF)
print(outcomes[0].status, outcomes[0].rows, used.ru_utime + used.ru_stime, used.ru_maxrss // 1024)
"""


@pytest.mark.slow
def test_two_million_rows_in_little_memory(till):
    till.sql(
        "DROP TABLE orders",
        "CREATE TABLE orders (id bigint, part int, quantity numeric(15,2), price numeric(15,2), day date, at timestamp, mode text, comment text)",
        TWO_MILLION,
        "GRANT SELECT ON orders TO reader",
    )
    till.contract("{property: xdeLimits, value: {connections: 2}}", WIDE)
    (till.root / "xde.yaml").write_text("name: shop\nengine: {name: duckdb, memory_limit: 400MB}\n")
    begun = time.process_time()
    bare_copy = "COPY orders TO STDOUT (FORMAT csv)"
    with till.connect() as connection, (till.root / "bare.csv").open("wb") as out, connection.cursor().copy(bare_copy) as copy:
        for block in copy:
            out.write(block)
    bare = time.process_time() - begun
    done = subprocess.run([sys.executable, "-c", MEASURED, str(till.root)], capture_output=True, text=True, check=True)
    status, rows, seconds, peak = done.stdout.split()
    print(f"bare COPY to a file {bare:.1f} s of CPU, to the lake {float(seconds):.1f} s, peak {peak} MiB")
    assert (status, int(rows)) == ("done", 2_000_000)
    assert int(peak) < 1024
    assert float(seconds) < 5 * bare
