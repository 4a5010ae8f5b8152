"""What the report says of each column of a database is what happened: edge values of every type, loaded, and held against the server."""

from __future__ import annotations

import datetime as dt
import json
import struct
from decimal import Decimal

import psycopg
import pytest
from database import Database
from projects.contracts import source

from xde.app.contract_drafts import draft
from xde.app.profiling import Wish, profile
from xde.app.workspace import Workspace
from xde.kernel.project.catalogues import Arrival

pytestmark = pytest.mark.postgres

TYPES = """
CREATE TYPE mood AS ENUM ('sad', 'it''s, "ok"');
CREATE TYPE pair AS (a numeric, b text, c timestamptz);
CREATE DOMAIN price AS numeric(10,2) CHECK (value > -1000);
CREATE DOMAIN raw AS bytea;
CREATE DOMAIN rawer AS raw;
CREATE DOMAIN feeling AS mood;
"""
# a type, and values of it
EDGES = {
    "int2": ["-32768", "32767"],
    "int4": ["-2147483648", "2147483647"],
    "int8": ["-9223372036854775808", "9223372036854775807"],
    "oid": ["4294967295"],
    "numeric": [
        "123456789012345678901234567890.123456789",
        "0.000000000000000000000000000000000000000000001",
        "1.10",
        "NaN",
        "Infinity",
        "-5",
    ],
    "numeric(10,2)": ["99999999.99", "-0.01", "1.10", "NaN"],
    "numeric(38,10)": ["1234567890123456789012345678.0123456789"],
    "numeric(40,12)": ["1234567890123456789012345678.123456789012", "NaN"],
    "numeric(5,-2)": ["1234567", "-100"],
    "numeric(3,5)": ["0.00123", "-0.00999"],
    "price": ["9.90", "-999.99"],
    "float4": ["0.1", "3.4028235e38", "1e-45", "NaN", "-Infinity", "16777217"],
    "float8": ["0.1", "1.7976931348623157e308", "5e-324", "NaN", "Infinity", "9007199254740993"],
    "boolean": ["t", "f"],
    "text": ["", " a ", "NULL", "\\N", "a\r\nb\"c',", "\u00e9\U0001f600", "\u0001", "\\x41", "7", "0.1234567890123456789"],
    "varchar(5)": ["abc  "],
    "char(5)": ["ab"],
    '"char"': ["x"],
    "name": ["a name"],
    "date": ["0001-01-01", "9999-12-31", "2024-02-29", "infinity", "0044-03-15 BC", "12026-01-01"],
    "time": ["00:00:00", "23:59:59.999999", "24:00:00"],
    "timetz": ["12:00:00+02", "23:59:59.999999-15:59"],
    "timestamp": [
        "2026-03-29 02:30:00.123456",
        "infinity",
        "-infinity",
        "0001-01-01 00:00:00",
        "10000-01-01 00:00:00",
        "0044-01-01 00:00:00 BC",
    ],
    "timestamptz": ["2026-03-29 02:30:00.5+02", "infinity", "1900-01-01 00:00:00+00:19:32", "9999-12-31 23:59:59.999999+00"],
    "interval": ["1 year 2 mons -3 days 04:05:06.7", "-1 mon", "0"],
    "money": ["1234.5", "-92233720368547758.08"],
    "json": ['{"a":  1.10, "a": 2}', "null", '"x"'],
    "jsonb": ['{"a": 1.10}', '{"a": 1.5}', "null", "123456789012345678901234567890.10"],
    "uuid": ["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"],
    "bytea": ["\\x00ff5c41", "\\x"],
    "rawer": ["\\x00ff"],
    "bit(4)": ["0101"],
    "bit varying": ["", "1"],
    "mood": ["sad", 'it\'s, "ok"'],
    "feeling": ["sad"],
    "inet": ["10.0.0.1/8", "::1"],
    "macaddr": ["08:00:2b:01:02:03"],
    "point": ["(0.1,1e300)"],
    "tsvector": ["'a':1 'b''c'"],
    "int4range": ["[1,10)", "empty"],
    "numrange": ["[1.10,]"],
    "tstzrange": ["[2026-01-01 00:00:00+02,)"],
    "datemultirange": ["{[2026-01-01,2026-01-03)}"],
    "int4[]": ["{1,NULL,3}", "{}", "{{1,2},{3,4}}", "[0:1]={1,2}"],
    "int8[]": ["{9223372036854775807}"],
    "text[]": ['{"a,b","c\\"d",NULL,""}', "{NULL}"],
    "boolean[]": ["{t,f,NULL}"],
    "uuid[]": ["{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}"],
    "numeric[]": ["{1.10,0.105}", "{1.10,NaN,123456789012345678901234567890.1}"],
    "timestamptz[]": ["{2026-01-01 00:00:00+02,infinity}"],
    "bytea[]": ['{"\\\\x00ff"}'],
    "mood[]": ["{sad}"],
    "pair": ['(1.10,"a,b","2026-01-01 00:00:00+02")', "(,,)"],
    "pair[]": ['{"(1.10,a,)"}'],
}
# a type, and what a contract may take it for
TAKEN_FOR = {
    "numeric": ["DOUBLE", "DECIMAL(18,4)", "BIGINT", "VARCHAR"],
    "numeric(10,2)": ["DOUBLE", "FLOAT", "DECIMAL(10,2)", "DECIMAL(12,1)", "INTEGER", "VARCHAR", "BOOLEAN", "DATE"],
    "int8": ["INTEGER", "DOUBLE", "FLOAT", "VARCHAR", "DECIMAL(19,0)", "HUGEINT", "DATE"],
    "int4": ["BIGINT", "DOUBLE", "SMALLINT", "TIMESTAMP"],
    "float8": ["FLOAT", "VARCHAR", "DECIMAL(18,4)", "BIGINT"],
    "float4": ["DOUBLE", "FLOAT", "VARCHAR"],
    "date": ["TIMESTAMP", "TIMESTAMP WITH TIME ZONE", "VARCHAR", "TIME", "BIGINT"],
    "timestamp": ["TIMESTAMP WITH TIME ZONE", "DATE", "VARCHAR", "DOUBLE"],
    "timestamptz": ["TIMESTAMP", "DATE", "VARCHAR"],
    "time": ["VARCHAR", "TIMESTAMP"],
    "timetz": ["TIME", "VARCHAR"],
    "interval": ["DOUBLE", "VARCHAR", "TIME"],
    "money": ["DECIMAL(18,2)", "DOUBLE", "VARCHAR"],
    "bytea": ["VARCHAR", "BLOB", "INTEGER"],
    "uuid": ["UUID", "VARCHAR", "BIGINT"],
    "bit(4)": ["BIGINT", "VARCHAR", "BLOB"],
    "mood": ["VARCHAR", "INTEGER", "BOOLEAN"],
    "jsonb": ["VARCHAR", "STRUCT(a DOUBLE)", "STRUCT(a VARCHAR)", "STRUCT(a BIGINT)", "BIGINT"],
    "int4[]": ["BIGINT[]", "VARCHAR", "DOUBLE[]", "INTEGER"],
    "numeric[]": ["DECIMAL(10,2)[]", "VARCHAR[]", "VARCHAR"],
    "text": ["BIGINT", "DECIMAL(10,2)", "DATE", "DOUBLE", "BLOB"],
    "int4range": ["VARCHAR", "STRUCT(a BIGINT)", "INTEGER[]"],
}
AS_JSON = {"A", "C"}


class Edges(Database):
    """A table of one column for each type and wish; each row has one value in one of them, so that what is refused takes no other along."""

    def __init__(self, server, root, name, wishes):
        super().__init__(server, root, name)
        self.role("reader LOGIN")
        self.sql(TYPES)
        self.write("xde.yaml", "name: edges\n")
        self.columns = {f"c{n}": wish for n, wish in enumerate(wishes)}
        self.values = [(c, v) for c, (kind, _) in self.columns.items() for v in EDGES[kind]]
        told = ", ".join(f"{c} {kind}" for c, (kind, _) in self.columns.items())
        self.sql(f"CREATE TABLE edges (id int PRIMARY KEY, {told})", "GRANT SELECT ON edges TO reader")
        with self.connect(autocommit=True) as connection:
            for n, (column, value) in enumerate(self.values):
                kind = self.columns[column][0]
                connection.execute(f"INSERT INTO edges (id, {column}) VALUES ({n}, %s::text::{kind})", (value,))

    def reported(self, **how):
        """What the report says of each column."""
        (table,) = profile(lambda: self.root, None, Wish(("shop.edges",), **how)).tables
        return {c.name: c for c in table.origin.declared.columns}

    def loaded(self):
        """What is in the lake of each row, and which rows are dead letters."""
        with Workspace.open(self.root) as workspace:
            finished = workspace.run()
            assert finished.status == "done", [f.message + f.why for o in finished.outcomes for f in o.findings]
            rows = {r["id"]: r for r in workspace.show("shop.edges", limit=None).read_all().to_pylist()}
            letters = {int(x.letter.raw.split(b",")[0]) for x in workspace.letters(status="open")}
        assert not letters & rows.keys()
        assert letters | rows.keys() == set(range(len(self.values)))
        return rows, letters

    def there(self, connection, number, column):
        """The value as the server has it: by its driver, and as text."""
        kind = self.columns[column][0]
        json_of = kind.endswith("[]") or kind == "pair"
        told = f"to_json({column})::text" if json_of else f"format('%s', {column})"
        (text,) = connection.execute(f"SELECT {told} FROM edges WHERE id = {number}").fetchone()
        try:
            (value,) = connection.execute(f"SELECT {column} FROM edges WHERE id = {number}").fetchone()
        except psycopg.DataError:  # the driver has no value for it, such as a year before the first
            value = text
        return value, text

    def held(self, told):
        """Hold a report against what was loaded; gives what was refused."""
        rows, letters = self.loaded()
        refused = [self.values[n] for n in sorted(letters)]
        with self.connect(autocommit=True) as connection:
            connection.execute("SET TimeZone = 'UTC'; SET lc_monetary = 'C'; SET DateStyle = 'ISO, YMD'")
            there = {n: self.there(connection, n, c) for n, (c, _) in enumerate(self.values) if n in rows}
        for column, (kind, _) in self.columns.items():
            kept = told[column].kept
            mine = [n for n, (c, _) in enumerate(self.values) if c == column]
            dead = [self.values[n][1] for n in mine if n in letters]
            said = f"{kind} as {kept.type}: {kept.arrival}, {kept.why}"
            if kept.arrival is Arrival.REFUSED:
                assert len(dead) == len(mine), f"{said}; but these arrived: {[self.values[n][1] for n in mine if n not in letters]}"
                continue
            assert not dead or "dead letter" in kept.why, f"{said}; dead: {dead}"
            exact = kept.arrival is Arrival.EXACT
            named = [self.values[n][1] for n in mine if exact and f"`{self.values[n][1]}`" in kept.why]
            assert set(named) <= set(dead), f"{said}; but these arrived: {named}"
            same = [_same(kind, kept, rows[n][column], *there[n]) for n in mine if n in rows]
            pairs = [(rows[n][column], there[n]) for n in mine if n in rows]
            if kept.arrival is Arrival.ROUNDED:
                assert not all(same), f"{said}: but nothing is rounded: {pairs}"
            else:
                assert all(same), f"{said}: {pairs}"
        return refused


def _same(kind, kept, here, value, text):
    """Whether a value in the lake is the very one of the server."""
    if kind == "float4" and isinstance(here, float):
        return struct.pack("f", here) == struct.pack("f", value) and (kept.type == "FLOAT" or float(text) == here)
    if kept.arrival is Arrival.AS_TEXT or isinstance(here, str):
        return (here.decode() if isinstance(here, bytes) and kept.type == "BLOB" else here) == text
    if kept.type == "BLOB" and not isinstance(value, bytes):
        return here == text.encode()
    if isinstance(here, Decimal):
        return here == Decimal(text)
    if isinstance(here, float):
        return here == value if isinstance(value, float) else Decimal(here) == Decimal(str(value))
    if isinstance(here, dt.datetime) and isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        value = dt.datetime.combine(value, dt.time())
    if isinstance(here, dt.datetime) and isinstance(value, dt.datetime) and (here.tzinfo is None) is not (value.tzinfo is None):
        value = value.replace(tzinfo=here.tzinfo)
    if isinstance(here, list | dict):
        return _like(here, json.loads(text, parse_float=Decimal, parse_int=Decimal))
    return here == value or (isinstance(value, str) and str(here) == text)


def _like(here, there):
    """Whether what is nested is the very same as what a text of JSON says."""
    match here:
        case dict():
            return isinstance(there, dict) and here.keys() == there.keys() and all(_like(v, there[k]) for k, v in here.items())
        case list():
            return isinstance(there, list) and len(here) == len(there) and all(map(_like, here, there))
        case bool() | None:
            return here is there
        case float():
            return Decimal(here) == there
        case _:
            return here == there if isinstance(here, int | Decimal) else here == str(there)


def maker(kind, postgres_server, tmp_path, monkeypatch, request):
    """Makes tables of edge values, of one kind, for a test."""
    monkeypatch.setenv("TILL_PASSWORD", "readers password")
    name = f"{kind.__name__.lower()}_{abs(hash(request.node.name)) % 10**8}"
    return lambda wishes: kind(postgres_server, tmp_path / "edges", name, wishes)


@pytest.fixture
def made(postgres_server, tmp_path, monkeypatch, request):
    return maker(Edges, postgres_server, tmp_path, monkeypatch, request)


def test_the_types_that_a_draft_chooses_lose_nothing(made):
    edges = made([(kind, "") for kind in EDGES])
    address = f"postgres://reader:${{env:TILL_PASSWORD}}@127.0.0.1:{edges.server.port}/{edges.name}?table=edges"
    text = draft(lambda: edges.root, [address], None, force=False).text
    edges.write("sources/shop.yaml", text)
    told = edges.reported()
    assert {c.kept.arrival for c in told.values()} == {Arrival.EXACT, Arrival.AS_TEXT}
    assert not edges.held(told)  # what has no room in a type was seen, and is drafted as text
    assert "such as `infinity` are of type timestamp" in " ".join(text.replace("#", "").split())


def test_the_types_that_lose_nothing_refuse_what_they_have_no_room_for(made):
    """As a draft takes them before such a value is there."""
    edges = made([(kind, "") for kind in EDGES])
    edges.sql("CREATE TABLE vacant (LIKE edges)", "GRANT SELECT ON vacant TO reader")
    address = f"postgres://reader:${{env:TILL_PASSWORD}}@127.0.0.1:{edges.server.port}/{edges.name}?table=vacant"
    text = draft(lambda: edges.root, [address], None, force=False).text.replace("vacant", "edges")
    edges.write("sources/shop.yaml", text.replace("maxRejectedPercent: 1", "maxRejectedPercent: 100"))
    assert edges.held(edges.reported())


def test_the_types_that_a_contract_chooses_do_what_the_report_says(made):
    wishes = [(kind, wanted) for kind, wanted_ones in TAKEN_FOR.items() for wanted in wanted_ones]
    edges = made(wishes)
    columns = "".join(f'      - {{name: {c}, logicalType: string, physicalType: "{w}"}}\n' for c, (_, w) in edges.columns.items())
    head = "  - name: edges\n    physicalType: table\n    properties:\n      - {name: id, logicalType: integer, primaryKey: true}\n"
    edges.write("sources/shop.yaml", source(head + columns, edges.address("till", "reader")))
    edges.held(edges.reported())
