"""Values of JSON told from their first bytes on: what is plain is told at once, and where it ends is where it ends."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import numpy as np
import pytest

from xde.connectors.duckdb.ingestion import at_once
from xde.connectors.duckdb.ingestion.at_once import Piece
from xde.connectors.duckdb.ingestion.forward import FAR, Head, Mark, Passed, ends_of, passing
from xde.connectors.duckdb.ingestion.plain_lines import Column, text_column, told_column
from xde.lifecycle.ingestion.port import Field

if TYPE_CHECKING:
    from collections.abc import Sequence

NAME = b',"name":'
TEXTS = [f'"{"é" * (n % 3)}{"x" * n}"' for n in (*range(40), *range(8 * FAR - 9, 8 * FAR + 9), 1000)]


def column(kind: str) -> Column:
    found = told_column(Field("v", "v", kind), 0, (), ".")
    return found if found is not None else text_column(0, ())


def placed(values: Sequence[str], before: bytes = NAME) -> tuple[Piece, np.ndarray, np.ndarray]:
    """Values, each behind a name and before a comma or a brace: where each line and each value begins."""
    lines = [before + v.encode() + (b"}" if n % 2 else b",") for n, v in enumerate(values)]
    starts = at_once.ROOM + np.cumsum([0, *(len(line) + 1 for line in lines[:-1])])
    return Piece(b"".join(line + b"\n" for line in lines)), starts, starts + len(before)


def passed(values: Sequence[str], kind: str) -> Passed:
    piece, starts, begins = placed(values)
    way = passing(column(kind))
    wrong = np.zeros(len(values), np.uint64)
    words, begin = Mark.of(NAME, quoted=way.quoted).passed(piece, starts, way.words, wrong)
    assert not wrong.any()
    begin -= way.quoted
    assert (begin == begins).all()
    return way.told(Head(piece, begin, words, words.shape[1] - way.words))


PLAIN = {
    "BIGINT": ["0", "7", *("9" * n for n in range(1, 16)), "1000000", "10000000", "100000000"],
    "INTEGER": ["0", "2147483647", "1000000000"],
    "UTINYINT": ["0", "255"],
    "DECIMAL(15,2)": ["0.0", "0.05", "1.5", "12.50", "123456.78", "7", "1234567"],
    "DECIMAL(18,6)": ["0.000001", "1.5", "12.345678", "1234567.1"],
    "DECIMAL(9,0)": ["0", "12", "999999999"],
    "DOUBLE": ["0.1", "0.000001", "1.5", "1234567.1", "12.345678", "3"],
    "DATE": ['"2026-01-02"', '"1999-12-31"', '"2000-02-29"'],
    "TIMESTAMP": ['"2026-01-02 03:04:05"', '"2026-01-02T23:59:59"'],
    "VARCHAR": TEXTS,
}


@pytest.mark.parametrize("kind", PLAIN)
def test_what_is_plain_is_told_at_once(kind: str) -> None:
    """Else a load would be as right, and slow."""
    found = passed(PLAIN[kind], kind)
    assert found.known.all()
    assert found.width.tolist() == [len(v.encode()) for v in PLAIN[kind]]


@pytest.mark.parametrize(
    ("kind", "odd"),
    [
        ("BIGINT", ["01", "-1", "", "x", '"1"', "null", "9" * 16, "00000000", "01234567890", "+5"]),
        ("UTINYINT", ["256", "1000"]),
        ("INTEGER", ["2147483648"]),
        ("DECIMAL(15,2)", ["01.5", "1.", ".5", "-1.5", "1.555", "null", '"1.5"', "00", "-"]),
        ("DECIMAL(3,2)", ["10.00", "10", "10.0"]),
        ("DECIMAL(18,18)", ["1", "1.5", "12345678"]),
        ("DOUBLE", ["01.5", "0.0000001", "1.", "-0.5", "null"]),
        ("DATE", ['"2026-02-30"', '"2026-1-2"', "null", '"2026-01-02x"', '"20260102"']),
        ("TIMESTAMP", ['"2026-01-02 24:00:00"', "null", '"2026-01-02"', '"2026-01-02 03:04:05Z"']),
        ("VARCHAR", ["null", "7", "true", ""]),
    ],
)
def test_of_what_is_not_plain_nothing_is_said(kind: str, odd: list[str]) -> None:
    """Between values that are, so that most of them are as long as the first."""
    values = [v for text in odd for v in (PLAIN[kind][0], text)] if kind in PLAIN else odd
    found = passed(values, kind)
    assert found.known[np.isin(values, odd)].sum() == 0


@pytest.mark.parametrize("seed", range(20))
def test_where_values_end(seed: int) -> None:
    chance = random.Random(seed)
    usual = ("1", "-12.50", "null", "true", "1e400", '""', '"a, b}"', "", "123456789012345678901234567890", *TEXTS)
    values = [chance.choice(usual) for _ in range(300)]
    piece, _, begins = placed(values)
    assert (ends_of(piece, begins) - begins).tolist() == [len(v.encode()) for v in values]


@pytest.mark.parametrize("length", [*range(1, 30), 80])
@pytest.mark.parametrize("quoted", [False, True])
def test_another_name_is_seen_at_each_of_its_bytes(length: int, quoted: bool) -> None:
    name = bytes(random.Random(length).choices(b"abcdefgh", k=length))
    texts = [name, *(name[:n] + b"X" + name[n + 1 :] for n in range(length))]
    piece = Piece(b"".join(t + b'"' + b"\n" for t in texts))
    starts = at_once.ROOM + np.arange(len(texts)) * (length + 2)
    wrong = np.zeros(len(texts), np.uint64)
    Mark.of(name, quoted=quoted).passed(piece, starts, 2, wrong)
    assert (wrong != 0).tolist() == [False] + [True] * length


@pytest.mark.parametrize("seed", range(30))
def test_the_few_places_of_flags(seed: int) -> None:
    chance = random.Random(seed)
    flags = np.array([chance.random() < chance.choice((0.01, 0.05)) for _ in range(chance.randrange(200))], np.bool_)
    assert at_once.places_of(flags).tolist() == np.flatnonzero(flags).tolist()
