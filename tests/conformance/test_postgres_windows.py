"""Any order of writing, committing, undoing and loading: every row that was committed is read once, and by one load."""

from __future__ import annotations

import random
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

import pytest

from xde.connectors.postgres.sources import PostgresTables
from xde.connectors.postgres.windows import ROUND, how_far_after
from xde.lifecycle.sources.tables import Ask, AskedColumn, Cursor, Place

if TYPE_CHECKING:
    from pathlib import Path

    from till import Till

pytestmark = pytest.mark.postgres

SETTINGS = {"host": "127.0.0.1", "user": "reader", "password": "readers password", "schema": "public"}


class Loads:
    """Loads by the connector alone, one after the other."""

    def __init__(self, till: Till, folder: Path, lag: float | None = None) -> None:
        self.settings = {**SETTINGS, "port": str(till.server.port), "database": till.name}
        self.ask = Ask("s.t", Place("postgres", self.settings), "orders", None, (AskedColumn("id", "BIGINT"),), Cursor(("id",), lag))
        self.folder = folder
        self.position = None
        self.read: list[int] = []

    def load(self) -> None:
        with closing(PostgresTables(self.settings)) as source:
            offered = source.news(self.ask, self.position)
            portion = source.read(self.ask, self.position, self.folder)
        (piece,) = portion.pieces
        ids = [int(line.strip('"')) for line in piece.path.read_text().split()[1:]]
        assert len(ids) == piece.rows
        assert not ids or offered is not None, "what there is to read is told"
        self.read += ids
        self.position = portion.position


@pytest.mark.parametrize("seed", range(4))
def test_every_committed_row_is_read_once(till, tmp_path, seed):
    chance = random.Random(seed)
    numbers = iter(chance.sample(range(1, 100_000), 5_000))  # no order at all: the cursor's values say nothing
    loads = Loads(till, tmp_path)
    with ExitStack() as stack:
        writers = [stack.enter_context(till.connect()) for _ in range(4)]
        for _ in range(150):
            writer, number = chance.choice(writers), next(numbers)
            insert = (f"INSERT INTO orders (id) VALUES ({number})",)
            match chance.choices(["insert", "savepoint", "undone", "commit", "rollback", "load", "vacuum"], [8, 3, 2, 6, 1, 4, 1])[0]:
                case "insert":
                    writer.execute(*insert)
                case "savepoint":
                    with writer.transaction():
                        writer.execute(*insert)
                case "undone":
                    with writer.transaction(force_rollback=True):
                        writer.execute(*insert)
                case "commit":
                    writer.commit()
                case "rollback":
                    writer.rollback()
                case "load":
                    loads.load()
                case "vacuum":
                    till.sql("VACUUM (FREEZE) orders")
        for writer in writers:
            writer.commit()
        loads.load()
        there = [i for (i,) in writers[0].execute("SELECT id FROM orders ORDER BY id")]
    assert len(there) > 20
    assert sorted(loads.read) == there
    loads.load()
    assert len(loads.read) == len(there)


def test_the_number_of_a_rows_transaction_is_the_lower_half_of_it(till):
    """How far one is after another is counted around the end."""
    cases = [(ROUND - 5, ROUND - 3, 2), (ROUND - 5, 7, 12), (3 * ROUND + 4, 6, 2), (ROUND + 4, ROUND - 2, ROUND - 6)]
    with till.connect() as connection:
        for oldest, row, expected in cases:
            sql = how_far_after(oldest).replace("xmin::text::bigint", f"{row}::bigint")
            assert connection.execute(f"SELECT {sql}").fetchone() == (expected,)
