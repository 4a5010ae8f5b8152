"""A large CSV file straight from its reader to Parquet; what cannot be accepted is held back, and staged as a small file of its own.

A stage holds every row once more than is needed. Here a row that is good by itself goes through, and of one that is not its line is
kept; the few lines are found in the file again, and then looked at the long way.
"""

from __future__ import annotations

import uuid
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from xde.connectors.duckdb.ingestion.predicates import predicate
from xde.connectors.duckdb.ingestion.searching import lines_among
from xde.connectors.duckdb.ingestion.stage import Source, text_of
from xde.connectors.duckdb.ingestion.text_files import TextFile
from xde.connectors.duckdb.metering import note
from xde.connectors.duckdb.statistics import data_file_from_copy
from xde.ground.names import literal, quoted
from xde.kernel.plan.checks import CheckKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from xde.connectors.duckdb.ingestion.casts import Cast
    from xde.connectors.duckdb.ingestion.csv_files import Matched, Opened
    from xde.connectors.duckdb.ingestion.splitting import Record
    from xde.connectors.duckdb.ingestion.stage import Stage
    from xde.lifecycle.ingestion.port import Field, LetterReason, LoadJob
    from xde.lifecycle.storage.port import DataFile

LARGE = 16_000_000  # bytes: what a stage costs a smaller file is not worth the start of a function of Python in the engine
HELD = '"__held"'


@dataclass(frozen=True, slots=True)
class Sieved:
    """What came of a file: the rows that went through, and the records that did not, in their order; those held back are staged."""

    file: TextFile
    through: DataFile
    others: Sequence[Record]

    @property
    def refused(self) -> Mapping[int, object]:
        """The records that the reader refused, by their offset."""
        return self.file.refused

    def letters(self, _: str, bad: Mapping[int, Sequence[LetterReason]]) -> list[tuple[Record, Sequence[LetterReason]]]:
        """As `TextFile.letters`, by positions among the records held back."""
        found: list[tuple[Record, Sequence[LetterReason]]] = []
        position = 0
        for record in self.others:
            if record.refused:
                found.append((self.file.as_delivered(record), self.file.refused[record.offset].reasons))
                continue
            if position in bad:
                found.append((self.file.as_delivered(record), bad[position]))
            position += 1
        return found


def may_be_sieved(job: LoadJob, large: int) -> bool:
    """Whether a load's records can be accepted one by one: a single file, and no rule that looks at several records."""
    alone = job.merging is None and all(c.kind is CheckKind.ROW for c in job.checks)
    fits = job.dialect.format == "csv" and len(job.files) == 1 and job.files[0].found.size >= large
    return alone and fits and find_spec("numpy") is not None  # without NumPy the engine calls no function of Python


def sieve(stage: Stage, opened: Opened, columns: Sequence[str], scratch: Path) -> Sieved | None:
    """Write a file's good rows, as some columns in SQL, and stage the others; None, and nothing done, where a record is not its line."""
    file, matched = opened.file, opened.matched
    if matched is None or matched.new or matched.missing or not file.content.bare or len(opened.columns) < 2:
        return None
    target = Path(stage.job.folder) / f"{uuid.uuid4().hex}.parquet"
    target.parent.mkdir(parents=True, exist_ok=True)
    through, lines = _through(stage, opened, matched, columns, target)
    others = _found_again(file, lines)
    held = [r.raw for r in others if not r.refused]
    told = Counter(held) == Counter(lines) and len(others) - len(held) == len(file.refused)
    if not told or not through.rows:
        target.unlink()
    if not told:  # the reader has made something else of a line than its fields
        file.refused.clear()
        return None
    if held:
        _stage(stage, opened, matched, held, scratch)
    return Sieved(file, through, others)


def _through(stage: Stage, opened: Opened, matched: Matched, columns: Sequence[str], target: Path) -> tuple[DataFile, list[bytes]]:
    """Read a file once: its good rows to Parquet; gives that, and the lines of the others in no order."""
    dialect = stage.job.dialect
    word, *words = (dialect.nulls if not dialect.trim else ()) or ("",)
    line = f"concat_ws({literal(dialect.delimiter)}, {', '.join(f'coalesce({c}, {literal(word)})' for c in opened.columns)})"
    texts = {name: _or_missing(text, words) for name, text in matched.texts.items()}
    rows: list[DataFile] = []
    with _holding(stage) as (keep, lines):

        def read(relation: str) -> None:
            query = _good_rows(stage, Source(relation, texts), columns, f"{keep}({line})", opened.columns)
            how = "FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, RETURN_STATS"
            rows.append(data_file_from_copy(stage.cursor.execute(f"COPY ({query}) TO {literal(str(target))} ({how})").fetchall()[0]))
            note(stage.cursor)

        # a word for missing that is not the only one would not be known again: the reader knows but one
        opened.file.reader(stage.cursor, replace(dialect, nulls=(word,)), opened.columns, read)
    return rows[0], [x.encode() for x in lines]


@contextmanager
def _holding(stage: Stage) -> Iterator[tuple[str, list[str]]]:
    """The name of a function of the engine that keeps a text, and the list that it keeps it in; several threads call it."""
    name, texts = f"keep_{uuid.uuid4().hex}", list[str]()

    def keep(text: str) -> bool:
        texts.append(text)
        return True

    stage.cursor.create_function(name, keep, ["VARCHAR"], "BOOLEAN", side_effects=True)
    try:
        yield name, texts
    finally:
        stage.cursor.remove_function(name)


def _good_rows(stage: Stage, source: Source, columns: Sequence[str], hold: str, whole: Sequence[str]) -> str:
    """The query of the rows that are good, and that holds the others back as it passes them.

    First a test that most rows pass and that is cheap, then the one that decides. The function that holds has an effect, and so the
    engine neither leaves it out nor asks for it twice.
    """
    fields, casts = stage.job.fields, stage.casts()
    inner = ", ".join(f"{stage.nulled(f, source.texts[f.name])} AS {text_of(f)}" for f in fields)
    typed = ", ".join(f"{casts[f.name].value} AS {quoted(f.name)}" for f in fields)
    texts = ", ".join(text_of(f) for f in fields)
    names = ", ".join(quoted(f.name) for f in fields)
    _, wrong_types, broken_rules = stage.layers()
    wrong = " OR ".join(f"({w})" for _, _, w in (*wrong_types, *broken_rules)) or "false"
    held = f"CASE WHEN {_plain(stage)} THEN NULL WHEN {wrong} THEN {hold} END AS {HELD}"
    own = ", ".join(whole)
    return (
        f"SELECT {', '.join(columns)} FROM (SELECT {names}, {held} FROM (SELECT {typed}, {texts}, {own} "
        f"FROM (SELECT {inner}, {own} FROM {source.relation}))) WHERE {HELD} IS NULL"
    )


def _plain(stage: Stage) -> str:
    """True of rows that are good, cheaply: of most of them."""
    checks = [c for c in stage.row_checks(held=True) if c.proof[:1] != ("not_null",)]
    fields = stage.job.fields
    required = {f.name for f in fields if f.required} | {c.columns[0] for c in stage.row_checks(held=True) if c not in checks}
    told = []
    for field in fields:
        rules = [f"({c.predicate})" for c in checks if c.columns == (field.name,) and c.proof[:1] == ("range",)]
        told += _plainly(field, stage.casts()[field.name], rules, required=field.name in required)
    for check in checks:
        if check.proof[:1] != ("range",) or len(check.columns) != 1:
            sure = required.issuperset(check.columns)  # else what cannot be told is no fault; to ask that costs more
            told.append(f"({predicate(check, fields)}){'' if sure else ' IS NOT FALSE'}")
    return " AND ".join(told) or "true"


def _plainly(field: Field, of: Cast, ranges: Sequence[str], *, required: bool) -> list[str]:
    """What is true of a field's good value, with the ranges that it lies in: they say nothing of a value that is missing."""
    told = [*([] if of.wrong == "false" else [f"({of.wrong}) IS NOT TRUE"] if of.plain == "false" else [of.plain]), *ranges]
    if required:
        return [*told, *([f"{quoted(field.name)} IS NOT NULL"] if of.plain == "false" else [])]
    return [f"({text_of(field)} IS NULL OR ({' AND '.join(told)}))"] if told else []


def _or_missing(text: str, words: Sequence[str]) -> str:
    return f"CASE WHEN {text} IN ({', '.join(map(literal, words))}) THEN NULL ELSE {text} END" if words else text


def _found_again(file: TextFile, lines: Sequence[bytes]) -> list[Record]:
    """The records that did not go through, where they stand in their file."""
    if not lines and not file.refused:
        return []
    wanted = set(lines)
    if not file.content.line_end:
        wanted = {x + b"\r" for x in wanted}
    with file.content.open() as stream:
        return list(lines_among(stream, wanted, sorted(file.refused), file.above))


def _stage(stage: Stage, opened: Opened, matched: Matched, held: Sequence[bytes], scratch: Path) -> None:
    """Stage records as a file of their own lines."""
    few = scratch / uuid.uuid4().hex
    few.write_bytes(b"".join(x + b"\n" for x in held))
    given = replace(opened.file.content, path=str(few), packed="none", line_end=r"\n")
    path = given.file.path

    def read(relation: str) -> None:
        stage.add(path, Source(relation, matched.texts, new=matched.values))

    TextFile(given, opened.file.splitting).reader(stage.cursor, stage.job.dialect, opened.columns, read)
