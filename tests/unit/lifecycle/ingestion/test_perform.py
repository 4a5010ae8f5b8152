"""Loads as a whole, from contract and files to what is published: references, new columns, merges, letters."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

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
class Desk:
    """A project of one contract."""

    root: Path

    def write(self, path: str, text: str | bytes) -> None:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text if isinstance(text, bytes) else text.encode())

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
