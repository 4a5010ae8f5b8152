"""What a function gave back, written as Parquet files of exactly the schema that was promised; nothing else leaves the process."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from xde.connectors.python.exact import InexactError, exactly
from xde.kernel.project.python_code import Form

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ROWS, BYTES = 122_880, 64 << 20  # of a row group, whichever is less


class RefusedError(Exception):
    """What was given back is not what was promised; `report` says how, as data."""

    def __init__(self, **report: object) -> None:
        super().__init__(report)
        self.report = report


def write(value: object, form: Form, wanted: pa.Schema, folder: Path) -> list[str]:
    """The paths of the files, none for no rows. Raises `RefusedError`, and whatever the user's own code raises while it makes rows."""
    path = folder / "rows.parquet"
    writer: pq.ParquetWriter | None = None
    try:
        for batch in _gathered(_fitted(b, wanted) for b in _batches(value, form, folder)):
            writer = writer or pq.ParquetWriter(path, wanted, compression="snappy", write_statistics=False)
            writer.write_batch(batch)
    finally:
        if writer is not None:
            writer.close()
    return [str(path)] if writer is not None else []


def _gathered(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Small batches put together: a row group of a few rows is slow for whoever reads it."""
    waiting: list[pa.RecordBatch] = []
    rows = size = 0
    for batch in batches:
        if batch.num_rows == 0:
            continue
        waiting.append(batch)
        rows, size = rows + batch.num_rows, size + batch.nbytes
        if rows >= ROWS or size >= BYTES:
            yield pa.concat_batches(waiting)
            waiting, rows, size = [], 0, 0
    if waiting:
        yield pa.concat_batches(waiting)


def _fitted(batch: pa.RecordBatch, wanted: pa.Schema) -> pa.RecordBatch:
    """A batch with the columns that were promised, in their order and types."""
    names = batch.schema.names
    missing, extra = [n for n in wanted.names if n not in names], [n for n in names if n not in wanted.names]
    doubled = next((n for n in names if names.count(n) > 1), None)
    if missing or extra or doubled:
        raise RefusedError(kind="columns", missing=missing, extra=extra, doubled=doubled)
    columns = []
    for field in wanted:
        column = batch.column(field.name)
        try:
            columns.append(exactly(column, field.type))
        except InexactError as error:
            raise RefusedError(kind="type", column=field.name, given=str(column.type), why=error.why) from error
    return pa.RecordBatch.from_arrays(columns, schema=wanted)


def _batches(value: object, form: Form, folder: Path) -> Iterator[pa.RecordBatch]:
    match form:
        case Form.ARROW:
            yield from _is(value, pa.Table, form).to_batches(max_chunksize=ROWS)
        case Form.BATCHES:
            yield from _stream(value, form)
        case Form.POLARS:
            import polars as pl

            yield from _is(value, pl.DataFrame, form).to_arrow().to_batches(max_chunksize=ROWS)
        case Form.POLARS_LAZY:
            import polars as pl

            aside = folder / "lazy.parquet"
            _is(value, pl.LazyFrame, form).sink_parquet(aside, compression="snappy", statistics=False)
            yield from _of_files([str(aside)])
        case Form.PANDAS:
            import pandas as pd

            yield from _of_pandas(_is(value, pd.DataFrame, form))
        case Form.DUCKDB:
            import duckdb

            yield from _is(value, duckdb.DuckDBPyRelation, form).to_arrow_reader(ROWS)
        case Form.NARWHALS | Form.NARWHALS_LAZY:
            yield from _of_narwhals(value, form)
        case Form.SPARK:
            yield from _of_spark(value, form, folder)


def _is(value: object, kind: type, form: Form) -> Any:  # noqa: ANN401 - an instance of `kind`
    if not isinstance(value, kind):
        raise RefusedError(kind="form", wanted=form.value, given=_named(value))
    return value


def _named(value: object) -> str:
    if value is None:
        return "None"
    kind = type(value)
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__.split('.')[0]}.{kind.__name__}"


def _stream(value: object, form: Form) -> Iterator[pa.RecordBatch]:
    if isinstance(value, pa.Table) or not hasattr(value, "__next__"):
        value = iter(value) if isinstance(value, (list, tuple)) else _is(value, pa.RecordBatchReader, form)
    while True:
        batch = next(value, None)
        if batch is None:
            return
        yield _is(batch, pa.RecordBatch, form) if isinstance(value, pa.RecordBatchReader) else _batch(batch)


def _batch(batch: object) -> pa.RecordBatch:
    if not isinstance(batch, pa.RecordBatch):
        raise RefusedError(kind="form", wanted="pyarrow.RecordBatch", given=_named(batch))
    return batch


def _of_pandas(frame: Any) -> Iterator[pa.RecordBatch]:  # noqa: ANN401 - a data frame
    other = [c for c in frame.columns if not isinstance(c, str)]
    if other:
        raise RefusedError(kind="columns", missing=[], extra=[str(c) for c in other], doubled=None)
    if frame.columns.has_duplicates:
        raise RefusedError(kind="columns", missing=[], extra=[], doubled=str(frame.columns[frame.columns.duplicated()][0]))
    for column in frame.columns:
        try:
            pa.Array.from_pandas(frame[column])
        except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
            why = " ".join(str(error).split())[:200]
            raise RefusedError(kind="type", column=column, given=str(frame[column].dtype), why=why) from error
    yield from pa.Table.from_pandas(frame, preserve_index=False).to_batches(max_chunksize=ROWS)


def _of_narwhals(value: object, form: Form) -> Iterator[pa.RecordBatch]:
    import narwhals as nw
    import narwhals.stable.v1 as first
    import narwhals.stable.v2 as second

    kinds: dict[Form, tuple[type, ...]] = {
        Form.NARWHALS: (nw.DataFrame, first.DataFrame, second.DataFrame),
        Form.NARWHALS_LAZY: (nw.LazyFrame, first.LazyFrame, second.LazyFrame),
    }
    if not isinstance(value, kinds[form]):
        raise RefusedError(kind="form", wanted=form.value, given=_named(value))
    frame: Any = value
    if form is Form.NARWHALS_LAZY:
        native = frame.to_native()
        if hasattr(native, "to_arrow_reader"):
            yield from native.to_arrow_reader(ROWS)
            return
        frame = frame.collect(backend="pyarrow")
    yield from frame.to_arrow().to_batches(max_chunksize=ROWS)


def _of_spark(value: object, form: Form, folder: Path) -> Iterator[pa.RecordBatch]:
    if type(value).__module__.split(".")[0] != "pyspark" or not hasattr(value, "write"):
        raise RefusedError(kind="form", wanted=form.value, given=_named(value))
    aside = folder / "spark"
    frame: Any = value
    frame.write.parquet(str(aside))
    yield from _of_files(sorted(map(str, aside.glob("*.parquet"))))


def _of_files(paths: list[str]) -> Iterator[pa.RecordBatch]:
    for path in paths:
        with pq.ParquetFile(path) as file:
            yield from file.iter_batches(batch_size=ROWS)
        Path(path).unlink()
