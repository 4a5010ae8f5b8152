"""CSV files: the header matched with the contract, then every column read as text."""

from __future__ import annotations

import csv
import io
import re
import shutil
import uuid
from dataclasses import dataclass, replace
from typing import IO, TYPE_CHECKING, Literal, TextIO

from xde.connectors.duckdb.ingestion.delivered import CUT, broken, content, encoding_of, not_in_encoding, open_bytes
from xde.connectors.duckdb.ingestion.new_columns import NO_VALUES, refused_columns, values_of
from xde.connectors.duckdb.ingestion.splitting import Splitting, records
from xde.connectors.duckdb.ingestion.stage import Source
from xde.connectors.duckdb.ingestion.text_files import TextFile
from xde.ground.errors import UserError
from xde.ground.findings import Finding
from xde.ground.names import did_you_mean, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from xde.connectors.duckdb.ingestion.delivered import Content
    from xde.connectors.duckdb.ingestion.stage import Stage
    from xde.lifecycle.ingestion.port import Dialect, Field, LoadJob
    from xde.lifecycle.sources.port import FoundFile


@dataclass(frozen=True, slots=True)
class Head:
    """The names of a file's columns, and how many physical lines stand before its first record."""

    columns: tuple[str, ...]
    lines: int


@dataclass(frozen=True, slots=True)
class Matched:
    """The SQL of each field's text, and of the texts of columns that the contract does not know, where the policy asks for them.

    `missing` are the fields that a letter's own header lacks: it stays a letter. `absent` are all that the file does not have.
    """

    texts: Mapping[str, str]
    new: Mapping[str, str]
    missing: Sequence[str] = ()
    absent: Sequence[str] = ()

    @property
    def values(self) -> str:
        """The SQL of a record's values in columns that the contract does not know."""
        return values_of(self.new) if self.new else NO_VALUES


def columns_of(found: FoundFile, dialect: Dialect) -> tuple[str, ...]:
    """The names that a file's header shows, read from its first bytes alone."""
    with open_bytes(found, dialect) as stream, _text(stream, encoding_of(dialect), "") as text:
        return _head(found, dialect, text).columns


def head_of(given: Content, dialect: Dialect) -> Head:
    """The header: the first record that is neither blank nor a comment, below the lines to skip."""
    with given.open() as stream, _text(stream, "utf-8", "\n") as text:
        return _head(given.file, dialect, text)


def _text(stream: IO[bytes], encoding: str, newline: str) -> io.TextIOWrapper:
    """Only the header must be text: what is wrong further down makes letters."""
    if encoding == "utf-8":
        return io.TextIOWrapper(stream, encoding="utf-8-sig", errors="surrogateescape", newline=newline)
    return io.TextIOWrapper(stream, encoding=encoding, newline=newline)


def _head(found: FoundFile, dialect: Dialect, text: TextIO) -> Head:
    try:
        lines = _Lines(text, dialect.skip)
        names = next((r for r in _rows(lines, dialect) if r and not _is_comment(r, dialect)), [])
        "".join(names).encode()
    except UnicodeError as error:
        raise not_in_encoding(found, dialect, error) from error
    except csv.Error as error:
        raise UserError(
            Finding(
                "XDE0413", f"the header of `{found.path}` cannot be read", why=str(error), hint="open the file and look at its first line"
            )
        ) from error
    except CUT as error:
        raise broken(found, error) from error
    trimmed = [n.strip() for n in names] if dialect.trim else names
    return Head(tuple(trimmed), lines.read)


class _Lines:
    """Physical lines, counted as they are read, after some that are passed over."""

    def __init__(self, text: TextIO, skip: int) -> None:
        self._text = text
        self.read = 0
        for _ in range(skip):
            next(self, "")

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._text.readline()
        if not line:
            raise StopIteration
        self.read += 1
        return line


def _rows(lines: _Lines, dialect: Dialect) -> Iterator[list[str]]:
    if len(dialect.delimiter) == 1:
        quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if dialect.quote else csv.QUOTE_NONE
        double = dialect.escape in {"", dialect.quote}
        escape = None if double else dialect.escape
        quote = dialect.quote or None
        yield from csv.reader(lines, delimiter=dialect.delimiter, quotechar=quote, quoting=quoting, doublequote=double, escapechar=escape)
        return
    for line in lines:
        text = line.rstrip("\r\n")
        yield [_unquoted(part, dialect.quote) for part in text.split(dialect.delimiter)] if text else []


def _unquoted(text: str, quote: str) -> str:
    wrapped = quote and len(text) > 1 and text.startswith(quote) and text.endswith(quote)
    return text[1:-1].replace(quote * 2, quote) if wrapped else text


def _is_comment(row: Sequence[str], dialect: Dialect) -> bool:
    return dialect.comment is not None and row[0].startswith(dialect.comment)


def named(field: Field, found: FoundFile, given: Sequence[str]) -> Field:
    """A field by the one of its names that a file has for it."""
    there = [n for n in field.names if n in given]
    if len(there) > 1:
        why = f"the contract says that both are names of `{field.name}`"
        hint = "take the one that is another column out of `xdeAlsoNamed`"
        raise UserError(Finding("XDE0416", f"`{found.path}` has both `{there[0]}` and `{there[1]}`", why=why, hint=hint))
    return replace(field, source_name=there[0]) if there else field


def match_columns(job: LoadJob, found: FoundFile, given: Sequence[str], columns: Sequence[str]) -> Matched:
    """Which column of a file (named `given` there and `columns` in SQL) is which field, by the policy for new and missing ones."""
    known = {n for f in job.fields for n in f.names}
    if job.private and known.isdisjoint(given):
        raise _no_header(found)
    places = {name: quoted(column) for name, column in zip(given, columns, strict=True)}
    texts: dict[str, str] = {}
    evolved = {c.name for c in job.evolved}
    missing: list[Field] = []
    for field in (named(f, found, given) for f in job.fields):
        if given.count(field.source_name) > 1:
            raise _two_columns(found, field.source_name)
        if field.source_name not in places and field.name not in evolved:
            missing.append(field)
        texts[field.name] = places.get(field.source_name, "NULL::VARCHAR")
    if missing and job.schema_change.missing_column == "freeze":
        raise _no_column(found, missing[0].source_name, given)
    lacking = [f.name for f in missing if job.schema_change.missing_column == "quarantine"]
    absent = [f.name for f in missing]
    new = tuple(dict.fromkeys(name for name in given if name not in known))
    if new and job.schema_change.new_column == "freeze":
        raise refused_columns(job.dataset, found, new)
    if not new or job.schema_change.new_column == "discard":
        return Matched(texts, {}, lacking, absent)
    doubled = next((n for n in new if given.count(n) > 1), None)
    if doubled is not None and job.schema_change.new_column == "evolve":
        raise _two_columns(found, doubled)
    every = {n: ", ".join(quoted(c) for g, c in zip(given, columns, strict=True) if g == n) for n in new}
    return Matched(texts, {n: f"coalesce({c})" if ", " in c else c for n, c in every.items()}, lacking, absent)


def _no_header(found: FoundFile) -> UserError:
    why = "its first line is not shown: where a header is missing that is a record, and this source has in-flight steps"
    hint = "say `header: false` in `xdeDialect` if it has none, or mend the contract"
    return UserError(Finding("XDE0338", f"`{found.path}` has none of the columns of its contract", why=why, hint=hint))


def _no_column(found: FoundFile, name: str, given: Sequence[str]) -> UserError:
    return UserError(
        Finding(
            "XDE0411",
            f"`{found.path}` has no column `{name}`",
            why="its columns: " + ", ".join(f"`{g}`" for g in list(given)[:30]),
            hint=did_you_mean(name, given) or "mend the contract, or allow it with `missingColumn: evolve` in `xdeSchemaChange`",
        )
    )


def _two_columns(found: FoundFile, name: str) -> UserError:
    return UserError(
        Finding(
            "XDE0416",
            f"`{found.path}` has two columns `{name}`",
            why="nobody can tell which of them the contract means",
            hint="have the file delivered with a name for each column",
        )
    )


@dataclass(frozen=True, slots=True)
class Opened:
    """A CSV file about to be read: the names of its columns in SQL, and whose texts they are; nobody's where it has no record."""

    file: TextFile
    head: Head
    columns: Sequence[str]
    matched: Matched | None

    def records(self, seen: int) -> int:
        """The number of its records, apart from the reader, which has seen so many."""
        self.file.plain = self.file.content.lines - self.head.lines == seen
        return seen if self.file.plain else self.file.count()


def open_csv(job: LoadJob, found: FoundFile, scratch: Path, header: Sequence[str] = ()) -> Opened:
    """Look at a CSV file; `header` names the columns of one without its own."""
    dialect = job.dialect
    given = content(found, dialect, scratch, Splitting.of_csv(dialect, 0))
    head = head_of(given, dialect) if dialect.header else Head(tuple(header) or tuple(f.source_name for f in job.fields), dialect.skip)
    splitting = Splitting.of_csv(dialect, len(head.columns))
    if splitting.blanks:
        given = content(found, dialect, scratch, splitting)
    given, rows = _with_plain_head(given, head, dialect, splitting, scratch)
    file = TextFile(given, splitting, head.lines, rows)
    if not given.lines or not head.columns:
        return Opened(file, head, (), None)
    columns = [f"c{n}" for n in range(len(head.columns))]
    return Opened(file, head, columns, match_columns(job, found, head.columns, columns))


def stage_csv(stage: Stage, opened: Opened) -> int:
    """Stage a CSV file; gives the number of its records."""
    file, matched = opened.file, opened.matched
    path = file.content.file.path
    if matched is None:
        return 0

    def read(relation: str) -> None:
        # a reader that is not asked for a column does not see what is wrong in it
        whole = relation
        if len(opened.columns) > len(stage.job.fields):
            stage.cursor.execute(f"CREATE OR REPLACE TEMP TABLE whole AS SELECT * FROM {relation}")
            whole = "whole"
        stage.add(path, Source(whole, matched.texts, new=matched.values))

    file.reader(stage.cursor, stage.job.dialect, opened.columns, read)
    return opened.records(stage.rows[path] + len(file.refused))


def _with_plain_head(given: Content, head: Head, dialect: Dialect, splitting: Splitting, scratch: Path) -> tuple[Content, int]:
    """A file whose head the reader can pass over, and how many of its own rows that is: it minds quotes and comments even there.

    Where they would lead it astray, the head is blanked in a copy in which every offset stays what it was.
    """
    with given.open() as stream:
        lines = [stream.readline() for _ in range(head.lines)]
        astray = any(_leads_astray(x, splitting) for x in lines[: dialect.skip]) or any(b"\r" in x.rstrip(b"\r\n") for x in lines)
        if not astray:
            return given, sum(1 for _ in records(io.BytesIO(b"".join(lines)), replace(splitting, blanks=True), {}))
        target = scratch / uuid.uuid4().hex
        with target.open("wb") as out:
            out.writelines(re.sub(rb"[^\r\n]|\r(?!\n)", b" ", x) for x in lines)
            shutil.copyfileobj(stream, out)
    return replace(given, path=str(target), packed="none"), head.lines


def _leads_astray(line: bytes, splitting: Splitting) -> bool:
    return bool(splitting.quote and splitting.quote in line) or bool(splitting.comment and line.startswith(splitting.comment))
