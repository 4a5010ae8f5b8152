"""Files of one record a line: JSON by lines, and fields of fixed width."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING

from xde.connectors.duckdb.ingestion.casts import DECIMAL, TEXTS, nested
from xde.connectors.duckdb.ingestion.delivered import LARGE, content
from xde.connectors.duckdb.ingestion.new_columns import NO_VALUES, values_in_json
from xde.connectors.duckdb.ingestion.searching import MANY_DIGITS, may_have_long_numbers
from xde.connectors.duckdb.ingestion.splitting import Splitting
from xde.connectors.duckdb.ingestion.stage import Source
from xde.connectors.duckdb.ingestion.text_files import TextFile
from xde.connectors.duckdb.ingestion.within import has_numbers, in_quotes
from xde.ground.names import literal
from xde.lifecycle.ingestion.at_the_door import REFUSED

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from pathlib import Path

    from xde.connectors.duckdb.ingestion.stage import Stage
    from xde.lifecycle.ingestion.port import Field, LoadJob
    from xde.lifecycle.sources.port import FoundFile

EVERY_LINE = Splitting()
REFUSED_AT = f'$."{REFUSED}"'
FIRST, FORMS = 200, 4  # how many records are looked at, for how many orders of their names


def open_lines(job: LoadJob, found: FoundFile, scratch: Path) -> TextFile:
    """Look at a file."""
    given = content(found, job.dialect, scratch, EVERY_LINE)
    return TextFile(given, EVERY_LINE, job.dialect.skip, job.dialect.skip, plain=True)


def stage_lines(stage: Stage, file: TextFile) -> int:
    """Stage a file; gives the number of its records."""
    if file.content.lines <= file.above:
        return 0
    stage_file(stage, file)
    return records_of(file, len(file.refused) + stage.rows[file.content.file.path])


def stage_file(stage: Stage, file: TextFile) -> None:
    """Stage a file that has lines."""
    dialect = stage.job.dialect
    make = _json(stage.job, file) if dialect.format == "ndjson" else _fixed(stage.job)
    file.reader(stage.cursor, dialect, ["line"], lambda relation: stage.add(file.content.file.path, make(relation)))


def records_of(file: TextFile, seen: int) -> int:
    """The number of a file's records, blank lines left out, where the reader has seen so many."""
    lines = max(0, file.content.lines - file.above)
    return lines if seen == lines else lines - _blank_lines(file)


def _json(job: LoadJob, file: TextFile) -> Callable[[str], Source]:
    members = Members()
    texts = {f.name: members.text(f) for f in job.fields}
    new = new_in_json(job, _usual(file, known_members(job)))
    refused = f"json_extract_string(line, {literal(REFUSED_AT)})" if job.dialect.treated else ""
    many = members.doubtful
    if many and file.content.file.size >= LARGE:
        with file.content.open() as stream:
            many = may_have_long_numbers(stream)
    return lambda relation: replace(json_source(relation, texts, members, new, many=many), refused=refused)


def _fixed(job: LoadJob) -> Callable[[str], Source]:
    texts = {f.name: fixed_text(f) for f in job.fields}
    return lambda relation: Source(_numbered(relation), texts, position="nth")


def new_in_json(job: LoadJob, usual: Collection[tuple[str, ...]] = ()) -> str:
    """The SQL of a record's values under names that the contract does not know; nobody asks for them where they are left out.

    `usual` are names as many records have them, in their order, all known: such a record is passed over at once.
    """
    if job.schema_change.new_column == "discard":
        return NO_VALUES
    others = values_in_json(known_members(job))
    if not usual:
        return others
    listed = ", ".join(f"[{', '.join(map(literal, names))}]" for names in usual)
    return f"CASE WHEN keys IN ({listed}) THEN NULL ELSE {others} END"


def known_members(job: LoadJob) -> list[str]:
    """The names at the top of a record that the contract knows."""
    own = [REFUSED] if job.dialect.treated else []
    return own + [n for f in job.fields for n in ((f.path or (f.source_name,))[0], *f.also)]


def _usual(file: TextFile, known: Collection[str]) -> list[tuple[str, ...]]:
    """The names of the first records as they stand there, where all are known."""
    names = set(known)
    found: dict[tuple[str, ...], None] = {}
    with file.content.open() as stream, suppress(ValueError, RecursionError):  # a record that is none is told by the engine
        for line in islice(stream, file.above, file.above + FIRST):
            record = json.loads(line) if line.strip() else None
            if isinstance(record, dict) and names.issuperset(record):
                found[tuple(record)] = None
    return list(found)[:FORMS]


def _numbered(relation: str) -> str:
    """Lines numbered from 0, then the blank ones left out."""
    numbered = f"SELECT line, row_number() OVER () - 1 AS nth FROM {relation}"
    filled = "CASE WHEN starts_with(line, '{') THEN true ELSE trim(coalesce(line, ''), ' \t\r') <> '' END"  # to trim a long line is dear
    return f"(SELECT * FROM ({numbered}) WHERE {filled})"


def json_source(relation: str, texts: Mapping[str, str], members: Members, new: str = NO_VALUES, *, many: bool = True) -> Source:
    """Lines of JSON as a source; one that is no JSON object is unread. `many`: some may have numbers of more digits than a DOUBLE."""
    objects = f"SELECT nth, CASE WHEN coalesce(TRY(json_type(line)) = 'OBJECT', false) THEN line END AS line FROM {_numbered(relation)}"
    digits = f"regexp_matches(line, {literal(MANY_DIGITS)})" if many else "false"
    keys = "json_keys(line)" if new != NO_VALUES else "NULL"
    records = f"(SELECT nth, line, {digits} AS many, {members.column()}, {keys} AS keys FROM ({objects}))"
    return Source(records, texts, position="nth", unread="line IS NULL", new=new)


@dataclass(slots=True)
class Members:
    """What is taken from a record by one look at its JSON: to ask for each member by itself reads the whole record as many times."""

    paths: list[str] = field(default_factory=list)
    doubtful: bool = False  # a number with a point may be kept in a type that holds more of its digits than a DOUBLE

    def text(self, of: Field) -> str:
        """The SQL of a field's text, under the first of its names that a record has."""
        if of.also:
            others = (replace(of, source_name=n, path=(), also=()) for n in of.also)
            return f"coalesce({', '.join(map(self.text, (replace(of, also=()), *others)))})"
        names = of.path or (of.source_name,)
        path = literal("$" + "".join('."' + n.replace('"', '\\"') + '"' for n in names))
        kind = of.type.strip().upper()
        if nested(of):
            plain = f"CAST(json_extract(line, {path}) AS VARCHAR)"
            if not has_numbers(of.type):
                return plain
            self.doubtful = True
            return f"CASE WHEN many THEN CAST(json_extract({in_quotes('line')}, {path}) AS VARCHAR) ELSE {plain} END"
        self.paths.append(path)
        text = f"members[{len(self.paths)}]"
        if not (DECIMAL.match(kind) or kind in TEXTS):
            return text
        self.doubtful = True
        exact = f"json_extract_string({in_quotes('line')}, {path})"  # the engine reads a number with a point as a DOUBLE
        return f"CASE WHEN many AND json_type(line, {path}) = 'DOUBLE' THEN {exact} ELSE {text} END"

    def column(self) -> str:
        """The column that the texts are taken from."""
        return f"json_extract_string(line, [{', '.join(self.paths)}]) AS members" if self.paths else "NULL::VARCHAR[] AS members"


def fixed_text(field: Field) -> str:
    """A field of a record of fixed width."""
    start, length = field.position or (0, 0)
    return f"nullif(trim(substr(line, {start + 1}, {length})), '')"


def _blank_lines(file: TextFile) -> int:
    with file.content.open() as stream:
        return sum(1 for n, line in enumerate(stream) if n >= file.above and not line.strip(b" \t\r\n"))
