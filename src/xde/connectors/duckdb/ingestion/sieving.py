"""A large file of CSV or of lines of JSON straight to Parquet; what cannot be accepted is held back, and staged as a small file of its own.

A stage holds every row once more than is needed. Here a row that is good by itself goes through, and of one that is not its line is
kept; the few lines are then looked at the long way.
"""

from __future__ import annotations

import uuid
from contextlib import contextmanager
from dataclasses import dataclass, replace
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from xde.connectors.duckdb.ingestion.casts import nested
from xde.connectors.duckdb.ingestion.csv_files import Head, stage_csv
from xde.connectors.duckdb.ingestion.line_files import known_members, records_of, stage_file
from xde.connectors.duckdb.ingestion.predicates import predicate
from xde.connectors.duckdb.ingestion.splitting import BOM, Record
from xde.connectors.duckdb.ingestion.stage import text_of
from xde.connectors.duckdb.ingestion.text_files import TextFile
from xde.connectors.duckdb.ingestion.treating import give_keys, kept, not_cast
from xde.connectors.duckdb.ingestion.words import no_balance
from xde.connectors.duckdb.metering import note
from xde.connectors.duckdb.statistics import DATA_FILE, data_file_from_copy
from xde.ground.names import literal, quoted
from xde.kernel.plan.checks import CheckKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from xde.connectors.duckdb.ingestion.csv_files import Opened
    from xde.connectors.duckdb.ingestion.plain_lines import Column, Lines
    from xde.connectors.duckdb.ingestion.stage import Stage
    from xde.connectors.duckdb.ingestion.text_files import Refused
    from xde.lifecycle.ingestion.port import Field, LetterReason, LoadJob
    from xde.lifecycle.storage.port import DataFile

HELD = '"__held"'


@dataclass(frozen=True, slots=True)
class Sieved:
    """What came of a file: the rows that went through, and the records that did not, in their order; those are staged, as `few`."""

    file: TextFile
    through: DataFile
    others: Sequence[Record]
    few: TextFile | None = None

    @property
    def refused(self) -> Mapping[int, Refused]:
        """The records that the reader refused, by their offset among the few."""
        return self.few.refused if self.few is not None else {}

    def letters(self, dataset: str, bad: Mapping[int, Sequence[LetterReason]]) -> list[tuple[Record, Sequence[LetterReason]]]:
        """As `TextFile.letters`, by positions among the records held back: each of these is a line of the few."""
        found: list[tuple[Record, Sequence[LetterReason]]] = []
        offset, position = 0, 0
        for record in self.others:
            refused = self.refused.get(offset)
            offset += len(record.raw) + 1
            if refused is not None:
                found.append((self.file.as_delivered(replace(record, refused=True)), refused.reasons))
                continue
            if position in bad:
                found.append((self.file.as_delivered(record), bad[position]))
            position += 1
        if len(found) != len(bad) + len(self.refused):
            raise no_balance(dataset, self.file.content.file.path, len(self.others), len(self.others) - len(found), len(found))
        return found


def may_be_sieved(job: LoadJob, large: int) -> bool:
    """Whether a load's records can be accepted one by one: a single file, and no rule that looks at several records."""
    alone = job.merging is None and all(c.kind is CheckKind.ROW for c in job.checks)
    fits = job.dialect.format in {"csv", "ndjson"} and len(job.files) == 1 and job.files[0].found.size >= large
    return alone and fits


def sieve(stage: Stage, opened: Opened, columns: Sequence[str], scratch: Path) -> Sieved | None:
    """Write a CSV file's good rows, as some columns in SQL, and stage the others; None, and nothing done, where that cannot be."""
    given = _given(stage, opened)

    def staged(few: TextFile) -> None:
        stage_csv(stage, replace(opened, file=few, head=Head(opened.head.columns, 0)))

    return _sieved(stage, opened.file, given, columns, staged, scratch) if given is not None else None


def sieve_json(stage: Stage, file: TextFile, columns: Sequence[str], scratch: Path) -> Sieved | None:
    """As `sieve`, of lines of JSON."""
    given = _given_json(stage, file)
    return _sieved(stage, file, given, columns, lambda few: stage_file(stage, few), scratch) if given is not None else None


def sieved_lines(stage: Stage, sieved: Sieved) -> int:
    """The number of records of such a file."""
    seen = sieved.through.rows + len(sieved.refused) + stage.rows.get(sieved.file.content.file.path, 0)
    return records_of(sieved.file, seen)


def _sieved(
    stage: Stage, file: TextFile, given: _Given, columns: Sequence[str], staged: Callable[[TextFile], None], scratch: Path
) -> Sieved | None:
    target = Path(stage.job.folder) / f"{uuid.uuid4().hex}.parquet"
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        through, others = _through(stage, given, columns, target)
    except duckdb.Error:
        if not given.lines.given_up:
            raise
        target.unlink(missing_ok=True)
        return None
    marked = bool(others) and others[0].raw.startswith(BOM)  # at the start of a file it would be no text
    if marked or not through.rows:
        target.unlink()
    if marked:
        return None
    if not others:
        return Sieved(file, through, others)
    few = _few(file, others, scratch)
    staged(few)
    return Sieved(file, through, others, few)


@dataclass(frozen=True, slots=True)
class _Given:
    """A file's lines, the SQL of each field among their columns, and the fields whose values are told: of the others it is a text."""

    lines: Lines
    columns: Mapping[str, str]
    told: frozenset[str]


def _given(stage: Stage, opened: Opened) -> _Given | None:
    """None where a record is not its line, or where it is not known what a column is."""
    from xde.connectors.duckdb.ingestion.plain_lines import PlainLines, text_column, told_column

    file, matched, dialect = opened.file, opened.matched, stage.job.dialect
    delimiter = dialect.delimiter.encode()
    if matched is None or matched.new or matched.missing or not file.content.bare or len(opened.columns) < 2 or len(delimiter) != 1:
        return None
    words = (dialect.nulls if not dialect.trim else ()) or ("",)
    places = {quoted(name): n for n, name in enumerate(opened.columns)}
    columns: dict[str, Column] = {}
    for of in stage.job.fields:
        place = places.get(matched.texts[of.name])
        if place is not None:
            told = None if dialect.trim else told_column(of, place, words, dialect.decimal)
            columns[of.name] = told or text_column(place, words)
    lines = PlainLines(file.content, file.above, list(columns.values()), dialect.max_record_bytes, len(opened.columns), delimiter[0])
    chosen = dict(zip(columns, lines.choose(), strict=True))
    sql = {name: f"v{n}" for n, name in enumerate(columns)}
    return _Given(
        lines, {f.name: sql.get(f.name, matched.texts[f.name]) for f in stage.job.fields}, frozenset(n for n in chosen if chosen[n])
    )


def _given_json(stage: Stage, file: TextFile) -> _Given | None:
    """None where what a record has is not told by lines that are written alike."""
    from xde.connectors.duckdb.ingestion.json_lines import JsonLines, form_of
    from xde.connectors.duckdb.ingestion.plain_lines import text_column, told_column

    job, dialect = stage.job, stage.job.dialect
    fields = {f.name: (f.path or (f.source_name,)) for f in job.fields}
    if (
        dialect.trim
        or dialect.decimal != "."
        or dialect.packed
        or dialect.treated
        or not file.content.bare
        or file.content.line_end != r"\n"
    ):
        return None
    if any(nested(f) or len(fields[f.name]) > 1 for f in job.fields):
        return None
    form = form_of(file.content, file.above)
    if form is None or (job.schema_change.new_column != "discard" and not set(known_members(job)).issuperset(form.names)):
        return None
    places = {name: n for n, name in enumerate(form.names)}
    found = {f.name: [places[n] for n in dict.fromkeys((*fields[f.name], *f.also)) if n in places] for f in job.fields}
    if any(len(each) > 1 for each in found.values()):
        return None
    columns = [text_column(n, ()) for n in places.values()]
    for of in job.fields:
        for place in found[of.name]:
            told = told_column(of, place, (), ".") if not of.nulls else None
            columns[place] = told or columns[place]
    lines = JsonLines(file.content, file.above, columns, dialect.max_record_bytes, form)
    chosen = lines.choose()
    sql = {f.name: f"v{found[f.name][0]}" if found[f.name] else "NULL::VARCHAR" for f in job.fields}
    return _Given(lines, sql, frozenset(f.name for f in job.fields if found[f.name] and chosen[found[f.name][0]]))


def _through(stage: Stage, given: _Given, columns: Sequence[str], target: Path) -> tuple[DataFile, list[Record]]:
    """Read a file once: its good rows to Parquet; gives that, and the others in their order."""
    import pyarrow as pa

    lines, cursor = given.lines, stage.cursor
    name = f"lines_{uuid.uuid4().hex}"
    with _holding(stage) as (keep, held):
        cursor.register(name, pa.RecordBatchReader.from_batches(lines.schema, lines.batches()))
        try:
            query = _good_rows(stage, given, name, columns, keep)
            through = data_file_from_copy(cursor.execute(f"COPY ({query}) TO {literal(str(target))} ({DATA_FILE})").fetchall()[0])
            note(cursor)
        finally:
            cursor.unregister(name)
    return through, sorted([*lines.held, *held], key=attrgetter("offset"))


@contextmanager
def _holding(stage: Stage) -> Iterator[tuple[str, list[Record]]]:
    """The name of a function of the engine that keeps a record, and the list that it keeps it in; several threads call it."""
    name, held = f"keep_{uuid.uuid4().hex}", list[Record]()

    def keep(text: str, offset: int, line: int) -> bool:
        held.append(Record(line, offset, text.encode()))
        return True

    stage.cursor.create_function(name, keep, ["VARCHAR", "BIGINT", "BIGINT"], "BOOLEAN", side_effects=True)
    try:
        yield name, held
    finally:
        stage.cursor.remove_function(name)


def _good_rows(stage: Stage, given: _Given, relation: str, columns: Sequence[str], keep: str) -> str:
    """The query of the rows that are good, and that holds the others back as it passes them.

    First a test that most rows pass and that is cheap, then the one that decides. The function that holds has an effect, and so the
    engine neither leaves it out nor asks for it twice.
    """
    own = '"__fine", "__raw", "__at", "__line"'
    sql = {
        f.name: f"CAST({given.columns[f.name]} AS {f.type})" if f.name in given.told else given.columns[f.name] for f in stage.job.fields
    }
    inner, typed, _ = stage.read(sql, given.told)
    if stage.job.private:
        give_keys(stage.cursor, stage.job)
    names = ", ".join(kept(stage.job))
    hold = f'{keep}("__raw", "__at", "__line")'
    plain, wrong = _plain(stage, given.told), _wrong(stage, given.told)
    held = f'CASE WHEN NOT "__fine" THEN true WHEN {plain} THEN NULL WHEN {wrong} THEN {hold} END AS {HELD}'
    return (
        f"SELECT {', '.join(columns)} FROM (SELECT {names}, {held} FROM (SELECT {typed}, {own} "
        f"FROM (SELECT {inner}, {own} FROM {relation}))) WHERE {HELD} IS NULL"
    )


def good_rows(stage: Stage, given: Mapping[str, str], told: frozenset[str], relation: str, number: str, name: str) -> tuple[str, str, str]:
    """What is kept of a record, the query of records with their numbers, and the condition that one of these is good, never missing."""
    inner, typed, _ = stage.read(given, told)
    good = f"(({_plain(stage, told)}) IS TRUE OR ({_wrong(stage, told)}) IS NOT TRUE)"
    return ", ".join(kept(stage.job)), f"SELECT {typed}, {name} FROM (SELECT {inner}, {number} FROM {relation})", good


def _wrong(stage: Stage, told: frozenset[str]) -> str:
    """True of rows that have a wrong value, or break a rule."""
    return " OR ".join(f"({w})" for layer in stage.layers(told)[1:] for _, _, w in layer) or "false"


def _plain(stage: Stage, known: frozenset[str]) -> str:
    """True of rows that are good, cheaply: of most of them."""
    checks = [c for c in stage.row_checks(held=True) if c.proof[:1] != ("not_null",)]
    fields = stage.job.fields
    required = {f.name for f in fields if f.required} | {c.columns[0] for c in stage.row_checks(held=True) if c not in checks}
    told = []
    for field in fields:
        rules = [f"({c.predicate})" for c in checks if c.columns == (field.name,) and c.proof[:1] == ("range",)]
        right = [] if field.name in known else _right(stage, field)
        told += _plainly(field, [*right, *rules], required=field.name in required, text=field.name not in known)
    for check in checks:
        if check.proof[:1] != ("range",) or len(check.columns) != 1:
            sure = required.issuperset(check.columns)  # else what cannot be told is no fault; to ask that costs more
            told.append(f"({predicate(check, fields)}){'' if sure else ' IS NOT FALSE'}")
    told += [f"({wrong}) IS NOT TRUE" for _, _, wrong in not_cast(stage.job)]
    return " AND ".join(told) or "true"


def _right(stage: Stage, field: Field) -> list[str]:
    """What is true where a field's text is a value of its type."""
    of = stage.casts()[field.name]
    if of.wrong == "false":
        return []
    return [f"({of.wrong}) IS NOT TRUE"] if of.plain == "false" else [of.plain]


def _plainly(field: Field, told: Sequence[str], *, required: bool, text: bool) -> list[str]:
    """What is true of a field's good value: that says nothing of a value that is missing."""
    if required:
        return [*told, f"{quoted(field.name)} IS NOT NULL"]
    lost = text_of(field) if text else quoted(field.name)
    return [f"({lost} IS NULL OR ({' AND '.join(told)}))"] if told else []


def _few(file: TextFile, held: Sequence[Record], scratch: Path) -> TextFile:
    """Records as a file of their own lines."""
    path = scratch / uuid.uuid4().hex
    path.write_bytes(b"".join(x.raw + b"\n" for x in held))
    size = path.stat().st_size
    found = replace(file.content.file, size=size)
    content = replace(file.content, file=found, path=str(path), packed="none", line_end=r"\n", lines=len(held))
    return TextFile(content, file.splitting, plain=file.plain)
