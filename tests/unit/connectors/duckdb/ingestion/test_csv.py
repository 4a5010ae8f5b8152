"""Nasty CSV, as it is delivered: which rows are accepted, which records become letters, and where each stood."""

from __future__ import annotations

import gzip
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from xde.connectors.duckdb.ingestion.delivered import LARGE
from xde.ground.errors import DataError, UserError
from xde.kernel.plan.checks import Action, Check, CheckKind
from xde.lifecycle.ingestion.port import Dialect, Field, LetterLimit, SchemaChange

if TYPE_CHECKING:
    from conftest import Desk

pytestmark = pytest.mark.parametrize("large", [pytest.param(LARGE, id="staged"), pytest.param(0, id="sieved", marks=pytest.mark.slow)])

ID_A_B = (Field("id", "id", "BIGINT"), Field("a", "a", "VARCHAR"), Field("b", "b", "VARCHAR"))
H = b"id,a,b\n"
DATA = Path(__file__).parents[4] / "data"


def typed(kind: str, **more: Any) -> tuple[Field, ...]:
    return (Field("id", "id", "BIGINT"), Field("v", "v", kind, **more))


@dataclass(frozen=True)
class Case:
    """`letters` are (line, raw, rule, column) each."""

    name: str
    content: bytes
    rows: list[tuple[Any, ...]] = field(default_factory=list)
    letters: list[tuple[int, bytes, str, str | None]] = field(default_factory=list)
    fields: tuple[Field, ...] = ID_A_B
    dialect: Dialect = field(default_factory=Dialect)
    file: str = "f.csv"
    change: SchemaChange = field(default_factory=SchemaChange)


def wrong(kind: str, *bad: str, good: str = "", **more: Any) -> Case:
    """Each text of `bad` is no value of the type; `good` is one."""
    lines = [f"{n},{text}" for n, text in enumerate((good, *bad))]
    letters = [(n + 2, line.encode(), "type", "v") for n, line in enumerate(lines) if n]
    return Case(f"{kind}: {' '.join(bad)}", ("id,v\n" + "\n".join(lines) + "\n").encode(), [(0,)], letters, typed(kind, **more))


def parse(line: int, raw: bytes) -> tuple[int, bytes, str, None]:
    return (line, raw, "parse", None)


X = (1, "x", "y")
CASES = [
    wrong("BIGINT", "abc", "1.5", "0x1F", "1_000", "1e3", "9223372036854775808", "--1", good="007"),
    wrong("INTEGER", "2147483648", "1.0", "٣", good="-5"),
    wrong("DECIMAL(10,2)", "13.555", "1e2", "123456789.00", "1_0", ".", "1,5"[:1] + "x", good="13.5500"),
    wrong("DECIMAL(38,10)", "0.12345678901", good="12345678901234567890.5"),
    wrong("DOUBLE", "1e400", "infinity", "nan", "1_0", "0x1F", good="1e-3"),
    wrong("DATE", "2026-01-02xyz", "2026-02-30", "2026-01-02 25:99", "infinity", "epoch", "2026-1-2", "0044-03-15 (BC)", good="2026-01-02"),
    wrong(
        "TIMESTAMP",
        "2026-01-02T10:00:00+05:00",
        "2026-01-02T10:00:00Z",
        "2026-01-02 10:00:00 UTC",
        "2026-01-02 24:00:00",
        "infinity",
        "2026-01-02 10:00:00.1234567",
        good="2026-01-02T10:00",
    ),
    wrong("TIMESTAMP WITH TIME ZONE", "2026-01-02xyz", "infinity", "10:00", good="2026-01-02 10:00:00+05:30"),
    wrong("TIME", "10:00:00+02", "25:00", "10", good="10:00"),
    wrong("BOOLEAN", "maybe", "2", good="true"),
    wrong("UUID", "123", good="7d3a9a5e-6a37-4f5b-8f3f-2a1c4d5e6f70"),
    wrong("INTEGER[]", "[1", "x", good="[1]"),
    wrong("DATE", "2026-01-02", "31.02.2026", "1.1.26x", good="02.01.2026", format="%d.%m.%Y"),
    Case("too few, too many", H + b"1,x,y\n2,x\n3,x,y,z,w\n1,x,y\n", [X, X], [parse(3, b"2,x"), parse(4, b"3,x,y,z,w")]),
    Case("text after a quote", H + b'1,x,y\n2,"x"z,y\n1,x,y\n', [X, X], [parse(3, b'2,"x"z,y')]),
    Case("quotes in quotes", H + b'2,"a "b" c",y\n1,x,y\nz,x,y\n', [X], [parse(2, b'2,"a "b" c",y'), (4, b"z,x,y", "type", "id")]),
    Case("a quote within a text", H + b'1,x"q,y\nz,x,y\n', [(1, 'x"q', "y")], [(3, b"z,x,y", "type", "id")]),
    Case("spaces around quotes", H + b'1, "p,\nq",y\nz,"x" ,y\n', [(1, "p,\nq", "y")], [(4, b'z,"x" ,y', "type", "id")]),
    Case("a quote never closed", H + b'1,x,y\n2,"x,y\n3,x,y\n4,x,y\n', [X], [parse(3, b'2,"x,y\n3,x,y\n4,x,y')]),
    Case("a quote never closed, no final line end", H + b'1,x,y\n2,"x,y', [X], [parse(3, b'2,"x,y')]),
    Case(
        "a quote closed much later",
        H + b'1,"x,y\n' + b"2,x,y\n" * 3000 + b'3,"x",y\n1,x,y\n',
        [X],
        [parse(2, b'1,"x,y\n' + b"2,x,y\n" * 3000 + b'3,"x",y')],
    ),
    Case(
        "a quoted line end before bad records",
        H + b'1,"x\nz",y\nq,x,y\n2,x\nr,"\n\n",y\n1,x,y\n',
        [(1, "x\nz", "y"), X],
        [(4, b"q,x,y", "type", "id"), parse(5, b"2,x"), (6, b'r,"\n\n",y', "type", "id")],
    ),
    Case("crlf", b'id,a,b\r\n1,"x\r\nz",y\r\n2,x\r\nq,x,y\r\n', [(1, "x\r\nz", "y")], [parse(4, b"2,x"), (5, b"q,x,y", "type", "id")]),
    Case(
        "lf and crlf",
        b'id,a,b\n1,x,y\r\n2,x\nq,x,y\r\n1,"x\r\nz",y\n',
        [X, (1, "x\r\nz", "y")],
        [parse(3, b"2,x"), (4, b"q,x,y", "type", "id")],
    ),
    Case("cr alone", b"id,a,b\r1,x,y\r2,x\r", [X], [parse(3, b"2,x")]),
    Case("no final line end", H + b"1,x,y\nq,x,y", [X], [(3, b"q,x,y", "type", "id")]),
    Case("blank lines", b"\n\n" + H + b"\n1,x,y\n\n\nq,x,y\n\n2,x\n\n", [X], [(8, b"q,x,y", "type", "id"), parse(10, b"2,x")]),
    Case("a line of spaces", H + b"1,x,y\n   \n", [X], [parse(3, b"   ")]),
    Case("byte order mark", b"\xef\xbb\xbf" + H + b"1,x,y\n2,x\n", [X], [parse(3, b"2,x")]),
    Case(
        "byte order mark, no header",
        b"\xef\xbb\xbfq,x,y\n1,x,y\n2,x\n",
        [X],
        [(1, b"q,x,y", "type", "id"), parse(3, b"2,x")],
        dialect=Dialect(header=False),
    ),
    Case("byte order mark, first record short", b"\xef\xbb\xbf2,x\n1,x,y\n", [X], [parse(1, b"2,x")], dialect=Dialect(header=False)),
    Case("empty", b""),
    Case("header only", H),
    Case("header only, no line end", b"id,a,b"),
    Case("gzip", gzip.compress(H + b"1,x,y\n2,x\nq,x,y\n", mtime=0), [X], [parse(3, b"2,x"), (4, b"q,x,y", "type", "id")], file="f.csv.gz"),
    Case("zstd", pa.compress(H + b"1,x,y\n2,x\n", codec="zstd", asbytes=True), [X], [parse(3, b"2,x")], file="f.csv.zst"),
    Case(
        "not utf-8",
        H + b"1,x,y\n2,\xe9t\xe9,y\n3,\xe9,y,7\nq,\xc3\xa9,y\n",
        [X],
        [parse(3, b"2,\xe9t\xe9,y"), parse(4, b"3,\xe9,y,7"), (5, b"q,\xc3\xa9,y", "type", "id")],
    ),
    Case(
        "latin-1",
        "id,a,b\n1,é,y\nq,é,y\n2,é\n".encode("latin-1"),
        [(1, "é", "y")],
        [(3, b"q,\xe9,y", "type", "id"), parse(4, b"2,\xe9")],
        dialect=Dialect(encoding="latin-1"),
    ),
    Case(
        "utf-16",
        "id,a,b\r\n1,Ċ,y\r\nq,ਅ,y\r\n".encode("utf-16"),
        [(1, "Ċ", "y")],
        [(3, "q,ਅ,y".encode("utf-16-le"), "type", "id")],
        dialect=Dialect(encoding="utf-16"),
    ),
    Case("tabs", b'id\ta\tb\n1\tx\ty\nq\t"x\t"\ty\n', [X], [(3, b'q\t"x\t"\ty', "type", "id")], dialect=Dialect(delimiter="\t")),
    Case("a long delimiter", b"id||a||b\n1||x|q||y\n2||x\n", [(1, "x|q", "y")], [parse(3, b"2||x")], dialect=Dialect(delimiter="||")),
    Case(
        "3 MB in a line",
        H + b"1,x,y\n2," + b"x" * 3_000_000 + b"\nq,x,y\n",
        [X],
        [parse(3, b"2," + b"x" * 3_000_000), (4, b"q,x,y", "type", "id")],
    ),
    Case(
        "longer than allowed",
        H + b"2," + b"x" * 90_000 + b",y\n1,x,y\n",
        [X],
        [parse(2, b"2," + b"x" * 90_000 + b",y")],
        dialect=Dialect(max_record_bytes=50_000),
    ),
    Case(
        "null words",
        H + b"NA,-,\n1,NA,-\n",
        [(None, None, None), (1, None, "-")],
        fields=(ID_A_B[0], replace(ID_A_B[1], nulls=("-",)), ID_A_B[2]),
        dialect=Dialect(nulls=("", "NA")),
    ),
    Case("trimmed", b"id , a,b \n 1 , x , NA \n", [(1, "x", None)], dialect=Dialect(trim=True, nulls=("", "NA"))),
    Case(
        "decimal comma",
        b"id;v\n1;2,5\n2;2.5\n3;1.000,5\n",
        [(1, 2.5)],
        [(3, b"2;2.5", "type", "v"), (4, b"3;1.000,5", "type", "v")],
        typed("DOUBLE"),
        Dialect(delimiter=";", decimal=","),
    ),
    Case("columns in another order", b"b,id,a\ny,1,x\nx,q,y\n", [X], [(3, b"x,q,y", "type", "id")]),
    Case("a missing column", b"id,a\n1,x\n2\n", [(1, "x", None)], [parse(3, b"2")], change=SchemaChange(missing_column="evolve")),
    Case("a new column", b"id,new,a,b\n1,n,x,y\n2,n,x\n", [X], [parse(3, b"2,n,x")], change=SchemaChange(new_column="discard")),
    Case(
        "a new column, bad in itself",
        b"id,new,a,b\n1,n,x,y\n2,\xff,x,y\n",
        [X],
        [parse(3, b"2,\xff,x,y")],
        change=SchemaChange(new_column="discard"),
    ),
    Case("two new columns of a name", b"id,n,n,a,b\n1,n,n,x,y\n", [X], change=SchemaChange(new_column="discard")),
    Case(
        "lines to skip",
        b'made by "us\n\n' + H + b"1,x,y\nq,x,y\n2,x\n",
        [X],
        [(5, b"q,x,y", "type", "id"), parse(6, b"2,x")],
        dialect=Dialect(skip=2),
    ),
    Case(
        "a quote open in lines to skip",
        b'"us\n' + H + b"q,x,y\n2,x\n1,x,y\n",
        [X],
        [(3, b"q,x,y", "type", "id"), parse(4, b"2,x")],
        dialect=Dialect(skip=1),
    ),
    Case(
        "a carriage return in a header",
        b'id,"a\rz",b\n1,x,y\n2,x\n',
        [X],
        [parse(3, b"2,x")],
        fields=(ID_A_B[0], replace(ID_A_B[1], source_name="a\rz"), ID_A_B[2]),
    ),
    Case(
        "a carriage return in the first value", b'1,"x\rz",y\n2,x\n', [(1, "x\rz", "y")], [parse(2, b"2,x")], dialect=Dialect(header=False)
    ),
    Case("a quoted header", b'"id","a","b"\n1,x,y\n2,x\n', [X], [parse(3, b"2,x")]),
    Case(
        "comments",
        b"#one\n" + H + b'#two "\n1,x,y\nq,x,y\n#\n2,x\n',
        [X],
        [(5, b"q,x,y", "type", "id"), parse(7, b"2,x")],
        dialect=Dialect(comment="#"),
    ),
    Case(
        "a backslash escapes",
        H + b'1,"x\\",",y\nq,"\\"\n",y\n2,x\n',
        [(1, 'x",', "y")],
        [(3, b'q,"\\"\n",y', "type", "id"), parse(5, b"2,x")],
        dialect=Dialect(escape="\\"),
    ),
    Case(
        "no quotes",
        H + b'1,"x,y"\nq,",y\n2,x\n',
        [(1, '"x', 'y"')],
        [(3, b'q,",y', "type", "id"), parse(4, b"2,x")],
        dialect=Dialect(quote="", escape=""),
    ),
    Case("one column", b'id\n1\n\n""\nq\n2,3\n', [(1,), (None,), (None,)], [(5, b"q", "type", "id"), parse(6, b"2,3")], fields=ID_A_B[:1]),
    Case("a zero byte", H + b"1,x\0,y\nq,\0,y\n", [(1, "x\0", "y")], [(3, b"q,\0,y", "type", "id")]),
    Case(
        "a header over two lines",
        b'id,"a\nz",b\n1,x,y\nq,x,y\n',
        [X],
        [(4, b"q,x,y", "type", "id")],
        fields=(ID_A_B[0], replace(ID_A_B[1], source_name="a\nz"), ID_A_B[2]),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_division(desk: Desk, case: Case) -> None:
    file = desk.file(case.content, case.file)
    loaded = desk.load(desk.job([file], case.fields, case.dialect, schema_change=case.change))
    rows = desk.rows(loaded)
    assert rows == case.rows or [r[: len(case.rows[0])] for r in rows] == case.rows
    letters = desk.letters(loaded)
    assert [(x.line, x.raw, x.reasons[0].rule, x.reasons[0].column) for x in letters] == case.letters
    for letter in letters:
        if letter.offset is not None:
            content = gzip.decompress(case.content) if case.file.endswith(".gz") else case.content
            if not case.file.endswith(".zst"):
                assert content[letter.offset :].startswith(letter.raw)


def test_values_arrive_exactly(desk: Desk) -> None:
    fields = (*typed("DECIMAL(10,2)"), Field("t", "t", "TIMESTAMP WITH TIME ZONE"), Field("n", "n", "STRUCT(a INTEGER, b VARCHAR[])"))
    file = desk.file(b'id,v,t,n\n-007,+13.5500,2026-01-02 10:00:00+05:30,"{""a"":1,""b"":[""x"",null]}"\n')
    loaded = desk.load(desk.job([file], fields))
    path = f"{desk.folder}/table/{loaded.files[0].path}"
    told = desk.session.cursor().execute(f"SELECT id, v::VARCHAR, t::VARCHAR, n FROM read_parquet('{path}')").fetchall()
    assert told == [(-7, "13.55", "2026-01-02 04:30:00+00", {"a": 1, "b": ["x", None]})]


@pytest.mark.parametrize(
    ("content", "name", "dialect", "code"),
    [
        (gzip.compress(H + b"1,x,y\n" * 5000, mtime=0)[:60], "f.csv.gz", Dialect(), "XDE0404"),
        (H, "f.csv.gz", Dialect(), "XDE0404"),
        (pa.compress(H * 9000, codec="zstd", asbytes=True)[:20], "f.csv.zst", Dialect(), "XDE0404"),
        (bytes(range(256)) * 20, "f.csv", Dialect(), "XDE0411"),
        (bytes(range(128, 256)) * 20, "f.csv", Dialect(), "XDE0403"),
        ("id,a,b\n".encode("utf-16"), "f.csv", Dialect(), "XDE0403"),
        (H + b"1,x,y\n", "f.csv", Dialect(encoding="utf-16"), "XDE0403"),
        (H, "f.csv", Dialect(encoding="klingon"), "XDE0402"),
        (b"id,a\n1,x\n", "f.csv", Dialect(), "XDE0411"),
        (b"id,a,b,c\n1,x,y,z\n", "f.csv", Dialect(), "XDE0412"),
        (b"id,a,b,b\n1,x,y,z\n", "f.csv", Dialect(), "XDE0416"),
        (b"x" * 200_000, "f.csv", Dialect(), "XDE0413"),
        (H, "f.csv", Dialect(format="cvs"), "XDE0410"),
    ],
)
def test_a_file_that_cannot_be_read(desk: Desk, content: bytes, name: str, dialect: Dialect, code: str) -> None:
    with pytest.raises(UserError) as raised:
        desk.load(desk.job([desk.file(content, name)], ID_A_B, dialect))
    assert [f.code for f in raised.value.findings] == [code]
    assert not list(desk.folder.glob("table/**/*.parquet"))


def test_a_carriage_return_out_of_place_is_not_swallowed(desk: Desk) -> None:
    with pytest.raises(UserError) as raised:
        desk.load(desk.job([desk.file(H + b"1,x\rz,y\n2,x,y\n")], ID_A_B))
    assert raised.value.findings[0].code in {"XDE0414", "XDE0421"}


def test_rules_of_the_contract(desk: Desk) -> None:
    row = Check("s.t.id.min", "s.t", CheckKind.ROW, Action.DEAD_LETTER, "`id` must be at least 0", ("id",), '"id" >= 0')
    told = Check("s.t.a.short", "s.t", CheckKind.ROW, Action.WARN, "`a` must be short", ("a",), 'length("a") < 2')
    fields = (ID_A_B[0], ID_A_B[1], replace(ID_A_B[2], required=True))
    file = desk.file(H + b"1,xx,y\n-1,x,\n2,x,\n,x,y\n")
    loaded = desk.load(desk.job([file], fields, checks=[row, told]))
    assert desk.rows(loaded) == [(1, "xx", "y"), (None, "x", "y")]
    assert [(x.line, sorted(r.rule for r in x.reasons)) for x in desk.letters(loaded)] == [(3, ["required", row.id]), (4, ["required"])]
    assert loaded.failing == {row.id: 1, "required": 2, told.id: 1}


def test_a_personal_value_is_not_shown(desk: Desk) -> None:
    letters = desk.letters(desk.load(desk.job([desk.file(H + b"4711x,x,y\n")], ID_A_B, personal=("id",))))
    assert "4711" not in letters[0].reasons[0].message


def test_above_the_limit_nothing_is_written(desk: Desk) -> None:
    file = desk.file(H + b"1,x,y\nq,x,y\n2,x\n")
    with pytest.raises(DataError) as raised:
        desk.load(desk.job([file], ID_A_B, limit=LetterLimit(records=1)))
    assert raised.value.findings[0].code == "XDE0420"
    assert "f.csv:3" in raised.value.findings[0].why
    assert not list(desk.folder.glob("table/**/*.parquet"))
    assert desk.load(desk.job([file], ID_A_B, limit=LetterLimit(records=2, percent=67))).letters == 2
    with pytest.raises(DataError):
        desk.load(desk.job([file], ID_A_B, limit=LetterLimit(percent=50)))


@pytest.mark.slow
def test_many_records_keep_their_places(desk: Desk) -> None:
    lines = [b'%d,"a\nb",y' % n if n % 7 else b"%d,x" % n if n % 2 else b"q%d,x,y" % n for n in range(60_000)]
    loaded = desk.load(desk.job([desk.file(H + b"\n".join(lines) + b"\n")], ID_A_B))
    place, expected = 2, []
    for n, line in enumerate(lines):
        if n % 7 == 0:
            expected.append((place, line))
        place += 1 + line.count(b"\n")
    assert [(x.line, x.raw) for x in desk.letters(loaded)] == expected
    assert loaded.accepted == 60_000 - len(expected)


AUSTIN = tuple(
    Field(name.lower().replace(" ", "_"), name, kind, form)
    for name, kind, form in [
        ("Traffic Report ID", "VARCHAR", None),
        ("Published Date", "TIMESTAMP WITH TIME ZONE", "%m/%d/%Y %I:%M:%S %p %z"),
        ("Issue Reported", "VARCHAR", None),
        ("Location", "VARCHAR", None),
        ("Latitude", "DECIMAL(9,6)", None),
        ("Longitude", "DECIMAL(9,6)", None),
        ("Address", "VARCHAR", None),
        ("Status", "VARCHAR", None),
        ("Status Date", "TIMESTAMP WITH TIME ZONE", "%m/%d/%Y %I:%M:%S %p %z"),
    ]
)


def test_austin_as_delivered(desk: Desk) -> None:
    loaded = desk.load(desk.job([desk.found(DATA / "austin_traffic/incidents.csv")], AUSTIN))
    assert (loaded.accepted, loaded.letters) == (4, 0)
    path = f"{desk.folder}/table/{loaded.files[0].path}"
    found = (
        desk.session.cursor().execute(f"SELECT location, latitude::VARCHAR, published_date::VARCHAR FROM read_parquet('{path}')").fetchall()
    )
    assert found[0] == ("(30.283797,-97.741906)", "30.283797", "2018-06-13 06:35:59+00")


def test_austin_badly_quoted_is_all_letters(desk: Desk) -> None:
    path = DATA / "austin_traffic/incidents-badly-quoted.csv"
    job = desk.job([desk.found(path)], AUSTIN)
    loaded = desk.load(job)
    assert (loaded.accepted, loaded.letters) == (0, 4)
    letters = desk.letters(loaded)
    assert [x.raw for x in letters] == path.read_bytes().splitlines()[1:]
    assert [x.line for x in letters] == [2, 3, 4, 5]
    mended = [replace(x, raw=x.raw[1:-1].replace(b'""', b'"')) for x in letters]
    again = desk.replay(job, mended)
    assert (again.accepted, again.letters) == (4, 0)
    good = desk.load(desk.job([desk.found(DATA / "austin_traffic/incidents.csv")], AUSTIN))
    both = [f"SELECT * FROM read_parquet('{desk.folder}/table/{x.files[0].path}')" for x in (again, good)]
    assert desk.session.cursor().execute(" EXCEPT ALL ".join(both)).fetchall() == []
