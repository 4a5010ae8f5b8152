"""Lines found again: the same as by looking at each of them."""

from __future__ import annotations

import io
import random

import pytest

from xde.connectors.duckdb.ingestion import searching
from xde.connectors.duckdb.ingestion.searching import LONG_NUMBER, lines_among, may_have_long_numbers
from xde.connectors.duckdb.ingestion.splitting import BOM, Record


def looked_at(content: bytes, wanted: set[bytes], refused: set[int], above: int) -> list[Record]:
    found, offset = [], 0
    for n, text in enumerate(content.splitlines(keepends=True), 1):
        mark = len(BOM) if n == 1 and text.startswith(BOM) else 0
        begins, whole = offset + mark, text[mark:].removesuffix(b"\n")
        if n > above and (whole in wanted or begins in refused):
            found.append(Record(n, begins, whole.rstrip(b"\r"), begins in refused))
        offset += len(text)
    return found


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("piece", [7, 100, 1 << 20])
@pytest.mark.parametrize("seed", range(5))
def test_as_by_looking_at_each(seed: int, piece: int, end: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "PIECE", piece)
    chance = random.Random(seed)
    # lines that differ in one byte, of all lengths about those that are looked at apart
    lines = [
        b"".join(chance.choices([b"a", b"b", "é".encode()], k=chance.choice([0, 1, 7, 8, 15, 16, 17, 23, 24, 40]))) for _ in range(400)
    ]
    content = (BOM if seed % 2 else b"") + end.join(lines) + (end if seed % 3 else b"")
    above = seed % 4
    wanted = {x + end[:-1] for x in chance.sample(lines[:-1], 60)} | {b"not there, and as long as others are"}
    every = looked_at(content, {x.removesuffix(b"\n") for x in content.removeprefix(BOM).splitlines(keepends=True)}, set(), above)
    refused = {r.offset for r in chance.sample(every, 30)}
    assert list(lines_among(io.BytesIO(content), wanted, sorted(refused), above)) == looked_at(content, wanted, refused, above)


def test_lines_of_one_likeness_are_told_apart() -> None:
    """Those whose looked-at bytes are the same, and the rest is not."""
    alike = [
        b"the same beginning" + bytes([65 + n % 26, 65 + n // 26]) + b"and far away from the middle of it, the same end" for n in range(500)
    ]
    wanted = set(alike[::7])
    found = list(lines_among(io.BytesIO(b"\n".join(alike)), wanted, []))
    assert [r.raw for r in found] == alike[::7]
    assert [r.line for r in found] == list(range(1, 501, 7))


def test_a_file_of_nothing() -> None:
    assert list(lines_among(io.BytesIO(b""), {b"x"}, [])) == []
    assert list(lines_among(io.BytesIO(BOM), set(), [3])) == [Record(1, 3, b"", refused=True)]


@pytest.mark.parametrize("piece", [16, 50, 1 << 20])
@pytest.mark.parametrize("length", [*range(12, 20), 40])
def test_a_long_number_is_found_wherever_it_stands(length: int, piece: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "PIECE", piece)
    chance = random.Random(length)
    for before in range(40):
        number = bytes(chance.choices(b"0123456789", k=length - 1)) + chance.choice([b"", b"."]) + b"5"
        for text in (b"x" * before + number, b"1" * (before % 15) + b"," + number + b"x" * before, b"," * before + b"." + number + b","):
            assert may_have_long_numbers(io.BytesIO(text)) == bool(LONG_NUMBER.search(text)), text
