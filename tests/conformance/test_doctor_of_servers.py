"""What the doctor tells of servers besides the way to them: TLS, clocks, latency, what of the log runs out; on the real ones."""

from __future__ import annotations

import datetime as dt

import psycopg
import pytest

from xde.app.workspace import Workspace
from xde.ground.clock import SystemClock


def told(root, subject=""):
    with Workspace.open(root) as workspace:
        return [d for d in workspace.doctor() if d.subject.startswith(subject)]


@pytest.fixture
def late(monkeypatch):
    """This machine's clock is an hour behind."""

    class Late(SystemClock):
        def now(self):
            return super().now() - dt.timedelta(hours=1)

    monkeypatch.setattr("xde.lifecycle.sources.servers.SystemClock", Late)
    monkeypatch.setattr("xde.connectors.objects.s3.SystemClock", Late)


@pytest.mark.postgres
def test_a_postgresql_server_in_order_is_one_line(till):
    (server,) = told(till.root, "server ")
    assert server.status == "ok"
    assert server.subject == f"server 127.0.0.1:{till.server.port}/{till.name}"
    for word in ("PostgreSQL 1", ": as `reader`", "round trip: ", " ms", "TLS: not in use, on this machine", "clock: "):
        assert word in server.detail, server.detail
    assert "wal senders" not in server.detail
    (source,) = told(till.root, "source ")
    assert (source.status, source.detail) == ("ok", "`orders`: 4 columns; rights: every column may be read")


@pytest.mark.postgres
def test_a_clock_that_is_wrong_is_told_with_the_reason_and_stops_nothing(till, late):
    server, clock = told(till.root, "server ")
    assert (server.status, clock.status) == ("ok", "unsafe")
    assert "this machine's is 60 min behind the server's" in clock.detail
    assert "cursor" in clock.detail
    assert "set-ntp" in clock.hint
    assert [d.status for d in told(till.root, "source ")] == ["ok"]


@pytest.mark.postgres
def test_a_server_that_is_away_is_told_once_and_with_the_table(till):
    till.contract(port=1)
    assert told(till.root, "server ") == []
    (source,) = told(till.root, "source ")
    assert source.status == "missing"


@pytest.mark.postgres
def test_what_of_the_log_runs_out_is_told_with_the_sql(desk):
    (server,) = told(desk.root, "server ")
    for word in ("replication slots: ", " of 100 taken", "wal senders: ", " of 20 taken", "without a limit", "GRANT pg_monitor TO"):
        assert word in server.detail, server.detail
    with desk.elsewhere() as connection:
        for n in range(100):
            try:
                connection.execute(f"SELECT pg_create_physical_replication_slot('taken_{n}', true)")
            except psycopg.Error:  # all of them are taken
                break
        try:
            connection.execute("ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'; ")
            connection.execute("SELECT pg_reload_conf()")
            connection.execute("SELECT pg_switch_wal()")
            desk.sql("CREATE TABLE filler AS SELECT repeat('x', 1000) AS x FROM generate_series(1, 3000)")
            found = told(desk.root, "server ")
            slots = next(d for d in found if d.detail.startswith("replication slots"))
            assert (slots.status, "none is left" in slots.detail) == ("unsafe", True)
            assert "ALTER SYSTEM SET max_replication_slots = 200" in slots.hint
            held = next(d for d in found if d.detail.startswith("log held"))
            assert "nobody reads just now: " in held.detail
            assert "max_slot_wal_keep_size" in held.hint
        finally:
            connection.execute("ALTER SYSTEM RESET max_slot_wal_keep_size")
            connection.execute("SELECT pg_reload_conf()")
            connection.execute("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name ~ '^taken_'")


@pytest.mark.postgres
def test_who_may_see_the_log_is_told_how_much_there_is(desk):
    user = desk.asked("SELECT string_agg(rolname, ',') FROM pg_roles WHERE rolreplication AND rolname <> 'xde' AND NOT rolsuper")[0][0]
    assert user
    desk.sql(*(f"GRANT pg_monitor TO {u}" for u in user.split(",")))
    try:
        (server,) = told(desk.root, "server ")
        assert "log on the server's disk: " in server.detail
        assert " files" in server.detail
    finally:
        desk.sql(*(f"REVOKE pg_monitor FROM {u}" for u in user.split(",")))


@pytest.mark.mysql
def test_a_mariadb_server_in_order_is_one_line_and_its_clock_is_held_against_ours(shop, late):
    server, clock = told(shop.root, "server ")
    for word in ("MariaDB 1", ": as `reader@127.0.0.1`", "round trip: ", "TLS: "):
        assert word in server.detail, server.detail
    assert "60 min behind the server's" in clock.detail


def test_a_disk_with_little_room_is_told(tmp_path, monkeypatch):
    (tmp_path / "xde.yaml").write_text("name: shop\n")
    (disk,) = told(tmp_path, "disk ")
    assert disk.status == "ok"
    assert " GB free at " in disk.detail
    monkeypatch.setattr("xde.app.doctor.ROOM", 1e18)
    monkeypatch.setattr("xde.app.doctor.LITTLE", 2.0)
    (disk,) = told(tmp_path, "disk ")
    assert disk.status == "unsafe"
    assert "xde clean" in disk.hint
