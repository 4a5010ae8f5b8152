"""Files that are one document: JSON, workbooks, Parquet. Their records have no lines; each is known by its number."""

from __future__ import annotations

import json
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING

import duckdb

from xde.connectors.duckdb.ingestion.casts import INTEGERS, nested
from xde.connectors.duckdb.ingestion.csv_files import match_columns, named
from xde.connectors.duckdb.ingestion.delivered import CUT, broken, encoding_of, not_in_encoding, open_bytes
from xde.connectors.duckdb.ingestion.line_files import Members, json_source, new_in_json
from xde.connectors.duckdb.ingestion.stage import Source
from xde.ground.errors import UserError
from xde.ground.findings import Finding
from xde.ground.names import did_you_mean, literal, quoted
from xde.ground.raw_json import BLANK, elements, on_one_line, place
from xde.lifecycle.ingestion.port import Field

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from xde.connectors.duckdb.ingestion.csv_files import Matched
    from xde.connectors.duckdb.ingestion.stage import Bad, Stage
    from xde.lifecycle.ingestion.port import Dialect
    from xde.lifecycle.sources.port import FoundFile


def stage_json(stage: Stage, found: FoundFile, scratch: Path) -> list[str]:
    """Stage the records of a JSON document; gives each as it is written there."""
    written = list(json_records(found, stage.job.dialect))
    members = Members()
    texts = {f.name: members.text(f) for f in stage.job.fields}
    _stage_lines(stage, found, scratch, map(on_one_line, written), lambda lines: json_source(lines, texts, members, new_in_json(stage.job)))
    return written


def stage_sheet(stage: Stage, found: FoundFile, scratch: Path) -> tuple[dict[int, str], Matched | None]:
    """Stage the rows of a worksheet below its header; gives each as JSON, by its row number, in their order."""
    header, rows = sheet_rows(found, stage.job.dialect)
    if not header:
        return {}, None
    matched = match_columns(stage.job, found, header, header)
    written = {n: json.dumps(dict(zip(header, row, strict=True)), ensure_ascii=False) for n, row in rows}
    members = Members()
    fields = [replace(named(f, found, header), also=()) for f in stage.job.fields]
    texts = {f.name: matched.texts[f.name] if f.source_name not in header else members.text(f) for f in fields}
    values = replace(matched, new={n: members.text(Field(n, n, "VARCHAR")) for n in matched.new}).values
    _stage_lines(stage, found, scratch, iter(written.values()), lambda lines: json_source(lines, texts, members, values))
    return written, matched


def _stage_lines(stage: Stage, found: FoundFile, scratch: Path, lines: Iterator[str], source: Callable[[str], Source]) -> None:
    """Stage lines of JSON; `source` makes one of their relation."""
    target = scratch / uuid.uuid4().hex
    with target.open("w", encoding="utf-8", newline="\n") as out:
        for line in lines:
            out.write(line + "\n")
    if not target.stat().st_size:
        return
    relation = (
        f"read_csv({literal(str(target))}, columns = {{'line': 'VARCHAR'}}, auto_detect = false, header = false, delim = '\x01', "
        f"quote = '', escape = '', nullstr = '\x02', compression = 'none', max_line_size = {stage.job.dialect.max_record_bytes:d})"
    )
    stage.add(found.path, source(relation))


def stage_parquet(stage: Stage, found: FoundFile) -> tuple[int, Matched, dict[str, str]]:
    """Stage a Parquet file, and give the types of its new columns; values take the way of all values, as text: none is rounded unseen."""
    types = parquet_types(stage.cursor, found)
    given = list(types)
    matched = match_columns(stage.job, found, given, given)
    new = {n: _parquet_text(Field(n, n, types[n])) for n in matched.new}
    fields = [named(f, found, given) for f in stage.job.fields]
    texts = {f.name: _parquet_text(f) if f.source_name in given else matched.texts[f.name] for f in fields}
    relation = f"(SELECT *, to_json(__row) AS __record FROM read_parquet({literal(found.location)}) AS __row)"
    stage.add(found.path, Source(relation, texts, raw="CAST(__record AS VARCHAR)", new=replace(matched, new=new).values))
    counted = stage.cursor.execute(f"SELECT sum(num_rows) FROM parquet_file_metadata({literal(found.location)})").fetchall()
    return int(counted[0][0] or 0), matched, {n: types[n] for n in new}


def parquet_columns(cursor: duckdb.DuckDBPyConnection, found: FoundFile) -> list[str]:
    """The columns of a Parquet file."""
    return list(parquet_types(cursor, found))


def parquet_records(cursor: duckdb.DuckDBPyConnection, found: FoundFile, bad: Sequence[Bad]) -> list[Bad]:
    """Records that are not accepted, each with its text: of those that were refused beside others the stage has none."""
    wanted = ", ".join(str(b.position) for b in bad if b.raw is None)
    if not wanted:
        return list(bad)
    records = f"SELECT file_row_number, CAST(to_json(__row) AS VARCHAR) FROM read_parquet({literal(found.location)}) AS __row"
    query = f"{records} WHERE file_row_number IN ({wanted})"
    texts = {int(n): str(text) for n, text in cursor.execute(query).fetchall()}
    return [replace(b, raw=texts[b.position]) if b.raw is None else b for b in bad]


def parquet_texts(cursor: duckdb.DuckDBPyConnection, found: FoundFile) -> dict[str, str]:
    """The SQL of the text of each column of a Parquet file."""
    return {n: _parquet_text(Field(n, n, kind)) for n, kind in parquet_types(cursor, found).items()}


def parquet_types(cursor: duckdb.DuckDBPyConnection, found: FoundFile) -> dict[str, str]:
    """The columns of a Parquet file with their types."""
    try:
        return {r[0]: str(r[1]) for r in cursor.execute(f"DESCRIBE SELECT * FROM read_parquet({literal(found.location)})").fetchall()}
    except duckdb.InterruptException:
        raise
    except duckdb.Error as error:
        raise UserError(
            Finding(
                "XDE0409",
                f"`{found.path}` is not a Parquet file that can be read",
                why=" ".join(str(error).split())[:200],
                hint="deliver it again, under another name until it is whole",
            )
        ) from error


def _parquet_text(field: Field) -> str:
    name = quoted(field.source_name)
    if nested(field):
        return f"CAST(to_json({name}) AS VARCHAR)"
    if field.type.strip().upper() in INTEGERS:  # a whole number may have been kept as 1.0
        return f"regexp_replace(CAST({name} AS VARCHAR), '[.]0+$', '')"
    return f"CAST({name} AS VARCHAR)"


def json_records(file: FoundFile, dialect: Dialect) -> Iterator[str]:
    """The records of one JSON document, each as it is written there; where the document is not JSON, a finding with the place."""
    encoding = encoding_of(dialect)
    try:
        with open_bytes(file, dialect) as stream:
            text = stream.read().decode("utf-8-sig" if encoding == "utf-8" else encoding)
    except UnicodeError as error:
        raise not_in_encoding(file, dialect, error) from error
    except CUT as error:
        raise broken(file, error) from error
    if not text.strip(BLANK):
        return iter(())
    try:
        json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        wrong = (
            f"{error.msg} at line {error.lineno}, column {error.colno}"
            if isinstance(error, json.JSONDecodeError)
            else "it is nested too deep"
        )
        raise UserError(
            Finding(
                "XDE0405",
                f"`{file.path}` is not a JSON document",
                why=wrong,
                hint="if it holds one document a line, its format is `ndjson`",
            )
        ) from error
    start = place(text, [step for step in (dialect.records_at or "").split(".") if step])
    if start >= 0 and text[start] == "[":
        return (raw for raw, _ in elements(text, start))
    if start >= 0 and not dialect.records_at and text[start] == "{":
        return iter((text.strip(BLANK),))
    where = f"no list of records at `{dialect.records_at}`" if dialect.records_at else "neither a list of records nor a record"
    raise UserError(
        Finding(
            "XDE0415", f"`{file.path}` holds {where}", hint="write the way to the list as `recordsAt` of `xdeDialect`, such as `data.items`"
        )
    )


def sheet_rows(file: FoundFile, dialect: Dialect) -> tuple[list[str], Sequence[tuple[int, list[str | None]]]]:
    """The header of a worksheet, and its rows below that are not empty, each with its number (from 1) and a text for each cell."""
    try:
        from python_calamine import CalamineError, CalamineWorkbook
    except ImportError as error:
        raise UserError(
            Finding("XDE0406", "reading Excel files needs a library that is not installed", hint="run `pip install 'xde[excel]'`")
        ) from error
    try:
        book = CalamineWorkbook.from_path(file.location)
        name = dialect.sheet or book.sheet_names[0]
        if name not in book.sheet_names:
            raise UserError(
                Finding(
                    "XDE0407",
                    f"`{file.path}` has no sheet `{name}`",
                    why="its sheets: " + ", ".join(f"`{n}`" for n in book.sheet_names),
                    hint=did_you_mean(name, book.sheet_names) or "write one of them as `sheet` of `xdeDialect`",
                )
            )
        rows = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
    except CalamineError as error:
        raise UserError(
            Finding(
                "XDE0408",
                f"`{file.path}` is not a workbook that can be read",
                why=str(error),
                hint="open it in a spreadsheet program and save it again",
            )
        ) from error
    if len(rows) <= dialect.skip:
        return [], ()
    header = [str(c).strip() for c in rows[dialect.skip]]
    while header and not header[-1]:
        header.pop()
    below = [(n, [_cell(c) for c in row[: len(header)]]) for n, row in enumerate(rows[dialect.skip + 1 :], dialect.skip + 2)]
    return header, [(n, row) for n, row in below if any(c is not None for c in row)]


def _cell(value: object) -> str | None:
    if value is None or value == "":
        return None
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value.isoformat(sep=" ") if hasattr(value, "hour") and hasattr(value, "year") else str(value)  # type: ignore[attr-defined]
