"""Files of one record a line: JSON by lines, and fields of fixed width."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xde.connectors.duckdb.ingestion.casts import DECIMAL, TEXTS, nested
from xde.connectors.duckdb.ingestion.delivered import content
from xde.connectors.duckdb.ingestion.new_columns import NO_VALUES, values_in_json
from xde.connectors.duckdb.ingestion.splitting import Splitting
from xde.connectors.duckdb.ingestion.stage import Source
from xde.connectors.duckdb.ingestion.text_files import TextFile
from xde.ground.names import literal

if TYPE_CHECKING:
    from pathlib import Path

    from xde.connectors.duckdb.ingestion.stage import Stage
    from xde.lifecycle.ingestion.port import Field, LoadJob
    from xde.lifecycle.sources.port import FoundFile

EVERY_LINE = Splitting()
MANY_DIGITS = "[0-9][0-9.]{15}"  # a DOUBLE keeps 15 digits of any number (IEEE 754)
TEXT_OR_NUMBER = r'("(?:[^"\\]|\\.)*")|(-?[0-9]+\.[0-9]+(?:[eE][+-]?[0-9]+)?)'


def stage_lines(stage: Stage, found: FoundFile, scratch: Path) -> tuple[TextFile, int]:
    """Stage a file; gives it with the number of its records, blank lines left out."""
    dialect = stage.job.dialect
    given = content(found, dialect, scratch, EVERY_LINE)
    file = TextFile(given, EVERY_LINE, dialect.skip, dialect.skip, plain=True)
    lines = max(0, given.lines - dialect.skip)
    if not lines:
        return file, 0
    is_json = dialect.format == "ndjson"
    texts = {f.name: json_text(f) if is_json else fixed_text(f) for f in stage.job.fields}
    new = new_in_json(stage.job) if is_json else NO_VALUES
    file.reader(stage.cursor, dialect, ["line"], lambda relation: stage.add(found.path, line_source(relation, texts, new, is_json=is_json)))
    blank = lines - len(file.refused) - stage.rows[found.path]
    return file, lines - _blank_lines(file) if blank else lines


def new_in_json(job: LoadJob) -> str:
    """The SQL of a record's values under names that the contract does not know; nobody asks for them where they are left out."""
    return NO_VALUES if job.schema_change.new_column == "discard" else values_in_json([(f.path or (f.source_name,))[0] for f in job.fields])


def line_source(relation: str, texts: dict[str, str], new: str = NO_VALUES, *, is_json: bool) -> Source:
    """Lines as a source: numbered from 0, the blank ones left out; a line that is no JSON object is unread."""
    numbered = f"SELECT line, row_number() OVER () - 1 AS nth FROM {relation}"
    filled = f"(SELECT * FROM ({numbered}) WHERE trim(coalesce(line, ''), ' \t\r') <> '')"
    if not is_json:
        return Source(filled, texts, position="nth")
    valid = "CASE WHEN json_valid(line) THEN json_type(line) = 'OBJECT' ELSE false END"
    objects = f"SELECT nth, CASE WHEN {valid} THEN line END AS line FROM {filled}"
    records = f"(SELECT nth, line, regexp_matches(line, {literal(MANY_DIGITS)}) AS many FROM ({objects}))"
    return Source(records, texts, position="nth", unread="line IS NULL", new=new)


def json_text(field: Field) -> str:
    """A field of a record that is one JSON text."""
    names = field.path or (field.source_name,)
    path = literal("$" + "".join('."' + n.replace('"', '\\"') + '"' for n in names))
    if nested(field):
        plain = f"CAST(json_extract(line, {path}) AS VARCHAR)"
        if "DECIMAL" not in field.type.upper() and "NUMERIC" not in field.type.upper():
            return plain
        return f"CASE WHEN many THEN CAST(json_extract({in_quotes('line')}, {path}) AS VARCHAR) ELSE {plain} END"
    text = f"json_extract_string(line, {path})"
    if not (DECIMAL.match(field.type.strip().upper()) or field.type.strip().upper() in TEXTS):
        return text
    exact = f"json_extract_string({in_quotes('line')}, {path})"  # the engine reads a number with a point as a DOUBLE
    return f"CASE WHEN many AND json_type(line, {path}) = 'DOUBLE' THEN {exact} ELSE {text} END"


def in_quotes(line: str) -> str:
    """The SQL of a record with its numbers that have a point as texts, so that no reader makes a DOUBLE of them.

    Texts are found together with numbers, so that what stands in one is none; the mark between cannot stand in valid JSON (RFC 8259, 7).
    """
    marked = f"regexp_replace({line}, {literal(TEXT_OR_NUMBER)}, '\\1\x01\\2\x01', 'g')"
    return f"replace(replace({marked}, '\x01\x01', ''), '\x01', '\"')"


def fixed_text(field: Field) -> str:
    """A field of a record of fixed width."""
    start, length = field.position or (0, 0)
    return f"nullif(trim(substr(line, {start + 1}, {length})), '')"


def _blank_lines(file: TextFile) -> int:
    with file.content.open() as stream:
        return sum(1 for n, line in enumerate(stream) if n >= file.above and not line.strip(b" \t\r\n"))
