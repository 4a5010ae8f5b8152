"""Lines of JSON that are sieved and the same lines staged: the same rows, the same letters, the same account."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from xde.connectors.duckdb.ingestion import plain_lines
from xde.connectors.duckdb.ingestion.loader import DuckdbLoader
from xde.ground.errors import UserError
from xde.kernel.plan.checks import Action, Check, CheckKind
from xde.lifecycle.ingestion.port import Dialect, Field, LetterLimit, SchemaChange

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from conftest import Desk

    from xde.connectors.duckdb.ingestion.sieving import Sieved

FIELDS = (
    Field("id", "id", "BIGINT", required=True),
    Field("n", "n", "INTEGER"),
    Field("small", "small", "UTINYINT"),
    Field("amount", "amount", "DECIMAL(10,2)"),
    Field("exact", "exact", "DECIMAL(18,9)"),
    Field("x", "x", "DOUBLE"),
    Field("day", "day", "DATE"),
    Field("at", "at", "TIMESTAMP"),
    Field("seen", "seen", "TIMESTAMP WITH TIME ZONE"),
    Field("yes", "yes", "BOOLEAN"),
    Field("word", "word", "VARCHAR"),
    Field("code", "code", "VARCHAR", nulls=("NA", "-999", "1.50")),
    Field("n_a", "n_a", "DECIMAL(9,3)", nulls=("-999", "-999.0", "NA")),
    Field("huge", "huge", "HUGEINT"),
    Field("long", "long", "DECIMAL(38,10)"),
)
USUAL = {
    "id": ("1", "22", "-3", "123456789", "9223372036854775807"),
    "n": ("7", "0", "-1", "2147483647"),
    "small": ("0", "255", "9"),
    "amount": ("8.00", "13.5", "5", "-0.25", "12345678.9", "0.0"),
    "exact": ("0.5", "123456789.123456789", "-1.000000001", "0.000001"),
    "x": ("1.5", "-0.000123", "12", "0.1", "73.98765432"),
    "day": ('"2026-01-02"', '"1999-12-31"', '"0001-01-01"'),
    "at": ('"2026-01-02 03:04:05"', '"2026-01-02T03:04:05.123456"', '"2026-01-02 03:04:05.5"'),
    "seen": ('"2026-01-02 03:04:05+05:00"', '"2026-01-02T03:04:05Z"'),
    "yes": ("true", "false"),
    "word": ('"A"', '""', '"-"', '"zürich"', '" spaced "', '"a, b: {c}"', '"twelve bytes"', '"thirteen byte"', '"😀 long and longer text"'),
    "code": ('"NA"', '"A"', '"-999"', "7"),
    "n_a": ("1.5", "-999", "7", '"NA"'),
    "huge": ("170141183460469231731687303715884105727", "5", '"12"'),
    "long": ("5", '"1.10"', "0.5"),
}
# fmt: off
ODD = (
    'null', 'true', 'false', '0', '-0', '-0.0', '0.00', '1.10', '1.0', '5.0', '007', '-01', '00', '+5', '.5', '1.', '-', '1e3', '1E+2',
    '1e400', '-1e-400', '0.1e1', '0.0000001', '-0.0000005', '0.000000', '123456789012345678901234567890', '18446744073709551615',
    '9223372036854775808', '0.12345678901234567890', '123456789012345.67', '12345678901234.5', '99999999.995', '13.555', 'NaN',
    'Infinity', '-Infinity', 'nul', 'nulll', '""', '"1"', '"1.10"', '"007"', '"+5"', '" 5"', '"0x1F"', '"1_000"', '"1e3"', '"1e400"',
    '"nan"', '"true"', '"null"', '"NULL"', '"abc"', '"-"', '"2026-02-30"', '"2026-1-2"', '"2026-01-02xyz"', '"12026-01-02"',
    '"0044-03-15 (BC)"', '"infinity"', '"epoch"', '"2026-01-02 24:00:00"', '"2026-01-02 03:04:60"', '"2026-01-02"',
    '"2026-01-02 03:04"', '2026', '2026-01-02', '20260102', '"a\\"b"', '"a\\\\"', '"\\u0000"', '"\\u0041"', '"\\ud83d\\ude00"',
    '"\\ud83d"', '"a\\/b"', '"\\x"', '"a\\nb"', '"a\tb"', '"a\x00b"', '"a\x1fb"', '":x"', '"x":', '"a":"b"', '"a","b"', '"a""b"',
    '"a" "b"', '"', '"a', 'a"', 'a', '', ' 1', '1 ', '1\t', '[1,2]', '[]', '{}', '{"a":1}', '{"a":{"b":2}}', '[1.10]', '"x"}', '1}',
    '1,', ',"y":1', '1,"id":2', '1,"id":null', '1,"new":3', '"\x7f"', "'a'", 'True', 'None', '\ufeff', '"\ufeffx"', '//x', '/*x*/1',
)
# fmt: on
BYTES = (b"\xff", b"\xed\xa0\x80", b"\xc0\xaf", b"\xe2\x82", b"\x00", b"\x01", b"\xf4\x90\x80\x80", b"\xc3")
CHECKS = (
    Check("r.minimum", "s.t", CheckKind.ROW, Action.DEAD_LETTER, "`n` must be at least 0", ("n",), '"n" >= 0'),
    Check("r.long", "s.t", CheckKind.ROW, Action.DEAD_LETTER, "`word` must be short", ("word",), 'length("word") <= 30'),
    Check("r.warn", "s.t", CheckKind.ROW, Action.WARN, "`x` must be above 0", ("x",), '"x" > 0'),
)
STYLES = ((",", ":"), (", ", ": "), (",", ": "), (", ", ":"))
NDJSON = Dialect(format="ndjson")


def written(members: Sequence[tuple[str, str]], style: tuple[str, str] = (",", ":")) -> str:
    return "{" + style[0].join(f'"{name}"{style[1]}{value}' for name, value in members) + "}"


def spoilt(chance: random.Random, members: list[tuple[str, str]], style: tuple[str, str]) -> bytes:
    """A line of which something is not as usual."""
    n = chance.randrange(len(members))
    match chance.randrange(12):
        case 0:
            chance.shuffle(members)
        case 1:
            del members[n]
        case 2:
            members.insert(n, (chance.choice(("id", "N", "new", "")), chance.choice(ODD)))
        case 3:
            return written(members, chance.choice(STYLES)).encode()
        case 4:
            return chance.choice((b"", b" ", b"\t ", b"{}", b"[]", b"null", b"7", b'"x"', b"{", b"}", b"\xef\xbb\xbf", b"{}{}"))
        case 5:
            whole = written(members, style).encode()
            return whole[: chance.randrange(len(whole))]
        case 6:
            whole = written(members, style).encode()
            at = chance.randrange(len(whole))
            return (
                whole[:at]
                + chance.choice((*BYTES, b" ", b'"', b":", b'":', b",", b"}", b"\\", b"0", b"-"))
                + whole[at + chance.randrange(2) :]
            )
        case 7:
            return chance.choice((b" ", b"\t", b"")) + written(members, style).encode() + chance.choice((b" ", b"\t", b"x", b",", b"{}"))
        case _:
            members[n] = (members[n][0], chance.choice(ODD))
    return written(members, style).encode()


def content(
    seed: int, rows: int = 400, odd: float = 0.3, style: tuple[str, str] = (",", ":"), names: Sequence[str] = tuple(USUAL)
) -> bytes:
    chance = random.Random(seed)
    lines = []
    for nth in range(rows):
        members = [(name, chance.choice(USUAL[name])) for name in names]
        members = [(name, "null" if name != "id" and chance.random() < 0.02 else value) for name, value in members]
        lines.append(spoilt(chance, members, style) if nth > 20 and chance.random() < odd else written(members, style).encode())
    return b"\n".join(lines) + chance.choice((b"", b"\n", b"\n\n"))


def outcome(desk: Desk, content: bytes, large: int, dialect: Dialect, fields: Sequence[Field], **more: Any) -> Any:
    desk.loader = DuckdbLoader(desk.session.cursor, large)
    job = desk.job([desk.file(content, "f.ndjson")], fields, dialect, **more)
    try:
        loaded = desk.load(job)
    except UserError as error:
        assert not list((desk.folder / "table").glob("*.parquet"))
        return error.findings
    assert len(desk.rows(loaded)) == loaded.accepted
    paths = [f"{desk.folder}/table/{file.path}" for file in loaded.files]
    rows: list[str] = []
    if paths:  # one may lack a column that is new in another
        rows = sorted(
            map(repr, desk.session.cursor().sql(f"FROM read_parquet({paths}, union_by_name = true)").to_arrow_table().to_pylist())
        )
    for file in loaded.files:
        (desk.folder / "table" / file.path).unlink()
    return rows, desk.letters(loaded), loaded.accounts, loaded.failing, loaded.schema, loaded.new_columns


def both(desk: Desk, content: bytes, dialect: Dialect = NDJSON, fields: Sequence[Field] = FIELDS, **more: Any) -> tuple[Any, Any]:
    """What a load gives, and what it gives by the stage."""
    ours, staged = (outcome(desk, content, large, dialect, fields, **more) for large in (0, 1 << 60))
    return ours, staged


DISCARD = SchemaChange(new_column="discard")


@pytest.mark.parametrize(("seed", "style"), [(n, STYLES[n % 4]) for n in range(6)])
def test_the_same_as_by_the_stage(desk: Desk, sieved: list[Sieved | None], seed: int, style: tuple[str, str]) -> None:
    ours, staged = both(desk, content(seed, style=style), checks=CHECKS, schema_change=DISCARD)
    assert ours == staged
    assert sieved[0] is not None
    assert sieved[0].through.rows > 40
    assert len(ours[0]) > 100
    assert len(ours[1]) > 30


@pytest.mark.parametrize("seed", range(20, 24))
def test_the_same_in_small_pieces(desk: Desk, sieved: list[Sieved | None], monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    """So small that most lines stand alone in theirs, or so that few of a piece are odd."""
    monkeypatch.setattr(plain_lines, "PIECE", (50, 600, 3000, 20_000)[seed % 4])
    ours, staged = both(desk, content(seed, (200, 600)[seed % 4 > 0], 0.05 * (seed % 4)), checks=CHECKS, schema_change=DISCARD)
    assert ours == staged
    assert sieved[0] is not None
    assert sieved[0].through.rows > 30


@pytest.mark.parametrize("name", [n for n in USUAL if n != "id"])
def test_every_odd_value_in_every_column(desk: Desk, sieved: list[Sieved | None], name: str) -> None:
    """Between a whole number and a text, and last in its line."""
    usual = [written([("id", str(n)), (name, chosen), ("word", '"A"')]) for n, chosen in enumerate(USUAL[name])]
    odd = [written([("id", str(n)), (name, value), ("word", '"A"')]) for n, value in enumerate(ODD, 100)]
    lines = "\n".join(usual * 40 + odd).encode()
    fields = tuple({f.name: f for f in FIELDS if f.name in {"id", name, "word"}}.values())
    if name == "word":
        lines = lines.replace(b',"word":"A"}', b"}")
    ours, staged = both(desk, lines, fields=fields, schema_change=DISCARD)
    assert ours == staged
    last = "\n".join(written([("id", str(n)), (name, value)]) for n, value in enumerate([*USUAL[name] * 60, *ODD])).encode()
    ours, staged = both(desk, last, fields=[f for f in fields if f.name in {"id", name}], schema_change=DISCARD)
    assert ours == staged
    assert len(sieved) == 2
    assert sieved[1] is not None


def test_bytes_of_a_text(desk: Desk, sieved: list[Sieved | None]) -> None:
    fields = (Field("id", "id", "BIGINT"), Field("a", "a", "VARCHAR"))
    odd = [
        b'{"id":%d,"a":"%b%b%b"}' % (n, before, text, after)
        for n, text in enumerate(BYTES)
        for before in (b"", b"x")
        for after in (b"", b"y" * 20)
    ]
    ours, staged = both(desk, b"\n".join([b'{"id":1,"a":"x"}'] * 100 + odd), fields=fields)
    assert ours == staged
    assert sieved[0] is not None
    assert ours[1]


@pytest.mark.parametrize("policy", ["freeze", "evolve", "quarantine", "discard"])
@pytest.mark.parametrize("where", ["all", "some"])
def test_new_names(desk: Desk, sieved: list[Sieved | None], policy: str, where: str) -> None:
    """In all records, or in a few of them: values of each kind, and none."""
    fields = (Field("id", "id", "BIGINT"), Field("a", "a", "VARCHAR"), Field("gone", "gone", "DATE"))
    new = ("3", '"x"', "null", "1.10", "[1]", "true")
    lines = [{"id": n, "a": f"t{n}"} for n in range(300)]
    texts = [
        written([("id", str(x["id"])), ("a", f'"{x["a"]}"'), *([("b", new[n % 6])] if where == "all" or n % 50 == 7 else [])])
        for n, x in enumerate(lines)
    ]
    ours, staged = both(desk, "\n".join(texts).encode(), fields=fields, schema_change=SchemaChange(new_column=policy))
    assert ours == staged
    assert (sieved[0] is not None) == (where == "some" or policy == "discard")


@pytest.mark.parametrize("name", ["\\ud83d", "x" * 79, "x" * 80, "x" * 81, "zürich" * 13, "*", ":", ":a", " a "])
def test_names_of_all_kinds(desk: Desk, sieved: list[Sieved | None], name: str) -> None:
    """Half of a pair is no text, and among the first lines no reason to stop; a name may be as long as the room about a piece allows."""
    fields = (Field("id", "id", "BIGINT"), Field("v", name, "INTEGER"), Field("w", "w", "VARCHAR"))
    lines = [f'{{"id":{n},"{name}":{n % 7},"w":"t{n}"}}' for n in range(100)]
    ours, staged = both(desk, "\n".join(lines).encode(), fields=fields, schema_change=DISCARD)
    assert ours == staged
    assert (sieved[0] is not None) == (len(name.encode()) <= 80 and name not in {"*", "\\ud83d"})


def test_a_name_that_is_another_word_for_a_field(desk: Desk, sieved: list[Sieved | None]) -> None:
    fields = (Field("id", "id", "BIGINT"), Field("a", "a", "INTEGER", also=("b", "c")))
    lines = [f'{{"id":{n},"b":{n}}}' for n in range(100)] + ['{"id":1,"a":5}', '{"id":1,"a":5,"b":6}', '{"id":1,"c":7}', '{"id":2}']
    ours, staged = both(desk, "\n".join(lines).encode(), fields=fields)
    assert ours == staged
    assert sieved[0] is not None


@pytest.mark.parametrize(
    ("dialect", "fields", "lines"),
    [
        (NDJSON, (Field("a", "a", "INTEGER[]"),), '{"a":[1,2]}\n{"a":null}'),
        (NDJSON, (Field("a", "a", "INTEGER", path=("a", "b")),), '{"a":{"b":1}}'),
        (NDJSON, (Field("a", "a", "INTEGER"),), "\n\n"),
        (NDJSON, (Field("a", "a", "INTEGER"),), '{"a":1}\r\n{"a":2}\n\r\n{"a":"x"}'),
        (NDJSON, (Field("a", "a", "INTEGER"),), "{}\n{}"),
        (NDJSON, (Field("a", "a", "INTEGER"),), '{ "a" : 1 }'),
        (Dialect(format="ndjson", trim=True), (Field("a", "a", "VARCHAR"),), '{"a":" x "}'),
        (Dialect(format="ndjson", decimal=","), (Field("a", "a", "DECIMAL(9,2)"),), '{"a":1.5}\n{"a":"1,5"}'),
    ],
)
def test_what_is_staged(desk: Desk, sieved: list[Sieved | None], dialect: Dialect, fields: Sequence[Field], lines: str) -> None:
    ours, staged = both(desk, lines.encode(), dialect, fields)
    assert ours == staged
    assert sieved == [None]


@pytest.mark.parametrize(("lines", "through"), [('{"a":1,"a":2}', 0), ('{"a":1}\r\n{"a":2}\r\n', 2)])
def test_what_is_sieved_all_the_same(desk: Desk, sieved: list[Sieved | None], lines: str, through: int) -> None:
    ours, staged = both(desk, lines.encode(), fields=(Field("a", "a", "INTEGER"),))
    assert ours == staged
    assert sieved[0] is not None
    assert sieved[0].through.rows == through


@pytest.mark.parametrize("mark", [b"\xef\xbb\xbf", b""])
@pytest.mark.parametrize("skip", [0, 2])
def test_a_mark_and_lines_to_skip(desk: Desk, sieved: list[Sieved | None], mark: bytes, skip: int) -> None:
    ours, staged = both(desk, mark + content(31), Dialect(format="ndjson", skip=skip), schema_change=DISCARD)
    assert ours == staged
    assert sieved[0] is not None


def test_a_file_that_is_packed(desk: Desk, sieved: list[Sieved | None]) -> None:
    import gzip

    ours, staged = both(desk, gzip.compress(content(32)), Dialect(format="ndjson", compression="gzip"), schema_change=DISCARD)
    assert ours == staged
    assert sieved[0] is not None


@pytest.mark.parametrize("limit", [30, 31, 32, 33, 34, 1000])
def test_a_line_is_no_longer_than_it_may_be(desk: Desk, sieved: list[Sieved | None], limit: int) -> None:
    fields = (Field("id", "id", "BIGINT"), Field("a", "a", "VARCHAR"))
    lines = ['{"id":1,"a":"%s"}' % ("x" * n) for n in (*range(8, 24), 100)]
    ours, staged = both(desk, "\n".join(lines).encode(), Dialect(format="ndjson", max_record_bytes=limit), fields)
    assert ours == staged
    assert sieved[0] is not None


def test_too_many_lines_are_written_otherwise(desk: Desk, sieved: list[Sieved | None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plain_lines, "FEW", 10)
    monkeypatch.setattr(plain_lines, "PIECE", 300)
    fields = (Field("id", "id", "BIGINT"), Field("a", "a", "BIGINT"))
    lines = [f'{{"id":{n},"a":1}}' for n in range(300)] + [f'{{"a":1,"id":{n}}}' for n in range(400)]
    ours, staged = both(desk, "\n".join(lines).encode(), fields=fields)
    assert ours == staged
    assert sieved == [None]


def test_a_load_over_its_limit_leaves_no_rows(desk: Desk) -> None:
    ours, staged = both(desk, content(33), limit=LetterLimit(records=3), schema_change=DISCARD)
    assert ours == staged
    assert ours[0].code == "XDE0420"


def test_the_flights(desk: Desk, sieved: list[Sieved | None]) -> None:
    """A month as the engine writes it, with nothing for what is missing, and as Python does."""
    data = Path(__file__).parents[5] / "examples/flights/data/flights-2013-01.csv.gz"
    cursor = desk.session.cursor()
    cursor.execute(f"COPY (FROM read_csv('{data}', nullstr = 'NA') LIMIT 4000) TO '{desk.folder}/flights.json' (FORMAT json)")
    compact = (desk.folder / "flights.json").read_bytes()
    spaced = "\n".join(json.dumps(json.loads(line)) for line in compact.splitlines()).encode()
    types = {"BIGINT": "INTEGER", "TIMESTAMP": "TIMESTAMP"}
    named = cursor.execute(f"DESCRIBE FROM read_csv('{data}', nullstr = 'NA')").fetchall()
    fields = tuple(Field(n, n, types.get(kind, kind)) for n, kind, *_ in named)
    for lines in (compact, spaced):
        ours, staged = both(desk, lines, fields=fields)
        assert ours == staged
        told = sieved.pop(0)
        assert told is not None
        assert told.through.rows > 3_900


def test_numbers_of_all_widths(desk: Desk, sieved: list[Sieved | None]) -> None:
    chance = random.Random(5)

    def number(most: int, fraction: int) -> str:
        text = chance.choice(["", "", "-"]) + str(chance.randrange(10 ** chance.randint(1, most)))
        return text if not fraction or chance.random() < 0.2 else f"{text}.{chance.randrange(10**fraction):0{chance.randint(1, fraction)}d}"

    types = {"a": "BIGINT", "b": "INTEGER", "c": "DECIMAL(10,2)", "d": "DOUBLE", "e": "DECIMAL(18,8)", "f": "VARCHAR"}
    make: dict[str, Callable[[], str]] = {
        "a": lambda: number(19, 0),
        "b": lambda: number(9, 0),
        "c": lambda: number(8, 2),
        "d": lambda: number(12, 9),
        "e": lambda: number(10, 8),
        "f": lambda: number(19, 0),
    }
    lines = "\n".join(written([(n, make[n]()) for n in types]) for _ in range(4000)).encode()
    ours, staged = both(desk, lines, fields=tuple(Field(n, n, t) for n, t in types.items()))
    assert ours == staged
    assert sieved[0] is not None
    assert sieved[0].through.rows > 1000
    assert json.loads(lines.splitlines()[0])
