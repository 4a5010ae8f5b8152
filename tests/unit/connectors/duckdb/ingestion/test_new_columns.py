"""Columns that the contract does not know, by every policy and in every format that names its columns."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from xde.ground.errors import UserError
from xde.lifecycle.ingestion.port import Dialect, Field, SchemaChange
from xde.lifecycle.storage.port import Column

if TYPE_CHECKING:
    from conftest import Desk

    from xde.lifecycle.ingestion.port import FileToLoad

FIELDS = (Field("id", "id", "BIGINT"), Field("a", "a", "VARCHAR"))
RECORDS: list[dict[str, Any]] = [{"id": 1, "a": "x", "n": 5}, {"id": 2, "a": "y", "n": None}, {"id": "q", "a": "z", "n": 7}]
FORMATS = ("csv", "ndjson", "json", "parquet", "excel")


def delivered(desk: Desk, form: str, records: list[dict[str, Any]], name: str = "f") -> FileToLoad:
    names = list(dict.fromkeys(n for r in records for n in r))
    path = desk.folder / f"{name}.{form}"
    match form:
        case "csv":
            lines = [",".join(names), *(",".join("" if r.get(n) is None else str(r[n]) for n in names) for r in records)]
            path.write_text("\n".join(lines) + "\n")
        case "ndjson":
            path.write_text("\n".join(json.dumps(r) for r in records) + "\n")
        case "json":
            path.write_text(json.dumps(records))
        case "parquet":
            columns = {n: [None if r.get(n) is None else str(r[n]) for r in records] for n in names}
            pq.write_table(pa.table(columns), path)
        case _:
            openpyxl = pytest.importorskip("openpyxl")
            book = openpyxl.Workbook()
            for row in [names, *([r.get(n) for n in names] for r in records)]:
                book.active.append(row)
            book.save(path)
    return desk.found(path)


AT = dt.datetime(2026, 1, 2, 3)  # noqa: DTZ001 - a TIMESTAMP has no zone


def policy(word: str) -> dict[str, Any]:
    return {"schema_change": SchemaChange(new_column=word)}


@pytest.mark.parametrize("form", FORMATS)
def test_freeze_refuses_the_file(desk: Desk, form: str) -> None:
    with pytest.raises(UserError) as raised:
        desk.load(desk.job([delivered(desk, form, RECORDS)], FIELDS, Dialect(format=form), **policy("freeze")))
    assert raised.value.findings[0].code == "XDE0412"
    assert "`n`" in raised.value.findings[0].message
    assert not list(desk.folder.glob("table/**/*.parquet"))


@pytest.mark.parametrize("form", FORMATS)
def test_discard_leaves_the_column_out(desk: Desk, form: str) -> None:
    loaded = desk.load(desk.job([delivered(desk, form, RECORDS)], FIELDS, Dialect(format=form), **policy("discard")))
    assert desk.rows(loaded) == [(1, "x"), (2, "y")]
    assert loaded.schema == (Column("id", "BIGINT"), Column("a", "VARCHAR"))
    assert [x.reasons[0].rule for x in desk.letters(loaded)] == ["type"]


@pytest.mark.parametrize("form", FORMATS)
def test_quarantine_keeps_every_record_that_has_a_value_there(desk: Desk, form: str) -> None:
    job = desk.job([delivered(desk, form, RECORDS)], FIELDS, Dialect(format=form), **policy("quarantine"))
    loaded = desk.load(job)
    letters = desk.letters(loaded)
    assert desk.rows(loaded) == [(2, "y")]
    assert [[(r.rule, r.column, r.message) for r in x.reasons] for x in letters] == [
        [("unknown column", "n", "the contract has no column `n`")],
        [("unknown column", "n", "the contract has no column `n`")],
    ]
    assert loaded.failing == {"unknown column": 2}
    assert b"5" in letters[0].raw
    known = replace(job, fields=(*FIELDS, Field("n", "n", "BIGINT")))
    again = desk.replay(known, letters)
    assert desk.rows(again) == [(1, "x", 5)]
    assert [(x.id, x.reasons[0].rule) for x in desk.letters(again)] == [(letters[1].id, "type")]


@pytest.mark.parametrize("form", FORMATS)
def test_evolve_adds_the_column_in_the_type_of_its_values(desk: Desk, form: str) -> None:
    file = delivered(desk, form, RECORDS, "one")
    job = desk.job([file], FIELDS, Dialect(format=form), **policy("evolve"))
    loaded = desk.load(job)
    kind = "VARCHAR" if form == "parquet" else "BIGINT"
    assert loaded.new_columns == {Column("n", kind): f"one.{form}"}
    assert loaded.schema == (Column("id", "BIGINT"), Column("a", "VARCHAR"), Column("n", kind))
    assert desk.rows(loaded) == [(1, "x", "5" if form == "parquet" else 5), (2, "y", None)]
    later = delivered(desk, form, [{"id": 3, "a": "x", "n": 8}, {"id": 4, "a": "y", "n": "many"}, {"id": 5, "a": "z"}], "two")
    without = delivered(desk, form, [{"id": 6, "a": "x"}], "three")
    after = desk.load(replace(job, files=[later, without], evolved=(Column("n", "BIGINT"),)))
    assert after.new_columns == {}
    assert desk.rows(after) == [(3, "x", 8), (5, "z", None), (6, "x", None)]
    assert [[(r.rule, r.column) for r in x.reasons] for x in desk.letters(after)] == [[("type", "n")]]


VALUES = [
    ("BIGINT", ["1", "-20", "0"]),
    ("VARCHAR", ["1", "007"]),
    ("VARCHAR", ["1", "+5"]),
    ("DOUBLE", ["1", "2.50"]),
    ("VARCHAR", ["1.5", "0.12345678901234567890"]),
    ("VARCHAR", ["9223372036854775808"]),
    ("VARCHAR", ["1e5"]),
    ("VARCHAR", ["nan"]),
    ("BOOLEAN", ["true", "FALSE"]),
    ("VARCHAR", ["true", "yes"]),
    ("DATE", ["2026-01-02", "1999-12-31"]),
    ("TIMESTAMP", ["2026-01-02", "2026-01-02 10:00:00"]),
    ("TIMESTAMP WITH TIME ZONE", ["2026-01-02T10:00:00Z", "2026-01-02T10:00:00+02:00"]),
    ("VARCHAR", ["2026-01-02", "02.01.2026"]),
    ("VARCHAR", ["x", "1"]),
]


@pytest.mark.parametrize(("kind", "texts"), VALUES)
def test_the_type_holds_every_value(desk: Desk, kind: str, texts: list[str]) -> None:
    one = desk.file(f"id,a,n\n1,x,{texts[0]}\n2,x,\n".encode(), "one.csv")
    two = desk.file(("id,n,a\n" + "".join(f"3,{t},y\n" for t in texts[1:])).encode(), "two.csv")
    loaded = desk.load(desk.job([one, two], FIELDS, **policy("evolve")))
    assert loaded.schema[-1] == Column("n", kind)
    assert (loaded.accepted, loaded.letters) == (len(texts) + 1, 0)


def test_parquet_tells_the_type(desk: Desk) -> None:
    path = desk.folder / "f.parquet"
    table = {"id": ["1"], "a": ["x"], "d": [Decimal("1.50")], "t": [AT], "s": pa.array([{"p": 1}])}
    pq.write_table(pa.table(table), path)
    loaded = desk.load(desk.job([desk.found(path)], FIELDS, Dialect(format="parquet"), **policy("evolve")))
    assert loaded.schema[2:] == (Column("d", "DECIMAL(3,2)"), Column("t", "TIMESTAMP"), Column("s", "VARCHAR"))
    assert desk.rows(loaded) == [(1, "x", Decimal("1.50"), AT, '{"p":1}')]


def test_odd_names_and_nested_values_in_json(desk: Desk) -> None:
    line = json.dumps({"id": 1, "a": "x", 'q"u': 1, "b c": [1, 2], "ü.x": {"y": 1}, "n": None})
    loaded = desk.load(desk.job([desk.file(line.encode(), "f.ndjson")], FIELDS, Dialect(format="ndjson"), **policy("evolve")))
    assert {c.name: c.type for c in loaded.schema[2:]} == {'q"u': "BIGINT", "b c": "VARCHAR", "ü.x": "VARCHAR"}
    row = dict(zip((c.name for c in loaded.schema), desk.rows(loaded)[0], strict=True))
    assert row == {"id": 1, "a": "x", 'q"u': 1, "b c": "[1,2]", "ü.x": '{"y":1}'}


def test_a_column_without_a_value_waits(desk: Desk) -> None:
    loaded = desk.load(desk.job([desk.file(b"id,a,n\n1,x,\n2,y,\n")], FIELDS, **policy("evolve")))
    assert (len(loaded.schema), loaded.accepted, loaded.new_columns) == (2, 2, {})


@pytest.mark.parametrize("header", [b"id,a,A", b"id,a,", b"id,a,n,N"])
def test_names_that_a_table_cannot_tell_apart(desk: Desk, header: bytes) -> None:
    with pytest.raises(UserError) as raised:
        desk.load(desk.job([desk.file(header + b"\n")], FIELDS, **policy("evolve")))
        desk.load(desk.job([desk.file(header + b"\n1,x" + b",1" * (header.count(b",") - 1) + b"\n")], FIELDS, **policy("evolve")))
    assert raised.value.findings[0].code == "XDE0423"


def test_two_columns_of_a_name_are_letters_too(desk: Desk) -> None:
    file = desk.file(b"id,n,n,a\n1,,5,x\n2,,,y\n")
    loaded = desk.load(desk.job([file], FIELDS, **policy("quarantine")))
    assert (desk.rows(loaded), [x.line for x in desk.letters(loaded)]) == ([(2, "y")], [2])
    with pytest.raises(UserError) as raised:
        desk.load(desk.job([file], FIELDS, **policy("evolve")))
    assert raised.value.findings[0].code == "XDE0416"


def test_a_column_taken_earlier_stays_when_the_policy_changes(desk: Desk) -> None:
    job = desk.job([desk.file(b"id,a\n1,x\n")], FIELDS, evolved=(Column("n", "DOUBLE"),), **policy("freeze"))
    loaded = desk.load(job)
    assert loaded.schema[-1] == Column("n", "DOUBLE")
    assert desk.rows(loaded) == [(1, "x", None)]


def test_a_letter_whose_file_lacked_a_new_column_of_the_contract_stays_one(desk: Desk) -> None:
    job = desk.job([desk.file(b"id,a\nq,x\n")], FIELDS)
    letters = [replace(x, raw=b"1,x") for x in desk.letters(desk.load(job))]
    known = replace(job, fields=(*FIELDS, Field("n", "n", "BIGINT")))
    again = desk.replay(known, letters)
    assert [(x.reasons[0].rule, x.reasons[0].message) for x in desk.letters(again)] == [("missing column", "its file had no column `n`")]
    assert desk.rows(desk.replay(replace(known, schema_change=SchemaChange(missing_column="evolve")), letters)) == [(1, "x", None)]
