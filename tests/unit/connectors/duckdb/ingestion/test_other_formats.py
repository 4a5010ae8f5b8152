"""Lines, documents, sheets and Parquet: the same division, the same places."""

from __future__ import annotations

import gzip
import json
import random
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from xde.ground.errors import UserError
from xde.lifecycle.ingestion.port import Dialect, Field, SchemaChange
from xde.lifecycle.storage.port import Column

if TYPE_CHECKING:
    from conftest import Desk

    from xde.lifecycle.ingestion.port import Letter

FIELDS = (Field("id", "id", "BIGINT"), Field("a", "a", "VARCHAR"))
NDJSON = Dialect(format="ndjson")
JSON = Dialect(format="json")


def told(letters: list[Letter]) -> list[tuple[Any, ...]]:
    return [(x.file, x.line, x.raw, x.reasons[0].rule, x.reasons[0].column) for x in letters]


def test_broken_lines_of_json(desk: Desk) -> None:
    one = desk.file(
        b'{"id":1,"a":"x"}\r\n\r\n{"id":2,\r\n[1]\r\n{"id":"q","a":"\xc3\xa9"}\r\n{"a":"\xff"}\r\nnull\r\nfoo\x01bar\r\n{"id":1.5}\r\n{"a":null,"id":null}',
        "one",
    )
    two = desk.file(b'nope\n\n{"id":3,"a":{"b": [1]}}\n', "two")
    loaded = desk.load(desk.job([one, two], FIELDS, NDJSON))
    assert desk.rows(loaded) == [(1, "x"), (None, None), (3, '{"b":[1]}')]
    assert told(desk.letters(loaded)) == [
        ("one", 3, b'{"id":2,', "parse", None),
        ("one", 4, b"[1]", "parse", None),
        ("one", 5, b'{"id":"q","a":"\xc3\xa9"}', "type", "id"),
        ("one", 6, b'{"a":"\xff"}', "parse", None),
        ("one", 7, b"null", "parse", None),
        ("one", 8, b"foo\x01bar", "parse", None),
        ("one", 9, b'{"id":1.5}', "type", "id"),
        ("two", 1, b"nope", "parse", None),
    ]
    assert [(a.records, a.accepted) for a in loaded.accounts] == [(9, 2), (2, 1)]


def test_packed_lines_with_nested_values(desk: Desk) -> None:
    fields = (Field("o", "o", "STRUCT(x INTEGER, y VARCHAR[])"), Field("odd", 'a "b".c', "INTEGER", nulls=("NA",)))
    lines = [{"o": {"x": 1, "y": ["p", None]}, 'a "b".c': 5}, {"o": None, 'a "b".c': "NA"}, {"o": 7}, {"o": {"x": "z"}}]
    file = desk.file(gzip.compress("\n".join(json.dumps(x) for x in lines).encode()), "f.ndjson.gz")
    loaded = desk.load(desk.job([file], fields, NDJSON))
    assert desk.rows(loaded) == [({"x": 1, "y": ["p", None]}, 5), (None, None)]
    assert [x.line for x in desk.letters(loaded)] == [3, 4]


@pytest.mark.parametrize("content", [b"", b"\n \n"])
def test_no_lines(desk: Desk, content: bytes) -> None:
    loaded = desk.load(desk.job([desk.file(content)], FIELDS, NDJSON))
    assert (loaded.accepted, loaded.letters, loaded.files) == (0, 0, ())


def test_a_document(desk: Desk) -> None:
    content = b'\xef\xbb\xbf[ {"id": 1,\n "a": "x]"} ,\r\n 7, {"id":\n"q"}, {"id": NaN}]\n'
    loaded = desk.load(desk.job([desk.file(content)], FIELDS, JSON))
    assert desk.rows(loaded) == [(1, "x]")]
    assert told(desk.letters(loaded)) == [
        ("f.csv", 2, b"7", "parse", None),
        ("f.csv", 3, b'{"id":\n"q"}', "type", "id"),
        ("f.csv", 4, b'{"id": NaN}', "type", "id"),
    ]


def test_records_deep_in_a_document(desk: Desk) -> None:
    content = '{"x": "data", "o": {"items": [9]}, "data": {"n": [1], "items": [{"id": 1, "a": "é"}]}}'.encode("utf-16")
    loaded = desk.load(desk.job([desk.file(content)], FIELDS, replace(JSON, records_at="data.items", encoding="utf-16")))
    assert desk.rows(loaded) == [(1, "é")]


def test_a_document_of_one_record(desk: Desk) -> None:
    assert desk.rows(desk.load(desk.job([desk.file(b'{"id": 1, "a": ["x"]}\n')], FIELDS, JSON))) == [(1, '["x"]')]


@pytest.mark.parametrize(
    ("content", "dialect", "code"),
    [
        (b'[{"id": 1}', JSON, "XDE0405"),
        (b'{"id": 1}\n{"id": 2}\n', JSON, "XDE0405"),
        (b"[" * 100_000, JSON, "XDE0405"),
        (b'["\xff"]', JSON, "XDE0403"),
        (b'{"data": {}}', replace(JSON, records_at="data.items"), "XDE0415"),
        (b'{"data": []}', replace(JSON, records_at="data.items"), "XDE0415"),
        (b'{"data": {"items": 1}}', replace(JSON, records_at="data.items"), "XDE0415"),
        (b"7", JSON, "XDE0415"),
        (b"no workbook", Dialect(format="excel"), "XDE0408"),
        (b"PAR1 not parquet", Dialect(format="parquet"), "XDE0409"),
    ],
)
def test_a_document_that_cannot_be_read(desk: Desk, content: bytes, dialect: Dialect, code: str) -> None:
    with pytest.raises(UserError) as raised:
        desk.load(desk.job([desk.file(content)], FIELDS, dialect))
    assert raised.value.findings[0].code == code


def test_fixed_width(desk: Desk) -> None:
    fields = (
        Field("id", "id", "INTEGER", position=(0, 3)),
        Field("a", "a", "VARCHAR", position=(3, 4)),
        Field("v", "v", "DECIMAL(5,2)", position=(7, 6)),
    )
    file = desk.file('report\n  1é,"x  1.50\n\n 2xab    1.00\n  3\n  4a   1.505\n'.encode("latin-1"))
    loaded = desk.load(desk.job([file], fields, Dialect(format="fixed_width", encoding="latin-1", skip=1)))
    assert [(r[0], r[1], str(r[2])) for r in desk.rows(loaded)] == [(1, 'é,"x', "1.50"), (3, None, "None")]
    assert told(desk.letters(loaded)) == [
        ("f.csv", 4, b" 2xab    1.00", "type", "id"),
        ("f.csv", 6, b"  4a   1.505", "type", "v"),
    ]


def workbook(desk: Desk, rows: list[list[object]], sheet: str = "Data") -> Any:
    import datetime

    book = openpyxl.Workbook()
    book.active.title = "About"
    page = book.create_sheet(sheet)
    for row in rows:
        page.append([datetime.datetime.fromisoformat(x[1:]) if isinstance(x, str) and x.startswith("@") else x for x in row])
    path = desk.folder / "f.xlsx"
    book.save(path)
    return desk.found(path)


SHEET = Dialect(format="excel", sheet="Data", skip=1)


def test_a_sheet(desk: Desk) -> None:
    fields = (*FIELDS, Field("at", "at", "TIMESTAMP"), Field("v", "v", "DOUBLE"), Field("ok", "ok", "BOOLEAN"))
    rows: list[list[object]] = [
        ["made by us"],
        ["at", "id", "a", "v", "ok"],
        ["@2026-01-02 03:04:05", 1, 7, 2.5, True],
        [],
        [None, "q", "x"],
        [None, 1.5],
        [None, 2, None, 3],
    ]
    loaded = desk.load(desk.job([workbook(desk, rows)], fields, SHEET))
    assert [(r[0], r[1], str(r[2]), r[3], r[4]) for r in desk.rows(loaded)] == [
        (1, "7", "2026-01-02 03:04:05", 2.5, True),
        (2, None, "None", 3.0, None),
    ]
    letters = desk.letters(loaded)
    assert [(x.line, json.loads(x.raw)["id"], x.reasons[0].column) for x in letters] == [(5, "q", "id"), (6, "1.5", "id")]
    assert desk.loader.columns(workbook(desk, rows).found, SHEET) == ["at", "id", "a", "v", "ok"]
    mended = [replace(x, raw=x.raw.replace(b'"q"', b"5").replace(b'"1.5"', b"6")) for x in letters]
    assert [r[0] for r in desk.rows(desk.replay(desk.job([], fields, SHEET), mended))] == [5, 6]


def test_a_sheet_with_other_columns(desk: Desk) -> None:
    file = workbook(desk, [[], ["id", "new"], [1, "x"]])
    for change, code in ((SchemaChange(), "XDE0411"), (SchemaChange(missing_column="evolve"), "XDE0412")):
        with pytest.raises(UserError) as raised:
            desk.load(desk.job([file], FIELDS, SHEET, schema_change=change))
        assert raised.value.findings[0].code == code
    loaded = desk.load(desk.job([file], FIELDS, SHEET, schema_change=SchemaChange("evolve", "evolve")))
    assert desk.rows(loaded) == [(1, None, "x")]
    assert loaded.new_columns == {Column("new", "VARCHAR"): "f.xlsx"}
    with pytest.raises(UserError) as raised:
        desk.load(desk.job([file], FIELDS, replace(SHEET, sheet="Dat")))
    assert raised.value.findings[0].code == "XDE0407"


def test_parquet_of_other_types(desk: Desk) -> None:
    path = desk.folder / "f.parquet"
    table = pa.table(
        {
            "id": pa.array([1.0, 2.5, None, 4.0]),
            "d": ["2026-01-02", "2026-01-03", "x", None],
            "n": [[1], [2], None, [4]],
            "s": pa.array([1, 2, 3, 4], pa.int8()),
        }
    )
    pq.write_table(table, path)
    fields = (Field("id", "id", "DECIMAL(5,1)"), Field("d", "d", "DATE"), Field("n", "n", "BIGINT[]"), Field("s", "s", "VARCHAR"))
    loaded = desk.load(desk.job([desk.found(path)], fields, Dialect(format="parquet")))
    assert [(str(r[0]), str(r[1]), r[2], r[3]) for r in desk.rows(loaded)] == [
        ("1.0", "2026-01-02", [1], "1"),
        ("2.5", "2026-01-03", [2], "2"),
        ("4.0", "None", [4], "4"),
    ]
    (letter,) = desk.letters(loaded)
    assert (letter.line, json.loads(letter.raw)["d"], letter.reasons[0].column) == (3, "x", "d")
    again = desk.replay(desk.job([], fields, Dialect(format="parquet")), [replace(letter, raw=letter.raw.replace(b'"x"', b'"2026-05-05"'))])
    assert [(r[0], str(r[1]), r[2], r[3]) for r in desk.rows(again)] == [(None, "2026-05-05", None, "3")]


def test_a_parquet_integer_that_was_a_fraction(desk: Desk) -> None:
    path = desk.folder / "f.parquet"
    pq.write_table(pa.table({"id": [1.0, 1.5], "a": ["x", "y"]}), path)
    loaded = desk.load(desk.job([desk.found(path)], FIELDS, Dialect(format="parquet")))
    assert desk.rows(loaded) == [(1, "x")]
    assert [x.line for x in desk.letters(loaded)] == [2]


@pytest.mark.parametrize(
    ("line", "amount"),
    [
        ('{"amount": 123456789.123456789}', "123456789.123456789"),
        ('{"amount":-0.100000000000000005 }', "-0.100000000000000005"),
        ('{"amount": 0.5, "other": 3.14159265358979323846}', "0.5"),
        ('{"other": {"amount2": 3.14159265358979323846}, "amount" : 1234567890.0123456789}', "1234567890.0123456789"),
        ('{"amount": "123456789.123456789"}', "123456789.123456789"),
        ('{"amount": 1e3, "other": 12345678901234567890}', "1000.0"),
    ],
)
def test_a_decimal_in_json_keeps_its_digits(desk, line, amount):
    file = desk.file(f"{line}\n".encode(), "f.ndjson")
    job = desk.job([file], [Field("amount", "amount", "DECIMAL(30,20)")], NDJSON, schema_change=SchemaChange("discard"))
    assert desk.rows(desk.load(job)) == [(Decimal(amount),)]


def test_a_decimal_of_many_digits_is_exact_though_another_has_its_name(desk):
    file = desk.file(b'{"of": {"amount": 0.25}, "amount": 123456789.123456789}\n{"of": {"amount": 0.25}, "amount": 1.5}\n', "f.ndjson")
    job = desk.job([file], [Field("amount", "amount", "DECIMAL(30,20)")], NDJSON, schema_change=SchemaChange("discard"))
    loaded = desk.load(job)
    assert desk.rows(loaded) == [(Decimal("123456789.123456789"),), (Decimal("1.5"),)]


def test_a_record_over_several_lines_keeps_every_character(desk: Desk) -> None:
    loaded = desk.load(desk.job([desk.file('[{"id":\n 1,\r\n"a": "x\u2028y\u0085z\x7f"}]'.encode(), "one")], FIELDS, JSON))
    assert desk.rows(loaded) == [(1, "x\u2028y\u0085z\x7f")]


def test_values_within_values(desk: Desk) -> None:
    fields = (
        Field("city", "home.city", "VARCHAR", path=("home", "city")),
        Field("amount", "total.amount", "DECIMAL(30,15)", path=("total", "amount")),
        Field("dotted", "home.city", "VARCHAR"),
    )
    lines = b'{"home": {"city": "Oslo"}, "home.city": "x", "total": {"amount": 12345678901234.123456789012345}}\n{"home": "y"}\n'
    loaded = desk.load(desk.job([desk.file(lines, "one")], fields, NDJSON))
    assert desk.rows(loaded) == [("Oslo", Decimal("12345678901234.123456789012345"), "x"), (None, None, None)]


def test_a_letter_tells_the_part_of_a_file(desk: Desk) -> None:
    file = desk.file(b'{"id":1}\n{"id":"a"}\n{"id":"b"}\n{"id":2}\n{"id":"c"}\n', "one")
    file = replace(file, parts=((1, "page 1"), (3, "page 2"), (5, "page 3")))
    letters = desk.letters(desk.load(desk.job([file], FIELDS, NDJSON)))
    assert [(x.file, x.line) for x in letters] == [("page 1", 2), ("page 2", 1), ("page 3", 1)]


def test_numbers_within_nested_values_keep_their_digits(desk: Desk) -> None:
    fields = (Field("o", "o", "STRUCT(a DECIMAL(30,10), b DECIMAL(38,3)[], t VARCHAR, d DOUBLE)"),)
    text = r"say \"1.5\", 2.75, [3.25] \\"
    lines = (
        f'{{"o": {{"a": 12345678901234567.0123456789, "b": [1.5, -12345678901234567890.125], "t": "{text}", "d": 2.5e3}}}}\n'
        '{"o": {"a": 0.1, "b": [7], "t": 1.5, "d": 0.1}}\n{"o": {"a": "lots", "t": "12345678901234567.5"}}\n'
    )
    loaded = desk.load(desk.job([desk.file(lines.encode(), "one")], fields, NDJSON))
    assert [r[0] for r in desk.rows(loaded)] == [
        {
            "a": Decimal("12345678901234567.0123456789"),
            "b": [Decimal("1.500"), Decimal("-12345678901234567890.125")],
            "t": 'say "1.5", 2.75, [3.25] \\',
            "d": 2500.0,
        },
        {"a": Decimal("0.1000000000"), "b": [Decimal("7.000")], "t": "1.5", "d": 0.1},
    ]
    assert len(desk.letters(loaded)) == 1


WITHIN = {
    "DECIMAL(10,2)[]": (
        ["[1.5, null, 2, 1.10, 1.100, 1e2, 150e-1]", "[]", "null"],
        ["[1.129]", '["1.129"]', "[1.5, 0.001]", "[true]", "[1e-3]"],
    ),
    "BIGINT[]": (["[1, -2, 3.0, 1e3, null]"], ["[1.5]", '["1_000"]', "[true]", "[12345678901234567.5]"]),
    "DOUBLE[]": (["[0.1, 1e300, 3]"], ['["nan"]', '["infinity"]', '["1_0"]']),
    "DATE[]": (['["2026-01-02", null]'], ['["2026-01-02 10:00:00"]', '["2026-01-02xyz"]', '["infinity"]']),
    "TIMESTAMP[]": (['["2026-01-02 10:00:00.123456", "2026-01-02"]'], ['["2026-01-02 10:00:00.1234567"]', '["2026-01-02T10:00:00+05:00"]']),
    "TIME[]": (['["10:00"]'], ['["10:00:00+02"]']),
    "MAP(VARCHAR, DECIMAL(5,2))": (['{"a": 1.25, "b": null}', "{}"], ['{"a": 1.255}']),
    "MAP(INTEGER, VARCHAR)": (['{"1": "x"}'], ['{"1_0": "x"}']),
    "STRUCT(a DECIMAL(4,1), b STRUCT(c BIGINT, d DATE)[])": (
        ['{"a": 1.5, "b": [{"c": 1, "d": "2026-01-02"}, {"c": null, "d": null}, null]}', '{"a": null, "b": null}'],
        ['{"a": 1.55, "b": []}', '{"a": 1, "b": [{"c": 1, "d": null}, {"c": 2.5, "d": null}]}'],
    ),
    "DECIMAL(4,1)[][]": (["[[1.5], [], null, [2]]"], ["[[1.5], [1.55]]"]),
    "STRUCT(a INTEGER[2])": (['{"a": [1, 2]}'], ['{"a": [1, 2.5]}']),
    "BOOLEAN[]": (['[true, false, "true", null, 1, 0]'], ["[2]", '["maybe"]']),
    "VARCHAR[]": (['["a", 1.5, true, null]'], []),
}


@pytest.mark.parametrize("kind", WITHIN)
def test_what_stands_within_a_value_is_not_rounded_either(desk: Desk, kind: str) -> None:
    """JSON in lines and JSON in a field of CSV: what would be another value in its type is a letter."""
    good, bad = WITHIN[kind]
    fields = (Field("id", "id", "BIGINT"), Field("v", "v", kind))
    texts = [*good, *bad]
    lines = "".join(f'{{"id": {n}, "v": {text}}}\n' for n, text in enumerate(texts))
    cells = "id,v\n" + "".join(f'{n},"{text.replace(chr(34), chr(34) * 2)}"\n' for n, text in enumerate(texts))
    for content, dialect in ((lines, NDJSON), (cells, Dialect())):
        loaded = desk.load(desk.job([desk.file(content.encode(), dialect.format)], fields, dialect))
        assert [r[0] for r in desk.rows(loaded)] == list(range(len(good)))
        letters = desk.letters(loaded)
        assert [(x.reasons[0].rule, x.reasons[0].column) for x in letters] == [("type", "v")] * len(bad)


def test_what_is_within_values_arrives_as_it_is(desk: Desk) -> None:
    fields = (Field("v", "v", "STRUCT(a DECIMAL(4,1), b STRUCT(c BIGINT, d DATE)[], m MAP(VARCHAR, DECIMAL(5,2)))"),)
    line = '{"v": {"a": 1.5, "b": [{"c": 3, "d": "2026-01-02"}, null], "m": {"x": 1e1}}}'
    ((found,),) = desk.rows(desk.load(desk.job([desk.file(line.encode(), "one")], fields, NDJSON)))
    assert found == {"a": Decimal("1.5"), "b": [{"c": 3, "d": date(2026, 1, 2)}, None], "m": [("x", Decimal("10.00"))]}


def test_decimals_are_those_that_stand_there_or_letters(desk: Desk) -> None:
    """Numbers and texts of every length, with and without a point, zeros at both ends: as Python's decimals are."""
    chance = random.Random(7)
    texts = [
        "0",
        "-0",
        "0.0",
        "35",
        "35.0",
        "35.00",
        "35.000",
        "35.005",
        "99999999.99",
        "99999999.995",
        "100000000",
        "1.10000000000000000000001",
    ]
    for _ in range(3000):
        whole, part = chance.randrange(10 ** chance.randrange(1, 10)), "".join(chance.choices("0005", k=chance.randrange(5)))
        texts.append(f"{chance.choice(['', '-'])}{whole}{'.' if part else ''}{part}")
    texts += [f"{x}{chance.choice(['', '0' * 14])}" for x in texts if "." in x]
    lines = [f'{{"id": {n}, "a": {chance.choice([x, f"{chr(34)}{x}{chr(34)}"])}}}' for n, x in enumerate(texts)]
    fields = (Field("id", "id", "BIGINT"), Field("a", "a", "DECIMAL(10,2)"))
    loaded = desk.load(desk.job([desk.file("\n".join(lines).encode(), "f.ndjson")], fields, NDJSON))
    good = [(n, Decimal(x)) for n, x in enumerate(texts) if abs(Decimal(x)) < 10**8 and Decimal(x) == round(Decimal(x), 2)]
    assert sorted(desk.rows(loaded)) == good
    assert len(desk.letters(loaded)) == len(texts) - len(good) > 100


@pytest.mark.parametrize("policy", ["freeze", "evolve", "quarantine", "discard"])
def test_names_in_another_order_and_names_twice_are_the_same_names(desk: Desk, policy: str) -> None:
    """Records are passed over by the order of their names where that is the usual one; all others are looked at."""
    text = ['{"id": 1, "a": "x"}', '{"a": "y", "id": 2}', '{"id": 3}', '{"id": 4, "a": "z", "a": "w"}', "{}"] * 3
    job = desk.job([desk.file("\n".join(text).encode(), "f.ndjson")], FIELDS, NDJSON)
    loaded = desk.load(replace(job, schema_change=SchemaChange(new_column=policy)))
    assert desk.rows(loaded) == [(1, "x"), (2, "y"), (3, None), (4, "z"), (None, None)] * 3
    late = desk.file("\n".join([*text * 100, '{"id": 5, "a": "v", "of": 1}']).encode(), "late.ndjson")
    job = replace(desk.job([late], FIELDS, NDJSON), schema_change=SchemaChange(new_column=policy))
    if policy == "freeze":
        with pytest.raises(UserError) as raised:
            desk.load(job)
        assert raised.value.findings[0].code == "XDE0412"
        return
    loaded = desk.load(job)
    assert [c.name for c in loaded.new_columns] == (["of"] if policy == "evolve" else [])
    assert len(desk.letters(loaded)) == (policy == "quarantine")
