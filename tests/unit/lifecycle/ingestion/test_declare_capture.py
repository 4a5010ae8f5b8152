"""What a contract says of a capture, and what does not fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from xde.kernel.project.declarations import SourceDataset
from xde.kernel.project.odcs import read_contract
from xde.lifecycle.ingestion.capturing import placed
from xde.lifecycle.ingestion.declare import declare
from xde.lifecycle.sources.tables import AskedColumn

if TYPE_CHECKING:
    from xde.ground.findings import Findings
    from xde.lifecycle.ingestion.declare import Reading

CONTRACT = """\
apiVersion: v3.1.0
kind: DataContract
id: x
version: 1.0.0
status: active
servers:
  - {{server: desk, type: {kind}, host: h, port: 5432, database: shop, schema: public}}
schema:
  - name: orders
    physicalName: orders
    customProperties: [{words}]
    properties:
{columns}
"""
KEY = "      - {name: id, physicalName: ID, logicalType: integer, primaryKey: true, required: true}\n"
PLAIN = "      - {name: id, logicalType: integer}\n"
ORDER = "".join(
    f"      - {{name: {n}, physicalName: ${n}, logicalType: string, required: true}}\n" for n in ("operation", "lsn", "sequence")
)
CAPTURE = "{property: xdeCapture, value: {}}"
APPEND = ", {property: xdeWriteMode, value: append}"


def read(words: str, columns: str, kind: str = "postgres") -> tuple[Reading | None, Findings]:
    contract, _, findings = read_contract(CONTRACT.format(words=words, columns=columns, kind=kind).encode(), "sources/x.yaml")
    assert contract is not None, findings
    return declare(SourceDataset("x.Orders", contract, contract.schema[0]))


def test_the_current_state_is_what_is_captured_if_nothing_is_said() -> None:
    reading, findings = read(CAPTURE, KEY)
    assert not list(findings)
    assert reading is not None
    assert reading.ask is not None
    assert reading.ask.capture is not None
    assert (reading.write_mode, reading.ask.capture.key, reading.ask.capture.publication) == ("merge", ("ID",), "xde")
    assert reading.ask.capture.slot == "xde_x_orders"


def test_a_log_has_what_is_told_of_a_change_besides_the_columns() -> None:
    reading, findings = read("{property: xdeCapture, value: {publication: p, slot: s, batch: 7}}" + APPEND, ORDER + PLAIN)
    assert not list(findings)
    assert reading is not None
    assert reading.ask is not None
    capture = reading.ask.capture
    assert capture is not None
    assert (capture.publication, capture.slot, capture.batch, capture.key) == ("p", "s", 7, None)
    assert capture.told == ("$operation", "$lsn", "$sequence")
    assert reading.ask.columns == (AskedColumn("id", "BIGINT"),)


@pytest.mark.parametrize(
    ("words", "columns", "kind", "count"),
    [
        (CAPTURE, PLAIN, "postgres", 1),
        (CAPTURE, KEY, "duckdb", 1),
        (CAPTURE, KEY, "local", 1),
        (CAPTURE + APPEND, PLAIN, "postgres", 1),
        (CAPTURE + APPEND, ORDER + KEY, "postgres", 1),
        (CAPTURE + ", {property: xdeWriteMode, value: replace}", KEY, "postgres", 1),
        (CAPTURE + ", {property: xdeIncrementalCursor, value: {property: id}}", KEY, "postgres", 1),
        (CAPTURE + ", {property: xdeQuery, value: SELECT 1}", KEY, "postgres", 1),
        ("{property: xdeCapture, value: {maxGonePercent: 10}}", KEY, "postgres", 1),
    ],
)
def test_what_does_not_fit(words: str, columns: str, kind: str, count: int) -> None:
    reading, findings = read(words, columns, kind)
    assert reading is None
    assert [f.code for f in findings] == ["XDE0426"] * count


def test_a_place_has_two_slots_and_the_one_that_is_read_stays_until_the_other_is_in() -> None:
    reading, _ = read(CAPTURE, KEY)
    assert reading is not None
    assert reading.ask is not None
    first = placed(reading.ask, None, "s3://lake/t", anew=False).capture
    assert first is not None
    position = {"slot": first.name}
    again, full = (
        placed(reading.ask, position, "s3://lake/t", anew=False).capture,
        placed(reading.ask, position, "s3://lake/t", anew=True).capture,
    )
    assert again == first
    assert full is not None
    assert (full.name, full.other) == (first.other, "")
    moved = placed(reading.ask, position, "s3://elsewhere/t", anew=False).capture
    assert moved is not None
    assert (moved.name, moved.other) == (first.name, "")
    assert len({first.name, first.other, ""}) == 3
