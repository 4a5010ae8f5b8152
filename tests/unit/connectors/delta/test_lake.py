"""Commits, snapshots, history and schemas of a real lake, on a disk and behind a URL."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from xde.connectors.delta.lake import DeltaLake
from xde.ground.errors import Bug, TemporaryError, UserError
from xde.lifecycle.storage.port import Column, Commit, TableId


def test_a_table_that_was_never_committed_is_not_there(anywhere):
    assert anywhere.snapshot() is None
    assert anywhere.lake.tables() == ()
    assert anywhere.lake.history(anywhere.table) == ()


def test_rows_are_there_after_the_commit_and_not_before(anywhere):
    schema, files = anywhere.write("SELECT range AS id, 'x' || range AS name FROM range(3)")
    assert anywhere.snapshot() is None
    assert anywhere.commit(schema, files, facts={"run": "r1", "letters": []}) == anywhere.first
    snapshot = anywhere.snapshot()
    assert (snapshot.number, snapshot.rows, snapshot.schema) == (anywhere.first, 3, schema)
    assert snapshot.files == files
    assert anywhere.rows() == [(0, "x0"), (1, "x1"), (2, "x2")]
    assert anywhere.lake.tables() == (anywhere.table,)


def test_tables_are_listed_by_name_and_letters_are_none(anywhere):
    for dataset, version in (("shop.orders", "v2"), ("mart.a_b", "v1"), ("shop.orders", "v1")):
        anywhere.table = TableId(dataset, version)
        anywhere.append("SELECT 1 AS id")
        (anywhere.path / "_letters").mkdir(exist_ok=True)
    (anywhere.path.parent / "v9").mkdir()
    assert anywhere.lake.tables() == (TableId("mart.a_b", "v1"), TableId("shop.orders", "v1"), TableId("shop.orders", "v2"))


def test_history_tells_numbers_times_rows_and_facts(anywhere):
    anywhere.append("SELECT range AS id FROM range(3)", facts={"kind": "load", "files": [{"path": "a.csv", "rows": 3}]})
    anywhere.append("SELECT range AS id FROM range(4)", facts={"kind": "load", "words": "ünïcode \" ' \n"})
    anywhere.replace("SELECT 7::BIGINT AS id", facts={"kind": "build"})
    third, second, first, *_ = anywhere.lake.history(anywhere.table)
    n = anywhere.first
    assert [r.number for r in (third, second, first)] == [n + 2, n + 1, n]
    assert [(r.rows_added, r.files_added, r.files_removed) for r in (third, second, first)] == [(1, 1, 2), (4, 1, 0), (3, 1, 0)]
    assert second.facts == {"kind": "load", "words": "ünïcode \" ' \n"}
    assert first.at <= second.at <= third.at
    assert first.at.endswith("+00:00")
    assert anywhere.lake.history(anywhere.table, since=n + 1) == (third,)
    assert anywhere.lake.history(anywhere.table, since=n + 2) == ()


def test_an_older_snapshot_can_be_read_and_an_unknown_one_is_a_finding(anywhere):
    anywhere.append("SELECT 1 AS id")
    anywhere.append("SELECT 2 AS id")
    anywhere.replace("SELECT 3 AS id")
    n = anywhere.first
    assert [anywhere.rows(n + i) for i in (0, 1, 2)] == [[(1,)], [(1,), (2,)], [(3,)]]
    assert anywhere.rows() == [(3,)]
    for unknown in (n + 3, -1):
        with pytest.raises(UserError) as told:
            anywhere.snapshot(unknown)
        assert told.value.findings[0].code == "XDE0604"
        assert told.value.findings[0].why == f"its snapshots are 0 to {n + 2}"


def test_a_commit_on_anything_but_the_newest_snapshot_is_refused(anywhere):
    schema, files = anywhere.write("SELECT 1 AS id")
    anywhere.commit(schema, files)
    _, more = anywhere.write("SELECT 2 AS id")
    _, late = anywhere.write("SELECT 3 AS id")
    anywhere.commit(schema, more)
    for base in (None, anywhere.first, anywhere.first + 2):
        with pytest.raises(TemporaryError, match="changed by somebody else"):
            anywhere.lake.commit(Commit(anywhere.table, schema, late, base=base))
    with pytest.raises(TemporaryError, match="changed by somebody else"):
        anywhere.lake.commit(Commit(TableId("shop.none", "v1"), schema, (), base=0))
    assert anywhere.rows() == [(1,), (2,)]


def test_removing_what_is_not_there_or_adding_what_is_would_be_our_bug(bench):
    schema, files = bench.write("SELECT 1 AS id")
    bench.commit(schema, files)
    _, never = bench.write("SELECT 2 AS id")
    with pytest.raises(Bug):
        bench.commit(schema, (), never)
    with pytest.raises(Bug):
        bench.commit(schema, files)


def test_a_file_that_is_gone_or_cut_is_not_committed(bench):
    schema, files = bench.write("SELECT 1 AS id")
    (bench.path / files[0].path).write_bytes(b"half")
    with pytest.raises(TemporaryError, match="must be written again"):
        bench.commit(schema, files)
    (bench.path / files[0].path).unlink()
    with pytest.raises(TemporaryError, match="must be written again"):
        bench.commit(schema, files)
    assert bench.snapshot() is None


def test_an_empty_table_and_a_commit_of_facts_alone(anywhere):
    schema = (Column("id", "BIGINT"), Column("at", "TIMESTAMP"))
    assert anywhere.commit(schema, ()) == anywhere.first
    assert anywhere.snapshot().schema == schema
    assert anywhere.snapshot().files == ()
    assert anywhere.commit(schema, (), facts={"discarded": ["a"]}) == anywhere.first + 1
    assert anywhere.lake.history(anywhere.table)[0].facts == {"discarded": ["a"]}


def test_columns_may_be_added_and_older_files_read_as_null(anywhere):
    anywhere.append("SELECT 1 AS id")
    anywhere.append("SELECT 2 AS id, 'new' AS word, TIMESTAMP '2013-01-01 05:00:00' AS at", facts={"run": "r"})
    assert [c.name for c in anywhere.snapshot().schema] == ["id", "word", "at"]
    assert [r[:2] for r in anywhere.rows()] == [(1, None), (2, "new")]
    newest, columns, *_ = anywhere.lake.history(anywhere.table)
    assert newest.facts == {"run": "r"}
    assert columns.facts == {"kind": "schema", "what": "columns"}
    assert [c.name for c in anywhere.snapshot(anywhere.first).schema] == ["id"]


def test_a_commit_without_a_column_leaves_the_column(bench):
    bench.append("SELECT 1 AS id, 'x' AS word")
    bench.append("SELECT 2 AS id")
    assert bench.rows() == [(1, "x"), (2, None)]


def test_a_type_changes_only_with_every_file(anywhere):
    anywhere.append("SELECT 1 AS id")
    anywhere.append("SELECT 2 AS id")
    with pytest.raises(UserError) as told:
        anywhere.append("SELECT 3::BIGINT AS id")
    assert told.value.findings[0].code == "XDE0605"
    assert "INTEGER" in told.value.findings[0].message
    assert anywhere.rows() == [(1,), (2,)]
    assert anywhere.replace("SELECT 4::BIGINT AS id, TIMESTAMP '2013-01-01' AS at", facts={"run": "whole"}) == anywhere.first + 3
    assert [c.type for c in anywhere.snapshot().schema] == ["BIGINT", "TIMESTAMP"]
    assert [r.facts.get("what", r.facts.get("run")) for r in anywhere.lake.history(anywhere.table, anywhere.first + 1)] == [
        "whole",
        "feature",
    ]
    assert len(anywhere.rows()) == 1
    assert anywhere.replace("SELECT 'x' AS other") == anywhere.first + 4
    assert anywhere.rows() == [("x",)]
    assert anywhere.rows(anywhere.first + 1) == [(1,), (2,)]


def test_a_compaction_says_that_no_data_changed(bench):
    bench.append("SELECT 1 AS id")
    bench.append("SELECT 2 AS id")
    bench.replace("SELECT 1 AS id UNION ALL SELECT 2", facts={"kind": "compact"})
    text = (bench.path / "_delta_log" / f"{2:020}.json").read_text("utf-8")
    changes = [v["dataChange"] for line in text.splitlines() for k, v in json.loads(line).items() if k in {"add", "remove"}]
    assert changes == [False, False, False]
    assert bench.rows() == [(1,), (2,)]


def test_nothing_personal_stands_in_the_log(anywhere):
    anywhere.append("SELECT 1 AS id, 'ada@x.org' AS mail", personal=("mail",))
    anywhere.append("SELECT 2 AS id, 'bob@x.org' AS mail, 'Bob' AS name", personal=("mail", "name"))
    log = "".join(p.read_text("utf-8") for p in (anywhere.path / "_delta_log").glob("*.json"))
    assert "x.org" not in log
    assert "Bob" not in log
    files = sorted(anywhere.snapshot().files, key=lambda f: f.statistics["id"].low)
    assert [set(f.statistics) for f in files] == [{"id"}, {"id"}]
    assert [f.statistics["id"].low for f in files] == ["1", "2"]


def test_a_column_added_beside_personal_ones_keeps_its_statistics(bench):
    bench.append("SELECT 1 AS id, 'ada' AS name", personal=("name",))
    bench.append("SELECT 2 AS id, 'bob' AS name, 7 AS age", personal=("name",))
    assert {k for f in bench.snapshot().files for k in f.statistics} == {"id", "age"}


@pytest.mark.slow
def test_facts_and_statistics_outlive_checkpoints(bench):
    for i in range(105):
        bench.append(f"SELECT {i} AS id, '12345678901234567890.1234567890'::DECIMAL(38,10) AS exact", facts={"n": i})
    assert list((bench.path / "_delta_log").glob("*.checkpoint.parquet")), "the test is about checkpoints"
    again = DeltaLake(bench.lake.root)
    assert [r.facts["n"] for r in again.history(bench.table)] == list(range(104, -1, -1))
    snapshot = again.snapshot(bench.table)
    assert sorted(int(f.statistics["id"].low) for f in snapshot.files) == list(range(105))
    assert {f.statistics["exact"].high for f in snapshot.files} == {"12345678901234567890.1234567890"}
    assert again.snapshot(bench.table, 50).rows == 51


def test_a_table_dropped_and_made_anew_is_seen_by_who_had_it_open(bench):
    bench.append("SELECT 1 AS id")
    bench.append("SELECT 2 AS id")
    other = DeltaLake(bench.lake.root)
    other.drop(bench.table)
    assert bench.snapshot() is None
    assert bench.lake.tables() == ()
    schema, files = bench.write("SELECT 9 AS id")
    other.commit(Commit(bench.table, schema, files))
    assert bench.rows() == [(9,)]


def test_drop_takes_everything(anywhere):
    anywhere.append("SELECT 1 AS id")
    anywhere.append("SELECT 2 AS id")
    anywhere.lake.drop(anywhere.table)
    assert anywhere.snapshot() is None
    assert anywhere.lake.tables() == ()
    assert [p for p in anywhere.path.rglob("*") if p.is_file()] == []
    anywhere.append("SELECT 3 AS id")
    assert anywhere.rows() == [(3,)]


def test_a_lake_that_cannot_be_written_is_a_finding(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(UserError) as told:
        DeltaLake(str(tmp_path / "file")).folder(TableId("a.b", "v"))
    assert told.value.findings[0].code == "XDE0603"
    with pytest.raises(UserError) as told:
        DeltaLake(str(tmp_path / "50%25"))
    assert told.value.findings[0].code == "XDE0606"


def test_a_damaged_log_is_a_finding(bench):
    bench.append("SELECT 1 AS id")
    Path(bench.path, "_delta_log", f"{1:020}.json").write_text("garbage")
    for lake in (bench.lake, DeltaLake(bench.lake.root)):
        with pytest.raises(UserError) as told:
            lake.snapshot(bench.table)
        assert told.value.findings[0].code == "XDE0608"
        assert "unknown" not in told.value.findings[0].why


def test_a_table_that_another_tool_gave_deletion_vectors_is_not_read_wrong(bench):
    from deltalake import DeltaTable, TableFeatures

    bench.append("SELECT 1 AS id")
    DeltaTable(str(bench.path)).alter.add_feature(TableFeatures.DeletionVectors, allow_protocol_versions_increase=True)
    with pytest.raises(UserError) as told:
        bench.snapshot()
    assert told.value.findings[0].code == "XDE0602"
    assert "deletionVectors" in told.value.findings[0].message
