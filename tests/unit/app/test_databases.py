"""An SQLite file as a source, through every use case: what was read, what comes later, what does not fit."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from projects.contracts import SQLITE, source
from xde.app.testing import TestBench
from xde.app.workspace import Workspace
from xde.ground.clock import SetClock
from xde.ground.errors import UserError

if TYPE_CHECKING:
    from pathlib import Path

CONTRACT = source(
    """\
  - name: orders
    physicalName: orders
    physicalType: table
    customProperties: [%s]
    properties:
      - {name: order_id, physicalName: id, logicalType: integer, primaryKey: true, required: true}
      - {name: customer, logicalType: string}
      - {name: amount, logicalType: number, physicalType: "DECIMAL(10,2)"}
      - {name: at, logicalType: timestamp}
      - {name: photo, logicalType: string, physicalType: BLOB}
""",
    SQLITE,
)
BY_KEY = "{property: xdeIncrementalCursor, value: {property: order_id}}"
BY_TIME = "{property: xdeIncrementalCursor, value: {property: at, lag: PT10M}}, {property: xdeWriteMode, value: merge}"
ROWS = [
    (1, "ada", 1.25, "2026-01-01 10:00:00", b"\x00\xffA"),
    (2, "", "2.5", None, None),
    (3, "\\N", 0.1, "2026-01-01 10:00:00", b""),
    (4, 'a\r\n"b",', 3, "2026-01-01 10:00:00", None),
    (5, None, 3, "2026-01-01 10:00:00", None),
]


class Till:
    """The project and the database beside it."""

    def __init__(self, root: Path, words: str = BY_KEY) -> None:
        self.root = root
        (root / "sources").mkdir(parents=True)
        (root / "xde.yaml").write_text("name: shop\n")
        self.contract(words)
        self.sql("CREATE TABLE orders (id INTEGER PRIMARY KEY, customer, amount, at, photo, till TEXT)")

    def contract(self, words: str) -> None:
        (self.root / "sources/shop.yaml").write_text(CONTRACT % words)

    def sql(self, text: str, rows=()) -> None:
        with closing(sqlite3.connect(self.root / "till.db")) as connection:
            if rows:
                connection.executemany(text, rows)
            else:
                connection.execute(text)
            connection.commit()

    def sell(self, *rows) -> None:
        self.sql("INSERT INTO orders (id, customer, amount, at, photo) VALUES (?, ?, ?, ?, ?)", rows)

    def run(self, **how):
        with Workspace.open(self.root) as workspace:
            finished = workspace.run(**how)
        return {o.step.dataset: o for o in finished.outcomes}

    def rows(self, *columns):
        with Workspace.open(self.root) as workspace:
            found = workspace.show("shop.orders", limit=None).read_all().to_pylist()
        return sorted((tuple(r[c] for c in columns or r) for r in found), key=str)

    def letters(self):
        with Workspace.open(self.root) as workspace:
            return [x.letter for x in workspace.letters(status="open")]


@pytest.fixture
def till(tmp_path) -> Till:
    return Till(tmp_path / "shop")


def test_every_value_arrives_as_it_is(till):
    till.sell(*ROWS)
    assert till.run()["shop.orders"].rows == 5
    assert [(i, c, str(a), p) for i, c, a, p in till.rows("order_id", "customer", "amount", "photo")] == [
        (1, "ada", "1.25", b"\x00\xffA"),
        (2, "", "2.50", None),
        (3, "\\N", "0.10", b""),
        (4, 'a\r\n"b",', "3.00", None),
        (5, None, "3.00", None),
    ]


def test_a_second_run_loads_what_came_since_and_a_third_nothing(till):
    till.sell(*ROWS)
    till.run()
    till.sell((9, "bob", 1, None, None))
    assert till.run()["shop.orders"].rows == 1
    assert till.run() == {}
    assert [i for (i,) in till.rows("order_id")] == [1, 2, 3, 4, 5, 9]


def test_a_change_elsewhere_in_the_file_is_no_load(till):
    till.sell(*ROWS)
    till.run()
    till.sql("CREATE TABLE other (x)")
    with Workspace.open(till.root) as workspace:
        assert workspace.plan().steps == ()


def test_values_of_another_type_are_dead_letters_and_can_be_replayed(till):
    bad = [(6, "ok", "x", None, None), (7, b"\xff\xfe", 1, None, None), (8, "ok", 1e20, None, None), (9, "ok", 1, 17, None)]
    till.sell(*ROWS, *bad)
    outcome = till.run()["shop.orders"]
    assert (outcome.rows, outcome.letters) == (5, 4)
    letters = {x.raw.split(b",")[0]: x for x in till.letters()}
    assert [letters[n].reasons[0].rule for n in (b"6", b"7", b"8", b"9")] == ["type", "parse", "type", "type"]
    assert b"\xff\xfe" in letters[b"7"].raw
    with Workspace.open(till.root) as workspace:
        done = workspace.replay([letters[b"6"].id], corrected={letters[b"6"].id: b'6,"ok",1.5,\\N,\\N'})
    assert done[0].accepted == 1
    assert ("ok", None) in till.rows("customer", "photo")


@pytest.mark.slow
def test_rows_within_the_lag_are_read_again_and_merged(tmp_path):
    till = Till(tmp_path / "shop", BY_TIME)
    till.sell((1, "ada", 1, "2026-01-01 10:00:00", None), (2, "bob", 1, "2026-01-01 10:08:00", None))
    till.run()
    till.sell((3, "late", 1, "2026-01-01 10:01:00", None))
    till.sql("UPDATE orders SET customer = 'eve', at = '2026-01-01 10:08:00' WHERE id = 2")
    outcome = till.run()["shop.orders"]
    assert outcome.rows == 3
    assert till.rows("order_id", "customer") == [(1, "ada"), (2, "eve"), (3, "late")]
    assert till.run() == {}


def test_without_a_cursor_the_whole_table_is_read_when_the_file_has_changed(tmp_path):
    till = Till(tmp_path / "shop", "")
    till.sell(*ROWS)
    assert till.run()["shop.orders"].rows == 5
    assert till.run() == {}
    till.sql("DELETE FROM orders WHERE id < 5")
    assert till.run()["shop.orders"].rows == 1
    assert till.rows("order_id") == [(5,)]


def test_the_letters_of_a_table_that_is_replaced_are_those_of_its_last_load(tmp_path):
    till = Till(tmp_path / "shop", "")
    till.sell((1, "ada", "x", None, None), (2, "ada", 1, None, None))
    till.run()
    till.sell((3, "ada", 1, None, None))
    till.run()
    assert len(till.letters()) == 1


def test_a_log_that_is_not_written_back_is_read_too(till):
    with closing(sqlite3.connect(till.root / "till.db")) as writer:
        writer.execute("PRAGMA journal_mode = WAL")
        for number in (1, 2, 3):
            writer.execute("INSERT INTO orders (id) VALUES (?)", (number,))
            writer.commit()
            assert till.run()["shop.orders"].rows == 1
            assert till.run() == {}


def test_what_is_written_while_a_load_reads_is_loaded_by_the_next(till, monkeypatch):
    from xde.connectors.sqlite import sources

    till.sell(*ROWS)
    till.sql("PRAGMA journal_mode = WAL")
    resolved = sources.SqliteTables._resolved

    def then_another_row(self, ask, connection):
        found = resolved(self, ask, connection)
        monkeypatch.undo()
        till.sell((6, "late", 1, None, None))
        return found

    monkeypatch.setattr(sources.SqliteTables, "_resolved", then_another_row)
    assert till.run()["shop.orders"].rows == 5
    assert till.run()["shop.orders"].rows == 1
    assert till.run() == {}


def test_an_empty_table_is_loaded_as_one(till):
    assert till.run()["shop.orders"].rows == 0
    assert till.run() == {}
    till.sell(ROWS[0])
    assert till.run()["shop.orders"].rows == 1


def test_a_query_is_a_source_too(tmp_path):
    till = Till(tmp_path / "shop", "{property: xdeQuery, value: SELECT * FROM orders WHERE customer = 'ada'}, " + BY_KEY)
    till.sell(*ROWS)
    assert till.run()["shop.orders"].rows == 1


@pytest.mark.parametrize(
    ("words", "spoil", "code"),
    [
        (BY_KEY, "DROP TABLE orders", "XDE0482"),
        (BY_KEY, "ALTER TABLE orders RENAME COLUMN amount TO price", "XDE0482"),
        (BY_TIME, "INSERT INTO orders (id) VALUES (1)", "XDE0484"),
    ],
)
def test_what_cannot_be_read_is_a_finding_and_nothing_is_published(tmp_path, words, spoil, code):
    till = Till(tmp_path / "shop", words)
    till.sql(spoil)
    outcome = till.run()["shop.orders"]
    assert (outcome.status, [f.code for f in outcome.findings]) == ("failed", [code])


def test_no_database_and_no_database_at_all(till):
    (till.root / "till.db").unlink()
    assert [f.code for f in till.run()["shop.orders"].findings] == ["XDE0480"]
    (till.root / "till.db").write_text("no database " * 100)
    assert [f.code for f in till.run()["shop.orders"].findings] == ["XDE0480"]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("{property: xdeWriteMode, value: append}", "XDE0483"),
        ("{property: xdeIncrementalCursor, value: {property: at}}", "XDE0483"),
        ("{property: xdeIncrementalCursor, value: {property: order_id, lag: 5}}", "XDE0483"),
        ("{property: xdeIncrementalCursor, value: {property: order_id, lag: soon}}", "XDE0483"),
        ("{property: xdeIncrementalCursor, value: {property: order_id, lag: -5}}, {property: xdeWriteMode, value: merge}", "XDE0483"),
        ("{property: xdeIncrementalCursor, value: {property: order_id, lag: PT5M}}, {property: xdeWriteMode, value: merge}", "XDE0483"),
        ("{property: xdeIncrementalCursor, value: {property: customer, lag: 5}}, {property: xdeWriteMode, value: merge}", "XDE0483"),
        ("{property: xdeIncrementalCursor, value: {property: at, lagg: PT5M}}, {property: xdeWriteMode, value: merge}", "XDE0317"),
        ("{property: xdeIncrementalCursor, value: {lag: 5}}", "XDE0318"),
        ("{property: xdeIncrementalCursor, value: {property: number}}", "XDE0439"),
        ("{property: xdeLimits, value: {rows: 5}}", "XDE0317"),
    ],
)
def test_what_a_contract_cannot_mean(tmp_path, words, code):
    till = Till(tmp_path / "shop", words)
    with pytest.raises(UserError) as raised:
        till.run()
    assert code in [f.code for f in raised.value.findings]


BY_NUMBER = "{property: xdeIncrementalCursor, value: {property: amount}}, {property: xdeWriteMode, value: merge}"


@pytest.mark.parametrize(
    ("words", "column", "value"),
    [
        (BY_NUMBER, "amount", "lots"),
        (BY_NUMBER, "amount", "9"),
        (BY_NUMBER, "amount", float("inf")),
        (BY_TIME, "at", "yesterday"),
        (BY_TIME, "at", "2026-01-01T09:00:00"),
        (BY_TIME, "at", 1_700_000_000),
        (BY_TIME, "at", b"2026"),
    ],
)
def test_a_value_that_would_hide_all_later_rows_stops_the_load(tmp_path, words, column, value):
    till = Till(tmp_path / "shop", words)
    till.sell((1, "ada", 1, "2026-01-01 10:00:00", None), (2, "bob", 2, "2026-01-01 10:00:00", None))
    assert till.run()["shop.orders"].rows == 2
    till.sell((3, "eve", 3, "2026-01-01 10:00:00", None))
    till.sql(f"UPDATE orders SET {column} = ? WHERE id = 3", [(value,)])
    assert [f.code for f in till.run()["shop.orders"].findings] == ["XDE0496"]


def test_bytes_among_texts_in_a_cursor_stop_the_first_load_too(tmp_path):
    till = Till(tmp_path / "shop", BY_TIME)
    till.sell((1, "ada", 1, "2026-01-01 10:00:00", None), (2, "bob", 2, b"2026", None), (3, "eve", 3, 7, None))
    (finding,) = till.run()["shop.orders"].findings
    assert finding.code == "XDE0496"
    assert "several kinds" in finding.why


def test_a_cursor_of_a_time_and_a_number_has_an_order(tmp_path):
    till = Till(tmp_path / "shop", "{property: xdeIncrementalCursor, value: {property: [at, order_id]}}")
    till.sell((1, "ada", 1, "2026-01-01 10:00:00", None))
    assert till.run()["shop.orders"].rows == 1
    till.sell((2, "bob", 2, "2026-01-01 10:00:00", None), (3, "bob", 2, "2026-01-02 10:00:00", None))
    assert till.run()["shop.orders"].rows == 2


def test_a_time_that_is_far_ahead_hides_no_row(tmp_path):
    till = Till(tmp_path / "shop", BY_TIME)
    till.sell((1, "ada", 1, "2026-01-01 10:00:00", None), (2, "bob", 2, "9999-12-31 00:00:00", None))
    assert till.run()["shop.orders"].rows == 2
    till.sell((3, "eve", 3, "2026-01-01 11:00:00", None))
    till.run()
    assert till.rows("order_id") == [(1,), (2,), (3,)]


def test_hours(tmp_path):
    till = Till(tmp_path / "shop", "{property: xdeLimits, value: {hours: '22:00-05:30'}}")
    till.sell(*ROWS)
    with Workspace.open(till.root) as workspace:
        clock = workspace.house.clock = SetClock(datetime(2026, 1, 1, 12, tzinfo=UTC))
        assert [[f.code for f in o.findings] for o in workspace.run().outcomes] == [["XDE0486"]]
        clock.advance(timedelta(hours=12))
        assert [o.rows for o in workspace.run().outcomes] == [5]
        till.sell((6, "ada", 1, None, None))
        clock.advance(timedelta(hours=12))
        assert workspace.plan().steps == ()
        assert "XDE0486" in [f.code for f in workspace.warnings]


def test_the_cost_and_the_position_are_in_the_commit(till):
    till.sell(*ROWS)
    till.run()
    with Workspace.open(till.root) as workspace:
        ((_, state),) = workspace.house.ledger.states().items()
        facts = workspace.house.lake.history(next(iter(workspace.house.lake.tables())))[0].facts
    assert state.facts["position"]["cursor"] == [5]
    assert facts["taken"]["rows"] == 5
    assert facts["taken"]["bytes"] > 0


def test_the_doctor_sees_the_table_and_what_is_wrong_with_it(till):
    def told():
        with Workspace.open(till.root) as workspace:
            return next((d.status, d.detail) for d in workspace.doctor() if d.subject == "source shop.orders")

    assert told() == ("ok", "till.db: opened read-only; orders: read")
    till.sql("ALTER TABLE orders RENAME COLUMN amount TO price")
    assert told() == ("missing", "`orders` has no column `amount`")


def test_cases_deliver_lines_in_its_place_and_a_smoke_test_reads_it(till):
    till.sell(*ROWS)
    (till.root / "tests").mkdir()
    (till.root / "tests/orders.yaml").write_text(
        "source: shop.orders\ncases:\n  - name: two\n    raw: |\n      id,customer,amount,at,photo\n      1,ada,1.5,\\N,\\N\n      2,ada,x,\\N,\\N\n"
        "    expect: {rows: [{order_id: 1, amount: 1.5}], letters: 1}\n"
    )
    (till.root / "models/marts").mkdir(parents=True)
    (till.root / "models/marts/all.sql").write_text("SELECT count(*) AS n FROM shop.orders")
    with closing(TestBench.open(till.root)) as bench:
        assert [r.passed for r in bench.run(bench.pick(()))] == [True]
    with Workspace.open(till.root) as workspace:
        assert workspace.smoke().sampled == {"shop.orders": (5, 5)}
    assert not (till.root / ".xde/lake/shop").exists(), "nothing was loaded"


def test_columns_that_come_and_go_by_the_policy_of_the_contract(tmp_path):
    till = Till(tmp_path / "shop", BY_KEY + ", {property: xdeSchemaChange, value: {newColumn: evolve, missingColumn: evolve}}")
    till.sell((1, "ada", 1, None, None))
    till.run()
    till.sql("ALTER TABLE orders ADD COLUMN discount")
    till.sql("ALTER TABLE orders DROP COLUMN photo")
    till.sql("INSERT INTO orders (id, customer, discount) VALUES (2, 'bob', 5)")
    outcome = till.run()["shop.orders"]
    assert (outcome.rows, [f.code for f in outcome.findings]) == (1, ["XDE0417", "XDE0424"])
    assert till.rows("order_id", "photo", "discount") == [(1, None, None), (2, None, 5)]


def test_a_query_may_end_as_people_end_them(tmp_path):
    till = Till(tmp_path / "shop", """{property: xdeQuery, value: "SELECT * FROM orders -- all of them"}""")
    till.sell(*ROWS)
    assert till.run()["shop.orders"].rows == 5
    till.contract("""{property: xdeQuery, value: "SELECT * FROM orders WHERE id > 1;\\n"}""")
    assert till.run()["shop.orders"].rows == 4


def test_a_type_that_is_none_is_told_where_it_stands(tmp_path):
    till = Till(tmp_path / "shop")
    path = till.root / "sources/shop.yaml"
    path.write_text(path.read_text().replace("DECIMAL(10,2)", "BIGNT"))
    with pytest.raises(UserError) as raised:
        till.run()
    (finding,) = raised.value.findings
    assert (finding.code, finding.hint) == ("XDE0601", "did you mean `BIGINT`?")
    assert "BIGNT" in path.read_text().splitlines()[finding.span.line - 1]
