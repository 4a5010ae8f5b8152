"""What a source might deliver, as text: one good record in the words of its contract, for a case to begin with."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime
from typing import TYPE_CHECKING

from xde.ground.errors import UserError
from xde.ground.findings import Finding
from xde.undercurrents.engineering.drafts.case import sample_row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xde.kernel.project.contract import SchemaObject
    from xde.lifecycle.ingestion.declare import Reading
    from xde.lifecycle.ingestion.port import Field

_FRACTIONS = {"%g": "000", "%f": "000000", "%n": "000000000"}  # what of strptime's words is the engine's own


def draft_delivery(reading: Reading, promised: SchemaObject) -> str:
    """The text of a file. Raises `UserError` for a format that is no text."""
    row = sample_row({f.name: f.type for f in reading.fields}, [f.name for f in reading.fields], {p.name: p for p in promised.properties})
    values = [(f, _written(f, row[f.name])) for f in reading.fields]
    match reading.dialect.format:
        case "csv":
            return _csv(reading, values)
        case "ndjson":
            return _record(values) + "\n"
        case "json":
            return _document(_record(values), reading.dialect.records_at)
        case "fixed_width":
            return "\n" * reading.dialect.skip + _fixed(values) + "\n"
        case other:
            raise UserError(
                Finding(
                    "XDE0958",
                    f"`{reading.dataset}` is delivered as {other}, which is no text",
                    hint="put a small file under `tests/fixtures/`, and name it in a case: `files: [tests/fixtures/x]`",
                )
            )


def _written(field: Field, value: object) -> object:
    if field.format is None or not isinstance(value, str):
        return value
    form = field.format
    for word, text in _FRACTIONS.items():
        form = form.replace(word, text)
    moment = datetime.fromisoformat(value) if ":" not in value or "-" in value else datetime.fromisoformat(f"2000-01-01 {value}")
    return moment.strftime(form)


def _csv(reading: Reading, values: Sequence[tuple[Field, object]]) -> str:
    dialect = reading.dialect
    text = io.StringIO()
    writer = csv.writer(
        text, delimiter=dialect.delimiter, quotechar=dialect.quote or None, quoting=csv.QUOTE_MINIMAL if dialect.quote else csv.QUOTE_NONE
    )
    if dialect.header:
        writer.writerow([f.source_name for f, _ in values])
    writer.writerow([_cell(v, dialect.decimal) for _, v in values])
    return "skipped\n" * dialect.skip + text.getvalue().replace("\r\n", "\n")


def _cell(value: object, decimal: str) -> str:
    if isinstance(value, (list, dict)):
        return json.dumps(value)
    text = "" if value is None else str(value)
    return text.replace(".", decimal) if decimal != "." and text.replace(".", "", 1).isdigit() else text


def _record(values: Sequence[tuple[Field, object]]) -> str:
    record = {f.source_name: _json(f, v) for f, v in values}
    return json.dumps(record, ensure_ascii=False)


def _json(field: Field, value: object) -> object:
    kind = field.type.upper()
    if (
        isinstance(value, str)
        and ("INT" in kind or kind.startswith(("DOUBLE", "DECIMAL", "FLOAT", "REAL", "NUMERIC")))
        and "(" not in kind[:4]
    ):
        return float(value) if "." in value else int(value)
    return value == "true" if kind.startswith("BOOL") else value


def _document(record: str, records_at: str | None) -> str:
    document: object = [json.loads(record)]
    for part in reversed([p for p in (records_at or "").strip("$./").replace("/", ".").split(".") if p]):
        document = {part: document}
    return json.dumps(document, ensure_ascii=False) + "\n"


def _fixed(values: Sequence[tuple[Field, object]]) -> str:
    line: list[str] = []
    for field, value in values:
        start, length = field.position or (len(line), 10)
        line += [" "] * (start + length - len(line))
        text = _cell(value, ".")[:length].ljust(length)
        line[start : start + length] = text
    return "".join(line)
