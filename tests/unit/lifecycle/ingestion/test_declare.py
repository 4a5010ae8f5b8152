"""A contract as the reading of a source: read from YAML by the contract's own reader."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import pytest

from xde.kernel.project.declarations import SourceDataset
from xde.kernel.project.odcs import read_contract
from xde.lifecycle.ingestion.declare import declare
from xde.lifecycle.ingestion.patterns import strptime
from xde.lifecycle.ingestion.port import Dialect, Field, LetterLimit, SchemaChange

if TYPE_CHECKING:
    from xde.ground.findings import Findings
    from xde.lifecycle.ingestion.declare import Reading

HEAD = """\
apiVersion: v3.1.0
kind: DataContract
id: x
version: 1.0.0
status: active
"""
SERVERS = (
    "servers:\n  - {server: files, type: local, path: data, format: csv}\n  - {server: pages, type: local, path: web, format: ndjson}\n"
)


def read(schema: str, servers: str = SERVERS) -> tuple[Reading | None, Findings]:
    text = HEAD + servers + "schema:\n  - name: t\n    physicalName: t-*.csv\n" + "".join(f"    {line}\n" for line in schema.splitlines())
    contract, _, findings = read_contract(text.encode(), "sources/s.yaml")
    assert contract is not None, findings
    return declare(SourceDataset("s.t", contract, contract.schema[0]))


COLUMN = "properties:\n  - {name: id, logicalType: integer, primaryKey: true}\n"


def test_every_word() -> None:
    reading, findings = read(
        """\
properties:
  - {name: id, physicalName: ID, logicalType: integer, primaryKey: true, required: true}
  - {name: day, logicalType: date, logicalTypeOptions: {format: dd.MM.yyyy}}
  - {name: at, logicalType: timestamp, logicalTypeOptions: {timezone: true, format: "yyyy-MM-dd'T'HH:mm:ssXXX"}}
  - {name: cost, physicalType: "DECIMAL(10,2)", logicalType: number, customProperties: [{property: xdeNullWords, value: ["-"]}]}
  - {name: tags, logicalType: array, items: {logicalType: string}}
  - {name: o, logicalType: object, properties: [{name: a, logicalType: integer}, {name: b c, logicalType: boolean}]}
customProperties:
  - {property: xdeDialect, value: {delimiter: ";", nullWords: [NA], skip: 2, quote: "'", maxRecordBytes: 1000}}
  - {property: xdeWriteMode, value: merge}
  - {property: xdeDeadLetter, value: {maxRejectedPercent: 2.5, maxRejected: 10}}
  - {property: xdeSchemaChange, value: {newColumn: discard, missingColumn: evolve}}
"""
    )
    assert not list(findings)
    assert reading is not None
    assert reading.fields == (
        Field("id", "ID", "BIGINT", required=True),
        Field("day", "day", "DATE", "%d.%m.%Y"),
        Field("at", "at", "TIMESTAMP WITH TIME ZONE"),
        Field("cost", "cost", "DECIMAL(10,2)", nulls=("-",)),
        Field("tags", "tags", "VARCHAR[]"),
        Field("o", "o", 'STRUCT("a" BIGINT, "b c" BOOLEAN)'),
    )
    assert reading.dialect == Dialect(delimiter=";", nulls=("", "NA"), skip=2, quote="'", escape="'", max_record_bytes=1000)
    assert (reading.root, reading.pattern, reading.write_mode, reading.key) == ("data", "t-*.csv", "merge", ("id",))
    assert reading.limit == LetterLimit(2.5, 10)
    assert reading.schema_change == SchemaChange("discard", "evolve")


def test_another_server_and_no_letters() -> None:
    reading, _ = read(
        COLUMN + "customProperties:\n  - {property: xdeServer, value: pages}\n  - {property: xdeDeadLetter, value: {mode: stop}}\n"
    )
    assert reading is not None
    assert (reading.root, reading.dialect.format, reading.limit) == ("web", "ndjson", LetterLimit(records=0))


def test_fixed_width() -> None:
    servers = SERVERS.replace("format: csv", "format: fixed_width")
    column = (
        "properties:\n  - {name: id, logicalType: integer, customProperties: [{property: xdePosition, value: {start: 4, length: 2}}]}\n"
    )
    reading, _ = read(column + "customProperties:\n  - {property: xdeDialect, value: {nullWords: ['99']}}\n", servers)
    assert reading is not None
    assert reading.fields == (Field("id", "id", "BIGINT", nulls=("99",), position=(3, 2)),)
    _, findings = read(COLUMN, servers)
    assert [f.code for f in findings] == ["XDE0437"]


@pytest.mark.parametrize(
    ("schema", "servers", "code"),
    [
        (COLUMN, "", "XDE0434"),
        (COLUMN, SERVERS.replace("format: csv", "format: cvs"), "XDE0410"),
        (COLUMN + "customProperties: [{property: xdeIncrementalCursor, value: {property: at}}]", SERVERS, "XDE0439"),
        (COLUMN + "customProperties: [{property: xdeIncrementalCursor, value: {property: [id, id]}}]", SERVERS, "XDE0439"),
        ("properties:\n  - {name: d, logicalType: date, logicalTypeOptions: {format: dd.MM.YYYY}}", SERVERS, "XDE0438"),
    ],
)
def test_what_is_wrong(schema: str, servers: str, code: str) -> None:
    reading, findings = read(schema, servers)
    assert reading is None
    assert [f.code for f in findings] == [code]


@pytest.mark.parametrize(
    ("pattern", "text", "told"),
    [
        ("dd.MM.yyyy", "02.01.2026", "2026-01-02 00:00:00"),
        ("d.M.yy", "2.1.26", "2026-01-02 00:00:00"),
        ("MMM d, yyyy h:mm a", "Jan 2, 2026 3:04 PM", "2026-01-02 15:04:00"),
        ("yyyyMMdd'at'HHmmss.SSS", "20260102at030405.678", "2026-01-02 03:04:05.678"),
        ("EEE dd MMM yyyy H:m:s", "Fri 02 Jan 2026 3:4:5", "2026-01-02 03:04:05"),
        ("dd ''MM'' yyyy 100%", "02 '01' 2026 100%", "2026-01-02 00:00:00"),
        ("yyyy-MM-dd HH:mm:ssXX", "2026-01-02 03:04:05+0000", "2026-01-02 03:04:05+00"),
    ],
)
def test_date_patterns_as_the_engine_reads_them(pattern: str, text: str, told: str) -> None:
    form = strptime(pattern)
    with duckdb.connect() as engine:
        engine.execute("SET TimeZone = 'UTC'")
        assert engine.execute("SELECT CAST(try_strptime($1, $2) AS VARCHAR)", [text, form]).fetchall() == [(told,)]


@pytest.mark.parametrize("pattern", ["YYYY", "dd.MM.yyy", "QQ", "SS"])
def test_patterns_nobody_knows(pattern: str) -> None:
    assert strptime(pattern) is None
