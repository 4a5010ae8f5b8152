"""A version dropped is there whole or not at all; what a crash left of a drop or of a first build is cleaned away."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from pathlib import Path

from xde.lifecycle.storage.port import TableId


def place(bench):
    """The table's folder; `bench.path` would make it."""
    return Path(bench.lake.root.removeprefix("file://")) / "shop/orders" / bench.table.version


def age(bench, hours):
    """Make everything in the table's folder older."""
    for path in (place(bench), *place(bench).rglob("*")):
        told = path.stat()
        os.utime(path, (told.st_atime - hours * 3600, told.st_mtime - hours * 3600))


def files(bench):
    return sorted(str(p.relative_to(place(bench).parent)) for p in place(bench).parent.rglob("*") if p.is_file())


def test_a_drop_tells_what_it_takes(anywhere):
    anywhere.append("SELECT 1 AS id")
    anywhere.append("SELECT 2 AS id")
    told = anywhere.lake.drop(anywhere.table, dry_run=True)
    assert anywhere.rows() == [(1,), (2,)], "a dry run takes nothing"
    assert anywhere.lake.drop(anywhere.table) == told
    assert (told.table, told.dropped, len([f for f in told.files if f.endswith(".parquet")])) == (anywhere.table, True, 2)
    assert told.bytes > 0
    assert files(anywhere) == []
    assert anywhere.lake.drop(anywhere.table).files == (), "what is not there is dropped already"


def test_another_version_is_not_touched(anywhere):
    anywhere.append("SELECT 1 AS id")
    anywhere.table = TableId("shop.orders", "v2")
    anywhere.append("SELECT 2 AS id")
    anywhere.lake.drop(TableId("shop.orders", "v1"))
    assert anywhere.lake.tables() == (TableId("shop.orders", "v2"),)
    assert anywhere.rows() == [(2,)]


def test_who_looks_while_it_is_dropped_sees_all_files_or_no_table(bench):
    """A reader in a tight loop beside fifty drops."""
    torn, over = [], threading.Event()
    folder = place(bench)

    def look():
        while not over.is_set():
            with suppress(FileNotFoundError):
                names = os.listdir(folder)  # noqa: PTH208 - one call of the system
                if (folder / "_delta_log").exists() and sum(n.endswith(".parquet") for n in names) != 3:
                    torn.append(names)

    for _ in range(50):
        if bench.snapshot() is None:
            schema, written = bench.write("SELECT 1 AS id")
            more = [f for _ in range(2) for f in bench.write("SELECT 1 AS id")[1]]
            bench.commit(schema, (*written, *more))
        thread = threading.Thread(target=look)
        over.clear()
        thread.start()
        bench.lake.drop(bench.table)
        over.set()
        thread.join()
    assert torn == []


def test_a_build_that_never_came_to_its_first_commit_is_cleaned_away(anywhere):
    anywhere.write("SELECT 1 AS id")
    (anywhere.path / "_letters").mkdir(exist_ok=True)
    assert anywhere.lake.tables() == ()
    assert anywhere.lake.ruins() == (anywhere.table,)
    assert anywhere.lake.clean(anywhere.table, keep_hours=0, dry_run=False).files == (), "its writer may still be at work"
    age(anywhere, 30)
    assert len(anywhere.lake.clean(anywhere.table, keep_hours=24, dry_run=True).files) == 1
    assert len(anywhere.lake.clean(anywhere.table, keep_hours=24, dry_run=False).files) == 1
    assert files(anywhere) == []
    assert anywhere.lake.ruins() == ()


def test_a_folder_without_files_waits_for_its_writer_too(bench):
    bench.lake.folder(bench.table)
    bench.lake.clean(bench.table, keep_hours=0, dry_run=False)
    assert place(bench).is_dir()
    age(bench, 30)
    bench.lake.clean(bench.table, keep_hours=24, dry_run=False)
    assert not place(bench).exists()


def test_tables_are_no_ruins(anywhere):
    anywhere.append("SELECT 1 AS id")
    age(anywhere, 1000)
    assert anywhere.lake.ruins() == ()
