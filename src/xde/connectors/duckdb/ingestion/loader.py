"""The loader: each file staged, divided, accounted for; then accepted rows and dead letters written aside."""

from __future__ import annotations

import shutil
import tempfile
import uuid
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from xde.connectors.duckdb.ingestion.csv_files import columns_of, stage_csv
from xde.connectors.duckdb.ingestion.documents import parquet_columns, sheet_rows, stage_json, stage_parquet, stage_sheet
from xde.connectors.duckdb.ingestion.letters import read_letters, write_letters
from xde.connectors.duckdb.ingestion.line_files import stage_lines
from xde.connectors.duckdb.ingestion.refusing import refuse
from xde.connectors.duckdb.ingestion.replaying import Replayed, letters_as_files, still_dead
from xde.connectors.duckdb.ingestion.splitting import Record
from xde.connectors.duckdb.ingestion.stage import Bad, Stage
from xde.connectors.duckdb.ingestion.words import looked_at, no_balance, over_limit, reason_of
from xde.connectors.duckdb.session import translated
from xde.connectors.duckdb.statistics import data_file_from_copy
from xde.ground.crash import CrashPoint, crash_point
from xde.ground.digests import digest
from xde.ground.errors import UserError
from xde.ground.findings import Finding
from xde.ground.names import did_you_mean, literal
from xde.lifecycle.ingestion.port import FileAccount, FileToLoad, Letter, LetterReason, Loaded
from xde.lifecycle.storage.port import Column

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from xde.connectors.duckdb.ingestion.csv_files import Matched
    from xde.connectors.duckdb.ingestion.text_files import TextFile
    from xde.lifecycle.ingestion.port import Dialect, LoadJob
    from xde.lifecycle.sources.port import FoundFile
    from xde.lifecycle.storage.port import DataFile

FORMATS = ("csv", "json", "ndjson", "parquet", "excel", "fixed_width")


@dataclass(slots=True)
class _Delivery:
    """A file that was staged: the number of its records, what the reader refused of it, where its letters' own bytes are.

    `numbered` are the records of a document, by their number in it and in their order; a Parquet file has neither.
    """

    file: FileToLoad
    records: int
    text: TextFile | None = None
    numbered: Sequence[tuple[int, str]] = ()
    header: tuple[str, ...] = ()

    @property
    def refused(self) -> int:
        return len(self.text.refused) if self.text else 0


class DuckdbLoader:
    """See `lifecycle.ingestion.port.Loader`."""

    def __init__(self, connect: Callable[[], duckdb.DuckDBPyConnection]) -> None:
        self._connect = connect

    def load(self, job: LoadJob) -> Loaded:
        """Read the files once; one connection and one scratch folder, both gone at the end."""
        return self._with_scratch(job, lambda loading: loading.carry_out())

    def replay(self, job: LoadJob, letters: Sequence[Letter]) -> Loaded:
        """Read letters again, as files of their own bytes; one that fails again keeps its id, file, line and what failed."""
        return self._with_scratch(job, lambda loading: loading.carry_out_again(letters))

    def read_letters(self, paths: Sequence[str]) -> Sequence[Letter]:
        """The letters of some files."""
        return read_letters(paths)

    def columns(self, file: FoundFile, dialect: Dialect) -> Sequence[str]:
        """The names that a file shows."""
        match dialect.format:
            case "csv":
                return columns_of(file, dialect) if dialect.header else ()
            case "excel":
                return sheet_rows(file, dialect)[0]
            case "parquet":
                cursor = self._connect()
                try:
                    return parquet_columns(cursor, file)
                finally:
                    cursor.close()
            case _:
                return ()

    def _with_scratch(self, job: LoadJob, work: Callable[[_Loading], Loaded]) -> Loaded:
        scratch = Path(tempfile.mkdtemp(prefix="xde-load-"))
        cursor = self._connect()
        try:
            return work(_Loading(cursor, job, scratch))
        except duckdb.Error as error:
            raise translated(error, f"loading `{job.dataset}`") from error
        finally:
            cursor.close()
            shutil.rmtree(scratch, ignore_errors=True)


class _Loading:
    """One load under way."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection, job: LoadJob, scratch: Path) -> None:
        self.cursor = cursor
        self.job = job
        self.scratch = scratch
        self.stage = Stage(cursor, job)
        self.new_columns: dict[str, str] = {}

    def carry_out(self) -> Loaded:
        deliveries = [self._stage(f) for f in self.job.files]
        accounts, letters = self._divided(deliveries, {})
        limit = over_limit(self.job, letters, sum(a.records for a in accounts))
        if limit is not None:
            raise limit
        return self._written(accounts, letters)

    def carry_out_again(self, letters: Sequence[Letter]) -> Loaded:
        files = letters_as_files(letters, self.job.dialect, self.scratch)
        self.job = self.stage.job = files.of(self.job)
        deliveries = [self._stage(f, files.replayed[f.found.path].header) for f in self.job.files]
        accounts, dead = self._divided(deliveries, files.replayed)
        return self._written(accounts, dead)

    def _divided(self, deliveries: Sequence[_Delivery], again: dict[str, Replayed]) -> tuple[tuple[FileAccount, ...], list[Letter]]:
        """The account of each file, and all that could not be accepted."""
        if self.stage.made:
            refuse(self.stage)
        letters: list[Letter] = []
        accounts = []
        for given in deliveries:
            path = given.file.found.path
            own = self._own_letters(given)
            accepted = self.stage.rows.get(path, 0) + given.refused - len(own)
            if given.records != accepted + len(own):
                raise no_balance(self.job.dataset, path, given.records, accepted, len(own))
            accounts.append(FileAccount(path, given.file.digest, given.file.found.size, given.records, accepted, len(own)))
            letters += still_dead(again[path], own) if path in again else own
        return tuple(accounts), letters

    def _written(self, accounts: tuple[FileAccount, ...], letters: list[Letter]) -> Loaded:
        files = self._write() if self.stage.made else ()
        written, expected = sum(f.rows for f in files), sum(a.accepted for a in accounts)
        if written != expected:
            raise no_balance(self.job.dataset, "this load", expected, written, 0)
        letter_files = (write_letters(letters, self.job.letters_folder),) if letters else ()
        crash_point(CrashPoint.LOAD_STAGED)
        failing = Counter(reason.rule for letter in letters for reason in letter.reasons)
        schema = tuple(Column(f.name, f.type) for f in self.job.fields)
        return Loaded(schema, files, letter_files, accounts, {**failing, **self.stage.failing()}, self.new_columns)

    def _stage(self, file: FileToLoad, header: tuple[str, ...] = ()) -> _Delivery:
        dialect, found = self.job.dialect, file.found
        match dialect.format:
            case "csv":
                text, records, head, matched = stage_csv(self.stage, found, self.scratch, header)
                self._note(found, matched)
                return _Delivery(file, records, text, header=head.columns)
            case "ndjson" | "fixed_width":
                text, records = stage_lines(self.stage, found, self.scratch)
                return _Delivery(file, records, text)
            case "json":
                written = stage_json(self.stage, found, self.scratch)
                return _Delivery(file, len(written), numbered=list(enumerate(written, 1)))
            case "excel":
                rows, matched = stage_sheet(self.stage, found, self.scratch)
                self._note(found, matched)
                return _Delivery(file, len(rows), numbered=list(rows.items()))
            case "parquet":
                records, matched = stage_parquet(self.stage, found)
                self._note(found, matched)
                return _Delivery(file, records)
            case _:
                hint = did_you_mean(dialect.format, FORMATS) or "one of " + ", ".join(FORMATS)
                raise UserError(Finding("XDE0410", f"there is no format `{dialect.format}`", hint=hint))

    def _note(self, found: FoundFile, matched: Matched | None) -> None:
        for name in matched.new if matched else ():
            self.new_columns.setdefault(name, found.path)

    def _own_letters(self, given: _Delivery) -> list[Letter]:
        """The dead letters of a file, in the order of its records."""
        path = given.file.found.path
        bad = self.stage.bad(path)
        reasons = {b.position: [reason_of(self.job, *r) for r in b.reasons] for b in bad}
        if given.text is not None:
            found = given.text.letters(self.job.dataset, reasons) if bad or given.refused else []
        else:
            found = [(_of_document(given, b), reasons[b.position]) for b in bad]
        return [self._letter(given, record, why) for record, why in found]

    def _letter(self, given: _Delivery, record: Record, reasons: Sequence[LetterReason]) -> Letter:
        job, file = self.job, given.file
        ident = digest(job.dataset, file.digest, record.line)
        offset = record.offset if record.offset >= 0 else None
        place = (ident, job.dataset, file.found.path, file.digest, record.line, record.raw)
        why = tuple(looked_at(r, record.raw, given.header, job.dialect) for r in reasons)
        return Letter(*place, why, job.run, job.at, offset, given.header)

    def _write(self) -> tuple[DataFile, ...]:
        Path(self.job.folder).mkdir(parents=True, exist_ok=True)
        target = f"{self.job.folder}/{uuid.uuid4().hex}.parquet"
        row = self.cursor.execute(
            f"COPY ({self.stage.accepted()}) TO {literal(target)} (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, RETURN_STATS)"
        ).fetchall()[0]
        file = data_file_from_copy(row)
        if not file.rows:
            Path(target).unlink(missing_ok=True)
            return ()
        return (file,)


def _of_document(given: _Delivery, bad: Bad) -> Record:
    number, text = given.numbered[bad.position] if given.numbered else (bad.position + 1, bad.raw or "")
    return Record(number, -1, text.encode())
