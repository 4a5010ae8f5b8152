"""Files of one table in another: by reference on a disk, copied elsewhere, and each table on its own from there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from xde.ground.errors import TemporaryError
from xde.lifecycle.storage.port import Commit, TableId

SHADOW = TableId("shop.orders", "v1-r2")


def began(bench):
    """A table of two files, and a second one that begins as it is; the snapshots of both."""
    bench.append("SELECT 1 AS id")
    bench.append("SELECT 2 AS id")
    of = bench.lake.snapshot(bench.table)
    bench.lake.share(of, SHADOW)
    bench.lake.commit(Commit(SHADOW, of.schema, of.files, (), None, {"kind": "restate", "run": "r"}))
    return of, bench.lake.snapshot(SHADOW)


def test_it_has_the_same_files_under_the_same_names(anywhere):
    of, shadow = began(anywhere)
    assert sorted(f.path for f in shadow.files) == sorted(f.path for f in of.files)
    assert {f.path: f.statistics for f in shadow.files} == {f.path: f.statistics for f in of.files}
    paths = [p.removeprefix("file://") for p in shadow.paths]
    assert sorted(anywhere.duck.execute("SELECT id FROM read_parquet(?)", [paths]).fetchall()) == [(1,), (2,)]


def test_either_can_be_dropped_and_the_other_stays(anywhere):
    of, shadow = began(anywhere)
    anywhere.lake.drop(anywhere.table)
    paths = [p.removeprefix("file://") for p in shadow.paths]
    assert anywhere.duck.execute("SELECT count(*) FROM read_parquet(?)", [paths]).fetchone() == (2,)
    assert not any(Path(p.removeprefix("file://")).exists() for p in of.paths)


def test_to_share_again_changes_nothing(anywhere):
    of, shadow = began(anywhere)
    anywhere.lake.share(of, SHADOW)
    assert anywhere.lake.snapshot(SHADOW) == shadow
    folder = Path(anywhere.lake.folder(SHADOW).removeprefix("file://"))
    assert sorted(p.name for p in folder.glob("*.parquet")) == sorted(f.path for f in shadow.files)
    assert not list(folder.glob("_making_*"))


def test_files_shared_and_not_yet_committed_are_no_orphans(bench):
    """However old they are: a clean in another environment must not take them between the sharing and the commit."""
    bench.append("SELECT 1 AS id")
    of = bench.lake.snapshot(bench.table)
    for path in of.paths:
        os.utime(path, (0, 0))
    bench.lake.share(of, SHADOW)
    assert SHADOW in bench.lake.ruins()
    assert bench.lake.clean(SHADOW, keep_hours=0, dry_run=False).files == ()
    folder = Path(bench.lake.folder(SHADOW))
    assert all((folder / f.path).samefile(Path(bench.lake.folder(bench.table)) / f.path) for f in of.files), "a link takes no room"


def test_a_file_that_went_meanwhile_is_worth_another_look(bench):
    bench.append("SELECT 1 AS id")
    of = bench.lake.snapshot(bench.table)
    Path(of.paths[0]).unlink()
    with pytest.raises(TemporaryError):
        bench.lake.share(of, SHADOW)
