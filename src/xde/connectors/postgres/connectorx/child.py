"""The process in which ConnectorX reads: `python -m xde.connectors.postgres.connectorx.child`. Its job comes by standard input.

ConnectorX panics where others raise, writes what it panics about to standard error, and reads on when nobody wants its rows any more:
all of that ends with this process. What it reads it holds until somebody takes it, and so it is only asked for a part of a table at once.
"""

from __future__ import annotations

import json
import os
import queue
import re
import sys
import threading
from pathlib import Path
from typing import Any, TextIO

import connectorx
import pyarrow as pa
import pyarrow.parquet as pq

from xde.connectors.postgres.connectorx.job import NO_ROOM, Job
from xde.ground.errors import DISK_FULL
from xde.ground.lifeline import end_with, listening

BATCH = 50_000  # rows
_DECIMAL = re.compile(r"decimal\((\d+),(\d+)\)\Z")
_TYPES = {
    "text": pa.string(),
    "bool": pa.bool_(),
    "smallint": pa.int16(),
    "integer": pa.int32(),
    "bigint": pa.int64(),
    "float": pa.float32(),
    "double": pa.float64(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
    "moment": pa.timestamp("us", "UTC"),
}


def main() -> None:
    """Do the job that is told, and say how it went."""
    lines = listening()
    job = Job.heard(lines.get())
    end_with(job.parent, listens=False)
    try:
        report = Reading(job).done()
    except BaseException as error:  # noqa: BLE001 - a panic of Rust is none of Python's kinds
        full = isinstance(error, OSError) and error.errno in DISK_FULL
        report = {"kind": "disk" if full else "failed", "error": type(error).__name__, "why": str(error)[:2000]}
        for path in (job.rows, job.odd):
            Path(path).unlink(missing_ok=True)
    try:
        aside = Path(job.report).with_suffix(".part")
        aside.write_text(json.dumps(report), encoding="utf-8")
        aside.replace(job.report)
    except OSError:
        os._exit(NO_ROOM)
    os._exit(0)  # threads of a query that failed may be reading yet


class Reading:
    """The parts of a table, each read by the connection that is free next, written into one file."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._kinds = [(name, kind) for name, kind in job.columns]
        self._schema = pa.schema([(name, _type(kind)) for name, kind in self._kinds])
        self._lock = threading.Lock()
        self._failed: BaseException | None = None
        self._rows = self._odd = self._bytes = 0

    def done(self) -> dict[str, Any]:
        """Read all; gives how many rows and bytes. Raises what ConnectorX does."""
        parts: queue.SimpleQueue[str] = queue.SimpleQueue()
        for query in self._job.queries:
            parts.put(query)
        how = {"compression": "none", "use_dictionary": False, "write_statistics": False}
        odd = Path(self._job.odd)
        with odd.open("w", encoding="utf-8", newline="") as texts, pq.ParquetWriter(self._job.rows, self._schema, **how) as values:
            texts.write(",".join(_in_csv(name, self._job.missing) for name, _ in self._kinds) + "\n")
            threads = [threading.Thread(target=self._parts, args=(parts, values, texts)) for _ in range(self._job.connections - 1)]
            for thread in threads:
                thread.start()
            self._parts(parts, values, texts)
            for thread in threads if self._failed is None else ():
                thread.join()
            if self._failed is not None:
                raise self._failed
        return {"kind": "done", "rows": self._rows, "odd": self._odd, "bytes": self._bytes}

    def _parts(self, parts: queue.SimpleQueue[str], values: Any, texts: TextIO) -> None:  # noqa: ANN401 - pyarrow has no types
        try:
            while self._failed is None:
                try:
                    query = parts.get_nowait()
                except queue.Empty:
                    return
                self._part(query, values, texts)
        except BaseException as error:  # noqa: BLE001 - see `main`
            self._failed = self._failed or error

    def _part(self, query: str, values: Any, texts: TextIO) -> None:  # noqa: ANN401 - pyarrow has no types
        given: Any = connectorx.read_sql(
            self._job.address, query, return_type="arrow_stream", batch_size=BATCH, pre_execution_query=self._job.before
        )
        for batch in given:
            if self._failed is not None:
                return
            self._bytes += batch.nbytes
            plain, odd = _parted(batch)
            made = self._made(plain)
            with self._lock:
                if made.num_rows:
                    values.write_batch(made)
                for row in odd:
                    texts.write(",".join(_in_csv(x, self._job.missing) for x in json.loads(row)) + "\n")
                self._rows += made.num_rows
                self._odd += len(odd)

    def _made(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The batch in the wanted types, which ConnectorX does not have: a cast that would change a value raises."""
        columns = [batch.column(n) if batch.column(n).type == t else batch.column(n).cast(t) for n, t in enumerate(self._schema.types)]
        return pa.RecordBatch.from_arrays(columns, schema=self._schema)


def _parted(batch: pa.RecordBatch) -> tuple[pa.RecordBatch, list[str]]:
    """The rows with their values, and those that come as texts."""
    odd = batch.column(batch.num_columns - 1)
    if odd.null_count == batch.num_rows:
        return batch, []
    return batch.filter(odd.is_null()), odd.drop_null().to_pylist()


def _type(kind: str) -> pa.DataType:
    found = _DECIMAL.match(kind)
    return pa.decimal128(int(found[1]), int(found[2])) if found else _TYPES[kind]


def _in_csv(text: str | None, missing: str) -> str:
    """As `COPY` writes it."""
    if text is None:
        return missing
    return '"' + text.replace('"', '""') + '"' if text == missing or any(c in text for c in '",\r\n') else text


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    main()
