"""Sources without a log, captured by comparison: each snapshot held against the one before, as rows of a log and as a current state."""

from __future__ import annotations

import csv
import io
import random
import signal
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from projects.folder import Folder
from projects.people import KEY, hashed, written
from projects.warm import command

from xde.app.testing import TestBench
from xde.app.workspace import Workspace
from xde.ground.errors import UserError
from xde.lifecycle.ingestion.port import Field, FileAccount, Loaded
from xde.lifecycle.ingestion.snapshots import Comparison, Difference
from xde.lifecycle.storage.merging import Merger
from xde.lifecycle.storage.port import Column, Snapshot, TableId

if TYPE_CHECKING:
    from pathlib import Path

HEAD = """\
apiVersion: v3.1.0
kind: DataContract
id: shop
version: 1.0.0
status: active
servers:
  - SERVER
schema:
"""
FILES = "{server: local, type: local, path: data, format: csv}"
PARQUET = FILES.replace("csv", "parquet")
SQLITE = "{server: db, type: custom, database: data/shop.db, customProperties: [{property: xdeType, value: sqlite}]}"
STATE = """\
  - name: goods
    physicalName: NAME
    customProperties:
      - {property: xdeCapture, value: {by: comparisonWORDS}}
MORE    properties:
      - {name: id, logicalType: integer, primaryKey: true, required: true}
COLUMNS"""
LOG = """\
  - name: goods_log
    physicalName: NAME
    customProperties:
      - {property: xdeCapture, value: {by: comparison, key: [id]WORDS}}
      - {property: xdeWriteMode, value: append}
MORE    properties:
      - {name: operation, physicalName: $operation, logicalType: string, required: true}
      - {name: lsn, physicalName: $lsn, logicalType: integer, required: true}
      - {name: sequence, physicalName: $sequence, logicalType: integer, required: true}
      - {name: told_at, physicalName: $committedAt, logicalType: timestamp, logicalTypeOptions: {timezone: true}, required: true}
      - {name: id, logicalType: integer}
COLUMNS"""
COLUMNS = "      - {name: name, logicalType: string}\n      - {name: price, logicalType: number}\n"
Rows = dict[int, tuple[Any, ...]]


@pytest.fixture
def place(tmp_path: Path) -> Folder:
    folder = Folder(tmp_path / "p")
    folder.write("xde.yaml", "name: p\nretries: 0\n")
    (folder.root / "models").mkdir()
    (folder.root / "data").mkdir()
    return folder


def declared(folder: Folder, server: str = FILES, *, words: str = "", columns: str = COLUMNS, more: str = "") -> None:
    name = {FILES: "goods*.csv", PARQUET: "goods*.parquet"}.get(server, "goods")
    text = (HEAD + STATE + LOG).replace("SERVER", server).replace("NAME", name).replace("WORDS", words)
    folder.write("sources/shop.yaml", text.replace("MORE", more).replace("COLUMNS", columns))


def dump(rows: Rows, names: tuple[str, ...] = ("id", "name", "price")) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([k, *("" if v is None else v for v in r)] for k, r in rows.items())
    return out.getvalue().encode()


def parquet(rows: Rows) -> bytes:
    out = io.BytesIO()
    columns = {"id": pa.array(list(rows), pa.int64()), "name": pa.array([r[0] for r in rows.values()], pa.string())}
    pq.write_table(pa.table({**columns, "price": pa.array([r[1] for r in rows.values()], pa.float64())}), out)
    return out.getvalue()


def run(folder: Folder, **how: Any) -> dict[str, Any]:
    with Workspace.open(folder.root) as workspace:
        finished = workspace.run(**how)
    return {o.step.dataset.partition(".")[2]: o for o in finished.outcomes}


def table(folder: Folder, name: str) -> list[dict[str, Any]]:
    with Workspace.open(folder.root) as workspace:
        return workspace.show(f"shop.{name}", limit=None).read_all().to_pylist()


def state(folder: Folder, *columns: str) -> dict[int, tuple[Any, ...]]:
    return {r["id"]: tuple(r[c] for c in columns or ("name", "price")) for r in table(folder, "goods")}


def log(folder: Folder) -> list[tuple[Any, ...]]:
    rows = sorted(table(folder, "goods_log"), key=lambda r: (r["lsn"], r["sequence"]))
    return [(r["lsn"], r["operation"], r["id"], r["name"], r["price"]) for r in rows]


def replayed(rows: list[tuple[Any, ...]], until: int) -> Rows:
    """The state after a load, by the log alone."""
    found: Rows = {}
    for number, operation, key, *rest in rows:
        if number > until:
            break
        found.pop(key, None)
        if operation != "d":
            found[key] = tuple(rest)
    return found


def test_what_is_new_changed_and_gone_is_told_once(place: Folder) -> None:
    declared(place, words=", maxGonePercent: 60")
    place.write("data/goods.csv", dump({1: ("tea", 2.5), 2: ("rice", None), 3: ("salt", 1.0)}))
    first = run(place)
    assert {n: o.rows for n, o in first.items()} == {"goods": 3, "goods_log": 3}
    place.write("data/goods.csv", dump({1: ("tea", 2.75), 2: ("rice", None), 4: ("oil", 9.0)}))
    second = run(place)
    assert {n: o.rows for n, o in second.items()} == {"goods": 3, "goods_log": 3}
    assert log(place) == [
        (1, "r", 1, "tea", 2.5),
        (1, "r", 2, "rice", None),
        (1, "r", 3, "salt", 1.0),
        (2, "u", 1, "tea", 2.75),
        (2, "d", 3, "salt", 1.0),
        (2, "c", 4, "oil", 9.0),
    ]
    assert state(place) == {1: ("tea", 2.75), 2: ("rice", None), 4: ("oil", 9.0)}
    assert run(place) == {}
    place.write("data/goods.csv", dump({4: ("oil", 9.0), 2: ("rice", None), 1: ("tea", 2.75)}))
    assert {n: o.rows for n, o in run(place).items()} == {"goods": 0, "goods_log": 0}
    assert len(log(place)) == 6


@pytest.mark.slow
def test_each_delivered_file_is_a_snapshot_in_its_turn(place: Folder) -> None:
    declared(place)
    place.write("data/goods-1.csv", dump({1: ("tea", 1.0), 2: ("rice", 2.0)}))
    place.write("data/goods-2.csv", dump({1: ("tea", 1.5), 2: ("rice", 2.0), 3: ("salt", 3.0)}))
    place.write("data/goods-3.csv", dump({1: ("tea", 1.0), 3: ("salt", 3.0)}))
    run(place)
    assert [r[:3] for r in log(place)] == [(1, "r", 1), (1, "r", 2), (2, "u", 1), (2, "c", 3), (3, "u", 1), (3, "d", 2)]
    assert set(state(place)) == {1, 3}
    before = log(place)
    run(place, full=True, reason="again")
    assert log(place) == before


def test_a_snapshot_that_shrank_too_much_is_refused(place: Folder) -> None:
    declared(place)
    place.write("data/goods.csv", dump(dict.fromkeys(range(10), ("x", 1.0))))
    run(place)
    for rows in (dict.fromkeys(range(4), ("x", 1.0)), {}):
        place.write("data/goods.csv", dump(rows))
        outcomes = run(place)
        assert {n: (o.status, {f.code for f in o.findings}) for n, o in outcomes.items()} == {
            "goods": ("failed", {"XDE0543"}),
            "goods_log": ("failed", {"XDE0543"}),
        }
        assert len(state(place)) == len(log(place)) == 10
    declared(place, words=", maxGonePercent: 100")
    run(place)
    assert state(place) == {}
    assert [r[1] for r in log(place)] == ["r"] * 10 + ["d"] * 10
    place.write("data/goods.csv", dump({3: ("y", 1.0)}))
    run(place)
    assert state(place) == {3: ("y", 1.0)}
    assert log(place)[-1][1:3] == ("c", 3)


def test_a_key_that_is_there_twice_makes_letters_and_nobody_is_told_to_be_gone(place: Folder) -> None:
    declared(place)
    place.write("data/goods.csv", dump({1: ("tea", 1.0), 2: ("rice", 2.0), 3: ("salt", 3.0)}))
    run(place)
    place.write("data/goods.csv", dump({1: ("tea", 1.0), 3: ("salt", 3.5)}) + b"1,again,9\n,nobody,9\n5,oil,dear\n")
    outcomes = run(place)
    assert {n: (o.letters >= 3, {f.code for f in o.findings}) for n, o in outcomes.items()} == {
        "goods": (True, {"XDE0544"}),
        "goods_log": (True, {"XDE0544"}),
    }
    assert set(state(place)) == {1, 2, 3}
    assert state(place)[3] == ("salt", 3.5)
    assert [r[1:3] for r in log(place)][3:] == [("u", 3)]
    with Workspace.open(place.root) as workspace, pytest.raises(UserError) as error:
        workspace.replay([x.letter.id for x in workspace.letters(status="open")])
    assert {f.code for f in error.value.findings} == {"XDE0433"}
    place.write("data/goods.csv", dump({1: ("tea", 1.0), 3: ("salt", 3.5), 5: ("oil", 7.0)}))
    run(place)
    assert set(state(place)) == {1, 3, 5}
    assert [r[1:3] for r in log(place)][4:] == [("d", 2), ("c", 5)]


@pytest.mark.slow
def test_columns_that_come_and_go(place: Folder) -> None:
    more = "      - {property: xdeSchemaChange, value: {newColumn: evolve, missingColumn: evolve}}\n"
    declared(place, more=more)
    place.write("data/goods.csv", dump({1: ("tea", 1.0), 2: ("rice", 2.0)}))
    run(place)
    names = ("id", "name", "price", "shelf")
    place.write("data/goods.csv", dump({1: ("tea", 1.0, "A"), 2: ("rice", 2.0, None)}, names))
    run(place)
    assert [r[1:3] for r in log(place)][2:] == [("u", 1)]
    assert {r["id"]: r["shelf"] for r in table(place, "goods")} == {1: "A", 2: None}
    place.write("data/goods.csv", b"id,name\n1,tea\n2,rice\n")
    run(place)
    assert [r[1:3] for r in log(place)][3:] == [("u", 1), ("u", 2)]
    assert state(place) == {1: ("tea", None), 2: ("rice", None)}


def test_a_database_is_read_whole(place: Folder) -> None:
    declared(place, SQLITE, words=", maxGonePercent: 100")

    def put(rows: Rows) -> None:
        with closing(sqlite3.connect(place.root / "data/shop.db")) as db, db:
            db.execute("DROP TABLE IF EXISTS goods")
            db.execute("CREATE TABLE goods (id INTEGER PRIMARY KEY, name TEXT, price REAL)")
            db.executemany("INSERT INTO goods VALUES (?, ?, ?)", [(k, *v) for k, v in rows.items()])

    put({1: (None, 1.5), 2: ("a", 2.5), 3: ("b", None)})
    run(place)
    put({1: (None, 1.5), 2: ("a", 2.5), 3: ("b", 0.5), 4: (None, None)})
    run(place)
    put({2: ("a", 2.5)})
    run(place)
    assert [r[:3] for r in log(place)][3:] == [(2, "u", 3), (2, "c", 4), (3, "d", 1), (3, "d", 3), (3, "d", 4)]
    assert state(place) == {2: ("a", 2.5)}


def test_values_that_equal_nothing_are_equal(place: Folder) -> None:
    """A number that is none comes from no source (it is a dead letter), but a step or a former load may have left it."""
    stored = (Column("id", "BIGINT"), Column("price", "DOUBLE"))
    how = Comparison(("id",), log=False, most_gone=100)
    with Workspace.open(place.root) as workspace:
        merger = Merger(workspace.house.lake, workspace.house.write, workspace.house.read)
        folder = place.root / "there"
        folder.mkdir()
        one, two = "(1, 'nan'::DOUBLE), (2, NULL), (3, 'inf'), (4, 0.5)", "(1, 'nan'::DOUBLE), (2, NULL), (3, '-inf'), (5, NULL)"
        old, new = (merger.write(f"SELECT * FROM (VALUES {v}) AS t (id, price)", {}, {}, str(folder)) for v in (one, two))
        before = Snapshot(TableId("shop.goods", "v"), 1, stored, tuple(old), str(folder))
        loaded = Loaded(stored, new, (), (FileAccount("x", "", 0, 4, 4, 0),))
        fields = [Field("id", "id", "BIGINT"), Field("price", "price", "DOUBLE")]
        found = Difference(how, merger, fields, stored, "2026-01-01T00:00:00+00:00", str(folder)).against(
            before, loaded, str(folder), anew=False
        )
    assert found.counts == {"u": 1, "c": 1, "d": 1}


@pytest.mark.slow
def test_columns_that_are_treated_are_compared_by_what_is_kept(place: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PII_KEY", KEY)
    step = '{property: xdeInFlight, value: {hash: {key: "${env:PII_KEY}"}}}'
    columns = f"      - {{name: name, logicalType: string, customProperties: [{step}]}}\n      - {{name: price, logicalType: number}}\n"
    declared(place, columns=columns)
    for n, rows in enumerate(({1: ("planted-a", 1.0), 2: ("planted-b", 2.0)}, {1: ("planted-c", 1.0), 2: ("planted-b", 2.0)})):
        place.write(f"data/goods-{n}.csv", dump(rows))
        run(place)
    assert [r[1:3] for r in log(place)] == [("r", 1), ("r", 2), ("u", 1)]
    assert {r[3] for r in log(place)} == {hashed(f"planted-{x}") for x in "abc"}
    assert [where for where, text in written(place.root) if "planted" in text] == []


def test_a_case_delivers_one_snapshot_after_the_other(place: Folder) -> None:
    declared(place, SQLITE)
    case = """\
source: shop.goods_log
cases:
  - name: what is gone is told
    runs:
      - raw: |
          id,name,price
          1,tea,1.5
          2,rice,2.5
        expect: [{operation: r, id: 1}, {operation: r, id: 2}]
      - raw: |
          id,name,price
          1,tea,2.0
        expect: [{lsn: 1, operation: r, id: 1}, {lsn: 1, operation: r, id: 2}, {lsn: 2, operation: u, id: 1}, {lsn: 2, operation: d, id: 2}]
"""
    place.write("tests/goods.yaml", case)
    with closing(TestBench.open(place.root)) as bench:
        assert not bench.findings, bench.findings
        assert [(r.passed, r.verdict.findings) for r in bench.run(bench.cases)] == [(True, ())]


WRONG = {
    "no key": ("primaryKey: true, ", ""),
    "no operation": ("      - {name: operation, physicalName: $operation, logicalType: string, required: true}\n", ""),
    "unknown key": ("key: [id]", "key: [number]"),
    "a transaction": ("physicalName: $lsn", "physicalName: $transaction"),
    "a cursor": (
        "      - {property: xdeWriteMode, value: append}",
        "      - {property: xdeIncrementalCursor, value: {property: id}}\n      - {property: xdeWriteMode, value: append}",
    ),
    "replace": ("value: append", "value: replace"),
    "a word of a log": ("key: [id]", "key: [id], publication: xde"),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_contract_that_cannot_be_compared_is_refused(what: str, place: Folder) -> None:
    declared(place)
    text = (place.root / "sources/shop.yaml").read_text()
    assert WRONG[what][0] in text
    place.write("sources/shop.yaml", text.replace(*WRONG[what]))
    place.write("data/goods.csv", dump({1: ("tea", 1.0)}))
    with pytest.raises(UserError) as error:
        run(place)
    assert "XDE0542" in {f.code for f in error.value.findings}


@pytest.mark.parametrize("seed", [0, *(pytest.param(n, marks=pytest.mark.slow) for n in range(1, 8))])
def test_the_log_gives_every_snapshot_back(seed: int, place: Folder) -> None:
    chance = random.Random(seed)
    declared(place, PARQUET, words=", maxGonePercent: 100")
    names, prices = ["a", "b", "", None, "\u00e9", 'q"\n'], [None, 0.0, -1.5, 0.1, 1e300]
    rows: Rows = {}
    snapshots: list[Rows] = []
    for _ in range(6):
        for key in range(12):
            match chance.randrange(4):
                case 0:
                    rows.pop(key, None)
                case 1:
                    rows[key] = (chance.choice(names), chance.choice(prices))
        place.write("data/goods.parquet", parquet(rows))
        told = run(place)
        assert state_text(state(place)) == state_text(rows)
        if told and told["goods_log"].rows:
            snapshots.append(dict(rows))
    found = log(place)
    assert sorted({r[0] for r in found}) == list(range(1, len(snapshots) + 1))
    for number, snapshot in enumerate(snapshots, 1):
        assert state_text(replayed(found, number)) == state_text(snapshot)


def state_text(rows: Rows) -> str:
    return str(sorted(rows.items()))


@pytest.mark.crash
@pytest.mark.parametrize("point", ["load.staged", "files.written", "commit.before", "commit.after", "step.recorded"])
def test_killed_on_the_way_each_change_is_told_once(point: str, place: Folder) -> None:
    declared(place)
    place.write("data/goods.csv", dump({1: ("tea", 1.0), 2: ("rice", 2.0)}))
    run(place)
    place.write("data/goods.csv", dump({1: ("tea", 1.5), 3: ("salt", 3.0)}))
    assert command("--project", str(place.root), "run", XDE_CRASH_AT=point)[0] == -signal.SIGKILL
    run(place)
    assert run(place) == {}
    assert [r[:3] for r in log(place)] == [(1, "r", 1), (1, "r", 2), (2, "u", 1), (2, "d", 2), (2, "c", 3)]
    assert state(place) == {1: ("tea", 1.5), 3: ("salt", 3.0)}
    assert list((place.root / ".xde/tmp").rglob("*.parquet")) == []
