"""What a database that is a source must be able to do: say whether there are new rows, and write them down as CSV, from one snapshot.

The rows take the way of a delivered file from there on: text in an exact form, cast and checked by the loader, dead letters of what does
not fit. A database gives, besides, a *position*: JSON that says how far was read. It is kept in the commit of the rows themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field, replace
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from xde.ground.errors import Bug, UserError
from xde.ground.findings import Finding
from xde.ground.names import did_you_mean
from xde.ground.records import dataclass

if TYPE_CHECKING:
    from pathlib import Path

    from xde.ground.spans import Span
    from xde.kernel.project.catalogues import Declared, Sampled
    from xde.lifecycle.sources.apis import Request
    from xde.lifecycle.sources.extracts import Extract
    from xde.lifecycle.sources.streams import Stream

NULL = r"\N"  # unquoted in the CSV: a missing value; in quotes it is a text like any other
CONNECTORX = "connectorx"  # the reader that a contract may ask for
TYPED = "typed"  # the format of a piece that is Parquet of rows as they would stand in the CSV: as values, and some as texts
FILES = frozenset({"sqlite", "duckdb"})  # kinds of databases that are files, with a path from the project's folder
CASSETTES = "tests/cassettes"  # recorded answers of APIs

Position = Mapping[str, object]


def position_of(facts: Mapping[str, object]) -> Position | None:
    """How far a source was read by the commits of a table, from what they say together."""
    found = facts.get("position")
    return found if isinstance(found, dict) else None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a database is, as its contract says it: `settings` may hold references to secrets, which are looked up when it is opened."""

    kind: str
    settings: Mapping[str, str]
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Cursor:
    """Columns of the database that grow with every new row, compared one after the other.

    `lag` is how far below the last value late ones come: a number, or seconds where the first column is a time. `unique` says that no two
    rows have the same values.
    """

    columns: tuple[str, ...]
    lag: float | None = None
    timed: bool = False
    unique: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """What a load may ask of its source: seconds for time-outs, `hours` in UTC such as `22:00-05:30`."""

    connections: int = 1
    rows_per_second: int | None = None
    bytes_per_second: int | None = None
    hours: str | None = None
    statement_timeout: float | None = None
    connect_timeout: float = 10.0


OPERATION, LSN, SEQUENCE, TRANSACTION, COMMITTED = TOLD = ("$operation", "$lsn", "$sequence", "$transaction", "$committedAt")
"""What a capture knows of a change besides its columns, by the names that a contract asks for it with."""


@dataclass(frozen=True, slots=True)
class Capture:
    """That changes are read from the database's log, by a replication slot and the tables of a publication.

    `slot` is how the names of its slots begin, `name` the one that is this table's of this lake, and `other` one that was its own before
    and is needed no more. `key` are the database's columns that tell the rows of the current state apart; None where each change becomes
    a row of its own. `told` are the words of `TOLD` that are asked for. `batch` changes are read at once, and the rest of a transaction.
    """

    publication: str
    slot: str
    key: tuple[str, ...] | None
    told: tuple[str, ...] = ()
    batch: int = 100_000
    name: str = ""
    other: str = ""
    once: bool = False  # only to be looked at as it is now: nothing is left in the database


@dataclass(frozen=True, slots=True)
class AskedColumn:
    """A column by the name that the database has for it, and the type (DuckDB's word) that its values are to have."""

    name: str
    type: str
    also: tuple[str, ...] = ()  # other names that it may have there


@dataclass(frozen=True, slots=True)
class Ask:
    """The rows of one dataset: a table (with its schema, perhaps) or a query; `cursor` None reads all of them each time.

    `merges` says that a row that is read once more does no harm.
    """

    dataset: str
    place: Place
    relation: str
    query: str | None
    columns: tuple[AskedColumn, ...]
    cursor: Cursor | None = None
    limits: Limits = field(default_factory=Limits)
    span: Span | None = None
    merges: bool = False
    may_lack: bool = False  # whether a column of the contract that is not there is read as missing
    every: bool = False  # whether columns are read that the contract does not know
    request: Request | None = None  # where it is an API that is asked
    capture: Capture | None = None  # from the log, and not by a query
    stream: Stream | None = None  # where it is a broker that is asked for its events
    private: bool = False  # whether what is read may lie on no disk
    extract: Extract | None = None  # where it is a source of dlt that is asked
    sample: Sampled | None = None  # where only some of the rows are looked at
    reader: str = ""  # which reader is to read a whole table; empty: the database's own

    def resolved(self, there: Sequence[str], fold: Callable[[str], str] = str.casefold) -> Ask:
        """The same with the columns that are read of those that are there. Raises `UserError` for one that must be there and is not.

        `fold` makes names alike that are the same to the database.
        """
        known = {fold(n) for n in there}
        found = ((c, next((n for n in (c.name, *c.also) if fold(n) in known), None)) for c in self.columns)
        kept = tuple(replace(c, name=name) for c, name in found if name is not None)
        if len(kept) < len(self.columns) and not self.may_lack:
            missing = next(c.name for c in self.columns if known.isdisjoint(fold(n) for n in (c.name, *c.also)))
            why = "its columns: " + ", ".join(f"`{n}`" for n in there[:30])
            hint = did_you_mean(missing, there) or "mend the contract, or allow it with `missingColumn: evolve` in `xdeSchemaChange`"
            raise UserError(Finding("XDE0482", f"`{self.relation}` has no column `{missing}`", self.span, "no such column", why, hint))
        asked = {fold(n) for c in self.columns for n in (c.name, *c.also)}
        more = tuple(AskedColumn(n, "VARCHAR") for n in there if fold(n) not in asked) if self.every else ()
        return replace(self, columns=(*kept, *more))

    @property
    def is_table(self) -> bool:
        """Whether it is a database that is asked, in SQL."""
        return self.request is None and self.stream is None and self.extract is None

    def sampled(self, rows: int) -> Ask:
        """The first rows, with every column that there is and without those that lack."""
        mark = "`" if self.place.kind == "mysql" else '"'
        whole = ".".join(f"{mark}{p}{mark}" for p in self.relation.split(".")) if self.query is None else f"({self.query}\n) AS whole"
        if self.query is None and self.place.kind == "sqlalchemy":
            whole = self.relation  # nobody knows how its names are quoted
        query, limits = f"SELECT * FROM {whole} LIMIT {rows:d}", replace(self.limits, connections=1)
        return replace(self, query=query, cursor=None, capture=None, may_lack=True, every=True, limits=limits, reader="")

    @property
    def asked(self) -> Request:
        """The request of an ask of an API."""
        if self.request is None:
            raise Bug(f"`{self.dataset}` is asked of no API")
        return self.request

    @property
    def extracted(self) -> Extract:
        """The resource of an ask of a source of dlt."""
        if self.extract is None:
            raise Bug(f"`{self.dataset}` is no resource of dlt")
        return self.extract

    @property
    def streamed(self) -> Stream:
        """The stream of an ask of a broker."""
        if self.stream is None:
            raise Bug(f"`{self.dataset}` is asked of no broker")
        return self.stream

    def instead_of(self, position: Position | None) -> Ask:
        """The same, where what is read takes the place of what was read up to a position: of that nothing may be lost."""
        had = position.get("first") if position is not None else None
        return replace(self, stream=replace(self.streamed, had=had)) if isinstance(had, dict) else self

    @property
    def in_batches(self) -> bool:
        """Whether there is a commit for each batch, of which the source is told afterwards."""
        return self.capture is not None or self.stream is not None

    def on_cassette(self, folder: Path) -> Ask:
        """The same of an API whose answers are in a folder."""
        return replace(self, place=replace(self.place, settings={**self.place.settings, "cassette": str(folder)}))

    def once(self) -> Ask:
        """The same for a lake that is thrown away: a capture leaves nothing behind in the database, and no broker is told anything."""
        if self.stream is not None:
            return replace(self, stream=replace(self.stream, once=True))
        return replace(self, capture=replace(self.capture, once=True)) if self.capture is not None else self

    def seen_from(self, root: Path) -> Ask:
        """The same of a file of a database wherever it is asked from: its path is made whole."""
        if self.stream is not None and "caFile" in self.place.settings:
            settings = {**self.place.settings, "caFile": str((root / self.place.settings["caFile"]).resolve())}
            return replace(self, place=replace(self.place, settings=settings))
        if self.request is not None:
            paths = {"cassettes": CASSETTES, **{n: v for n, v in self.place.settings.items() if n in {"cassettes", "caFile"}}}
            settings = {**self.place.settings, **{n: str((root / v).resolve()) for n, v in paths.items()}}
            return replace(self, place=replace(self.place, settings=settings))
        if self.place.kind not in FILES:
            return self
        settings = {**self.place.settings, "database": str((root / self.place.settings.get("database", "")).resolve())}
        return replace(self, place=replace(self.place, settings=settings))


@dataclass(frozen=True, slots=True)
class News:
    """That there is something to read: `signature` tells this state of the source from others, `told` says it in words.

    `held`: there are rows, but none that may be read yet, and `told` says what they wait for.
    """

    signature: str
    told: str
    held: bool = False


@dataclass(frozen=True, slots=True)
class Piece:
    """A CSV file of rows with a header, and how many rows the database says it wrote there; of an API or a broker, a file of NDJSON.

    `parts` are what it was put together from: the line on which each begins (from 1), and its name. `name` is that of a piece whose rows
    would be the same, in the same order, if it was read again. `format` says what kind of file it is, where it is not what others of
    the dataset are.
    """

    path: Path
    rows: int
    parts: tuple[tuple[int, str], ...] = ()
    name: str = ""
    format: str = ""


@dataclass(frozen=True, slots=True)
class Unfinished:
    """Rows that lack values which the log does not repeat, for they did not change: NDJSON of `row`, and `key` as it was in the lake.

    A value that is lacking stands under no name in `row`. `columns` are all of them, `key` the columns of the key.
    """

    path: Path
    rows: int
    columns: tuple[str, ...]
    key: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Portion:
    """What was read: pieces of one snapshot, the position after them, and what it cost the source (`rows`, `bytes`, `seconds` ...).

    Of a capture also: `gone`, a CSV of the keys that are deleted; `anew`, that nothing stays of what was there; `more`, that there is more
    to read at once. Of a private source `gone` is NDJSON, a list a line, the first with the names.
    """

    pieces: tuple[Piece, ...]
    position: Position
    cost: Mapping[str, object] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    unfinished: tuple[Unfinished, ...] = ()
    gone: Piece | None = None
    anew: bool = False
    more: bool = False


@dataclass(frozen=True, slots=True)
class Looked:
    """One thing that the doctor looked at: in order, or with what is missing and who can mend it how.

    `warns`: nothing is missing, and yet it is to be told.
    """

    what: str
    well: bool
    told: str = ""
    mend: str = ""
    warns: bool = False


class TableSource(Protocol):
    """One database, that is only ever read. What is wrong comes out as `UserError` with findings, what may pass as `TemporaryError`."""

    def news(self, ask: Ask, position: Position | None) -> News | None:
        """Whether there is something that was not read up to a position; None where there is nothing. Cheap where the source allows it."""
        ...

    def read(self, ask: Ask, position: Position | None, folder: Path) -> Portion:
        """Write the rows after a position (None: all) into a folder; all of them are of one snapshot."""
        ...

    def look(self, ask: Ask) -> list[Looked]:
        """What stands between us and the rows, from the name of the host to the rights on the table."""
        ...

    def close(self) -> None:
        """Let go of whatever is open."""
        ...


@runtime_checkable
class Captured(Protocol):
    """A source that keeps for us what was not read yet, until it is told that it was."""

    def settle(self, ask: Ask, position: Position) -> None:
        """Let the source forget what stands before a position, which is in a commit of the lake."""
        ...

    def abandon(self, ask: Ask) -> None:
        """Let the source forget that somebody began to read, and gave it up before anything was committed."""
        ...


@runtime_checkable
class Keeping(Protocol):
    """A server that keeps its log in slots, which stay when nobody reads them. `wanted` has the server of each slot by its name."""

    def system(self, ask: Ask) -> str:
        """Which server it is."""
        ...

    def left(self, ask: Ask, wanted: Mapping[str, str]) -> Mapping[str, int]:
        """Of some slots those that are there and that nobody reads just now, with the bytes that they hold back."""
        ...

    def drop(self, ask: Ask, wanted: Mapping[str, str]) -> Sequence[str]:
        """Take such slots away; gives those that are gone."""
        ...


@runtime_checkable
class Catalogued(Protocol):
    """A source that knows what its tables are declared to be; its `read` takes only some rows where it is asked to."""

    def relations(self, ask: Ask) -> Sequence[str]:
        """The tables and views of the place that may be read, as a contract names them (`relation` of the ask is empty)."""
        ...

    def declared(self, ask: Ask, enough: int) -> Declared:
        """What the catalogue says of the ask's relation. Up to `enough` rows are counted; of more an estimate is good enough.

        The ask's columns say which type each is to be read as; without them it is the one that loses nothing.
        """
        ...
