"""What a loader must be able to do: source files in, typed Parquet files and dead letters out, and every record accounted for."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Protocol

from xde.ground.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xde.ground.errors import UserError
    from xde.ground.findings import Finding
    from xde.kernel.plan.checks import Check
    from xde.lifecycle.sources.port import FoundFile
    from xde.lifecycle.storage.port import Column, DataFile, Schema


@dataclass(frozen=True, slots=True)
class Treatment:
    """What is done to a value as it is read, before it is written anywhere.

    `kind` is hash, cast, drop, or how it is masked: text, keep_last, keep_domain, empty, month, year, round. `text` is the text that
    stands for it or the type that it is cast to, `amount` how many characters stay or what is rounded to, `key` the reference of the
    secret that it is hashed with; `fold` makes texts alike that differ in case, spaces around them and forms of letters only.
    """

    kind: str
    text: str = ""
    amount: float = 0.0
    key: str = ""
    fold: bool = False


@dataclass(frozen=True, slots=True)
class Field:
    """How one column is read: its name in the file (or its position, for fixed width), the type it is cast to, its formats.

    `type` is DuckDB's word. `format` is a strptime format for dates and times or None for ISO 8601. `nulls` are the texts that mean
    "missing" here, besides those of the dialect. `position` is (start, length) in characters, from 0, for fixed-width files.
    `required` says that a missing value makes a dead letter. `path` leads to a value within objects of a JSON record; empty: `source_name`.
    `type` is that of the clear value, which the contract's rules are about; what is kept of it may be of another.
    """

    name: str
    source_name: str
    type: str
    format: str | None = None
    nulls: tuple[str, ...] = ()
    position: tuple[int, int] | None = None
    required: bool = False
    path: tuple[str, ...] = ()
    treatment: Treatment | None = None
    also: tuple[str, ...] = ()  # other names of it in files, now or once

    @property
    def names(self) -> tuple[str, ...]:
        """Every name that it may have in a file."""
        return (self.source_name, *self.also)

    @property
    def kept_type(self) -> str | None:
        """The type of what is kept of its values; none where nothing is."""
        match self.treatment.kind if self.treatment is not None else "":
            case "drop":
                return None
            case "cast" if self.treatment is not None:
                return self.treatment.text
            case "hash" | "text" | "keep_last" | "keep_domain":
                return "VARCHAR"
            case _:
                return self.type


@dataclass(frozen=True, slots=True)
class Dialect:
    """How the bytes of a file are read; comes from the contract and is never guessed while loading.

    `format` is csv, json (one document: an array of records, or one under `records_at`), ndjson, parquet, excel or fixed_width.
    `compression` is none, gzip, zstd or auto (by the file's ending). `columns` policy: see `SchemaChange`.
    """

    format: str = "csv"
    delimiter: str = ","
    quote: str = '"'
    escape: str = '"'
    header: bool = True
    skip: int = 0
    encoding: str = "utf-8"
    nulls: tuple[str, ...] = ("",)
    compression: str = "auto"
    trim: bool = False
    comment: str | None = None
    decimal: str = "."
    sheet: str | None = None
    records_at: str | None = None
    max_record_bytes: int = 16_000_000
    quoted_nulls: bool = True  # whether a word for missing is one in quotes too
    treated: bool = False  # whether its lines were treated as they were taken in, and some tell why they are dead letters
    packed: bool = False  # whether bytes that cannot stand in a line stand there packed: see `sources.messages`


@dataclass(frozen=True, slots=True)
class SchemaChange:
    """What to do when a delivery's columns are not the contract's: freeze (refuse the file), evolve, discard, quarantine.

    A new column is, in turn: nothing that is loaded; a column of the table, in the type of its values; left out; a dead letter of
    every record that has a value in it. A missing one is, by `evolve`, missing in every row. Letters are read again by `quarantine` where
    a file is by `freeze`: what does not fit stays a letter.
    """

    new_column: str = "freeze"
    missing_column: str = "freeze"


@dataclass(frozen=True, slots=True)
class LetterLimit:
    """How many dead letters a load may make before it stops and publishes nothing: a share in percent, a number, or both."""

    percent: float | None = None
    records: int | None = None


@dataclass(frozen=True, slots=True)
class FileToLoad:
    """A file and the digest of its bytes; `unordered` rows of a database have no place of their own: a letter is known by its content.

    `parts` are what a file was put together from: the line on which each begins (from 1), and its name. A letter tells those.
    `format` is that of the file, where it is not the dialect's.
    """

    found: FoundFile
    digest: str
    unordered: bool = False
    parts: tuple[tuple[int, str], ...] = ()
    format: str = ""


@dataclass(frozen=True, slots=True)
class LetterReason:
    """Why a record was not accepted: `rule` is the contract's (`type`, `required`, `enum`, a check's id, `parse`, `unique` ...)."""

    rule: str
    column: str | None
    message: str


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter. `raw` are the record's own bytes; `line` is the physical line (or sheet row, or element) it starts on, from 1.

    `id` = digest(dataset, file, file digest, line), so that loading a file again makes the same letters, and a copy of it others.
    `header` names the fields of a CSV record in their order in its file, so that the record can be read without the file.
    `redacted`: `raw` is not the record, but JSON of those of its values that anybody may see; it is read again from its file.
    """

    id: str
    dataset: str
    file: str
    file_digest: str
    line: int
    raw: bytes
    reasons: tuple[LetterReason, ...]
    run: str
    at: str
    offset: int | None = None
    header: tuple[str, ...] = ()
    redacted: bool = False


@dataclass(frozen=True, slots=True)
class Merging:
    """Of the records of one key (NULL equals NULL) one is accepted: the last, or the last of those with the greatest `version`.

    `table` is what is there already: a record of a lesser version than its row there gives way to it. None where nothing stays.
    """

    key: tuple[str, ...]
    version: str | None = None
    table: tuple[Schema, tuple[str, ...]] | None = None


@dataclass(frozen=True, slots=True)
class LoadJob:
    """What to load: files of one dataset, how to read them, the row checks to apply in flight, and where to write.

    `checks` are those of kind ROW (any action) and, when their action is DEAD_LETTER, UNIQUE and REFERENCE: failing rows of
    DEAD_LETTER checks become letters, of the others are counted. `folder` takes the accepted rows as fresh Parquet files,
    `letters_folder` the letters. `others` are the datasets that references look up, and of a table that refers to itself its rows
    that stay; one that is not among them has never been built.

    `private`: some of what is read may not be written anywhere as it stands, on no disk and in no message. Records are then read in memory
    alone, and letters are redacted. `keys` are those that values are hashed with, by their references.
    """

    dataset: str
    run: str
    at: str
    files: Sequence[FileToLoad]
    dialect: Dialect
    fields: Sequence[Field]
    checks: Sequence[Check]
    folder: str
    letters_folder: str
    schema_change: SchemaChange = field(default_factory=SchemaChange)
    limit: LetterLimit = field(default_factory=LetterLimit)
    personal: tuple[str, ...] = ()
    existing: tuple[str, ...] = ()  # Parquet files of the rows that are there already: a UNIQUE check looks at them too
    others: Mapping[str, tuple[Schema, tuple[str, ...]]] = field(default_factory=dict)
    merging: Merging | None = None  # how records of one key are told apart; else a UNIQUE check makes letters of them
    stored: Schema = ()  # the fields in the types that the lake has for them, where it has not the field's own
    evolved: Schema = ()  # columns that the table has and the contract does not; they stay
    table: tuple[str, ...] = ()  # Parquet files of the table as it is: what a column held so far is known by them
    private: bool = False
    keys: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    mark: str = ""  # how a text begins that was treated already, in a column that is treated; no clear one begins so


@dataclass(frozen=True, slots=True)
class FileAccount:
    """The proof of completeness of a file: `records` (counted independently of the reader) = `accepted` + `superseded` + `letters`.

    Superseded are the records of a merge that gave way to another record of their key.
    """

    path: str
    digest: str
    size: int
    records: int
    accepted: int
    letters: int
    superseded: int = 0


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a load gave. `letter_files` are paths relative to the letters folder; `failing` maps a check's id to its failing rows.

    `new_columns` are the columns that this load adds to the table by the policy `evolve`, and the path of the first file with each.
    `absent` are fields that a file does not have, and is allowed not to, with the path of the first such file.
    """

    schema: Schema
    files: tuple[DataFile, ...]
    letter_files: tuple[str, ...]
    accounts: tuple[FileAccount, ...]
    failing: Mapping[str, int] = field(default_factory=dict)
    new_columns: Mapping[Column, str] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()  # what was noticed by the way
    absent: Mapping[str, str] = field(default_factory=dict)

    @property
    def accepted(self) -> int:
        """How many records became rows."""
        return sum(a.accepted for a in self.accounts)

    @property
    def letters(self) -> int:
        """How many records became dead letters."""
        return sum(a.letters for a in self.accounts)

    @property
    def superseded(self) -> int:
        """How many records gave way to another record of their key."""
        return sum(a.superseded for a in self.accounts)


class Loader(Protocol):
    """Reads source files. A load over its limit, or whose accounts do not balance, raises `DataError` and leaves nothing that counts."""

    def load(self, job: LoadJob) -> Loaded:
        """Read the files once, divide into accepted rows and letters, write both aside."""
        ...

    def read_letters(self, paths: Sequence[str]) -> Sequence[Letter]:
        """The letters of some letter files (absolute paths)."""
        ...

    def replay(self, job: LoadJob, letters: Sequence[Letter]) -> Loaded:
        """Read the letters' own bytes (perhaps corrected) as if they stood in a file; those that fail again keep their ids."""
        ...

    def recovered(self, job: LoadJob, letters: Sequence[Letter]) -> Sequence[Letter]:
        """Redacted letters with the records that they are about, read again from the job's files; without those that are not there."""
        ...

    def offered(self, job: LoadJob, found: FoundFile, error: UserError | None = None) -> tuple[Finding, ...]:
        """Which columns of a file may be those that lack, by what they hold: the findings of an error with that, or, without one, news."""
        ...

    def kept(self, job: LoadJob, names: Sequence[str], rows: Sequence[Sequence[str | None]]) -> Sequence[Sequence[str | None]]:
        """What is kept of some values, given and told as texts, row by row; `names` are the fields that they are of."""
        ...

    def columns(self, file: FoundFile, dialect: Dialect) -> Sequence[str]:
        """The column names that a file shows (header, keys of the first records, Parquet schema); empty where it has none."""
        ...
