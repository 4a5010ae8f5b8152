"""What goes wrong while changes are captured: whoever is killed, cut off or restarted, nothing is lost and nothing comes twice."""

from __future__ import annotations

import signal

import psycopg
import pytest
from database import in_mid_load
from projects.warm import command

from xde.app.workspace import Workspace
from xde.ground.crash import CrashPoint
from xde.ground.errors import DataError
from xde.ground.findings import Finding

pytestmark = pytest.mark.postgres
POINTS = (
    CrashPoint.SLOT_MADE,
    CrashPoint.CHANGES_READ,
    CrashPoint.FILES_WRITTEN,
    CrashPoint.BEFORE_COMMIT,
    CrashPoint.AFTER_COMMIT,
    CrashPoint.SLOT_BEHIND,
    CrashPoint.SLOT_ADVANCED,
    CrashPoint.STEP_RECORDED,
)


def killed(desk, point: str, *words: str) -> None:
    code, said = command("--project", str(desk.root), "run", *words, XDE_CRASH_AT=point)
    assert code == -signal.SIGKILL, (point, said)


def logged(desk) -> list[tuple]:
    return desk.log("operation", "id", "amount")


@pytest.mark.parametrize("point", POINTS)
def test_killed_in_the_first_load_and_in_a_later_one(desk, point):
    desk.contract(log="", capture="{batch: 1}")
    desk.sql("INSERT INTO orders VALUES (1, 'ada', 1, NULL)")
    killed(desk, f"{point}:1")
    desk.sql("INSERT INTO orders VALUES (2, 'bob', 2, NULL)")
    desk.loaded()
    assert sorted(i for _, i, _ in logged(desk)) == [1, 2]
    assert len(desk.slots()) == 2, "no slot is left behind"
    desk.sql(
        "UPDATE orders SET amount = 5 WHERE id = 1", "DELETE FROM orders WHERE id = 2", "INSERT INTO orders VALUES (3, 'eve', 3, NULL)"
    )
    if point != CrashPoint.SLOT_MADE:
        killed(desk, f"{point}:2")
        desk.sql("INSERT INTO orders VALUES (4, 'kim', 4, NULL)")
    desk.run()
    desk.run()
    assert desk.run() == {}
    assert desk.rows() == desk.there()
    more = [("c", 4)] if point != CrashPoint.SLOT_MADE else []
    assert [(o, i) for o, i, _ in logged(desk)][2:] == [("u", 1), ("d", 2), ("c", 3), *more]
    assert _position(desk, "shop.orders") <= max(lsn for _, lsn in desk.slots())


def _position(desk, dataset: str) -> int:
    with Workspace.open(desk.root) as workspace:
        lake = workspace.house.lake
        (table,) = (t for t in lake.tables() if t.dataset == dataset)
        facts = next(h.facts for h in sorted(lake.history(table), key=lambda h: -h.number) if "position" in h.facts)
    high, _, low = facts["position"]["lsn"].partition("/")
    return (int(high, 16) << 32) | int(low, 16)


MANY = "INSERT INTO orders SELECT n, 'c', n % 1000, NULL FROM generate_series(1, 30000) AS n"


@pytest.mark.parametrize("first", [True, False])
def test_a_connection_that_is_cut_is_tried_again(desk, monkeypatch, first):
    if not first:
        desk.loaded()
    desk.sql(MANY)
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'scribe'"
    with in_mid_load(monkeypatch, lambda: desk.sql(cut)):
        assert desk.loaded() == {"orders": 30_000}
    assert desk.run() == {}
    assert len(desk.slots()) == 1
    assert desk.rows() == desk.there()


def test_a_server_that_is_restarted_in_the_middle(desk, monkeypatch):
    desk.loaded()
    desk.sql(MANY)
    log = str(desk.server.data.parent / "log")
    with in_mid_load(monkeypatch, lambda: desk.server.control("-l", log, "-m", "fast", "restart")):
        assert desk.loaded() == {"orders": 30_000}
    assert desk.rows() == desk.there()
    desk.server.control("-l", log, "-m", "immediate", "restart")
    desk.sql("DELETE FROM orders WHERE id > 10")
    assert desk.loaded() == {"orders": 0}
    assert desk.rows() == desk.there()


def test_a_slot_that_is_dropped_is_told_and_not_made_again(desk):
    desk.sql("INSERT INTO orders VALUES (1, 'ada', 1, NULL)")
    desk.loaded()
    desk.sql(
        "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = current_database()", "DELETE FROM orders"
    )
    assert desk.codes() == ["XDE0425"]
    assert desk.slots() == []
    assert [i for i, *_ in desk.rows()] == [1]
    assert desk.loaded(full=True) == {"orders": 0}
    assert desk.rows() == []
    desk.sql("INSERT INTO orders VALUES (2, 'ada', 1, NULL)")
    assert desk.loaded() == {"orders": 1}


def test_a_slot_that_went_on_without_us_is_told(desk):
    desk.loaded()
    desk.sql(
        "INSERT INTO orders VALUES (1, 'ada', 1, NULL)",
        "SELECT pg_replication_slot_advance(slot_name, pg_current_wal_flush_lsn()) FROM pg_replication_slots WHERE database = current_database()",
        "INSERT INTO orders VALUES (2, 'ada', 1, NULL)",
    )
    assert desk.codes() == ["XDE0425"]


def test_a_slot_whose_log_was_taken_away_is_told(desk):
    desk.loaded()
    try:
        desk.sql("ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'", "SELECT pg_reload_conf()")
        for _ in range(6):
            desk.sql(
                "CREATE TABLE IF NOT EXISTS other (t text)",
                "INSERT INTO other SELECT repeat('x', 900) FROM generate_series(1, 20000)",
                "SELECT pg_switch_wal()",
                "CHECKPOINT",
            )
        assert desk.asked("SELECT wal_status FROM pg_replication_slots WHERE database = current_database()") == [("lost",)]
        assert desk.codes() == ["XDE0425"]
    finally:
        desk.sql("ALTER SYSTEM RESET max_slot_wal_keep_size", "SELECT pg_reload_conf()")


def test_a_publication_that_lost_the_table_for_a_time_is_told(desk):
    desk.loaded()
    desk.sql("ALTER PUBLICATION xde DROP TABLE orders", "INSERT INTO orders VALUES (1, 'ada', 1, NULL)")
    assert desk.codes() == ["XDE0427"]
    desk.sql("ALTER PUBLICATION xde ADD TABLE orders", "INSERT INTO orders VALUES (2, 'ada', 1, NULL)")
    assert desk.codes() == ["XDE0425"]
    desk.loaded(full=True)
    assert desk.rows() == desk.there()


def test_a_first_load_that_fails_leaves_no_slot(desk):
    desk.contract(state=", {property: xdeDeadLetter, value: {mode: stop}}", columns="      - {name: customer, logicalType: integer}\n")
    desk.sql("INSERT INTO orders VALUES (1, 'ada', 1, NULL)")
    assert desk.codes() != []
    assert desk.slots() == []


def test_a_table_in_which_nothing_happens_lets_the_log_go(desk):
    desk.loaded()
    before = desk.slots()
    desk.sql("CREATE TABLE other (t text)", "INSERT INTO other SELECT repeat('x', 900) FROM generate_series(1, 30000)")
    assert desk.loaded() == {"orders": 0}
    (after,) = desk.slots()
    assert after[1] > before[0][1] + (16 << 20)
    assert desk.run() == {}


def test_a_transaction_that_is_open_keeps_the_first_load_waiting_and_nothing_more(desk, monkeypatch):
    monkeypatch.setattr("xde.connectors.postgres.capture.reading.WAIT", 1)
    with desk.connect() as open_one:
        open_one.execute("INSERT INTO orders VALUES (1, 'ada', 1, NULL)")
        (outcome,) = desk.run().values()
        assert outcome.status == "failed"
        assert desk.slots() == []
        open_one.commit()
    assert desk.loaded() == {"orders": 1}


def test_the_doctor_says_what_is_missing_and_the_sql_that_mends_it(desk):
    def told():
        with Workspace.open(desk.root) as workspace:
            found = next(d for d in workspace.doctor() if d.subject == "source shop.orders")
        return found.status, found.detail, found.hint

    def mended(part: str) -> None:
        status, detail, hint = told()
        assert status != "ok", detail
        assert part in detail
        desk.sql(*[s for s in hint.partition("run: ")[2].partition(" (or")[0].split("; ") if s])

    status, detail, _ = told()
    assert status == "ok", detail
    assert "replica identity: id" in detail
    desk.sql("ALTER PUBLICATION xde DROP TABLE orders")
    mended("does not have `orders`")
    desk.sql("ALTER PUBLICATION xde SET (publish = 'insert')")
    mended("leaves some kinds of changes out")
    desk.sql("ALTER PUBLICATION xde DROP TABLE orders", "ALTER PUBLICATION xde ADD TABLE orders WHERE (id > 1)")
    mended("tells of some rows alone")
    desk.sql("DROP PUBLICATION xde")
    mended("is not there")
    desk.sql("ALTER TABLE orders DROP CONSTRAINT orders_pkey")
    mended("replica identity")
    with psycopg.connect(desk.server.url("postgres"), autocommit=True) as connection:
        connection.execute(
            "DO $$ BEGIN CREATE ROLE clerk LOGIN PASSWORD 'readers password'; EXCEPTION WHEN duplicate_object THEN NULL; END $$"
        )
        connection.execute("ALTER ROLE clerk NOREPLICATION")
    desk.user = "clerk"
    desk.contract()
    desk.sql("GRANT SELECT ON orders TO clerk")
    assert told()[0] == "denied"
    assert desk.codes() == ["XDE0427"]
    with psycopg.connect(desk.server.url("postgres"), autocommit=True) as connection:
        connection.execute(told()[2].partition(": ")[2])
    assert told()[0] == "ok"


def test_a_full_load_that_fails_leaves_the_capture_as_it_was(desk):
    desk.loaded()
    (before,) = desk.slots()
    desk.sql("INSERT INTO orders VALUES (1, 'ada', 1, NULL)")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("xde.lifecycle.storage.publish.Publisher._refuse", refused)
        assert desk.codes(full=True) == ["XDE0500"]
    assert [s for s, _ in desk.slots()] == [before[0]]
    assert desk.loaded() == {"orders": 1}
    killed(desk, "slot.made", "--full")
    desk.sql("INSERT INTO orders VALUES (2, 'ada', 1, NULL)")
    assert desk.loaded() == {"orders": 1}
    assert [s for s, _ in desk.slots()] == [before[0]]
    assert desk.loaded(full=True) == {"orders": 2}
    (after,) = desk.slots()
    assert after[0] != before[0]
    desk.sql("TRUNCATE orders", "INSERT INTO orders VALUES (9, 'ada', 1, NULL)")
    assert desk.loaded() == {"orders": 1}
    assert desk.rows() == desk.there()


def refused(*_: object) -> None:
    raise DataError(Finding("XDE0500", "the audit refuses it"))
