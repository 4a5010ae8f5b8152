"""Bodies of requests, cut into records: JSON, lines of JSON, CSV and Arrow, each record as one line of JSON.

JSON is kept as it is written, but for line ends between its parts; what comes as CSV or Arrow becomes an object of texts and numbers.
"""

from __future__ import annotations

import csv
import io
import json
import re
from typing import TYPE_CHECKING

from xde.ground.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

FORMS = {
    "application/json": "json",
    "application/x-ndjson": "ndjson",
    "application/ndjson": "ndjson",
    "application/jsonl": "ndjson",
    "application/x-jsonlines": "ndjson",
    "text/csv": "csv",
    "application/vnd.apache.arrow.stream": "arrow",
}
_BREAKS = re.compile("[\r\n]")
_SPACE = " \t\r\n"


class Unreadable(Exception):
    """Why a body is none of the kind it says it is."""


@dataclass(frozen=True, slots=True)
class Unfit:
    """Why one record of a body cannot be written as JSON."""

    message: str


def records(body: bytes, form: str, delimiter: str = ",") -> list[str | Unfit]:
    """The records of a body. Raises `Unreadable`."""
    if form == "arrow":
        return list(_arrow(body))
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(f"byte {error.start:,} is no UTF-8") from error
    match form:
        case "json":
            return _json(text)
        case "ndjson":
            return [line.replace("\r", " ") for line in (whole.strip(_SPACE) for whole in text.split("\n")) if line]
        case _:
            return list(_csv(text, delimiter))


def _json(text: str) -> list[str | Unfit]:
    text = text.strip(_SPACE)
    if not text:
        return []
    if text[0] == "[":
        try:
            return list(_elements(text))
        except json.JSONDecodeError as error:
            raise Unreadable(f"{error.msg} at line {error.lineno}, column {error.colno}") from error
        except (RecursionError, ValueError) as error:
            raise Unreadable("it is nested too deep, or has a number too long") from error
    return [_BREAKS.sub(" ", text)]


def _elements(text: str) -> Iterator[str]:
    decode = json.JSONDecoder().raw_decode
    at = _solid(text, 1)
    if text[at : at + 1] == "]":
        _end(text, at + 1)
        return
    while True:
        _, end = decode(text, at)
        yield _BREAKS.sub(" ", text[at:end])
        at = _solid(text, end)
        if text[at : at + 1] == "]":
            _end(text, at + 1)
            return
        if text[at : at + 1] != ",":
            raise json.JSONDecodeError("Expecting ',' delimiter", text, at)
        at = _solid(text, at + 1)


def _end(text: str, at: int) -> None:
    if _solid(text, at) != len(text):
        raise json.JSONDecodeError("Extra data", text, at)


def _solid(text: str, at: int) -> int:
    while at < len(text) and text[at] in _SPACE:
        at += 1
    return at


def _csv(text: str, delimiter: str) -> Iterator[str | Unfit]:
    """Rows below a header; a field that is empty is missing."""
    csv.field_size_limit(max(csv.field_size_limit(), len(text) + 1))
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        header = next(rows, [])
        if len(set(header)) != len(header):
            raise Unreadable("two columns of its header have one name")
        for row in rows:
            if not row:
                continue
            if len(row) != len(header):
                yield Unfit(f"it has {len(row)} fields, and its header {len(header)}")
            else:
                yield json.dumps({n: v for n, v in zip(header, row, strict=True) if v}, ensure_ascii=False)
    except csv.Error as error:
        raise Unreadable(f"line {rows.line_num}: {error}") from error


def _arrow(body: bytes) -> Iterator[str | Unfit]:
    import pyarrow as pa

    try:
        with pa.ipc.open_stream(pa.BufferReader(body)) as stream:
            names = stream.schema.names
            if len(set(names)) != len(names):
                raise Unreadable("two of its columns have one name")
            for batch in stream:
                batch.validate(full=True)
                columns = [_values(column) for column in batch.columns]
                for row in zip(*columns, strict=True):
                    yield json.dumps({n: v for n, v in zip(names, row, strict=True) if v is not None}, ensure_ascii=False, default=_text)
    except (pa.ArrowException, OSError) as error:
        raise Unreadable(str(error).split("\n")[0][:200]) from error


def _values(column: pa.Array) -> list[object]:
    """Values for JSON: times, days and decimals as texts, exactly."""
    import pyarrow as pa

    kind = column.type
    if pa.types.is_dictionary(kind):
        return _values(column.dictionary_decode())
    if pa.types.is_timestamp(kind) and kind.tz is not None:
        plain = column.cast(pa.timestamp(kind.unit, "UTC")).cast(pa.timestamp(kind.unit))
        return [None if v is None else f"{v}+00:00" for v in plain.cast(pa.string()).to_pylist()]
    if pa.types.is_temporal(kind) or pa.types.is_decimal(kind):
        return list(column.cast(pa.string()).to_pylist())
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        raise Unreadable("it has a column of bytes, for which JSON has no form")
    return list(column.to_pylist())


def _text(value: object) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
