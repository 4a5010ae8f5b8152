"""Spark as an engine: reads the Parquet files of snapshots, writes Parquet files, and leaves the commit to the lake.

DuckDB stays the oracle of names and types, and answers what is asked of few rows: the two give the same, or the query is refused.
"""

from __future__ import annotations

import shutil
import uuid
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xde.connectors.spark.failures import translated
from xde.connectors.spark.footers import data_file
from xde.connectors.spark.parting import PART, parted, rows_of
from xde.connectors.spark.portable.oracle import Oracle
from xde.connectors.spark.portable.refusing import NotPortable
from xde.connectors.spark.portable.translate import RULES, carry, refusal_of
from xde.connectors.spark.portable.types import spark_type, ticked
from xde.ground.crash import CrashPoint, crash_point
from xde.ground.errors import TemporaryError, UserError
from xde.ground.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pyarrow as pa

    from xde.connectors.spark.portable.refusing import Refusal
    from xde.connectors.spark.portable.translate import Carried
    from xde.connectors.spark.session import Sparked
    from xde.lifecycle.storage.port import DataFile, Schema
    from xde.lifecycle.transformation.port import Engine, Input, Layout, Query

STAGE = "_making_spark_"  # what a killed run leaves under this name, `clean` takes away
SPECIAL = str.maketrans({c: f"\\{c}" for c in "{}[]*?\\"})


class SparkEngine:
    """See `lifecycle.transformation.port.Engine`; `local` is DuckDB over the same files."""

    dialect = "duckdb"
    rules = RULES

    def __init__(self, session: Sparked, local: Engine) -> None:
        self._session = session
        self._local = local
        self.oracle = Oracle(local.columns)

    def columns(self, query: Query, inputs: Mapping[str, Input]) -> Schema:
        """As DuckDB describes them: both engines cast what comes out to these."""
        return self._local.columns(query, inputs)

    def refused(self, query: Query, inputs: Mapping[str, Input], types: Schema = ()) -> Refusal | None:
        """What of a query is not carried over, if anything; Spark is not asked."""
        try:
            carry(query, inputs, dict.fromkeys(inputs, "x"), self.oracle, types)
        except NotPortable as error:
            return refusal_of(error)
        return None

    def write(self, query: Query, inputs: Mapping[str, Input], folder: str, layout: Layout) -> tuple[DataFile, ...]:
        """Write aside, then under the table's folder: nobody sees a file before its commit."""
        if "://" in folder:
            raise UserError(_not_shared(f"the lake is at `{folder}`", "put the lake on a file system that all of them have mounted"))
        stage = f"{folder}/{STAGE}{uuid.uuid4().hex}"
        try:
            with self._ready(query, inputs, layout.types) as (spark, carried):
                frame = spark.sql(carried.sql)
                if layout.partition:
                    frame = parted(frame, layout)
                elif layout.sort:
                    frame = frame.orderBy(*(ticked(c) for c in layout.sort))
                counted = _observation()
                writer = frame.observe(counted[0], counted[1]).write.option("compression", "zstd")
                if layout.partition:
                    writer = writer.partitionBy(PART)
                if rows := layout.file_rows or (rows_of(layout.file_bytes, layout.types) if layout.file_bytes else None):
                    writer = writer.option("maxRecordsPerFile", rows)
                writer.parquet(f"file://{stage}")
                told = int(counted[0].get["rows"])
            return _all_there(_staged(Path(stage)), told, Path(stage), Path(folder))
        finally:
            shutil.rmtree(stage, ignore_errors=True)

    def read(self, query: Query, inputs: Mapping[str, Input]) -> pa.RecordBatchReader:
        """The result, whole."""
        with self._ready(query, inputs, ()) as (spark, carried):
            return spark.sql(carried.sql).toArrow().to_reader()

    def rows(self, query: Query, inputs: Mapping[str, Input]) -> Sequence[tuple[object, ...]]:
        """The result, whole; by DuckDB where it is not one that Spark is given."""
        if self.refused(query, inputs) is not None:
            return self._local.rows(query, inputs)
        table = self.read(query, inputs).read_all()
        return list(zip(*(c.to_pylist() for c in table.columns), strict=True))

    def begun(self) -> str:
        """Start Spark, and say which it is."""
        spark = self._session.spark()
        return f"Spark {spark.version} at `{self._session.where}`"

    def progress(self) -> Mapping[int, float]:
        """How far the queries under way are."""
        return {**self._local.progress(), **self._session.progress()}

    def cancel(self) -> None:
        """Interrupt every query under way, of both."""
        self._session.cancel()
        self._local.cancel()

    @contextmanager
    def _ready(self, query: Query, inputs: Mapping[str, Input], types: Schema) -> Iterator[tuple[Any, Carried]]:
        """The session with the inputs under names of their own, and the query in its words."""
        own = uuid.uuid4().hex[:12]
        names = {n: f"xde_{own}_{i}" for i, n in enumerate(inputs)}
        try:
            carried = carry(query, inputs, names, self.oracle, types)
        except NotPortable as error:
            raise UserError(finding_of(refusal_of(error))) from error
        with translated(self._session), self._session.group() as spark:
            try:
                for name, given in inputs.items():
                    _frame(spark, given).createOrReplaceTempView(names[name])
                yield spark, carried
            finally:
                for name in names.values():
                    spark.catalog.dropTempView(name)


def finding_of(refusal: Refusal) -> Finding:
    """A refusal without a place in a file."""
    return Finding(refusal.code, refusal.what, why=refusal.why, hint=refusal.hint)


def _frame(spark: Any, given: Input) -> Any:  # noqa: ANN401 - of a library without types
    """The files of an input by the schema that its table has now, or no rows of that schema."""
    columns = [(ticked(c.name), spark_type(c.type)) for c in given.schema]
    if not given.paths:
        return spark.sql(f"SELECT {', '.join(f'CAST(NULL AS {t}) AS {n}' for n, t in columns)} WHERE false")
    paths = [p if "://" in p else f"file://{p}" for p in given.paths]
    reader = spark.read.schema(", ".join(f"{n} {t}" for n, t in columns))
    return reader.parquet(*(p.translate(SPECIAL) for p in paths)).select(*(n for n, _ in columns))


def _observation() -> tuple[Any, Any]:
    """What counts the rows as they are written, where they are written."""
    from pyspark.sql import Observation
    from pyspark.sql.functions import count, lit

    return Observation(), count(lit(1)).alias("rows")


def _not_shared(why: str, hint: str) -> Finding:
    return Finding("XDE0816", "what Spark writes does not come to the lake", why=why, hint=hint)


def _staged(stage: Path) -> list[tuple[Path, DataFile]]:
    """The files that Spark has committed, each with the name that it is to have."""
    found = []
    for path in sorted(stage.rglob("*.parquet")):
        if not path.name.startswith((".", "_")) and "_temporary" not in path.parts:
            found.append((path, data_file(path, f"{uuid.uuid4().hex}.parquet")))
    return found


def _all_there(staged: list[tuple[Path, DataFile]], told: int, stage: Path, folder: Path) -> tuple[DataFile, ...]:
    """Every row that was written is in a file here, or nothing is taken: a worker may have written to a disk of its own."""
    rows = sum(file.rows for _, file in staged)
    if rows == 0 and told:
        why = f"{told:,} rows were written to `{stage}`, and none of them is there"
        raise UserError(_not_shared(why, "let driver and workers mount the lake's folder under the same path"))
    if rows != told:  # also where a task was done twice: then the count is too high, and the step is tried again
        raise TemporaryError(f"Spark counted {told:,} rows, and {rows:,} are in the files that came to the lake")
    crash_point(CrashPoint.FILES_WRITTEN)
    kept = [(path, file) for path, file in staged if file.rows]
    for path, file in kept:
        path.replace(folder / file.path)
    return tuple(file for _, file in kept)
