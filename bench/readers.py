"""Others' ways to bring a table of PostgreSQL or a file into Parquet, each in a process of its own environment: see `sourcing`."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def connectorx(url: str, folder: Path) -> None:
    """ConnectorX alone: the table as Arrow, written as ours is packed."""
    import connectorx as cx
    import pyarrow.parquet as pq

    table = cx.read_sql(url, "SELECT * FROM lineitem", return_type="arrow")
    pq.write_table(table, folder / "lineitem.parquet", compression="zstd", compression_level=1)


def _dlt(folder: Path, source: object) -> None:
    import dlt

    pipeline = dlt.pipeline(
        "lineitem", destination=dlt.destinations.filesystem(str(folder / "lake")), dataset_name="lake", pipelines_dir=str(folder / "dlt")
    )
    pipeline.run(source, loader_file_format="parquet").raise_on_failed_jobs()


def dlt_arrow(url: str, folder: Path) -> None:
    """dlt by SQLAlchemy, the rows of a chunk made Arrow: its own backend for that."""
    from dlt.sources.sql_database import sql_table

    _dlt(folder, sql_table(url, "lineitem", backend="pyarrow", chunk_size=100_000))


def dlt_connectorx(url: str, folder: Path) -> None:
    """dlt by ConnectorX, whose Arrow goes through as it is."""
    from dlt.sources.sql_database import sql_table

    _dlt(folder, sql_table(url, "lineitem", backend="connectorx", chunk_size=100_000, backend_kwargs={"return_type": "arrow"}))


def dlt_rows(url: str, folder: Path) -> None:
    """dlt by SQLAlchemy, a row a dictionary."""
    from dlt.sources.sql_database import sql_table

    _dlt(folder, sql_table(url, "lineitem", backend="sqlalchemy", chunk_size=50_000))


def dlt_csv(path: str, folder: Path) -> None:
    """dlt's reader of CSV by DuckDB."""
    from dlt.sources.filesystem import filesystem, read_csv_duckdb

    found = filesystem(bucket_url=Path(path).parent.as_uri(), file_glob=Path(path).name)
    _dlt(folder, (found | read_csv_duckdb(use_pyarrow=True, chunk_size=100_000, ignore_errors=True)).with_name("lineitem"))


def dlt_jsonl(path: str, folder: Path) -> None:
    """dlt's reader of lines of JSON."""
    from dlt.sources.filesystem import filesystem, read_jsonl

    found = filesystem(bucket_url=Path(path).parent.as_uri(), file_glob=Path(path).name)
    _dlt(folder, (found | read_jsonl(chunksize=10_000)).with_name("lineitem"))


if __name__ == "__main__":
    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    os.environ["NORMALIZE__DATA_WRITER__DISABLE_COMPRESSION"] = "false"
    ways = (connectorx, dlt_arrow, dlt_connectorx, dlt_rows, dlt_csv, dlt_jsonl)
    {way.__name__: way for way in ways}[sys.argv[1]](sys.argv[2], Path(sys.argv[3]))
