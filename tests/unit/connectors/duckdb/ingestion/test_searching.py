"""Numbers of many digits found again: the same as by looking at every byte."""

from __future__ import annotations

import io
import random

import pytest

from xde.connectors.duckdb.ingestion import searching
from xde.connectors.duckdb.ingestion.searching import LONG_NUMBER, may_have_long_numbers


@pytest.mark.parametrize("piece", [16, 50, 1 << 20])
@pytest.mark.parametrize("length", [*range(12, 20), 40])
def test_a_long_number_is_found_wherever_it_stands(length: int, piece: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "PIECE", piece)
    chance = random.Random(length)
    for before in range(40):
        number = bytes(chance.choices(b"0123456789", k=length - 1)) + chance.choice([b"", b"."]) + b"5"
        for text in (b"x" * before + number, b"1" * (before % 15) + b"," + number + b"x" * before, b"," * before + b"." + number + b","):
            assert may_have_long_numbers(io.BytesIO(text)) == bool(LONG_NUMBER.search(text)), text
