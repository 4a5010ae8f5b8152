"""Files of one record a line: JSON by lines, and fields of fixed width."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xde.connectors.duckdb.ingestion.casts import nested
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
    return NO_VALUES if job.schema_change.new_column == "discard" else values_in_json([f.source_name for f in job.fields])


def line_source(relation: str, texts: dict[str, str], new: str = NO_VALUES, *, is_json: bool) -> Source:
    """Lines as a source: numbered from 0, the blank ones left out; a line that is no JSON object is unread."""
    numbered = f"SELECT line, row_number() OVER () - 1 AS nth FROM {relation}"
    filled = f"(SELECT * FROM ({numbered}) WHERE trim(coalesce(line, ''), ' \t\r') <> '')"
    if not is_json:
        return Source(filled, texts, position="nth")
    valid = "CASE WHEN json_valid(line) THEN json_type(line) = 'OBJECT' ELSE false END"
    records = f"(SELECT nth, CASE WHEN {valid} THEN line END AS line FROM {filled})"
    return Source(records, texts, position="nth", unread="line IS NULL", new=new)


def json_text(field: Field) -> str:
    """A field of a record that is one JSON text."""
    path = literal('$."' + field.source_name.replace('"', '\\"') + '"')
    if nested(field):
        return f"CAST(json_extract(line, {path}) AS VARCHAR)"
    return f"json_extract_string(line, {path})"


def fixed_text(field: Field) -> str:
    """A field of a record of fixed width."""
    start, length = field.position or (0, 0)
    return f"nullif(trim(substr(line, {start + 1}, {length})), '')"


def _blank_lines(file: TextFile) -> int:
    with file.content.open() as stream:
        return sum(1 for n, line in enumerate(stream) if n >= file.above and not line.strip(b" \t\r\n"))
