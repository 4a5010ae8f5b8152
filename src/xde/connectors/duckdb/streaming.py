"""A result streamed so that Ctrl-C is heard: while the engine computes a batch, the thread that asked for it is deaf."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import duckdb
    import pyarrow as pa

ROWS = 65_536  # of a batch


def streamed(cursor: duckdb.DuckDBPyConnection, sql: str, parameters: Mapping[str, object]) -> Iterator[pa.Schema | pa.RecordBatch]:
    """The schema of a query, then its batches; another thread asks the engine for them, and who stops early stops the engine."""
    from concurrent.futures import ThreadPoolExecutor

    def begin() -> pa.RecordBatchReader:
        return cursor.sql(sql, params=dict(parameters)).to_arrow_reader(ROWS)

    with ThreadPoolExecutor(1, "fetch") as asking:
        try:
            reader = asking.submit(begin).result()
            yield reader.schema
            while (batch := asking.submit(next, reader, None).result()) is not None:
                yield batch
        except BaseException:
            cursor.interrupt()
            raise
