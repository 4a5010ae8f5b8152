"""The inputs of a function, in the form that it wants them: Parquet files as tables, streams, lazy frames or relations."""

from __future__ import annotations

import os
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from xde.kernel.project.python_code import Form

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROWS = 65_536  # of a batch


class Inputs:
    """Gives inputs; what several of them share (a connection, a session) is made once."""

    def __init__(self, job: Mapping[str, Any]) -> None:
        self._job = job

    @cached_property
    def connection(self) -> Any:  # noqa: ANN401 - a connection of DuckDB
        """A DuckDB of this process's own, within a part of its memory."""
        import duckdb

        limit = f"{int(self._job['memory'] * 0.6) // 1_000_000}MB"
        config = {"memory_limit": limit, "temp_directory": self._job["spill"], "threads": self._job["threads"]}
        connection = duckdb.connect(":memory:", config=config)
        connection.execute("SET TimeZone = 'UTC'; SET enable_progress_bar = false; SET autoinstall_known_extensions = false")
        return connection

    @cached_property
    def spark(self) -> Any:  # noqa: ANN401 - a session of a library without types
        """A session of Spark as the engine's own is."""
        from pyspark.sql import SparkSession

        builder = SparkSession.builder
        settings = self._job["spark"]
        os.environ.setdefault("PYSPARK_PYTHON", self._job["python"])
        if settings["remote"]:
            session = builder.remote(settings["remote"]).create()
            for name, value in settings["fixed"].items():
                session.conf.set(name, value)
            return session
        for name, value in settings["options"].items():
            builder = builder.config(name, value)
        return builder.master(settings["master"]).getOrCreate()

    def take(self, form: Form, schema: pa.Schema, paths: Sequence[str]) -> Any:  # noqa: ANN401 - each form has its own type
        """One input."""
        match form:
            case Form.ARROW:
                return self._table(schema, paths)
            case Form.BATCHES:
                return self._relation(schema, paths, self.connection.cursor()).to_arrow_reader(ROWS)
            case Form.POLARS:
                import polars as pl

                return pl.from_arrow(self._table(schema, paths))
            case Form.POLARS_LAZY:
                return self._lazy(schema, paths)
            case Form.PANDAS:
                import pandas as pd

                return self._table(schema, paths).to_pandas(types_mapper=pd.ArrowDtype)
            case Form.DUCKDB:
                return self._relation(schema, paths, self.connection)
            case Form.NARWHALS:
                import narwhals as nw

                return nw.from_native(self._table(schema, paths), eager_only=True)
            case Form.NARWHALS_LAZY:
                import narwhals as nw

                return nw.from_native(self._relation(schema, paths, self.connection))
            case Form.SPARK:
                return self._frame(schema, paths)

    def _table(self, schema: pa.Schema, paths: Sequence[str]) -> pa.Table:
        cursor = self.connection.cursor()
        table = self._relation(schema, paths, cursor).to_arrow_table()
        cursor.close()
        return table

    def _relation(self, schema: pa.Schema, paths: Sequence[str], connection: Any) -> Any:  # noqa: ANN401 - a relation of DuckDB
        """The files by the schema that their table has now: a column that a file lacks is null in it."""
        wanted = connection.from_arrow(pa.RecordBatchReader.from_batches(schema, []))
        names = ['"' + n.replace('"', '""') + '"' for n in wanted.columns]
        kinds = list(map(str, wanted.types))
        if not paths:
            cells = ", ".join(f"CAST(NULL AS {k}) AS {n}" for n, k in zip(names, kinds, strict=True))
            return connection.sql(f"SELECT {cells} WHERE false")
        files = ", ".join("'" + p.replace("'", "''") + "'" for p in paths)
        read = f"read_parquet([{files}], union_by_name = true)"
        there = {c.lower() for c in connection.sql(f"SELECT * FROM {read} LIMIT 0").columns}
        cells = ", ".join(
            f"CAST({n if c.lower() in there else 'NULL'} AS {k}) AS {n}" for c, n, k in zip(wanted.columns, names, kinds, strict=True)
        )
        return connection.sql(f"SELECT {cells} FROM {read}")

    def _lazy(self, schema: pa.Schema, paths: Sequence[str]) -> Any:  # noqa: ANN401 - a lazy frame of Polars
        import polars as pl

        empty: Any = pl.from_arrow(self._table(schema, ()))
        if not paths:
            return empty.lazy()
        casts = pl.ScanCastOptions(integer_cast="upcast", float_cast="upcast", datetime_cast=["nanosecond-downcast", "convert-timezone"])
        return pl.scan_parquet(list(paths), schema=empty.schema, missing_columns="insert", extra_columns="ignore", cast_options=casts)

    def _frame(self, schema: pa.Schema, paths: Sequence[str]) -> Any:  # noqa: ANN401 - a frame of Spark
        from pyspark.sql.pandas.types import from_arrow_schema

        wanted = from_arrow_schema(schema, prefer_timestamp_ntz=True)
        return self.spark.read.schema(wanted).parquet(*paths) if paths else self.spark.createDataFrame([], wanted)
