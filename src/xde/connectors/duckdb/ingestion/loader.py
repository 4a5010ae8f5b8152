"""The loader: each file staged, divided, accounted for; then accepted rows and dead letters written aside."""

from __future__ import annotations

import csv
import io
import shutil
import tempfile
import uuid
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from xde.connectors.duckdb.ingestion import formats
from xde.connectors.duckdb.ingestion.delivered import Record, broken, compression, count_lines, open_bytes, readable, records
from xde.connectors.duckdb.ingestion.letters import read_letters, write_letters
from xde.connectors.duckdb.ingestion.stage import Stage
from xde.connectors.duckdb.ingestion.words import no_balance, over_limit, reason_of, structural
from xde.connectors.duckdb.session import translated
from xde.connectors.duckdb.statistics import data_file_from_copy
from xde.ground.crash import CrashPoint, crash_point
from xde.ground.digests import digest
from xde.ground.errors import UserError
from xde.ground.findings import Finding
from xde.ground.names import did_you_mean, literal, quoted
from xde.kernel.plan.checks import CheckKind
from xde.lifecycle.ingestion.port import FileAccount, FileToLoad, Letter, LetterReason, Loaded
from xde.lifecycle.sources.port import FoundFile
from xde.lifecycle.storage.port import Column

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from xde.lifecycle.ingestion.port import Dialect, LoadJob
    from xde.lifecycle.storage.port import DataFile

LINES = {"ndjson", "json", "excel", "fixed_width"}


@dataclass(slots=True)
class _Rejected:
    """A record that the CSV reader refused: its number, where it begins, how long it is, its reasons."""

    number: int
    offset: int
    length: int
    reasons: list[LetterReason]


class DuckdbLoader:
    """See `lifecycle.ingestion.port.Loader`."""

    def __init__(self, connect: Callable[[], duckdb.DuckDBPyConnection]) -> None:
        self._connect = connect

    def load(self, job: LoadJob) -> Loaded:
        """Read the files once; one connection and one scratch folder, both gone at the end."""
        return self._load(job, {})

    def replay(self, job: LoadJob, letters: Sequence[Letter]) -> Loaded:
        """Read letters again, as a file made of their own bytes; a letter that fails again keeps its id, file and line."""
        scratch = Path(tempfile.mkdtemp(prefix="xde-replay-"))
        try:
            replayed = scratch / "letters"
            dialect = replace(job.dialect, compression="none", skip=0, header=False)
            if dialect.format in {"json", "excel", "parquet"}:
                dialect = replace(dialect, format="ndjson", records_at=None)
            replayed.write_bytes(b"".join(letter.raw + b"\n" for letter in letters))
            found = FoundFile("letters", str(replayed), replayed.stat().st_size, 0)
            return self._load(replace(job, dialect=dialect, files=[FileToLoad(found, "")]), {"letters": list(letters)})
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    def read_letters(self, paths: Sequence[str]) -> Sequence[Letter]:
        """The letters of some files."""
        return read_letters(paths)

    def columns(self, file: FoundFile, dialect: Dialect) -> Sequence[str]:
        """The names that a file shows."""
        match dialect.format:
            case "csv":
                return _header(file, dialect) if dialect.header else ()
            case "parquet":
                return self._parquet_columns(file)
            case _:
                return ()

    def _load(self, job: LoadJob, again: dict[str, list[Letter]]) -> Loaded:
        scratch = Path(tempfile.mkdtemp(prefix="xde-load-"))
        cursor = self._connect()
        try:
            loading = _Loading(self, cursor, job, scratch, again)
            return loading.carry_out()
        except duckdb.Error as error:
            raise translated(error, f"loading `{job.dataset}`") from error
        finally:
            cursor.close()
            shutil.rmtree(scratch, ignore_errors=True)

    def _parquet_columns(self, file: FoundFile) -> list[str]:
        cursor = self._connect()
        try:
            return [r[0] for r in cursor.execute(f"DESCRIBE SELECT * FROM read_parquet({literal(file.location)})").fetchall()]
        except duckdb.Error as error:
            raise UserError(Finding("XDE0409", f"`{file.path}` is not a Parquet file that can be read", why=" ".join(str(error).split())[:200], hint="deliver it again, under another name until it is whole")) from error
        finally:
            cursor.close()


class _Loading:
    """One load under way."""

    def __init__(self, loader: DuckdbLoader, cursor: duckdb.DuckDBPyConnection, job: LoadJob, scratch: Path, again: dict[str, list[Letter]]) -> None:  # noqa: PLR0913 - the parts of one load
        self.loader = loader
        self.cursor = cursor
        self.job = job
        self.scratch = scratch
        self.again = again
        self.stage = Stage(cursor, job)
        self.rejected: dict[str, list[_Rejected]] = {}
        self.new_columns: dict[str, str] = {}

    def carry_out(self) -> Loaded:
        counted = {f.found.path: self._stage(f) for f in self.job.files}
        for check in self.job.checks:
            if check.kind is CheckKind.UNIQUE and self.stage.made:
                self.stage.refuse_repeated(check)
        letters: list[Letter] = []
        accounts: list[FileAccount] = []
        for file in self.job.files:
            own = self._letters(file)
            path = file.found.path
            staged = self.stage.rows.get(path, 0)
            refused = len(self.rejected.get(path, []))
            total = counted[path]
            accepted = staged - (len(own) - refused)
            if total != accepted + len(own):
                raise no_balance(self.job.dataset, file.found.path, total, accepted, len(own))
            accounts.append(FileAccount(path, file.digest, file.found.size, total, accepted, len(own)))
            letters += own
        limit = over_limit(self.job, letters, sum(a.records for a in accounts))
        if limit is not None and not self.again:
            raise limit
        files = self._write() if self.stage.made else ()
        written, counted_in = sum(f.rows for f in files), sum(a.accepted for a in accounts)
        if written != counted_in:
            raise no_balance(self.job.dataset, "all files", counted_in, written, 0)
        letter_files = (write_letters(letters, self.job.letters_folder),) if letters else ()
        crash_point(CrashPoint.LOAD_STAGED)
        failing: dict[str, int] = {}
        for letter in letters:
            for reason in letter.reasons:
                failing[reason.rule] = failing.get(reason.rule, 0) + 1
        schema = tuple(Column(f.name, f.type) for f in self.job.fields)
        return Loaded(schema, files, letter_files, tuple(accounts), failing, self.new_columns)

    def _stage(self, file: FileToLoad) -> int:
        """Stage a file; gives the number of its records as counted apart from the reader."""
        dialect, found = self.job.dialect, file.found
        match dialect.format:
            case "csv":
                return self._stage_csv(found)
            case "parquet":
                return self._stage_parquet(found)
            case "ndjson" | "json" | "excel" | "fixed_width":
                return self._stage_lines(found)
            case _:
                raise UserError(Finding("XDE0410", f"there is no format `{dialect.format}`", hint=did_you_mean(dialect.format, ("csv", "json", "ndjson", "parquet", "excel", "fixed_width"))))

    def _stage_csv(self, found: FoundFile) -> int:
        dialect = self.job.dialect
        lines = count_lines(found, dialect)
        given = _header(found, dialect) if dialect.header else [f.source_name for f in self.job.fields]
        if not lines or (dialect.header and not given):
            return 0
        names = self._matched(found, given)
        path = readable(found, dialect, self.scratch)
        packed = compression(found, dialect) if path == found.location else "none"
        table = f"rejects_{uuid.uuid4().hex[:8]}"
        relation = formats.csv_relation(path, dialect, given, packed, table)
        self.stage.add(found.path, self._read_whole(relation, given), {f.name: names[f.name] for f in self.job.fields}, None)
        self.rejected[found.path] = self._rejects(table, found)
        records_read = self.stage.rows[found.path] + len(self.rejected[found.path])
        above = dialect.skip + (1 if dialect.header else 0)
        return records_read if lines - above == records_read else self._recount(found)

    def _read_whole(self, relation: str, given: Sequence[str]) -> str:
        """The relation, read to its last column even where the contract does not want it: a reader that skips a column skips its faults."""
        wanted = {f.source_name for f in self.job.fields}
        if set(given) <= wanted:
            return relation
        self.cursor.execute(f"CREATE OR REPLACE TEMP TABLE whole AS SELECT * FROM {relation}")
        return "whole"

    def _matched(self, found: FoundFile, given: Sequence[str]) -> dict[str, str]:
        """The SQL of each field's text in a file with this header, by the policy for columns that are new or missing."""
        texts: dict[str, str] = {}
        for field in self.job.fields:
            if field.source_name in given:
                texts[field.name] = quoted(field.source_name)
            elif self.job.schema_change.missing_column == "evolve":
                texts[field.name] = "NULL::VARCHAR"
            else:
                raise UserError(
                    Finding("XDE0411", f"`{found.path}` has no column `{field.source_name}`", why="its columns: " + ", ".join(f"`{g}`" for g in list(given)[:30]), hint=did_you_mean(field.source_name, given) or "mend the contract, or allow it with `missingColumn: evolve` in `xdeSchemaChange`")
                )
        known = {f.source_name for f in self.job.fields}
        for name in given:
            if name not in known:
                self.new_columns.setdefault(name, found.path)
                if self.job.schema_change.new_column == "freeze":
                    raise UserError(
                        Finding("XDE0412", f"`{found.path}` has a column that the contract of `{self.job.dataset}` does not: `{name}`", hint="add it to the contract, or leave it out with `newColumn: discard` in `xdeSchemaChange`")
                    )
        return texts

    def _recount(self, found: FoundFile) -> int:
        """The records of a file whose lines are not its records: quoted line ends, blank lines, or something swallowed."""
        dialect = self.job.dialect
        lengths = {r.offset: r.length for r in self.rejected.get(found.path, [])}
        with open_bytes(found, dialect) as stream:
            for _ in range(dialect.skip):
                stream.readline()
            total = sum(1 for _ in records(stream, dialect, lengths))
        return total - (1 if dialect.header else 0)

    def _rejects(self, table: str, found: FoundFile) -> list[_Rejected]:
        rows = self.cursor.execute(f"SELECT line, line_byte_position, csv_line, error_type, column_name, error_message FROM {quoted(table)} ORDER BY line, column_idx").fetchall()
        self.cursor.execute(f"DROP TABLE IF EXISTS {quoted(table)}")
        self.cursor.execute(f"DROP TABLE IF EXISTS {quoted(table + '_scan')}")
        by_line: dict[int, _Rejected] = {}
        for line, offset, text, kind, column, message in rows:
            record = by_line.setdefault(int(line), _Rejected(int(line), int(offset) - 1, len((text or "").rstrip("\r\n").encode("utf-8", "replace")), []))
            reason = structural(str(kind), column, str(message))
            if reason not in record.reasons:
                record.reasons.append(reason)
        return list(by_line.values())

    def _stage_lines(self, found: FoundFile) -> int:
        dialect = self.job.dialect
        if dialect.format in {"json", "excel"}:
            target = self.scratch / f"lines-{uuid.uuid4().hex}"
            source = formats.json_records(found, dialect) if dialect.format == "json" else formats.sheet_records(found, dialect)
            total = formats.write_lines(source, target)
            plain = FoundFile(found.path, str(target), target.stat().st_size, 0)
            relation = formats.line_relation(str(target), replace(dialect, skip=0), "none")
        else:
            total = count_lines(found, dialect) - dialect.skip
            plain = found
            path = readable(found, dialect, self.scratch)
            relation = formats.line_relation(path, dialect, compression(found, dialect) if path == found.location else "none")
        del plain
        if not total:
            return 0
        texts = {f.name: formats.fixed_text(f) if dialect.format == "fixed_width" else formats.json_text(f) for f in self.job.fields}
        if dialect.format != "fixed_width":
            relation = self._json_only(found, relation)
        else:
            relation = f"(SELECT {formats.LINE} FROM {relation})"
        blank = int(self.cursor.execute(f"SELECT count(*) FROM {relation} WHERE trim(coalesce({formats.LINE}, '')) = ''").fetchall()[0][0])
        self.stage.add(found.path, f"(SELECT * FROM {relation} WHERE trim(coalesce({formats.LINE}, '')) <> '')", texts, formats.LINE)
        return total - blank

    def _json_only(self, found: FoundFile, relation: str) -> str:
        """The lines that are JSON objects are staged; the others are refused here, with their number."""
        self.cursor.execute(f"CREATE OR REPLACE TEMP TABLE lines AS SELECT {formats.LINE}, row_number() OVER () AS nth FROM {relation}")
        wrong = self.cursor.execute(f"SELECT nth, {formats.LINE} FROM lines WHERE trim(coalesce({formats.LINE}, '')) <> '' AND (NOT json_valid({formats.LINE}) OR json_type({formats.LINE}) <> 'OBJECT') ORDER BY nth").fetchall()
        refused = [_Rejected(int(n), -1, 0, [LetterReason("parse", None, "the line is not a JSON object")]) for n, _ in wrong]
        self.rejected[found.path] = refused
        self._refused_texts = {int(n): str(text) for n, text in wrong}
        self.cursor.execute(f"DELETE FROM lines WHERE nth IN ({', '.join(str(r.number) for r in refused) or '-1'})")
        return "(SELECT line FROM lines ORDER BY nth)"

    def _stage_parquet(self, found: FoundFile) -> int:
        given = self.loader.columns(found, self.job.dialect)
        texts = self._matched(found, given)
        texts = {f.name: formats.parquet_text(f) if texts[f.name] != "NULL::VARCHAR" else texts[f.name] for f in self.job.fields}
        relation = f"(SELECT *, to_json(t) AS {formats.LINE}__ FROM read_parquet({literal(found.location)}) AS t)"
        self.stage.add(found.path, relation, texts, f"CAST({formats.LINE}__ AS VARCHAR)")
        counted = self.cursor.execute(f"SELECT sum(num_rows) FROM parquet_file_metadata({literal(found.location)})").fetchall()
        return int(counted[0][0] or 0)

    def _letters(self, file: FileToLoad) -> list[Letter]:
        """The dead letters of a file, in the order of its records."""
        path = file.found.path
        refused = self.rejected.get(path, [])
        bad = self.stage.bad(path) if path in self.stage.rows else []
        if not refused and not bad:
            return []
        is_csv = self.job.dialect.format == "csv"
        numbers = _numbers([b.position for b in bad], [r.number for r in refused], first=_first_number(self.job.dialect) if is_csv else 1)
        reasons = {n: [reason_of(self.job, *r) for r in b.reasons] for n, b in zip(numbers, bad, strict=True)}
        reasons |= {r.number: r.reasons for r in refused}
        raws = {n: (b.raw or "").encode() for n, b in zip(numbers, bad, strict=True)}
        raws |= {n: t.encode() for n, t in getattr(self, "_refused_texts", {}).items()}
        found = self._found_again(file.found, reasons, refused) if is_csv else {n: Record(n, n, -1, raws.get(n, b"")) for n in reasons}
        return [self._letter(file, found[n], n, reasons[n]) for n in sorted(reasons)]

    def _letter(self, file: FileToLoad, record: Record, number: int, reasons: list[LetterReason]) -> Letter:
        job = self.job
        earlier = self.again.get(file.found.path)
        if earlier is not None:
            return replace(earlier[number - 1], reasons=tuple(reasons), run=job.run, at=job.at)
        ident = digest(job.dataset, file.digest, record.line)
        offset = record.offset if record.offset >= 0 else None
        return Letter(ident, job.dataset, file.found.path, file.digest, record.line, record.raw, tuple(reasons), job.run, job.at, offset)

    def _found_again(self, found: FoundFile, wanted: dict[int, list[LetterReason]], refused: Sequence[_Rejected]) -> dict[int, Record]:
        """The records of these numbers, byte for byte; the header is record 1 where there is one."""
        dialect = self.job.dialect
        lengths = {r.offset: r.length for r in refused}
        result: dict[int, Record] = {}
        try:
            with open_bytes(found, dialect) as stream:
                skipped = sum(len(stream.readline()) for _ in range(dialect.skip))
                for record in records(stream, dialect, {o - skipped: n for o, n in lengths.items()}):
                    number = record.number + dialect.skip
                    if number in wanted:
                        result[number] = replace(record, line=record.line + dialect.skip, offset=record.offset + skipped)
                        if len(result) == len(wanted):
                            break
        except (OSError, EOFError) as error:
            raise broken(found, error) from error
        missing = set(wanted) - set(result)
        if missing:
            raise no_balance(self.job.dataset, found.path, len(wanted), len(result), 0)
        return result

    def _write(self) -> tuple[DataFile, ...]:
        target = f"{self.job.folder}/{uuid.uuid4().hex}.parquet"
        row = self.cursor.execute(f"COPY ({self.stage.accepted()}) TO {literal(target)} (FORMAT parquet, COMPRESSION zstd, RETURN_STATS)").fetchall()[0]
        file = data_file_from_copy(row)
        if not file.rows:
            Path(target).unlink(missing_ok=True)
            return ()
        return (file,)


def _first_number(dialect: Dialect) -> int:
    return dialect.skip + (2 if dialect.header else 1)


def _numbers(positions: Sequence[int], refused: Sequence[int], *, first: int) -> list[int]:
    """Record numbers of staged rows: their positions counted past the records that were refused."""
    result: list[int] = []
    skipped = 0
    waiting = sorted(refused)
    for position in positions:
        number = first + position + skipped
        while skipped < len(waiting) and waiting[skipped] <= number:
            skipped += 1
            number = first + position + skipped
        result.append(number)
    return result


def _header(found: FoundFile, dialect: Dialect) -> list[str]:
    try:
        with open_bytes(found, dialect) as stream:
            text = io.TextIOWrapper(stream, encoding="utf-8-sig" if dialect.encoding.lower() in {"utf-8", "utf8"} else dialect.encoding, newline="")
            for _ in range(dialect.skip):
                text.readline()
            reader = csv.reader(text, delimiter=dialect.delimiter[0], quotechar=dialect.quote or None, quoting=csv.QUOTE_MINIMAL if dialect.quote else csv.QUOTE_NONE)
            return next(reader, [])
    except UnicodeDecodeError as error:
        raise UserError(Finding("XDE0403", f"`{found.path}` is not in `{dialect.encoding}`", why=str(error), hint="write the file's encoding as `encoding` of its `xdeDialect`")) from error
    except csv.Error as error:
        raise UserError(Finding("XDE0413", f"the header of `{found.path}` cannot be read", why=str(error), hint="open the file and look at its first line")) from error
    except (OSError, EOFError) as error:
        raise broken(found, error) from error
