"""Texts told by arithmetic: whatever is told is what the engine makes of that text, and nothing is told that is not exactly a value."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from xde.connectors.duckdb.ingestion import at_once
from xde.connectors.duckdb.ingestion.at_once import Piece, Spans
from xde.connectors.duckdb.ingestion.casts import cast
from xde.connectors.duckdb.ingestion.plain_lines import told_column
from xde.lifecycle.ingestion.port import Field

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

TYPES = (
    *("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"),
    *("DECIMAL(4,1)", "DECIMAL(9,2)", "DECIMAL(15,2)", "DECIMAL(18,0)", "DECIMAL(18,9)", "DECIMAL(18,18)", "DECIMAL(3,3)", "DOUBLE"),
    *("DATE", "TIMESTAMP"),
)
PLAIN = {"DATE": "2026-01-02", "TIMESTAMP": "2026-01-02 03:04:05"}
ODD = " +-._,eE:TxX/0123456789aé\x00\t"


def spans_of(texts: Sequence[str]) -> Spans:
    encoded = [t.encode() for t in texts]
    ends = np.cumsum([len(t) + 1 for t in encoded]) + at_once.ROOM - 1
    widths = np.array([len(t) for t in encoded])
    return Spans.of(Piece(b"|".join(encoded) + b"|"), ends - widths, ends)


def exactly(texts: Sequence[str], kind: str, decimal: str) -> dict[str, object]:
    """The texts that are values, and their values, as a staged load has them."""
    of = Field("v", "v", kind)
    how = cast(of, "t", decimal)
    with duckdb.connect() as connection:
        connection.register("texts", pa.table({"t": pa.array(texts, pa.string())}))
        era = " AND year(v) BETWEEN 1 AND 9999" if kind in PLAIN else ""  # Python has no other years
        rows = f"SELECT t, v FROM (SELECT t, {how.value} AS v FROM texts) WHERE NOT coalesce({how.wrong}, false){era}"
        table = connection.sql(rows).to_arrow_table()
    return dict(zip(table["t"].to_pylist(), table["v"].to_pylist(), strict=True))


def told(texts: Sequence[str], kind: str, decimal: str) -> dict[str, object]:
    column = told_column(Field("v", "v", kind), 0, (), decimal)
    assert column is not None
    assert column.told is not None
    found = column.told(spans_of(texts))
    known = pa.py_buffer(np.packbits(found.known, bitorder="little"))
    values = pa.Array.from_buffers(column.kind, len(texts), [known, pa.py_buffer(found.values)])
    return {t: v for t, v, known in zip(texts, values.to_pylist(), found.known.tolist(), strict=True) if known}


def number(chance: random.Random, kind: str) -> str:
    digits = "".join(chance.choices("0123456789", k=chance.choice([*range(1, 4), *range(1, 13), 15, 16, 17, 18, 19, 20, 25, 40])))
    fraction = "".join(chance.choices("0123456789", k=chance.choice([0, 0, 1, 2, 2, 3, 5, 9, 18, 20])))
    text = chance.choice(["", "", "", "-", "+", " "]) + digits + (f".{fraction}" if fraction or chance.random() < 0.1 else "")
    return text + chance.choice([""] * 30 + ["e3", "E-2", " ", "0", "x", "_1"])


def date(chance: random.Random, kind: str) -> str:
    year = chance.choice([0, 1, 33, 999, 1582, 1900, 1969, 1970, 2000, 2024, 2026, 9999, 10000, chance.randint(1, 9999)])
    text = f"{year:04d}-{chance.randint(0, 13):02d}-{chance.choice([0, 1, 28, 29, 30, 31, 32, 15]):02d}"
    if kind == "DATE" or chance.random() < 0.1:
        return text
    text += chance.choice([" ", " ", "T", "t"]) + f"{chance.choice([0, 9, 23, 24]):02d}:{chance.choice([0, 59, 60]):02d}"
    return text + f":{chance.choice([0, 59, 59, 60]):02d}" + chance.choice(["", "", ".", ".5", ".123456", ".1234567", ".000", "Z"])


def spoilt(chance: random.Random, text: str) -> str:
    """A text with a character or two that it should not have."""
    for _ in range(chance.choice([1, 1, 2])):
        at = chance.randrange(len(text) + 1)
        text = text[:at] + chance.choice(ODD) + text[at + chance.choice([0, 1]) :]
    return text.replace("|", "")


def texts_of(seed: int, kind: str) -> list[str]:
    chance = random.Random(f"{seed} {kind}")
    made: Callable[[random.Random, str], str] = date if kind in PLAIN else number
    texts = [made(chance, kind) for _ in range(1500)]
    texts += [spoilt(chance, made(chance, kind)) for _ in range(1500)]
    texts += [spoilt(chance, PLAIN.get(kind, "12.34")) for _ in range(500)]
    edges = [2**n + d for n in (7, 8, 15, 16, 31, 32, 53, 63, 64) for d in (-1, 0, 1)]
    return [*texts, *(f"{sign}{n}" for n in edges for sign in ("", "-")), "", "0", "-0", "-0.0", "00", "-", ".", "-."]


@pytest.mark.parametrize("decimal", [".", ","])
@pytest.mark.parametrize("kind", TYPES)
def test_what_is_told_is_exactly_what_the_engine_makes_of_it(kind: str, decimal: str) -> None:
    texts = [t.replace(".", decimal) if n % 9 else t for n, t in enumerate(texts_of(1, kind))]
    ours, exact = told(texts, kind, decimal), exactly(texts, kind, decimal)
    assert [t for t in ours if t not in exact] == []
    assert [(t, v, exact[t]) for t, v in ours.items() if repr(v) != repr(exact[t])] == []
    assert len(ours) > 8


@pytest.mark.parametrize(
    ("kind", "texts"),
    [
        ("BIGINT", ["0", "7", "-7", "007", "12345678", "123456789", "-9223372036854775807", "9223372036854775807", "1" * 17]),
        ("TINYINT", ["127", "-127", "0"]),
        ("UBIGINT", ["0", "9999999999999999999"]),
        ("DECIMAL(15,2)", ["8.00", "0.01", "-12.5", "12", "1234567890123.45", "-1234567890123.45"]),
        ("DECIMAL(18,9)", ["1.123456789", "123456789.123456789", "1.1", "-5"]),
        ("DOUBLE", ["1.5", "0.1", "-0.25", "3", "123456789012345", "0.12345678901234"]),
        ("DATE", ["2026-01-02", "2024-02-29", "0001-01-01", "9999-12-31", "1969-12-31", "1582-10-15"]),
        ("TIMESTAMP", ["2026-01-02 03:04:05", "2026-01-02T03:04:05", "1969-12-31 23:59:59.999999", "2026-01-02 03:04:05.5"]),
    ],
)
def test_the_plain_ways_to_write_a_value_are_told(kind: str, texts: list[str]) -> None:
    assert list(told(texts, kind, ".")) == texts
    for text in texts:  # each by itself: what is near it plays no part
        assert list(told([text], kind, ".")) == [text]


@pytest.mark.parametrize(
    "kind", ["HUGEINT", "DECIMAL(19,2)", "FLOAT", "TIME", "TIMESTAMP WITH TIME ZONE", "BOOLEAN", "VARCHAR", "INTEGER[]"]
)
def test_of_other_types_nothing_is_told(kind: str) -> None:
    assert told_column(Field("v", "v", kind), 0, (), ".") is None


def test_a_type_with_a_form_of_its_own_is_not_told() -> None:
    assert told_column(Field("v", "v", "DATE", format="%d.%m.%Y"), 0, (), ".") is None


def test_words_for_missing() -> None:
    texts = ["", "NA", "N", "NAN", "12345678", "123456789", "1234567890", "missing altogether", "missing altogethe", "é", ""]
    words = ["", "NA", "12345678", "123456789", "missing altogether", "é"]
    found = at_once.missing(spans_of(texts), [w.encode() for w in words])
    assert found.tolist() == [t in words for t in texts]


def test_views() -> None:
    texts = ["", "a", "abc", "abcd", "abcde", "a" * 12, "b" * 13, "é" * 6, "é" * 7, "x" * 300]
    for some in (texts, texts[:4], texts[:6], texts[6:7] + texts[8:10], [""]):
        spans = spans_of(some)
        views = pa.Array.from_buffers(
            pa.string_view(), len(some), [None, pa.py_buffer(at_once.views(spans)), pa.py_buffer(spans.piece.padded)]
        )
        views.validate(full=True)
        assert views.to_pylist() == some
