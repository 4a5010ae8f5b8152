"""Records of one key: letters where rows are appended, one record for each key where they are merged."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from xde.kernel.plan.checks import Action, Check, CheckKind
from xde.lifecycle.ingestion.port import Dialect, Field, Merging, SchemaChange

if TYPE_CHECKING:
    from conftest import Desk

ID_A_B = (Field("id", "id", "BIGINT"), Field("a", "a", "VARCHAR"), Field("b", "b", "VARCHAR"))
H = b"id,a,b\n"
UNIQUE = Check("s.t.id.unique", "s.t", CheckKind.UNIQUE, Action.DEAD_LETTER, "`id` must be unique", ("id",))


def test_repeated_keys(desk: Desk) -> None:
    before = desk.load(desk.job([desk.file(H + b"1,x,y\n2,x,y\n", "old.csv")], ID_A_B))
    existing = tuple(f"{desk.folder}/table/{f.path}" for f in before.files)
    one = desk.file(H + b"1,p,q\nz,p,q\n3,p,q\n5,p\n3,r,s\n,,\n,,\n", "one.csv")
    two = desk.file(H + b"4,x,y\n3,t,u\nz,x,y\n", "two.csv")
    loaded = desk.load(desk.job([one, two], ID_A_B, checks=[UNIQUE], existing=existing))
    assert desk.rows(loaded) == [(3, "p", "q"), (None, None, None), (None, None, None), (4, "x", "y")]
    assert [(x.file, x.line, x.raw, x.reasons[0].rule) for x in desk.letters(loaded)] == [
        ("one.csv", 2, b"1,p,q", UNIQUE.id),
        ("one.csv", 3, b"z,p,q", "type"),
        ("one.csv", 5, b"5,p", "parse"),
        ("one.csv", 6, b"3,r,s", UNIQUE.id),
        ("two.csv", 3, b"3,t,u", UNIQUE.id),
        ("two.csv", 4, b"z,x,y", "type"),
    ]
    assert loaded.failing == {UNIQUE.id: 3, "type": 2, "parse": 1}


def test_letters_of_two_copies_are_two(desk: Desk) -> None:
    """Letters of one load are told apart by their ids, and loading the same files again makes the same ones."""
    job = desk.job([desk.file(H + b"q,x,y\n", name) for name in ("one.csv", "two.csv")], ID_A_B)
    first, second = desk.letters(desk.load(job)), desk.letters(desk.load(job))
    assert [x.file for x in first] == ["one.csv", "two.csv"]
    assert [x.id for x in first] == [x.id for x in second]
    assert len({x.id for x in first}) == 2


def test_a_record_of_parquet_that_is_refused_beside_others_is_a_letter_with_all_of_it(desk: Desk) -> None:
    """The stage keeps the text of those alone that are bad by themselves."""
    path = desk.folder / "f.parquet"
    pq.write_table(pa.table({"id": [1, 2, 1, 1], "a": ["x", "y", "z", None], "b": ["p", "q", "r", "s"], "t": [0, 0, 0, 0]}), path)
    file = replace(desk.found(path), digest="", unordered=True, format="parquet")
    for dialect in (Dialect(format="parquet"), Dialect("ndjson", nulls=())):
        loaded = desk.load(desk.job([file], ID_A_B, dialect, checks=[UNIQUE], schema_change=SchemaChange("discard")))
        found = [(x.line, json.loads(x.raw)) for x in desk.letters(loaded)]
        assert found == [(3, {"id": 1, "a": "z", "b": "r", "t": 0}), (4, {"id": 1, "a": None, "b": "s", "t": 0})]


VERSIONED = (Field("id", "id", "BIGINT"), Field("v", "v", "DATE"), Field("a", "a", "VARCHAR"))


def accounts(loaded: Any) -> list[tuple[int, int, int, int]]:
    return [(a.records, a.accepted, a.superseded, a.letters) for a in loaded.accounts]


def test_of_records_that_are_merged_the_last_holds(desk: Desk) -> None:
    file = desk.file(H + b"1,p,q\n2,p,q\n1,r,s\nz,p,q\n1,t,\n,x,y\n,z,y\n")
    loaded = desk.load(desk.job([file], ID_A_B, checks=[UNIQUE], merging=Merging(("id",))))
    assert desk.rows(loaded) == [(2, "p", "q"), (1, "t", None), (None, "z", "y")]
    assert accounts(loaded) == [(7, 3, 3, 1)]
    assert [x.raw for x in desk.letters(loaded)] == [b"z,p,q"]


def test_a_record_that_cannot_be_accepted_supersedes_nothing(desk: Desk) -> None:
    loaded = desk.load(desk.job([desk.file(H + b"1,p,q\n1,r,s,t\n")], ID_A_B, checks=[UNIQUE], merging=Merging(("id",))))
    assert (desk.rows(loaded), accounts(loaded)) == ([(1, "p", "q")], [(2, 1, 0, 1)])


def test_another_rule_of_unique_values_still_makes_letters(desk: Desk) -> None:
    other = replace(UNIQUE, id="s.t.a.unique", columns=("a",))
    file = desk.file(H + b"1,p,1\n1,q,2\n2,q,3\n3,p,4\n")
    loaded = desk.load(desk.job([file], ID_A_B, checks=[UNIQUE, other], merging=Merging(("id",))))
    assert [r[2] for r in desk.rows(loaded)] == ["2", "4"]
    assert [(x.line, x.reasons[0].rule) for x in desk.letters(loaded)] == [(4, other.id)]


def test_of_records_with_a_version_the_greatest_holds(desk: Desk) -> None:
    lines = b"1,2026-01-03,new\n1,2026-01-02,old\n2,,none\n2,2026-01-01,some\n3,2026-01-01,first\n3,2026-01-01,second\n"
    merging = Merging(("id",), "v")
    loaded = desk.load(desk.job([desk.file(b"id,v,a\n" + lines)], VERSIONED, merging=merging))
    assert sorted(r[2] for r in desk.rows(loaded)) == ["new", "second", "some"]
    table = (loaded.schema, tuple(f"{desk.folder}/table/{f.path}" for f in loaded.files))
    later = desk.file(b"id,v,a\n1,2026-01-02,late\n2,,late\n3,2026-01-01,again\n4,,new\n", "later.csv")
    after = desk.load(desk.job([later], VERSIONED, merging=replace(merging, table=table)))
    assert [r[2] for r in desk.rows(after)] == ["again", "new"]
    assert accounts(after) == [(4, 2, 2, 0)]


def test_a_key_of_several_columns(desk: Desk) -> None:
    file = desk.file(H + b"1,p,1\n1,q,2\n1,p,3\n")
    loaded = desk.load(desk.job([file], ID_A_B, merging=Merging(("id", "a"))))
    assert [r[2] for r in desk.rows(loaded)] == ["2", "3"]
