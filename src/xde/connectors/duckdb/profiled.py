"""Tables opened for a profile: datasets as they lie in the lake, files through the loader, so that a profile sees what a load will."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from xde.connectors.duckdb.profiling import DuckdbRows, DuckdbTables, DuckdbTexts
from xde.connectors.duckdb.proving import Asked, digits_of, proved_reading, proved_value
from xde.connectors.duckdb.session import translated
from xde.connectors.duckdb.transformation import make_views, relation
from xde.ground.errors import UserError
from xde.ground.findings import Finding
from xde.ground.names import literal, quoted, quoted_name
from xde.kernel.project.logical_types import logical_type
from xde.lifecycle.ingestion.declare_tables import TABLE_DIALECT
from xde.lifecycle.ingestion.port import Field, FileToLoad, LoadJob, SchemaChange
from xde.undercurrents.management.profiling.facts import TextReading
from xde.undercurrents.management.profiling.text_types import read_texts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xde.connectors.duckdb.session import Scope
    from xde.lifecycle.ingestion.port import Dialect, Loaded, Loader
    from xde.lifecycle.sources.port import FoundFile
    from xde.lifecycle.transformation.port import Input, Query

JSON = frozenset({"json", "ndjson"})


@dataclass(frozen=True, slots=True)
class Delivered:
    """A table of files: its rows, how its texts are read, the words that mean missing in all of it, how many records were refused."""

    rows: DuckdbRows
    readings: Mapping[str, TextReading]
    nulls: tuple[str, ...]
    refused: int
    missing: tuple[str, ...] = ()  # columns that some of the files have not


@dataclass(slots=True)
class DuckdbProfiler:
    """Opens tables in one database, which is the caller's to close; `folder` takes what is read of files, and is the caller's to delete."""

    scope: Scope
    loader: Loader
    folder: Path
    sample: int
    tables: dict[str, DuckdbRows] = field(default_factory=dict)
    from_tables: int | None = None  # the most rows that are asked of a table of a database, where that is another number

    @property
    def database(self) -> DuckdbTables:
        """What is between the tables that were opened."""
        return DuckdbTables(self.scope, self.tables)

    def dataset(self, name: str, given: Input) -> DuckdbRows:
        """A table of the lake."""
        return self._opened(name, relation(given))

    def view(self, name: str, query: Query, inputs: Mapping[str, Input]) -> DuckdbRows:
        """A view over tables of the lake."""
        for dataset, given in inputs.items():
            self.scope.show(dataset, given, relation(given))
        make_views(self.scope, query)
        return self._opened(name, f"SELECT * FROM {quoted_name(name)}")

    def parquet(self, name: str, files: Sequence[FoundFile]) -> Delivered:
        """Files that say their own types."""
        paths = ", ".join(literal(f.location) for f in files)
        rows = self._opened(name, f"SELECT * FROM read_parquet([{paths}], union_by_name = true)")
        return Delivered(rows, {}, (), 0)

    def texts(self, name: str, files: Sequence[FoundFile], dialect: Dialect, columns: Sequence[str] = ()) -> Delivered:
        """Files of text, read by the loader; `columns` are their names where they do not say them."""
        shown = [self._columns(f, dialect) or tuple(columns) for f in files]
        names = tuple(dict.fromkeys(n for one in shown for n in one))
        loaded = self.loader.load(self._job(name, files, dialect, [Field(n, n, "VARCHAR") for n in names]))
        paths = [str(Path(self.folder) / "rows" / f.path) for f in loaded.files]
        if not paths:
            rows = self._opened(name, "SELECT " + ", ".join(f"NULL::VARCHAR AS {quoted(n)}" for n in names) + " WHERE false")
            return Delivered(rows, {}, (), loaded.letters)
        source = f"read_parquet([{', '.join(literal(p) for p in paths)}])"
        texts = DuckdbTexts(self.scope, source, names, dialect.decimal)
        readings, nulls = read_texts(texts)
        rows = self._opened(name, texts.typed(readings, nulls))
        return Delivered(rows, readings, nulls, loaded.letters, tuple(n for n in names if any(n not in s for s in shown)))

    def table(
        self, name: str, files: Sequence[FoundFile], fields: Sequence[Asked], of: int | None = None, *, lossless: bool = False
    ) -> Delivered:
        """Rows of a table of a database, read by the loader; `of` says of how many rows they are a sample.

        `lossless`: a column with a value that its type has no room for is read as text, so that every row can be read.
        """
        plain = [Field(f.field.name, f.field.source_name, f.field.type if f.proved else "VARCHAR") for f in fields]
        loaded = self.loader.load(self._job(name, files, TABLE_DIALECT, plain))
        if lossless and loaded.letters and (odd := self._odd(loaded)):
            told = {n: TextReading(almost=(logical_type(of_type) or "string", *odd[n])) for n, of_type in _types(plain) if n in odd}
            again = [replace(f, field=replace(f.field, type="VARCHAR"), proved=True) if f.field.name in odd else f for f in fields]
            own = replace(self, folder=self.folder / "again", tables=self.tables)
            found = own.table(name, files, again, of)
            return replace(found, readings={**found.readings, **told})
        paths = [str(Path(self.folder) / "rows" / f.path) for f in loaded.files]
        if not paths:
            rows = self._opened(name, "SELECT " + ", ".join(f"NULL::{f.type} AS {quoted(f.name)}" for f in plain) + " WHERE false", of)
            return Delivered(rows, {}, (), loaded.letters)
        source = f"read_parquet([{', '.join(literal(p) for p in paths)}])"
        readings = {f.field.name: proved_reading(self.scope, source, f) for f in fields if not f.proved}
        for one in fields:
            if one.digits and (digits := digits_of(self.scope, source, one.field)) is not None:
                readings[one.field.name] = TextReading(digits=digits)
        columns = [f"{proved_value(f.field, readings[f.field.name].type)} AS {quoted(f.field.name)}" for f in fields if not f.proved]
        query = f"SELECT * REPLACE ({', '.join(columns)}) FROM {source}" if columns else f"SELECT * FROM {source}"
        return Delivered(self._opened(name, query, of), readings, (), loaded.letters)

    def _odd(self, loaded: Loaded) -> dict[str, tuple[int, tuple[str, ...]]]:
        """The columns with values that are none of their types: how many, and a few of them."""
        found: dict[str, list[str]] = {}
        for letter in self.loader.read_letters([str(Path(self.folder) / "letters" / p) for p in loaded.letter_files]):
            for reason in letter.reasons:
                if reason.rule == "type" and reason.column is not None:
                    found.setdefault(reason.column, []).append(reason.message.partition("`")[2].partition("`")[0])
        return {n: (len(v), tuple(dict.fromkeys(v))[:3]) for n, v in found.items()}

    def _opened(self, name: str, query: str, of: int | None = None) -> DuckdbRows:
        try:
            self.tables[name] = DuckdbRows(self.scope, name, query, self.sample, of)
        except (duckdb.InvalidInputException, duckdb.IOException, duckdb.BinderException) as error:
            words = " ".join(str(error).split())[:300]
            raise UserError(Finding("XDE0373", f"`{name}` cannot be read", why=words, hint="have its files delivered again")) from error
        except duckdb.Error as error:
            raise translated(error, f"the profile of `{name}`") from error
        return self.tables[name]

    def _columns(self, file: FoundFile, dialect: Dialect) -> tuple[str, ...]:
        if dialect.format not in JSON:
            return tuple(self.loader.columns(file, dialect))
        if dialect.records_at:
            records = json.loads(Path(file.location).read_text(dialect.encoding))[dialect.records_at]
            return tuple(dict.fromkeys(name for record in records for name in record))
        form = "newline_delimited" if dialect.format == "ndjson" else "array"
        sql = f"DESCRIBE SELECT * FROM read_json({literal(file.location)}, format = '{form}', sample_size = -1)"
        try:
            return tuple(str(r[0]) for r in self.scope.cursor.execute(sql).fetchall())
        except duckdb.Error as error:
            words = " ".join(str(error).split())[:300]
            hint = "give one record a line, or one array of records"
            raise UserError(Finding("XDE0373", f"`{file.path}` cannot be read as JSON", why=words, hint=hint)) from error

    def _job(self, name: str, files: Sequence[FoundFile], dialect: Dialect, fields: Sequence[Field]) -> LoadJob:
        folders = [self.folder / part for part in ("rows", "letters")]
        for one in folders:
            one.mkdir(parents=True, exist_ok=True)
        given = [FileToLoad(f, uuid.uuid5(uuid.NAMESPACE_URL, f.location).hex) for f in files]
        return LoadJob(
            name,
            "profile",
            "1970-01-01T00:00:00+00:00",
            given,
            dialect,
            list(fields),
            (),
            str(folders[0]),
            str(folders[1]),
            SchemaChange("discard", "evolve"),
        )


def _types(fields: Sequence[Field]) -> Sequence[tuple[str, str]]:
    return [(f.name, f.type) for f in fields]
