"""The loader: each file staged, divided, accounted for; then accepted rows and dead letters written aside."""

from __future__ import annotations

import shutil
import tempfile
import uuid
from collections import Counter
from contextlib import closing
from dataclasses import astuple, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import duckdb

from xde.connectors.duckdb.ingestion import renames
from xde.connectors.duckdb.ingestion.csv_files import columns_of, open_csv, stage_csv
from xde.connectors.duckdb.ingestion.delivered import LARGE
from xde.connectors.duckdb.ingestion.documents import parquet_columns, parquet_records, sheet_rows, stage_json, stage_parquet, stage_sheet
from xde.connectors.duckdb.ingestion.letters import read_letters, write_letters
from xde.connectors.duckdb.ingestion.line_files import open_lines, stage_lines
from xde.connectors.duckdb.ingestion.new_columns import check_names, new_value, refused_columns, typed
from xde.connectors.duckdb.ingestion.recovering import recovered, without_words
from xde.connectors.duckdb.ingestion.refusing import refuse
from xde.connectors.duckdb.ingestion.replaying import Replayed, letters_as_files, still_dead
from xde.connectors.duckdb.ingestion.sieving import may_be_sieved, sieve, sieve_json, sieved_lines
from xde.connectors.duckdb.ingestion.stage import NEW, Stage
from xde.connectors.duckdb.ingestion.staged import Delivery, letters_of, of_document
from xde.connectors.duckdb.ingestion.treating import kept_texts
from xde.connectors.duckdb.ingestion.typed_rows import open_typed
from xde.connectors.duckdb.ingestion.words import MISSING, no_balance, over_limit, reason_of
from xde.connectors.duckdb.metering import note
from xde.connectors.duckdb.session import translated
from xde.connectors.duckdb.statistics import DATA_FILE, data_file_from_copy
from xde.ground.crash import CrashPoint, crash_point
from xde.ground.errors import Bug, UserError
from xde.ground.findings import Finding
from xde.ground.memory_folder import nowhere
from xde.ground.names import did_you_mean, literal, quoted
from xde.lifecycle.ingestion.port import Field, FileAccount, FileToLoad, Letter, Loaded, SchemaChange
from xde.lifecycle.storage.port import Column

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from xde.connectors.duckdb.ingestion.csv_files import Matched
    from xde.lifecycle.ingestion.port import Dialect, LoadJob
    from xde.lifecycle.sources.port import FoundFile
    from xde.lifecycle.storage.port import DataFile

NO_COLUMN, NEW_COLUMN, NOT_THERE = "XDE0411", "XDE0412", "XDE0482"
T = TypeVar("T")
FORMATS = ("csv", "json", "ndjson", "parquet", "excel", "fixed_width")


class DuckdbLoader:
    """See `lifecycle.ingestion.port.Loader`."""

    def __init__(
        self,
        connect: Callable[[], duckdb.DuckDBPyConnection],
        large: int = LARGE,
        apart: Callable[[], duckdb.DuckDBPyConnection] | None = None,
    ) -> None:
        self._connect = connect
        self._large = large
        self._apart = apart  # to an instance of its own that puts nothing on a disk

    def load(self, job: LoadJob) -> Loaded:
        """Read the files once; one connection and one scratch folder, both gone at the end."""
        sieving = may_be_sieved(job, self._large)
        return self._with_scratch(job, lambda loading: loading.carry_out(sieving=sieving))

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

    def recovered(self, job: LoadJob, letters: Sequence[Letter]) -> Sequence[Letter]:
        """The records that redacted letters are about, as they stand in the job's files."""
        with nowhere() as scratch, closing(self._alone()) as cursor:
            return recovered(cursor, job, letters, scratch)

    def offered(self, job: LoadJob, found: FoundFile, error: UserError | None = None) -> tuple[Finding, ...]:
        """What columns of a sample may be that lack, in the words of an error; without one as news."""
        offers: list[renames.Offer] = []
        with renames.if_readable():
            offers = self._with_scratch(job, lambda loading: loading.offers(found))
        return tuple(renames.offered(error, offers).findings) if error is not None else renames.noticed(job, found.path, offers)

    def kept(self, job: LoadJob, names: Sequence[str], rows: Sequence[Sequence[str | None]]) -> Sequence[Sequence[str | None]]:
        """What is kept of some values, worked out in memory alone."""
        with closing(self._alone()) as cursor, without_words(job.dataset):
            return kept_texts(cursor, job, names, rows)

    def _alone(self) -> duckdb.DuckDBPyConnection:
        if self._apart is None:
            raise Bug("a private load needs an engine that puts nothing on a disk")
        return self._apart()

    def _with_scratch(self, job: LoadJob, work: Callable[[_Loading], T]) -> T:
        if job.private:
            with nowhere() as memory, closing(self._alone()) as alone, without_words(job.dataset):
                return work(_Loading(alone, job, memory))
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
        self.evolving = job.schema_change.new_column == "evolve"
        kept = tuple(Field(c.name, c.name, c.type) for c in job.evolved) if self.evolving else ()
        self.job = replace(job, fields=(*job.fields, *kept))
        self.scratch = scratch
        self.stage = Stage(cursor, self.job)
        self.new: dict[str, str] = {}  # new columns, with the first file that has each
        self.types: dict[str, set[str]] = {}  # their types, where a file says them
        self.through: list[DataFile] = []  # rows that no stage has seen
        self.findings: list[Finding] = []
        self.absent: dict[str, str] = {}  # fields that a file does not have, with the first such file
        self.again = False  # letters are read

    def carry_out(self, *, sieving: bool) -> Loaded:
        try:
            deliveries = [self._stage(f, sieving=sieving) for f in self.job.files]
            accounts, letters = self._divided(deliveries, {})
            if (limit := over_limit(self.job, letters, sum(a.records for a in accounts))) is not None:
                raise limit
        except UserError:
            for path in self._written_through():
                Path(path).unlink()
            raise
        return self._written(accounts, letters)

    def _written_through(self) -> list[str]:
        return [f"{self.job.folder}/{f.path}" for f in self.through]

    def carry_out_again(self, letters: Sequence[Letter]) -> Loaded:
        self.again = True
        files = letters_as_files(letters, self.job.dialect, self.scratch)
        change = SchemaChange(*("quarantine" if p == "freeze" else p for p in astuple(self.job.schema_change)))
        self.job = self.stage.job = replace(files.of(self.job), schema_change=change)
        deliveries = [self._stage(f, files.replayed[f.found.path].header) for f in self.job.files]
        accounts, dead = self._divided(deliveries, files.replayed)
        return self._written(accounts, dead)

    def _divided(self, deliveries: Sequence[Delivery], again: dict[str, Replayed]) -> tuple[tuple[FileAccount, ...], list[Letter]]:
        """The account of each file, and all that could not be accepted."""
        if self.stage.made:
            refuse(self.stage)
        letters: list[Letter] = []
        accounts = []
        for given in deliveries:
            path = given.file.found.path
            own = self._own_letters(given)
            superseded = self.stage.superseded(path)
            accepted = given.through + self.stage.rows.get(path, 0) + given.refused - len(own) - superseded
            if given.records != accepted + superseded + len(own):
                raise no_balance(self.job.dataset, path, given.records, accepted + superseded, len(own))
            accounts.append(FileAccount(path, given.file.digest, given.file.found.size, given.records, accepted, len(own), superseded))
            dead = still_dead(again[path], own) if path in again else own
            letters += [replace(x, redacted=True) for x in dead] if self.job.private else dead
        return tuple(accounts), letters

    def _written(self, accounts: tuple[FileAccount, ...], letters: list[Letter]) -> Loaded:
        added = self._added()
        files = (*self.through, *(self._write(list(added)) if self.stage.made else ()))
        written, expected = sum(f.rows for f in files), sum(a.accepted for a in accounts)
        if written != expected:
            raise no_balance(self.job.dataset, "this load", expected, written, 0)
        letter_files = (write_letters(letters, self.job.letters_folder),) if letters else ()
        crash_point(CrashPoint.LOAD_STAGED)
        failing = Counter(reason.rule for letter in letters for reason in letter.reasons)
        schema = (*self._stored(), *self._lost(), *added)
        return Loaded(
            schema,
            files,
            letter_files,
            accounts,
            {**failing, **self.stage.failing(self._written_through())},
            added,
            tuple(self.findings),
            self.absent,
        )

    def _stored(self) -> tuple[Column, ...]:
        stored = {c.name: c for c in self.job.stored}
        found = ((f.name, f.kept_type) for f in self.job.fields)
        return tuple(stored.get(name) or Column(name, kind) for name, kind in found if kind is not None)

    def _lost(self) -> tuple[Column, ...]:
        """The columns that the table has from a time when it took new ones: they stay, and these rows have nothing in them."""
        return () if self.evolving else tuple(self.job.evolved)

    def _added(self) -> dict[Column, str]:
        """The new columns of this load in the types of their values."""
        found: dict[Column, str] = {}
        for name, path in self.new.items() if self.stage.made else ():
            column = typed(self.cursor, self.stage.new_texts(name), self.types[name], name)
            if column is not None:
                found[column] = path
        return found

    def _stage(self, file: FileToLoad, header: tuple[str, ...] = (), *, sieving: bool = False) -> Delivery:
        dialect, found = self.job.dialect, file.found
        match file.format or dialect.format:
            case "csv":
                return self._stage_csv(file, header, sieving=sieving)
            case "ndjson" | "fixed_width":
                return self._stage_lines(file, sieving=sieving)
            case "json":
                written = stage_json(self.stage, found, self.scratch)
                self._note_members(found)
                return Delivery(file, len(written), numbered=list(enumerate(written, 1)))
            case "excel":
                try:
                    rows, matched = stage_sheet(self.stage, found, self.scratch)
                except UserError as error:
                    raise self._with_offers(error, found) from None
                self._note(found, matched.new if matched else ())
                self._lacks(found, matched, lambda: renames.of_sheet(self.cursor, self.job, found))
                return Delivery(file, len(rows), numbered=list(rows.items()))
            case "parquet":
                try:
                    records, matched, types = stage_parquet(self.stage, found)
                except UserError as error:
                    raise self._with_offers(error, found) from None
                self._lacks(found, matched, lambda: renames.of_parquet(self.cursor, self.job, found))
                self._note(found, matched.new, types)
                return Delivery(file, records)
            case "typed":
                return self._stage_typed(file, sieving=sieving)
            case _:
                hint = did_you_mean(dialect.format, FORMATS) or "one of " + ", ".join(FORMATS)
                raise UserError(Finding("XDE0410", f"there is no format `{dialect.format}`", hint=hint))

    def _stage_csv(self, file: FileToLoad, header: tuple[str, ...], *, sieving: bool) -> Delivery:
        found = file.found
        try:
            opened = open_csv(self.job, found, self.scratch, header)
        except UserError as error:
            raise self._with_offers(error, found, header) from None
        self._lacks(found, opened.matched, lambda: renames.of_csv(self.cursor, self.job, opened))
        sieved = sieve(self.stage, opened, self._columns(), self.scratch) if sieving else None
        if sieved is not None:
            self.through += [sieved.through] if sieved.through.rows else []
            return Delivery(file, opened.records(sieved.through.rows + len(sieved.others)), sieved, header=opened.head.columns)
        records, matched = stage_csv(self.stage, opened), opened.matched
        self._note(found, matched.new if matched else ())
        self.stage.refuse_all(found.path, MISSING, matched.missing if matched else ())
        return Delivery(file, records, opened.file, header=opened.head.columns)

    def _stage_typed(self, file: FileToLoad, *, sieving: bool) -> Delivery:
        typed = open_typed(self.stage, file.found)
        self._lacks(file.found, typed.matched, lambda: renames.of_parquet(self.cursor, self.job, file.found))
        through = None
        if sieving and not typed.matched.new and not typed.matched.missing:
            through = typed.through(self.stage, self._columns())
            self.through += [through] if through is not None else []
        else:
            typed.stage(self.stage)
        self._note(file.found, typed.matched.new)
        self.stage.refuse_all(file.found.path, MISSING, typed.matched.missing)
        return Delivery(file, typed.records, header=typed.columns, typed=typed, written=through.rows if through is not None else 0)

    def _stage_lines(self, file: FileToLoad, *, sieving: bool) -> Delivery:
        text = open_lines(self.job, file.found, self.scratch)
        sieved = sieve_json(self.stage, text, self._columns(), self.scratch) if sieving else None
        if sieved is not None and sieved.through.rows:
            self.through.append(sieved.through)
        records = sieved_lines(self.stage, sieved) if sieved is not None else stage_lines(self.stage, text)
        self._note_members(file.found)
        return Delivery(file, records, sieved or text)

    def _with_offers(self, error: UserError, found: FoundFile, header: tuple[str, ...] = ()) -> UserError:
        """The refusal of a file by its columns, with what may have got another name."""
        if not {f.code for f in error.findings} & {NO_COLUMN, NEW_COLUMN, NOT_THERE}:
            return error
        with renames.if_readable():
            return renames.offered(error, self.offers(found, header))
        return error

    def offers(self, found: FoundFile, header: tuple[str, ...] = ()) -> list[renames.Offer]:
        """What the new columns of a file may be, whatever the policy is."""
        lenient = replace(self.job, schema_change=SchemaChange("discard", "evolve"))
        if lenient.dialect.format == "csv":
            return renames.of_csv(self.cursor, lenient, open_csv(lenient, found, self.scratch, header))
        other = renames.of_sheet if lenient.dialect.format == "excel" else renames.of_parquet
        return other(self.cursor, lenient, found)

    def _lacks(self, found: FoundFile, matched: Matched | None, offers: Callable[[], list[renames.Offer]] | None = None) -> None:
        """Note the fields that a file does not have; tell of those that may be there under another name.

        Letters are read by their own header, and tell nothing new.
        """
        if self.again or matched is None:
            return
        offered: list[renames.Offer] = []
        with renames.if_readable():
            offered = offers() if offers is not None else []
        self.findings += renames.noticed(self.job, found.path, offered)
        renamed = {o.field.name for o in offered}
        for name in matched.absent:
            if name not in renamed:
                self.absent.setdefault(name, found.path)

    def _note_members(self, found: FoundFile) -> None:
        """The new names in a file that has no header: they are known once it is read."""
        if self.job.schema_change.new_column not in {"freeze", "evolve"}:
            return
        new = self.stage.unknown(found.path)
        if new and not self.evolving:
            offers = renames.offers(
                self.cursor, self.job, self.stage.empty(found.path, self._written_through()), *self.stage.news(found.path, new)
            )
            raise renames.offered(refused_columns(self.job.dataset, found, new), offers)
        self._note(found, new)

    def _note(self, found: FoundFile, new: Iterable[str], types: Mapping[str, str] | None = None) -> None:
        names = [n for n in new if n not in self.new]
        if self.evolving:
            check_names(self.job, found, [*self.new, *names])
            self.new.update(dict.fromkeys(names, found.path))
            for name in new:
                self.types.setdefault(name, set()).add((types or {}).get(name, ""))

    def _own_letters(self, given: Delivery) -> list[Letter]:
        """The dead letters of a file, in the order of its records."""
        path = given.file.found.path
        bad = self.stage.bad(path)
        if (given.file.format or self.job.dialect.format) == "parquet" and not self.job.private:
            bad = parquet_records(self.cursor, given.file.found, bad)
        elif given.typed is not None:
            bad = given.typed.lines(self.cursor, bad, self.job.dialect.nulls[0])
        told = cache(lambda found: tuple(reason_of(self.job, *r) for r in found))  # of many letters it is the same
        reasons = {b.position: told(b.reasons) for b in bad}
        if given.text is not None:
            found = given.text.letters(self.job.dataset, reasons) if bad or given.refused else []
            if self.job.private:
                return letters_of(self.job, given, found, iter(b.raw or "" for b in bad))
        else:
            found = [(of_document(given, b), reasons[b.position]) for b in bad]
        return letters_of(self.job, given, found, iter(b.raw or "" for b in bad) if self.job.private else None)

    def _columns(self) -> list[str]:
        """The columns of the table that a load does not add, in SQL."""
        columns = [f"CAST({quoted(c.name)} AS {c.type}) AS {quoted(c.name)}" for c in self._stored()]
        return columns + [f"CAST(NULL AS {c.type}) AS {quoted(c.name)}" for c in self._lost()]

    def _write(self, added: Sequence[Column]) -> tuple[DataFile, ...]:
        Path(self.job.folder).mkdir(parents=True, exist_ok=True)
        target = f"{self.job.folder}/{uuid.uuid4().hex}.parquet"
        columns = [*self._columns(), *(new_value(c, NEW) for c in added)]
        row = self.cursor.execute(f"COPY ({self.stage.accepted(columns)}) TO {literal(target)} ({DATA_FILE})").fetchall()[0]
        note(self.cursor)
        file = data_file_from_copy(row)
        if not file.rows:
            Path(target).unlink(missing_ok=True)
            return ()
        return (file,)
