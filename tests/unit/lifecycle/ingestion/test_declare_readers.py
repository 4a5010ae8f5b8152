"""A reader that a contract asks for, and what does not go with it."""

from __future__ import annotations

import pytest

from xde.kernel.project.declarations import SourceDataset
from xde.kernel.project.odcs import read_contract
from xde.lifecycle.ingestion.declare import declare

SERVER = "{server: s, type: postgres, host: h, port: 5432, database: d, schema: public, customProperties: [%s]}"
FILES = "{server: s, type: local, path: data, format: csv}"
MYSQL = "{server: s, type: mysql, host: h, port: 3306, database: d}"
HASHED = '{property: xdeInFlight, value: {hash: {key: "${env:KEY}"}}}'


def declared(words: str = "", server: str = SERVER % "", column: str = "", reader: str = "connectorx"):
    text = (
        "apiVersion: v3.1.0\nkind: DataContract\nid: s\nversion: 1.0.0\nstatus: active\n"
        f"servers:\n  - {server}\nschema:\n  - name: t\n    physicalType: table\n"
        f"    customProperties: [{{property: xdeReader, value: {reader}}}{words}]\n"
        f"    properties:\n      - {{name: id, logicalType: integer, primaryKey: true}}\n"
        f"      - {{name: n, logicalType: string, customProperties: [{column}]}}\n"
    )
    contract, _, findings = read_contract(text.encode(), "sources/s.yaml")
    assert contract is not None, list(findings)
    return declare(SourceDataset("s.t", contract, contract.schema[0]))


@pytest.mark.parametrize(("reader", "asked"), [("connectorx", "connectorx"), ("copy", "")])
def test_a_reader(reader: str, asked: str) -> None:
    reading, findings = declared(reader=reader)
    assert not list(findings)
    assert reading.ask.reader == asked


def test_the_same_rows_by_another_reader_are_no_other_version() -> None:
    assert declared()[0].meaning() == declared(reader="copy")[0].meaning()


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ({"server": FILES}, "is on a server of type `local`"),
        ({"server": MYSQL}, "is on a server of type `mysql`"),
        ({"words": ", {property: xdeQuery, value: 'SELECT 1 AS id, 2 AS n'}"}, "is a query"),
        ({"words": ", {property: xdeCapture, value: {by: comparison}}"}, "is captured"),
        ({"words": ", {property: xdeCapture, value: {}}"}, "is captured"),
        ({"words": ", {property: xdeLimits, value: {rowsPerSecond: 10}}"}, "has a limit of `rowsPerSecond`"),
        ({"words": ", {property: xdeLimits, value: {bytesPerSecond: 10}}"}, "has a limit of `bytesPerSecond`"),
        ({"server": SERVER % "{property: xdeSslMode, value: verify-full}"}, "is on a server of `xdeSslMode: verify-full`"),
        ({"column": HASHED}, "has in-flight steps"),
    ],
)
def test_what_does_not_go_with_it(how: dict[str, str], told: str) -> None:
    reading, findings = declared(**how)
    assert reading is None
    assert [f.message for f in findings if f.code == "XDE0546"] == [f"`s.t` {told}, and is to be read by ConnectorX"]
    assert all(f.span is not None and f.hint.startswith("take `xdeReader` away") for f in findings if f.code == "XDE0546")
