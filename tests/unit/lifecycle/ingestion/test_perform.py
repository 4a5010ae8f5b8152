"""Loads as a whole, from contract and files to what is published: references, new columns, merges, letters."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest

from projects.folder import Folder
from xde.app.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xde.kernel.run.events import Outcome

HEAD = """\
apiVersion: v3.1.0
kind: DataContract
id: s
name: s
version: 1.0.0
status: active
servers:
  - {server: local, type: local, path: data, format: FORMAT}
schema:
"""


@dataclass
class Desk(Folder):
    """A project of one contract."""

    def contract(self, schema: str, form: str = "csv") -> None:
        self.write("sources/s.yaml", HEAD.replace("FORMAT", form) + schema)

    def run(self, *selection: str, **how: Any) -> dict[str, Outcome]:
        with Workspace.open(self.root) as workspace:
            finished = workspace.run(selection=selection, **how)
            return {o.step.dataset: o for o in finished.outcomes}

    def rows(self, dataset: str) -> list[tuple[Any, ...]]:
        with Workspace.open(self.root) as workspace:
            return sorted((tuple(r.values()) for r in workspace.show(dataset, limit=None).read_all().to_pylist()), key=str)

    def letters(self, status: str | None = "open") -> list[tuple[str, int, bytes, tuple[str, ...]]]:
        with Workspace.open(self.root) as workspace:
            found = workspace.letters(status=status)
        return [(x.letter.file, x.letter.line, x.letter.raw, tuple(r.rule for r in x.letter.reasons)) for x in found]

    def replay(self) -> Sequence[Any]:
        with Workspace.open(self.root) as workspace:
            return workspace.replay([])

    def facts(self, dataset: str) -> list[dict[str, Any]]:
        """What the commits of a table say, oldest first."""
        from xde.lifecycle.storage.port import TableId

        with Workspace.open(self.root) as workspace:
            version = workspace.house.ledger.pointers("dev")[dataset]
            return [dict(r.facts) for r in reversed(workspace.house.lake.history(TableId(dataset, version)))]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    made = Desk(tmp_path / "p")
    made.write("xde.yaml", "name: p\n")
    (made.root / "models").mkdir()
    return made


FLIGHTS = """\
  - name: a_flights
    physicalName: flights-*.csv
    physicalType: file
    properties:
      - {name: id, logicalType: integer, primaryKey: true}
      - name: plane
        logicalType: string
        relationships: [{to: z_planes.tail, customProperties: [{property: xdeOnFailure, value: quarantine}]}]
  - name: z_planes
    physicalName: planes-*.csv
    physicalType: file
    properties:
      - {name: tail, logicalType: string, primaryKey: true}
"""


def test_orphans_are_letters_until_their_parent_is_there(desk: Desk) -> None:
    desk.contract(FLIGHTS)
    desk.write("data/flights-1.csv", "id,plane\n1,N1\n2,N2\n3,\n")
    desk.write("data/planes-1.csv", "tail\nN1\n")
    outcomes = desk.run()
    assert {n: o.status for n, o in outcomes.items()} == {"s.z_planes": "done", "s.a_flights": "done"}, "parents first, in one run"
    assert desk.rows("s.a_flights") == [(1, "N1"), (3, None)]
    assert desk.letters() == [("flights-1.csv", 3, b"2,N2", ("s.a_flights.plane.reference",))]
    result = {c.check.id: c for c in outcomes["s.a_flights"].checks}["s.a_flights.plane.reference"]
    assert (result.passed, result.value) == (True, "1 dead letters")
    assert desk.replay()[0].accepted == 0
    desk.write("data/planes-2.csv", "tail\nN2\n")
    desk.run()
    assert desk.replay()[0].accepted == 1
    assert desk.rows("s.a_flights") == [(1, "N1"), (2, "N2"), (3, None)]


def test_a_parent_that_fails_holds_its_children_back(desk: Desk) -> None:
    desk.contract(FLIGHTS)
    desk.write("data/flights-1.csv", "id,plane\n1,N1\n")
    desk.write("data/planes-1.csv", "tail,more\nN1,2\n")
    assert {n: o.status for n, o in desk.run().items()} == {"s.z_planes": "failed", "s.a_flights": "skipped"}


def test_two_that_refer_to_each_other_are_loaded_once_one_of_them_only_warns(desk: Desk) -> None:
    there = "relationships: [{to: b.k, customProperties: [{property: xdeOnFailure, value: quarantine}]}]"
    back = "relationships: [{to: a.k, customProperties: [{property: xdeOnFailure, value: warn}]}]"
    table = "  - {name: NAME, physicalName: NAME.csv, physicalType: file, properties: [{name: k, logicalType: integer, REL}]}\n"
    desk.contract(table.replace("NAME", "a").replace("REL", there) + table.replace("NAME", "b").replace("REL", back))
    desk.write("data/a.csv", "k\n1\n2\n")
    desk.write("data/b.csv", "k\n1\n3\n")
    assert {n: o.status for n, o in desk.run().items()} == {"s.a": "done", "s.b": "done"}
    assert desk.rows("s.a") == [(1,)]
    assert desk.rows("s.b") == [(1,), (3,)]


def orders(policy: str, mode: str = "append", more: str = "") -> str:
    return f"""\
  - name: t
    physicalName: t-*.csv
    physicalType: file
    customProperties:
      - {{property: xdeSchemaChange, value: {{newColumn: {policy}}}}}
      - {{property: xdeWriteMode, value: {mode}}}
    properties:
      - {{name: id, logicalType: integer, primaryKey: true}}
      - {{name: a, logicalType: string}}
{more}"""


@pytest.mark.parametrize("mode", ["append", "merge"])
def test_a_new_column_is_a_column_of_the_table(desk: Desk, mode: str) -> None:
    """Old rows have nothing in it, also when their file alone is written again; a value of another type is a letter."""
    desk.contract(orders("evolve", mode))
    desk.write("data/t-1.csv", "id,a\n1,x\n2,y\n")
    desk.run()
    desk.write("data/t-2.csv", "id,a,n\n3,x,7\n")
    outcome = desk.run()["s.t"]
    assert [(f.code, f.severity, "`n` BIGINT" in f.message) for f in outcome.findings] == [("XDE0424", "info", True)]
    assert desk.facts("s.t")[-1]["new_columns"] == {"n": "BIGINT"}
    assert desk.rows("s.t") == [(1, "x", None), (2, "y", None), (3, "x", 7)]
    desk.write("data/t-3.csv", "id,n,a\n4,8,x\n5,many,x\n")
    assert desk.run()["s.t"].letters == 1
    desk.write("data/t-4.csv", f"id,a\n{2 if mode == 'merge' else 6},z\n")
    assert desk.run()["s.t"].findings == ()
    last = (2, "z", None) if mode == "merge" else (6, "z", None)
    expected = {1: (1, "x", None), 2: (2, "y", None), 3: (3, "x", 7), 4: (4, "x", 8)} | {last[0]: last}
    assert desk.rows("s.t") == list(expected.values())
    assert desk.letters() == [("t-3.csv", 3, b"5,many,x", ("type",))]
    desk.run(full=True)
    assert [r[0] for r in desk.rows("s.t")] == ([1, 2, 3, 4] if mode == "merge" else [1, 2, 3, 4, 5, 6]), "all files are looked at together"


def test_a_table_whose_new_column_no_file_has_yet(desk: Desk) -> None:
    """As a crash between the change of the schema and the commit of the rows leaves it."""
    desk.contract(orders("evolve"))
    desk.write("data/t-1.csv", "id,a\n1,x\n")
    desk.write("models/m/t.sql", "SELECT * FROM s.t\n")
    desk.run()
    from xde.lifecycle.storage.port import Column, Commit, TableId

    with Workspace.open(desk.root) as workspace:
        lake = workspace.house.lake
        snapshot = lake.snapshot(TableId("s.t", workspace.house.ledger.pointers("dev")["s.t"]))
        assert snapshot is not None
        lake.commit(Commit(snapshot.table, (*snapshot.schema, Column("n", "DOUBLE")), (), (), snapshot.number, {"kind": "schema"}))
    assert desk.rows("s.t") == [(1, "x", None)]
    desk.write("data/t-2.csv", "id,a\n2,y\n")
    assert {n: o.status for n, o in desk.run().items()} == {"s.t": "done", "m.t": "done"}
    assert desk.rows("s.t") == [(1, "x", None), (2, "y", None)]


def test_records_with_an_unknown_column_wait_for_the_contract(desk: Desk) -> None:
    desk.contract(orders("quarantine"))
    desk.write("data/t-1.csv", "id,a\n1,x\nq,x\n")
    desk.write("data/t-2.csv", "id,a,n\n2,x,7\n3,y,\n4,z,many\n")
    outcome = desk.run()["s.t"]
    assert (outcome.rows, outcome.letters) == (2, 3)
    assert desk.letters() == [
        ("t-1.csv", 3, b"q,x", ("type",)),
        ("t-2.csv", 2, b"2,x,7", ("unknown column",)),
        ("t-2.csv", 4, b"4,z,many", ("unknown column",)),
    ]
    desk.contract(orders("quarantine", more="      - {name: n, logicalType: integer}\n"))
    assert desk.replay()[0].accepted == 1
    assert desk.rows("s.t") == [(1, "x", None), (2, "x", 7), (3, "y", None)]
    assert [(x[1], x[3]) for x in desk.letters()] == [(3, ("type",)), (4, ("type",))]


def test_lines_of_json_with_an_unknown_member(desk: Desk) -> None:
    desk.contract(orders("freeze").replace("t-*.csv", "t-*.json"), "ndjson")
    desk.write("data/t-1.json", '{"id": 1, "a": "x"}\n{"id": 2, "a": "x", "n": 1}\n')
    outcome = desk.run()["s.t"]
    assert (outcome.status, [f.code for f in outcome.findings]) == ("failed", ["XDE0412"])
    desk.contract(orders("evolve").replace("t-*.csv", "t-*.json"), "ndjson")
    assert [f.code for f in desk.run()["s.t"].findings] == ["XDE0424"]
    assert desk.rows("s.t") == [(1, "x", None), (2, "x", 1)]


def test_a_copy_of_a_file_is_loaded_once(desk: Desk) -> None:
    desk.contract(orders("freeze"))
    desk.write("data/t-1.csv", "id,a\n1,x\nq,x\n")
    desk.write("data/t-2.csv", "id,a\n1,x\nq,x\n")
    assert (desk.run()["s.t"].rows, len(desk.letters())) == (1, 1)
    desk.write("data/t-3.csv", "id,a\n1,x\nq,x\n")
    assert desk.run() == {}


def test_letters_of_a_reload_are_open_again(desk: Desk) -> None:
    """What a replay made of a letter is gone with the table, so the letter is there again."""
    desk.contract(orders("freeze"))
    desk.write("data/t-1.csv", "id,a\n1,x\nq,x\n")
    desk.run()
    with Workspace.open(desk.root) as workspace:
        (letter,) = workspace.letters(status="open")
        assert workspace.replay([letter.letter.id], corrected={letter.letter.id: b"2,x"})[0].accepted == 1
    assert desk.letters() == []
    desk.run(full=True)
    assert desk.rows("s.t") == [(1, "x")]
    assert [x[1] for x in desk.letters()] == [3]


def test_of_records_of_a_key_in_one_file_the_last_is_merged(desk: Desk) -> None:
    desk.contract(orders("freeze", "merge"))
    desk.write("data/t-1.csv", "id,a\n1,x\n2,y\n1,z\nq,x\n")
    outcome = desk.run()["s.t"]
    assert (outcome.rows, outcome.letters) == (2, 1)
    assert [c.value for c in outcome.checks] == ["0 dead letters", "1 superseded"]
    facts = desk.facts("s.t")[-1]
    assert (facts["rows_in"], facts["rows_out"], facts["superseded"], facts["files"][0]["superseded"]) == (4, 2, 1, 1)
    desk.write("data/t-2.csv", "id,a\n2,new\n2,newer\n")
    desk.run()
    assert desk.rows("s.t") == [(1, "z"), (2, "newer")]


def test_an_older_version_that_comes_late_changes_nothing(desk: Desk) -> None:
    cursor = "      - {property: xdeIncrementalCursor, value: {property: a}}\n    properties:\n"
    desk.contract(orders("freeze", "merge").replace("    properties:\n", cursor))
    desk.write("data/t-1.csv", "id,a\n1,c\n1,b\n")
    desk.run()
    desk.write("data/t-2.csv", "id,a\n1,a\n2,a\n")
    assert desk.run()["s.t"].rows == 1
    assert desk.rows("s.t") == [(1, "c"), (2, "a")]


def test_values_are_written_in_the_types_of_the_table(desk: Desk) -> None:
    """Delta Lake has no type for these; a file of another type than its table's log says is no file that others can read."""
    kinds = {"h": "HUGEINT", "t": "TIME", "u": "UUID", "b": "UBIGINT", "s": "STRUCT(t TIME)"}
    columns = "".join(f"      - {{name: {n}, logicalType: string, physicalType: '{k}'}}\n" for n, k in kinds.items())
    desk.contract("  - name: t\n    physicalName: t.ndjson\n    physicalType: file\n    properties:\n" + columns, "ndjson")
    one = '{"h": "12345678901234567890123", "t": "10:00", "u": "7d3a9a5e-6a37-4f5b-8f3f-2a1c4d5e6f70", "b": 18446744073709551615, "s": {"t": "11:00"}}'
    desk.write("data/t.ndjson", one + "\n" + one.replace("10:00", "25:00") + "\n")
    assert desk.run()["s.t"].letters == 1
    row = (Decimal(12345678901234567890123), "10:00:00", "7d3a9a5e-6a37-4f5b-8f3f-2a1c4d5e6f70", Decimal(2**64 - 1), {"t": "11:00:00"})
    assert desk.rows("s.t") == [row]
    (written,) = desk.root.glob(".xde/lake/s/t/*/*.parquet")
    assert {str(t) for t in pq.read_schema(written).types} == {"decimal128(38, 0)", "string", "decimal128(20, 0)", "struct<t: string>"}
