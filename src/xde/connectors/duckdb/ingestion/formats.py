"""Each format as a relation of records: CSV by DuckDB's reader, the others as one text a record."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xde.connectors.duckdb.ingestion.casts import storable_json
from xde.connectors.duckdb.ingestion.delivered import broken, open_bytes
from xde.ground.errors import UserError
from xde.ground.findings import Finding
from xde.ground.names import literal, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from xde.lifecycle.ingestion.port import Dialect, Field
    from xde.lifecycle.sources.port import FoundFile

LINE = "line"


def csv_relation(path: str, dialect: Dialect, header: Sequence[str], packed: str, rejects: str) -> str:
    """`read_csv` with all that it could guess written down, every column as text, and what it refuses kept aside."""
    columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in header)
    nulls = ", ".join(literal(n) for n in dialect.nulls) or "''"
    options = [
        f"columns = {{{columns}}}",
        "auto_detect = false",
        f"header = {str(dialect.header).lower()}",
        f"skip = {dialect.skip:d}",
        f"delim = {literal(dialect.delimiter)}",
        f"quote = {literal(dialect.quote)}",
        f"escape = {literal(dialect.escape if dialect.quote else '')}",
        f"nullstr = [{nulls}]",
        f"compression = {literal(packed)}",
        "strict_mode = true",
        "store_rejects = true",
        "rejects_limit = 0",
        f"rejects_table = {literal(rejects)}",
        f"rejects_scan = {literal(rejects + '_scan')}",
        f"max_line_size = {dialect.max_record_bytes:d}",
    ]
    if dialect.comment:
        options.append(f"comment = {literal(dialect.comment)}")
    return f"read_csv({literal(path)}, {', '.join(options)})"


def line_relation(path: str, dialect: Dialect, packed: str) -> str:
    """Each physical line as one text."""
    return (
        f"read_csv({literal(path)}, columns = {{'{LINE}': 'VARCHAR'}}, auto_detect = false, header = false, delim = '\\x01', quote = '', escape = '', "
        f"nullstr = '\\x02', compression = {literal(packed)}, strict_mode = true, skip = {dialect.skip:d}, max_line_size = {dialect.max_record_bytes:d})"
    )


def json_text(field: Field) -> str:
    """A field of a record that is one JSON text."""
    path = literal('$."' + field.source_name.replace('"', '\\"') + '"')
    if storable_json(field):
        return f"CAST(json_extract({LINE}, {path}) AS VARCHAR)"
    return f"json_extract_string({LINE}, {path})"


def fixed_text(field: Field) -> str:
    """A field of a record of fixed width."""
    start, length = field.position or (0, 0)
    return f"nullif(trim(substr({LINE}, {start + 1}, {length})), '')"


def json_records(file: FoundFile, dialect: Dialect) -> Iterator[str]:
    """The records of one JSON document, each as it is written there; where the document is not JSON, a finding with the place."""
    try:
        with open_bytes(file, dialect) as stream:
            text = stream.read().decode(dialect.encoding)
    except (OSError, EOFError) as error:
        raise broken(file, error) from error
    except UnicodeDecodeError as error:
        raise UserError(Finding("XDE0403", f"`{file.path}` is not in `{dialect.encoding}`", why=str(error), hint="write the file's encoding as `encoding` of its `xdeDialect`")) from error
    decoder = json.JSONDecoder()
    try:
        document = decoder.decode(text)
        at = text.find("[") if not dialect.records_at else _array_at(text, dialect.records_at, document)
        if not isinstance(_inside(document, dialect.records_at), list):
            yield " ".join(text.split("\n"))
            return
        position = at + 1
        while True:
            while text[position] in " \t\r\n,":
                position += 1
            if text[position] == "]":
                return
            _, end = decoder.raw_decode(text, position)
            yield text[position:end].replace("\n", " ").replace("\r", " ")
            position = end
    except json.JSONDecodeError as error:
        raise UserError(
            Finding("XDE0405", f"`{file.path}` is not a JSON document", why=f"{error.msg} at line {error.lineno}, column {error.colno}", hint="if it holds one document a line, its format is `ndjson`")
        ) from error


def _inside(document: Any, way: str | None) -> Any:  # noqa: ANN401 - a JSON value
    for step in (way or "").split("."):
        document = document.get(step) if step and isinstance(document, dict) else document
    return document


def _array_at(text: str, way: str, document: Any) -> int:  # noqa: ANN401 - a JSON value
    wanted = _inside(document, way)
    position = 0
    for step in way.split("."):
        position = text.index(json.dumps(step), position)
    start = text.index("[", position)
    return start if isinstance(wanted, list) else 0


def sheet_records(file: FoundFile, dialect: Dialect) -> Iterator[str]:
    """The rows of a worksheet below its header, each as a JSON object of texts."""
    try:
        from python_calamine import CalamineError, CalamineWorkbook
    except ImportError as error:
        raise UserError(Finding("XDE0406", "reading Excel files needs a library that is not installed", hint="run `pip install 'xde[excel]'`")) from error
    try:
        book = CalamineWorkbook.from_path(file.location)
        name = dialect.sheet or book.sheet_names[0]
        if name not in book.sheet_names:
            raise UserError(Finding("XDE0407", f"`{file.path}` has no sheet `{name}`", why="its sheets: " + ", ".join(f"`{n}`" for n in book.sheet_names), hint="write one of them as `sheet` of `xdeDialect`"))
        rows = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
    except CalamineError as error:
        raise UserError(Finding("XDE0408", f"`{file.path}` is not a workbook that can be read", why=str(error), hint="open it in a spreadsheet program and save it again")) from error
    if not rows:
        return
    header = [str(c).strip() for c in rows[dialect.skip]]
    for row in rows[dialect.skip + 1 :]:
        yield json.dumps({h: _cell(c) for h, c in zip(header, row, strict=False)}, ensure_ascii=False)


def _cell(value: object) -> str | None:
    if value is None or value == "":
        return None
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value.isoformat(sep=" ") if hasattr(value, "hour") and hasattr(value, "year") else str(value)  # type: ignore[attr-defined]


def write_lines(records: Iterator[str], target: Path) -> int:
    """One record a line; gives their number."""
    count = 0
    with target.open("w", encoding="utf-8", newline="\n") as out:
        for text in records:
            out.write(text + "\n")
            count += 1
    return count


def parquet_text(field: Field) -> str:
    """A column of a Parquet file as text; nested ones as JSON."""
    name = quoted(field.source_name)
    return f"CAST(to_json({name}) AS VARCHAR)" if storable_json(field) else f"CAST({name} AS VARCHAR)"
