"""The entry that we write ourselves says what delta-rs would have said, and is known without being read back."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from deltalake import DeltaTable, Schema
from deltalake.transaction import create_table_with_add_actions

from xde.connectors.delta.actions import add_action, storable_types
from xde.connectors.delta.evolution import first_settings
from xde.connectors.delta.lake import DeltaLake
from xde.connectors.delta.types import to_delta
from xde.lifecycle.storage.port import Column, Commit

KINDS = """
    SELECT * FROM (VALUES
        (1::TINYINT, 2::SMALLINT, 3::INTEGER, 4::BIGINT, 1.5::FLOAT, 2.5::DOUBLE, true, 'x', '\\xFF'::BLOB, DATE '2013-01-02',
         TIMESTAMP '2013-01-02 03:04:05.123456', TIMESTAMPTZ '2013-01-02 03:04:05.5+05:30', 12345678901234567890.1234567890::DECIMAL(38,10),
         -0.01::DECIMAL(5,2), [1, NULL], {'a': 1, 'b c': [DATE '2020-02-29']}, MAP {'k': 1.5::DOUBLE}, [{'x': {'y': TIMESTAMP '2013-01-02'}}],
         18446744073709551615::UBIGINT, TIME '12:34:56', 'b'::ENUM('a', 'b')),
        (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)
    ) AS t(i1, i2, i4, i8, f4, f8, bo, tx, bl, da, ts, tz, d38, d5, li, st, ma, deep, u8, ti, en)
"""
ODD_NAMES = """SELECT 1 AS "a.b", {'b': 2} AS a, 3 AS "q""`x", 4 AS "sp ace, comma", 5 AS "ümlaut", 'é"\\' AS "select" """
ODD_VALUES = (
    "'infinity'::TIMESTAMP",
    "TIMESTAMP '2013-01-02 03:04:05.5'",
    "TIMESTAMPTZ '2013-01-02 03:04:05.000001+02'",
    "TIMESTAMPTZ '0001-01-01 00:00:00+14'",
    "DATE '0044-03-15 (BC)'",
    "'nan'::DOUBLE",
    "'-inf'::DOUBLE",
    "0.1::FLOAT",
    "1e-300::DOUBLE",
    "(-0.0)::DOUBLE",
    "repeat('z', 1000)",
    "repeat('é', 33)",
    "chr(0) || 'a'",
    "''",
    "NULL::VARCHAR",
    "true",
    "9223372036854775807::BIGINT",
    "0::DECIMAL(38,37)",
    "(-99999999999999999999999999999999999999)::DECIMAL(38,0)",
    "0.00::DECIMAL(9,2)",
)


def actions(path):
    lines = (path / "_delta_log" / f"{0:020}.json").read_text("utf-8").splitlines()
    return {name: told for line in lines for name, told in json.loads(line).items()}


def by_delta_rs(path, commit):
    """The same commit as delta-rs makes it, in another folder."""
    types = storable_types(commit.schema)
    adds = [add_action(f, commit, types, 1) for f in commit.adds]
    create_table_with_add_actions(
        str(path), Schema.from_json(json.dumps(to_delta(commit.schema))), adds, mode="error", configuration=first_settings(commit)
    )
    return actions(path)


@pytest.mark.parametrize("sql", [KINDS, ODD_NAMES, *(f"SELECT {v} AS v" for v in ODD_VALUES)])
def test_it_says_what_delta_rs_says(bench, tmp_path, sql):
    schema, files = bench.write(sql)
    odd = [replace(f, path=f"é %#{f.path}") for f in files]
    (bench.path / files[0].path).rename(bench.path / odd[0].path)
    commit = Commit(bench.table, schema, odd, personal=("tx",) if "tx" in {c.name for c in schema} else ())
    bench.lake.commit(commit)
    ours, theirs = actions(bench.path), by_delta_rs(tmp_path / "theirs", commit)
    assert ours["protocol"] == theirs["protocol"]
    for part in ("schemaString", "configuration", "partitionColumns", "format"):
        assert ours["metaData"][part] == theirs["metaData"][part]
    for part in ("path", "partitionValues", "size", "dataChange"):
        assert ours["add"][part] == theirs["add"][part]
    assert json.loads(ours["add"]["stats"]) == json.loads(theirs["add"]["stats"])
    assert DeltaTable(str(bench.path)).to_pyarrow_table().num_rows == files[0].rows


@pytest.mark.parametrize("sql", [KINDS, ODD_NAMES, *(f"SELECT {v} AS v" for v in ODD_VALUES)])
def test_what_is_known_of_it_is_what_would_be_read(bench, sql):
    schema, files = bench.write(sql)
    bench.lake.commit(Commit(bench.table, schema, files, personal=(schema[-1].name,)))
    assert bench.snapshot() == DeltaLake(bench.lake.root).snapshot(bench.table)


def test_others_are_heard_after_it(bench):
    """What is known of our own entry holds only until the next one, whoever writes it, and until the table is made anew."""
    bench.append("SELECT 1 AS id")
    other = DeltaLake(bench.lake.root)
    schema, files = bench.write("SELECT 2 AS id")
    other.commit(Commit(bench.table, schema, files, base=0))
    assert (bench.snapshot().number, bench.rows()) == (1, [(1,), (2,)])
    other.drop(bench.table)
    assert bench.snapshot() is None
    other.commit(Commit(bench.table, (Column("word", "VARCHAR"),), ()))
    assert bench.snapshot().schema == (Column("word", "VARCHAR"),)


def test_a_folder_of_the_log_without_an_entry_is_no_table(bench):
    """As a crash between making the folder and putting the entry in it leaves it."""
    (bench.path / "_delta_log").mkdir()
    assert bench.snapshot() is None
    bench.append("SELECT 1 AS id")
    assert bench.rows() == [(1,)]
