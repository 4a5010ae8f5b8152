"""Cleaning takes orphans and what only old snapshots need, and never a file that anybody may still read or commit."""

from __future__ import annotations

import os
from datetime import timedelta

import pytest

from xde.connectors.delta.lake import DeltaLake
from xde.ground.clock import SetClock, SystemClock
from xde.lifecycle.storage.port import Commit


def age(path, hours):
    told = path.stat()
    os.utime(path, (told.st_atime - hours * 3600, told.st_mtime - hours * 3600))


def cleaned(bench, keep_hours=24.0, dry_run=False, later=0.0):
    """Clean with a clock that is `later` hours ahead."""
    lake = DeltaLake(bench.lake.root, clock=SetClock(SystemClock().now() + timedelta(hours=later)))
    return lake.clean(bench.table, keep_hours=keep_hours, dry_run=dry_run)


def orphan(bench, hours):
    _, files = bench.write("SELECT 99 AS id")
    path = bench.path / files[0].path
    age(path, hours)
    return path


def test_orphans_go_when_no_writer_can_still_mean_them(anywhere):
    anywhere.append("SELECT 1 AS id")
    old, young = orphan(anywhere, 30), orphan(anywhere, 2)
    listed = cleaned(anywhere, dry_run=True)
    assert listed.files == (old.name,)
    assert listed.bytes == old.stat().st_size
    assert old.exists(), "a dry run takes nothing"
    assert cleaned(anywhere) == listed
    assert not old.exists()
    assert young.exists()
    assert cleaned(anywhere).files == ()
    just_written = orphan(anywhere, 0.5)
    assert cleaned(anywhere, keep_hours=0).files == (young.name,)
    assert just_written.exists(), "a writer has an hour, however little is kept"
    assert anywhere.rows() == [(1,)]


def test_a_folder_without_a_commit_holds_orphans_only(bench):
    path = orphan(bench, 30)
    assert cleaned(bench).files == (path.name,)
    assert not path.exists()


def test_files_of_old_snapshots_go_when_they_are_older_than_is_kept(anywhere):
    anywhere.append("SELECT 1 AS id")
    first = anywhere.snapshot().files[0].path
    anywhere.replace("SELECT 2 AS id")
    assert cleaned(anywhere, keep_hours=24, later=23).files == ()
    anywhere.append("SELECT 3 AS id")
    assert cleaned(anywhere, keep_hours=24, later=25).files == (first,)
    assert anywhere.rows() == [(2,), (3,)]
    assert anywhere.snapshot(anywhere.first).files[0].path == first, "the log still tells what there was"


def test_a_young_file_that_was_replaced_waits_too(bench):
    bench.append("SELECT 1 AS id")
    bench.replace("SELECT 2 AS id")
    assert cleaned(bench, keep_hours=1).files == ()
    assert len(cleaned(bench, keep_hours=0).files) == 1
    assert bench.rows() == [(2,)]


@pytest.mark.parametrize("named", ["{}", "_letters/{}"])
def test_letters_that_a_commit_names_stay_for_ever(anywhere, named):
    letters = anywhere.path / "_letters"
    letters.mkdir(parents=True, exist_ok=True)
    for name in ("kept.parquet", "lost.parquet", "young.parquet"):
        (letters / name).write_bytes(b"letter")
    anywhere.append("SELECT 1 AS id", facts={"letters": [named.format("kept.parquet")]})
    anywhere.replace("SELECT 2 AS id", facts={"letters": []})
    for name in ("kept.parquet", "lost.parquet"):
        age(letters / name, 1000)
    assert cleaned(anywhere).files == ("_letters/lost.parquet",)
    assert sorted(p.name for p in letters.iterdir()) == ["kept.parquet", "young.parquet"]


@pytest.mark.slow
def test_letters_stay_when_another_tool_has_cut_the_log(bench):
    bench.append("SELECT 1 AS id", facts={"letters": ["kept.parquet"]})
    for i in range(100):
        bench.append(f"SELECT {i} AS id")
    (bench.path / "_letters").mkdir()
    (bench.path / "_letters" / "kept.parquet").write_bytes(b"letter")
    age(bench.path / "_letters" / "kept.parquet", 1000)
    (bench.path / "_delta_log" / f"{0:020}.json").unlink()
    assert cleaned(bench, keep_hours=0).files == ()
    assert len(bench.rows()) == 101


def test_what_crashes_left_in_the_log_s_folder_goes_and_the_log_stays(bench):
    bench.append("SELECT 1 AS id")
    staged = bench.path / "_delta_log" / f"{1:020}.json#1"
    making = bench.path / "_making_0123" / "_delta_log" / f"{0:020}.json"
    aside = bench.path / "_making_4567"
    foreign = bench.path / "notes" / "readme.parquet"
    for path in (staged, making, aside, foreign):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("half")
        age(path, 30)
    age(bench.path / "_delta_log" / f"{0:020}.json", 30)
    assert set(cleaned(bench).files) == {str(p.relative_to(bench.path)) for p in (staged, making, aside)}
    assert foreign.exists(), "what we do not know stays"
    assert bench.rows() == [(1,)]
    bench.append("SELECT 2 AS id")
    assert bench.rows() == [(1,), (2,)]


def test_a_file_that_was_cleaned_away_under_a_slow_writer_is_not_committed(bench):
    bench.append("SELECT 1 AS id")
    schema, files = bench.write("SELECT 2 AS id")
    age(bench.path / files[0].path, 30)
    cleaned(bench)
    with pytest.raises(Exception, match="must be written again"):
        bench.commit(schema, files)


def test_a_table_brought_back_by_another_tool_keeps_its_files(bench):
    from deltalake import DeltaTable

    bench.append("SELECT 1 AS id")
    bench.replace("SELECT 2 AS id")
    DeltaTable(str(bench.path)).restore(0)
    (live,) = (f.path for f in bench.snapshot().files)
    (other,) = (name for name in _parquet(bench) if name != live)
    assert cleaned(bench, keep_hours=0).files == (other,)
    assert bench.rows() == [(1,)]


def _parquet(bench):
    return sorted(p.name for p in bench.path.glob("*.parquet"))


def test_after_any_history_cleaning_leaves_every_kept_snapshot_whole(bench):
    """Every file of every snapshot that was the newest within the time kept is there, and nothing else is."""
    for i in range(12):
        if i % 3:
            bench.append(f"SELECT {i} AS id")
        elif bench.snapshot():
            bench.replace(f"SELECT {i} AS id")
        else:
            bench.append("SELECT 0 AS id")
        orphan(bench, 30)
    now = {f.path for f in bench.snapshot().files}
    everything = {f.path for n in range(12) for f in bench.snapshot(n).files}
    cleaned(bench, keep_hours=24)
    assert set(_parquet(bench)) == everything
    cleaned(bench, keep_hours=0)
    assert set(_parquet(bench)) == now
    lake = DeltaLake(bench.lake.root)
    assert lake.commit(Commit(bench.table, bench.snapshot().schema, (), base=11)) == 12
