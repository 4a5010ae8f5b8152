"""A file that is sieved and the same file staged: the same rows in the same order, the same letters, the same account."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from xde.connectors.duckdb.ingestion import plain_lines
from xde.connectors.duckdb.ingestion.loader import DuckdbLoader
from xde.ground.errors import DataError
from xde.kernel.plan.checks import Action, Check, CheckKind
from xde.lifecycle.ingestion.port import Dialect, Field, LetterLimit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conftest import Desk

    from xde.connectors.duckdb.ingestion.sieving import Sieved

FIELDS = (
    Field("id", "id", "BIGINT", required=True),
    Field("n", "n", "INTEGER"),
    Field("amount", "amount", "DECIMAL(10,2)", nulls=("-",)),
    Field("x", "x", "DOUBLE"),
    Field("day", "day", "DATE"),
    Field("at", "at", "TIMESTAMP"),
    Field("seen", "seen", "TIMESTAMP WITH TIME ZONE"),
    Field("yes", "yes", "BOOLEAN"),
    Field("word", "word", "VARCHAR"),
)
HEADER = b"id,n,amount,x,day,at,seen,yes,word"
TEXTS: dict[str, tuple[str, ...]] = {
    "id": ("1", "22", "-3", "007", "+5", " 8", "1.5", "0x1F", "1_000", "1e3", "abc", "", "9223372036854775808", "1e2", "0xFFFFF"),
    "n": ("7", "0", "-0", "", "NA", "2147483648", "1.", "5e0", "1_0"),
    "amount": ("8.00", "13.55", "13.555", "13.5500", ".5", "5", "1e2", "1_0.5", "1.e0", "-", "", "123456789.00", "-0.00"),
    "x": ("1.5", "1e400", "nan", "-1", "infinity", "", "1e-3", "0x1F"),
    "day": ("2026-01-02", "2026-01-02xyz", "2026-1-2", " 2026-01-02", "2026-02-30", "infinity", "0044-03-15 (BC)", "", "12026-01-02"),
    "at": ("2026-01-02 03:04:05", "2026-01-02T03:04:05.123456", "2026-01-02", "2026-01-02 03:04:05+05:00", "", "epoch"),
    "seen": ("2026-01-02 03:04:05+05:00", "2026-01-02T03:04:05Z", "yesterday", ""),
    "yes": ("true", "f", "1", "maybe", ""),
    "word": ("A", "", "NA", "-", "zürich", " spaced ", "a;b", "x" * 60),
}
CHECKS = (
    Check("r.minimum", "s.t", CheckKind.ROW, Action.DEAD_LETTER, "`n` must be at least 0", ("n",), '"n" >= 0'),
    Check("r.in", "s.t", CheckKind.ROW, Action.DEAD_LETTER, "`word` must be A or -", ("word",), "\"word\" IN ('A', '-')"),
    Check("r.warn", "s.t", CheckKind.ROW, Action.WARN, "`x` must be above 0", ("x",), '"x" > 0'),
)


def content(seed: int, end: str = "\n", rows: int = 300, odd: float = 0.08) -> bytes:
    """Mostly good records, with nasty texts, records of too few and too many fields, blank lines and bytes that are no text."""
    chance = random.Random(seed)
    lines = []
    for _ in range(rows):
        texts = [chance.choice(v) if chance.random() < odd else v[0] for v in TEXTS.values()]
        if chance.random() < 0.03:
            texts = texts[: chance.randint(1, 8)] if chance.random() < 0.5 else [*texts, "more"]
        lines.append(",".join(texts).encode() if chance.random() > 0.02 else chance.choice([b"", b"1,\xff,,,,,,,"]))
    return HEADER + end.encode() + end.encode().join(lines) + chance.choice([b"", end.encode()])


def both(desk: Desk, content: bytes, dialect: Dialect | None = None, fields: Sequence[Field] = FIELDS, **more: Any) -> tuple[Any, Any]:
    """What a load gives, and what it gives by the stage."""
    told = []
    for large in (0, 1 << 60):
        desk.loader = DuckdbLoader(desk.session.cursor, large)
        job = desk.job([desk.file(content)], fields, dialect, **more)
        loaded = desk.load(job)
        told.append((desk.rows(loaded), desk.letters(loaded), loaded.accounts, loaded.failing, loaded.schema))
    return told[0], told[1]


def same_set(ours: Any, staged: Any) -> bool:
    """Whether all is the same but the order of rows: one that was held back and is good stands in a file of its own."""
    return sorted(map(repr, ours[0])) == sorted(map(repr, staged[0])) and repr(ours[1:]) == repr(staged[1:])


@pytest.mark.parametrize(("seed", "end"), [(n, "\n") for n in range(6)] + [(6, "\r\n")])
def test_the_same_as_by_the_stage(desk: Desk, sieved: list[Sieved | None], seed: int, end: str) -> None:
    ours, staged = both(desk, content(seed, end), checks=CHECKS)
    assert repr(ours) == repr(staged)  # NaN is no NaN
    assert len(sieved) == 1
    assert sieved[0] is not None
    assert len(ours[0]) > 100
    assert len(ours[1]) > 50


@pytest.mark.parametrize(("seed", "end"), [(20, "\n"), (21, "\n"), (22, "\r\n")])
def test_the_same_of_values_that_are_told(
    desk: Desk, sieved: list[Sieved | None], monkeypatch: pytest.MonkeyPatch, seed: int, end: str
) -> None:
    """Few texts are odd, and so no column stays one of texts; the pieces are so small that lines begin in one and end in the next."""
    monkeypatch.setattr(plain_lines, "PIECE", 1000)
    monkeypatch.setattr(plain_lines, "ENOUGH", 0.0)
    given = content(seed, end, 3000, 0.01)
    ours, staged = both(desk, given, checks=CHECKS)
    assert same_set(ours, staged)
    assert sieved[0] is not None
    assert len(ours[0]) > 2000
    assert len(ours[1]) > 100


@pytest.mark.parametrize("enough", [0.0, 2.0])
def test_numbers_of_all_widths(desk: Desk, sieved: list[Sieved | None], monkeypatch: pytest.MonkeyPatch, enough: float) -> None:
    monkeypatch.setattr(plain_lines, "ENOUGH", enough)
    chance = random.Random(5)

    def number(most: int, fraction: int) -> str:
        text = chance.choice(["", "", "-"]) + str(chance.randrange(10 ** chance.randint(1, most)))
        return text if not fraction or chance.random() < 0.2 else f"{text}.{chance.randrange(10**fraction):0{chance.randint(1, fraction)}d}"

    lines = [",".join((number(19, 0), number(9, 0), number(8, 2), number(20, 12))) for _ in range(4000)]
    types = {"a": "BIGINT", "b": "INTEGER", "c": "DECIMAL(10,2)", "d": "DOUBLE"}
    fields = tuple(Field(n, n, t) for n, t in types.items())
    ours, staged = both(desk, b"a,b,c,d\n" + "\n".join(lines).encode(), fields=fields)
    assert same_set(ours, staged)
    assert sieved[0] is not None


def test_a_file_of_which_too_little_is_told_is_staged(desk: Desk, sieved: list[Sieved | None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plain_lines, "FEW", 10)
    monkeypatch.setattr(plain_lines, "PIECE", 200)
    fields = (Field("id", "id", "BIGINT"), Field("a", "a", "BIGINT"))
    lines = b"\n".join(b"%d,%d" % (n, n) for n in range(300)) + b"\n" + b"\n".join(b"+%d, %d" % (n, n) for n in range(600))
    ours, staged = both(desk, b"id,a\n" + lines, fields=fields)
    assert ours == staged
    assert sieved == [None]
    assert len(ours[0]) == 900


def test_a_mark_that_is_a_text(desk: Desk) -> None:
    """The mark of UTF-8 in the middle of a file is text, and would be none at the start of the lines held back."""
    fields = (Field("a", "a", "VARCHAR"), Field("b", "b", "BIGINT"))
    ours, staged = both(desk, "a,b\nx,1\n\ufeffy,odd\n\ufeffz,3\n".encode(), fields=fields)
    assert ours == staged
    assert [x.raw.decode() for x in ours[1]] == ["\ufeffy,odd"]


def test_bytes_of_a_text(desk: Desk, sieved: list[Sieved | None]) -> None:
    """Those that are none, those that are one only to some, and zero."""
    odd = (
        b"\xff",
        b"\xed\xa0\x80",
        b"\xc0\xaf",
        b"\xf4\x90\x80\x80",
        b"\xef\xbf\xbe",
        b"\x00",
        b"a\x00b",
        b"\xf0\x9f\x98\x80",
        b"\xe2\x82",
    )
    fields = (Field("id", "id", "BIGINT"), Field("a", "a", "VARCHAR"))
    lines = b"\n".join(b"%d,%s%s" % (n, x, b"z" * pad) for n, (x, pad) in enumerate((x, p) for x in odd for p in (0, 3, 20)))
    ours, staged = both(desk, b"id,a\n" + lines, fields=fields)
    assert ours == staged
    assert sieved[0] is not None
    assert len(ours[1]) == 5 * 3


def test_words_for_missing(desk: Desk, sieved: list[Sieved | None]) -> None:
    ours, staged = both(desk, content(11), Dialect(nulls=("", "NA", "A")), checks=CHECKS)
    assert ours == staged
    assert sieved[0] is not None


@pytest.mark.parametrize("dialect", [Dialect(nulls=("NA",)), Dialect(trim=True, nulls=("", "NA")), Dialect(quote="", escape="")])
def test_dialects(desk: Desk, sieved: list[Sieved | None], dialect: Dialect) -> None:
    ours, staged = both(desk, content(12), dialect, checks=CHECKS)
    assert ours == staged
    assert sieved[0] is not None


@pytest.mark.parametrize(
    ("lines", "dialect"),
    [(b'1,"a"', Dialect()), (b"#\n1,a", Dialect(comment="#")), (b"1,a\\", Dialect(escape="\\"))],
)
def test_a_file_whose_records_are_more_than_their_lines_is_staged(
    desk: Desk, sieved: list[Sieved | None], lines: bytes, dialect: Dialect
) -> None:
    fields = (Field("id", "id", "BIGINT"), Field("a", "a", "VARCHAR"))
    ours, staged = both(desk, b"id,a\n" + lines + b"\nx,b\n", dialect, fields=fields)
    assert ours == staged
    assert sieved == [None]


def test_rows_keep_their_order(desk: Desk, sieved: list[Sieved | None]) -> None:
    rows = 400_000
    lines = b"\n".join(b"%d,%s" % (n, b"x" if n % 1000 == 3 else b"%d" % n) for n in range(rows))
    desk.loader = DuckdbLoader(desk.session.cursor, 0)
    loaded = desk.load(desk.job([desk.file(b"id,v\n" + lines)], (Field("id", "id", "BIGINT"), Field("v", "v", "BIGINT"))))
    assert sieved[0] is not None
    assert [r[0] for r in desk.rows(loaded)] == [n for n in range(rows) if n % 1000 != 3]
    assert [x.line for x in desk.letters(loaded)] == [n + 2 for n in range(rows) if n % 1000 == 3]


def test_a_load_over_its_limit_leaves_no_rows(desk: Desk) -> None:
    desk.loader = DuckdbLoader(desk.session.cursor, 0)
    job = desk.job([desk.file(content(1))], FIELDS, limit=LetterLimit(records=3))
    with pytest.raises(DataError):
        desk.load(job)
    assert not list((desk.folder / "table").rglob("*.parquet"))


def test_nothing_is_good(desk: Desk, sieved: list[Sieved | None]) -> None:
    fields = (Field("id", "id", "BIGINT"), Field("a", "a", "BIGINT"))
    ours, staged = both(desk, b"id,a\nx,1\n2,y\n", fields=fields)
    assert ours == staged
    assert ours[0] == []
    assert sieved[0] is not None


def test_a_letter_is_read_again(desk: Desk) -> None:
    desk.loader = DuckdbLoader(desk.session.cursor, 0)
    job = desk.job([desk.file(b"id,a\n1,1\n2,x\n")], (Field("id", "id", "BIGINT"), Field("a", "a", "BIGINT")))
    letters = desk.letters(desk.load(job))
    mended = desk.replay(job, [replace(x, raw=x.raw.replace(b"x", b"5")) for x in letters])
    assert desk.rows(mended) == [(2, 5)]


@pytest.mark.parametrize("limit", [60, 61, 62, 63, 64, 65, 1000])
def test_a_line_is_no_longer_than_it_may_be(desk: Desk, sieved: list[Sieved | None], limit: int) -> None:
    lines = [f"1,7,8.00,1.5,2026-01-02,,,true,{'x' * n}" for n in (*range(20, 40), 100)]
    ours, staged = both(desk, HEADER + b"\n" + "\n".join(lines).encode(), Dialect(max_record_bytes=limit))
    assert same_set(ours, staged)
    assert bool(ours[1]) == (limit < 1000)
    assert sieved[0] is not None
