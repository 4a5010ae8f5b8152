"""Rows of a database that come as Parquet, most columns with their values and some as texts: the good ones go straight through.

They stand for a file of the dialect (CSV) with the same rows: a value is one that its text would be accepted as, so that it is cast by
nobody, and a record that is not accepted is told as its line. A column of texts is cast as any other.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from xde.connectors.duckdb.ingestion.csv_files import match_columns, named
from xde.connectors.duckdb.ingestion.documents import parquet_types
from xde.connectors.duckdb.ingestion.sieving import good_rows
from xde.connectors.duckdb.ingestion.stage import Source
from xde.connectors.duckdb.ingestion.words import no_balance
from xde.connectors.duckdb.metering import note
from xde.connectors.duckdb.statistics import DATA_FILE, data_file_from_copy
from xde.ground.names import literal, quoted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import duckdb

    from xde.connectors.duckdb.ingestion.csv_files import Matched
    from xde.connectors.duckdb.ingestion.stage import Bad, Stage
    from xde.lifecycle.ingestion.port import Field
    from xde.lifecycle.sources.port import FoundFile
    from xde.lifecycle.storage.port import DataFile

NUMBER = '"__number"'


@dataclass(frozen=True, slots=True)
class Typed:
    """A file of typed rows: its columns with their types, what matches the fields, and the fields whose values need no cast."""

    found: FoundFile
    types: Mapping[str, str]
    matched: Matched
    told: frozenset[str]
    records: int

    @property
    def columns(self) -> tuple[str, ...]:
        """Their names, as a header would have them."""
        return tuple(self.types)

    def stage(self, stage: Stage, only: str = "") -> None:
        """Stage its rows, or those whose numbers a query gives."""
        some = f" WHERE file_row_number IN ({only})" if only else ""
        relation = f"(SELECT *, file_row_number AS {NUMBER} FROM {self._rows}{some})"
        stage.add(self.found.path, Source(relation, self._texts(stage), position=NUMBER, new=self._new(), told=self.told))

    def through(self, stage: Stage, columns: Sequence[str]) -> DataFile | None:
        """Write the good rows as some columns in SQL, and stage the others; None where no row is good."""
        target = Path(stage.job.folder) / f"{uuid.uuid4().hex}.parquet"
        target.parent.mkdir(parents=True, exist_ok=True)
        names, rows, good = good_rows(stage, self._texts(stage), self.told, self._rows, f"file_row_number AS {NUMBER}", NUMBER)
        cursor = stage.cursor
        query = f"SELECT {', '.join(columns)} FROM (SELECT {names} FROM ({rows}) WHERE {good})"
        file = data_file_from_copy(cursor.execute(f"COPY ({query}) TO {literal(str(target))} ({DATA_FILE})").fetchall()[0])
        note(cursor)
        if file.rows < self.records:
            others = f"others_{uuid.uuid4().hex}"
            cursor.execute(f"CREATE TEMP TABLE {others} AS SELECT {NUMBER} AS number FROM ({rows}) WHERE NOT {good}")
            self.stage(stage, f"SELECT number FROM {others}")
            cursor.execute(f"DROP TABLE {others}")
        if not file.rows:
            target.unlink()
        return file if file.rows else None

    def lines(self, cursor: duckdb.DuckDBPyConnection, bad: Sequence[Bad], missing: str) -> list[Bad]:
        """Records that are not accepted, each as the line of CSV that it would be."""
        if not bad:
            return []
        line = " || ',' || ".join(_in_csv(f"CAST({quoted(n)} AS VARCHAR)", missing) for n in self.types)
        query = f"SELECT file_row_number, {line} FROM {self._rows} WHERE file_row_number IN (SELECT unnest($numbers))"
        texts = {int(n): str(text) for n, text in cursor.execute(query, {"numbers": [b.position for b in bad]}).fetchall()}
        if len(texts) != len(bad):
            raise no_balance(self.found.path, self.found.path, len(bad), len(texts), 0)
        return [replace(b, raw=texts[b.position]) for b in bad]

    @property
    def _rows(self) -> str:
        return f"read_parquet({literal(self.found.location)}, file_row_number = true)"

    def _texts(self, stage: Stage) -> dict[str, str]:
        """What each field is in SQL over its columns: a value where that needs no cast, else a text."""
        given = {f.name: f for f in (named(f, self.found, self.columns) for f in stage.job.fields)}
        return {n: self._text(n, of, self.matched.texts[n]) for n, of in given.items()}

    def _text(self, name: str, of: Field, sql: str) -> str:
        return sql if name in self.told or of.source_name not in self.types else f"CAST({sql} AS VARCHAR)"

    def _new(self) -> str:
        return replace(self.matched, new={n: f"CAST({quoted(n)} AS VARCHAR)" for n in self.matched.new}).values


def open_typed(stage: Stage, found: FoundFile) -> Typed:
    """Look at a file of typed rows. Raises `UserError` where its columns are not those of the contract."""
    types = parquet_types(stage.cursor, found)
    matched = match_columns(stage.job, found, list(types), list(types))
    fields = [named(f, found, list(types)) for f in stage.job.fields]
    kinds = ", ".join(f"typeof(CAST(NULL AS {f.type}))" for f in fields)
    wanted = dict(zip([f.name for f in fields], stage.cursor.execute(f"SELECT {kinds}").fetchall()[0], strict=True))
    told = frozenset(f.name for f in fields if not f.nulls and types.get(f.source_name) == wanted[f.name] != "VARCHAR")
    counted = stage.cursor.execute(f"SELECT sum(num_rows) FROM parquet_file_metadata({literal(found.location)})").fetchall()
    return Typed(found, types, matched, told, int(counted[0][0] or 0))


def _in_csv(text: str, missing: str) -> str:
    """A text as `COPY` of PostgreSQL writes it: in quotes where it has to be."""
    inner = f"replace({text}, '\"', '\"\"')"
    odd = f"regexp_matches({text}, '[\",\\r\\n]') OR {text} = {literal(missing)}"
    return f"coalesce(CASE WHEN {odd} THEN '\"' || {inner} || '\"' ELSE {text} END, {literal(missing)})"
