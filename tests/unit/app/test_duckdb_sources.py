"""Another DuckDB file as a source: its types arrive as they are, and what comes later is told by the cursor."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import pytest

from projects.contracts import DUCKDB, source
from xde.app.workspace import Workspace

if TYPE_CHECKING:
    from pathlib import Path

CONTRACT = source(
    """\
  - name: orders
    physicalName: orders
    customProperties: [%s]
    properties:
      - {name: day, logicalType: date, primaryKey: true, primaryKeyPosition: 1}
      - {name: id, logicalType: integer, primaryKey: true, primaryKeyPosition: 2}
      - {name: amount, logicalType: number, physicalType: "DECIMAL(18,4)"}
      - {name: at, logicalType: timestamp, logicalTypeOptions: {timezone: true}}
      - {name: note, logicalType: string}
      - {name: photo, logicalType: string, physicalType: BLOB}
      - {name: tags, logicalType: array, items: {logicalType: string}}
""",
    DUCKDB,
)
BY_KEY = "{property: xdeIncrementalCursor, value: {property: [day, id]}}"


class Till:
    def __init__(self, root: Path, words: str) -> None:
        self.root = root
        (root / "sources").mkdir(parents=True)
        (root / "xde.yaml").write_text("name: shop\nretries: 0\n")
        (root / "sources/shop.yaml").write_text(CONTRACT % words)
        self.sql(
            'CREATE TABLE orders (day DATE, id BIGINT, amount DECIMAL(18,4), "at" TIMESTAMPTZ, note VARCHAR, photo BLOB, tags VARCHAR[])',
            r"INSERT INTO orders VALUES ('2026-01-01', 1, 0.1234, '2026-01-01 10:00:00.5+02', '', '\x00\xFFA'::BLOB, ['a', NULL, '\"'])",
            r"INSERT INTO orders VALUES ('2026-01-01', 2, NULL, NULL, '\N', NULL, NULL)",
        )

    def sql(self, *texts: str) -> None:
        with duckdb.connect(str(self.root / "till.db")) as connection:
            for text in texts:
                connection.execute(text)

    def run(self):
        with Workspace.open(self.root) as workspace:
            return {o.step.dataset: o for o in workspace.run().outcomes}

    def rows(self):
        with Workspace.open(self.root) as workspace:
            return sorted((tuple(r.values()) for r in workspace.show("shop.orders", limit=None).read_all().to_pylist()), key=str)


def test_values_arrive_as_they_are_and_later_rows_by_the_cursor(tmp_path):
    till = Till(tmp_path / "shop", BY_KEY)
    assert till.run()["shop.orders"].rows == 2
    first, second = till.rows()
    assert [str(v) for v in first[2:4]] == ["0.1234", "2026-01-01 08:00:00.500000+00:00"]
    assert first[4:] == ("", b"\x00\xffA", ["a", None, '\\"'])
    assert second[2:] == (None, None, "\\N", None, None)
    till.sql("INSERT INTO orders (day, id) VALUES ('2026-01-01', 3), ('2026-01-02', 1)")
    assert till.run()["shop.orders"].rows == 2
    assert till.run() == {}
    assert [r[:2][1] for r in till.rows()] == [1, 2, 3, 1]


def test_merged_with_a_lag(tmp_path):
    till = Till(
        tmp_path / "shop", "{property: xdeIncrementalCursor, value: {property: day, lag: P2D}}, {property: xdeWriteMode, value: merge}"
    )
    till.run()
    till.sql("UPDATE orders SET note = 'new' WHERE id = 2", "INSERT INTO orders (day, id) VALUES ('2025-12-30', 7), ('2025-12-01', 8)")
    assert till.run()["shop.orders"].rows == 3
    assert [(r[1], r[4]) for r in till.rows()] == [(7, None), (1, ""), (2, "new")]


@pytest.mark.parametrize(
    ("spoil", "code"),
    [("DROP TABLE orders", "XDE0482"), ("ALTER TABLE orders DROP note", "XDE0482"), ("INSERT INTO orders (id) VALUES (9)", "XDE0484")],
)
def test_what_cannot_be_read(tmp_path, spoil, code):
    till = Till(tmp_path / "shop", BY_KEY)
    till.sql(spoil)
    assert [f.code for f in till.run()["shop.orders"].findings] == [code]


def test_a_file_that_another_program_writes_is_tried_again(tmp_path):
    till = Till(tmp_path / "shop", BY_KEY)
    import subprocess
    import sys

    program = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", program, str(till.root / "till.db")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as writer:
        assert writer.stdout is not None
        assert writer.stdin is not None
        writer.stdout.readline()
        outcome = till.run()["shop.orders"]
        writer.stdin.close()
    assert outcome.status == "failed"
    assert "open in another program" in str(outcome)
    assert till.run()["shop.orders"].rows == 2


MERGED = ", {property: xdeWriteMode, value: merge}"
BY_TIME = "{property: xdeIncrementalCursor, value: {property: at, lag: PT10M}}" + MERGED
BY_AMOUNT = "{property: xdeIncrementalCursor, value: {property: amount}}" + MERGED


def test_after_a_number_that_nothing_is_greater_than_no_row_would_be_read(tmp_path):
    till = Till(tmp_path / "shop", BY_AMOUNT)
    till.sql("ALTER TABLE orders ALTER amount TYPE DOUBLE", "UPDATE orders SET amount = 'NaN' WHERE amount IS NULL")
    assert [f.code for f in till.run()["shop.orders"].findings] == ["XDE0496"]


def test_a_time_that_is_far_ahead_hides_no_row(tmp_path):
    till = Till(tmp_path / "shop", BY_TIME)
    till.sql("""UPDATE orders SET "at" = '9999-12-31 00:00:00+00' WHERE id = 2""")
    assert till.run()["shop.orders"].rows == 2
    till.sql("""INSERT INTO orders (day, id, "at") VALUES ('2026-01-02', 3, '2026-01-01 11:00:00+00')""")
    till.run()
    assert len(till.rows()) == 3
