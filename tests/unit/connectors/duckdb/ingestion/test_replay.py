"""Letters read again: by the header of their own file, one letter never swallowing another."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from xde.lifecycle.ingestion.port import Dialect, Field, SchemaChange

if TYPE_CHECKING:
    from conftest import Desk

FIELDS = (Field("id", "id", "BIGINT"), Field("a", "a", "VARCHAR"))


def test_letters_of_files_with_other_headers(desk: Desk) -> None:
    one = desk.file(b"id,a\nq,x\n", "one.csv")
    two = desk.file(b"new,a,id\nn,y,r\n", "two.csv")
    job = desk.job([one, two], FIELDS, schema_change=SchemaChange(new_column="discard"))
    letters = desk.letters(desk.load(job))
    mended = [replace(x, raw=x.raw.replace(b"q", b"1").replace(b"r", b"2")) for x in letters]
    assert desk.rows(desk.replay(job, mended)) == [(1, "x"), (2, "y")]


def test_a_letter_that_fails_again_is_the_same_letter(desk: Desk) -> None:
    job = desk.job([desk.file(b'id,a\nq,"x\ny"\n2\n3,"z\n4,x\n5,x\n')], FIELDS)
    letters = desk.letters(desk.load(job))
    assert [x.line for x in letters] == [2, 4, 5]
    again = desk.replay(job, letters)
    assert (again.accepted, again.files) == (0, ())
    assert sorted(desk.letters(again), key=lambda x: x.line) == [replace(x, run="run2") for x in letters]


def test_an_open_quote_does_not_swallow_the_next_letter(desk: Desk) -> None:
    job = desk.job([desk.file(b'id,a\n1,x,z\n3,"z\n4,x\n')], FIELDS)
    many, swallowed = desk.letters(desk.load(job))
    again = desk.replay(job, [swallowed, replace(many, raw=b"1,x")])
    assert desk.rows(again) == [(1, "x")]
    assert [x.id for x in desk.letters(again)] == [swallowed.id]


def test_one_letter_mended_into_several_records(desk: Desk) -> None:
    job = desk.job([desk.file(b'id,a\n3,"z\n4,x\nq,x\n')], FIELDS)
    (swallowed,) = desk.letters(desk.load(job))
    again = desk.replay(job, [replace(swallowed, raw=b"3,z\r\n4,x\nq,x")])
    assert desk.rows(again) == [(3, "z"), (4, "x")]
    (left,) = desk.letters(again)
    assert (left.id, left.raw, left.line) == (swallowed.id, b"q,x", 2)
    last = desk.replay(job, [replace(left, raw=b"5,x")])
    assert desk.rows(last) == [(5, "x")]


def test_letters_in_an_encoding_of_their_own(desk: Desk) -> None:
    dialect = Dialect(encoding="utf-16")
    job = desk.job([desk.file("id,a\nq,é\nr,Ċ\n1,x\n".encode("utf-16"))], FIELDS, dialect)
    letters = desk.letters(desk.load(job))
    mended = [letters[0], replace(letters[1], raw="2,Ċ".encode("utf-16-le"))]
    again = desk.replay(job, mended)
    assert desk.rows(again) == [(2, "Ċ")]
    assert [x.raw for x in desk.letters(again)] == ["q,é".encode("utf-16-le")]


def test_letters_of_lines(desk: Desk) -> None:
    job = desk.job([desk.file(b'nope\n{"id":"q"}\n')], FIELDS, Dialect(format="ndjson"))
    letters = desk.letters(desk.load(job))
    again = desk.replay(job, [replace(letters[0], raw=b'{"id":1,"a":"x"}'), letters[1]])
    assert desk.rows(again) == [(1, "x")]
    assert [x.id for x in desk.letters(again)] == [letters[1].id]
