"""Types as a warehouse names them, as DuckDB does."""

from __future__ import annotations

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

_DIALECTS = {
    "postgres",
    "snowflake",
    "bigquery",
    "redshift",
    "databricks",
    "spark",
    "trino",
    "athena",
    "clickhouse",
    "duckdb",
    "mysql",
    "oracle",
}


def duckdb_type(text: str, warehouse: str) -> str | None:
    """DuckDB's name of a type; None when it has none."""
    dialect = {"sqlserver": "tsql", "fabric": "tsql"}.get(warehouse, warehouse)
    try:
        kind = exp.DataType.build(text, dialect=dialect if dialect in _DIALECTS | {"tsql"} else None)
        written = kind.sql("duckdb")
        sqlglot.parse_one(f"CAST(NULL AS {written})", dialect="duckdb")
    except (SqlglotError, ValueError):
        return None
    return written
