"""Rows in the formats of others: csv, json, ndjson, parquet; streamed, so that a table of any size goes through."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, assert_never

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from xde.faces.words.values import json_value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import BinaryIO, Literal

    Format = Literal["csv", "json", "ndjson", "parquet"]


def export(reader: pa.RecordBatchReader, form: Format, stream: BinaryIO) -> int:
    """Write all rows to the stream, as UTF-8 where it is text; gives their number.

    CSV has a header, an empty cell for a null and `""` for an empty text, JSON in the cells of nested columns.
    """
    match form:
        case "csv":
            return _csv(reader, stream)
        case "json":
            return _json(reader, stream)
        case "ndjson":
            return _ndjson(reader, stream)
        case "parquet":
            return _parquet(reader, stream)
        case _:
            assert_never(form)


def _parquet(reader: pa.RecordBatchReader, stream: BinaryIO) -> int:
    rows = 0
    with pa.parquet.ParquetWriter(stream, reader.schema) as writer:
        for batch in reader:
            writer.write_batch(batch)
            rows += batch.num_rows
    return rows


def _csv(reader: pa.RecordBatchReader, stream: BinaryIO) -> int:
    header = ",".join(_csv_cell(name) for name in reader.schema.names)
    stream.write(header.encode() + b"\n")
    options = pa.csv.WriteOptions(include_header=False, quoting_style="needed")
    rows = 0
    for batch in reader:
        texts = [_csv_array(array) for array in batch.columns]
        if batch.num_rows:
            pa.csv.write_csv(pa.record_batch(texts, names=batch.schema.names), stream, options)
        rows += batch.num_rows
    return rows


def _csv_cell(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if any(c in text for c in ',"\r\n') else text


def _csv_array(array: pa.Array) -> pa.Array:
    kind = array.type
    if pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_interval(kind):
        return pa.array([None if v is None else _csv_text(v) for v in _one_by_one(array)], pa.string())
    return array


def _csv_text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _objects(reader: pa.RecordBatchReader) -> Iterator[bytes]:
    names = reader.schema.names
    for batch in reader:
        columns = [_converter(array.type)(array) for array in batch.columns]
        for row in zip(*columns, strict=True):
            yield json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False).encode("utf-8", errors="replace")


def _converter(kind: pa.DataType) -> Callable[[pa.Array], list[object]]:
    if pa.types.is_integer(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_boolean(kind):
        return _as_they_are
    return _one_by_one


def _as_they_are(array: pa.Array) -> list[object]:
    return list(array.to_pylist())


def _one_by_one(array: pa.Array) -> list[object]:
    values = array.to_pylist(maps_as_pydicts="lossy") if pa.types.is_map(array.type) else array.to_pylist()
    return [json_value(v) for v in values]


def _ndjson(reader: pa.RecordBatchReader, stream: BinaryIO) -> int:
    rows = 0
    for line in _objects(reader):
        stream.write(line + b"\n")
        rows += 1
    return rows


def _json(reader: pa.RecordBatchReader, stream: BinaryIO) -> int:
    rows = 0
    stream.write(b"[")
    for line in _objects(reader):
        stream.write((b",\n " if rows else b"\n ") + line)
        rows += 1
    stream.write(b"\n]\n")
    return rows
