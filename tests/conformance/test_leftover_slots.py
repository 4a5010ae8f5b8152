"""Replication slots that nothing loads by any more, on a real PostgreSQL server: told, and dropped; never one of somebody else."""

from __future__ import annotations

import signal

import psycopg
import pytest
from projects.warm import command

from xde.app.workspace import Workspace

pytestmark = pytest.mark.postgres
CURSOR = "{property: xdeWriteMode, value: replace}"


def names(desk) -> list[str]:
    return sorted(n for n, _ in desk.slots())


def cleaned(desk, *, dry_run: bool = False, keep_days: float = 0.0) -> tuple[list[str], set[str]]:
    with Workspace.open(desk.root) as workspace:
        workspace.clean(keep_hours=168, keep_days=keep_days, dry_run=dry_run)
        return sorted(f.slot for f in workspace.freed), {w.code for w in workspace.warnings}


def without_capture(desk) -> None:
    text = (desk.root / "sources/shop.yaml").read_text()
    desk.write("sources/shop.yaml", text.replace("{property: xdeCapture, value: {}}", CURSOR))


def strange(desk) -> str:
    """A slot with a name like ours, of another lake."""
    desk.sql("SELECT pg_create_logical_replication_slot('xde_shop_orders_0123456789', 'pgoutput')")
    return "xde_shop_orders_0123456789"


def test_what_is_loaded_by_stays(desk):
    desk.contract(log="")
    desk.sql("INSERT INTO orders VALUES (1, 'ada', 1, NULL)")
    desk.done()
    there = names(desk)
    assert len(there) == 2
    assert cleaned(desk) == ([], set())
    assert names(desk) == there


def test_the_slot_of_a_table_that_is_read_another_way_is_told_and_dropped(desk):
    desk.sql("INSERT INTO orders VALUES (1, 'ada', 1, NULL)")
    desk.done()
    (old,) = names(desk)
    other = strange(desk)
    without_capture(desk)
    desk.done()
    assert cleaned(desk, keep_days=7) == ([], set()), "one might go back"
    assert cleaned(desk, dry_run=True) == ([old], set())
    assert names(desk) == sorted([old, other])
    code, said = command("--project", str(desk.root), "clean", "--keep-days", "0", "--dry-run")
    assert code == 0
    assert f"slot `{old}` of shop.orders would be dropped: it held back" in said
    assert cleaned(desk) == ([old], set())
    assert names(desk) == [other]
    assert cleaned(desk) == ([], set())
    assert len(desk.rows()) == 1


def test_the_slot_of_a_dataset_that_was_taken_away_is_dropped(desk):
    desk.contract(log="")
    desk.sql("INSERT INTO orders VALUES (1, 'ada', 1, NULL)")
    desk.done()
    log = next(n for n in names(desk) if "orders_log" in n)
    desk.contract()
    assert cleaned(desk, keep_days=7) == ([], set())
    assert cleaned(desk) == ([log], set())
    desk.contract(log="")
    desk.sql("INSERT INTO orders VALUES (2, 'bob', 2, NULL)")
    assert {f.code for f in desk.run()["shop.orders_log"].findings} == {"XDE0425"}, "who takes it back is told, and loads anew"


def test_another_environment_that_shows_the_table_keeps_its_slot(desk):
    desk.sql("INSERT INTO orders VALUES (1, 'ada', 1, NULL)")
    desk.done()
    with Workspace.open(desk.root, environment="other") as workspace:
        workspace.run()
    (old,) = names(desk)
    without_capture(desk)
    desk.done()
    assert cleaned(desk) == ([], set())
    assert names(desk) == [old]


def test_a_server_that_does_not_answer_keeps_its_record(desk, monkeypatch):
    desk.sql("INSERT INTO orders VALUES (1, 'ada', 1, NULL)")
    desk.done()
    (old,) = names(desk)
    without_capture(desk)
    desk.done()
    monkeypatch.setenv("TILL_PASSWORD", "another one")
    assert cleaned(desk) == ([], {"XDE0346"})
    monkeypatch.setenv("TILL_PASSWORD", "readers password")
    assert cleaned(desk) == ([old], set())


def test_a_slot_that_somebody_reads_just_now_is_left(desk):
    desk.sql("INSERT INTO orders VALUES (1, 'ada', 1, NULL)")
    desk.done()
    (old,) = names(desk)
    without_capture(desk)
    desk.done()
    with psycopg.connect(desk.server.url(desk.name) + "?replication=database", autocommit=True) as reader:
        command = f"START_REPLICATION SLOT \"{old}\" LOGICAL 0/0 (proto_version '1', publication_names 'xde')"
        reader.pgconn.exec_(command.encode())
        assert cleaned(desk) == ([], set())
        reader.pgconn.finish()
    assert names(desk) == [old]


@pytest.mark.crash
def test_killed_after_the_slot_the_next_cleaning_goes_on(desk):
    desk.sql("INSERT INTO orders VALUES (1, 'ada', 1, NULL)")
    desk.done()
    without_capture(desk)
    desk.done()
    assert command("--project", str(desk.root), "clean", "--keep-days", "0", XDE_CRASH_AT="slot.dropped")[0] == -signal.SIGKILL
    assert names(desk) == []
    assert cleaned(desk) == ([], set())
    assert len(desk.rows()) == 1
