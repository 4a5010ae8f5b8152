"""The last row of each key is the same in memory and beyond it."""

from __future__ import annotations

import random
from contextlib import closing

import pytest

from xde.connectors.postgres.capture.latest import Known, Latest
from xde.connectors.postgres.capture.pgoutput import KEPT


@pytest.mark.parametrize("front", [3, 1000])
def test_rows_by_key(tmp_path, monkeypatch, front):
    monkeypatch.setattr("xde.connectors.postgres.capture.latest.FRONT", front)
    chance, expected = random.Random(7), {}
    with closing(Latest(tmp_path)) as latest:
        for turn in range(400):
            key = (str(chance.randrange(30)), chance.choice([None, '"', "ä"]))
            row = chance.choice([None, Known(turn % 2, (None, KEPT, "", "0", str(turn)), chance.choice([None, key]), ("c", None))])
            if turn in {150, 250}:
                latest.clear()
                expected.clear()
            latest.put(key, row)
            expected[key] = row
            other = (str(chance.randrange(30)), '"')
            assert latest.get(other) == expected.get(other)
        assert dict(latest.all()) == expected
        assert (tmp_path / "latest.sqlite").exists() == (front == 3)
