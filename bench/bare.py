"""The raw engine at the same work: what a person with DuckDB alone would write. Each runs in a process of its own."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import duckdb
import generate


def load(project: Path) -> None:
    """`read_csv`, typed, bad rows left out, to Parquet."""
    columns = {name: physical for name, physical, _ in generate.LINEITEM}
    with duckdb.connect() as connection:
        read = f"read_csv('{project}/data/lineitem.csv', header = true, auto_detect = false, columns = {columns}, ignore_errors = true)"
        connection.execute(f"COPY (SELECT * FROM {read}) TO '{project}/bare.parquet' (FORMAT parquet)")


def build(project: Path) -> None:
    """The model's SQL to Parquet, over the same files, packed as ours are: to pack less would be other work."""
    with duckdb.connect() as connection:
        connection.execute("CREATE SCHEMA tpch")
        connection.execute(f"CREATE VIEW tpch.lineitem AS FROM read_parquet('{project}/.xde/lake/tpch/lineitem/*/*.parquet')")
        connection.execute(f"COPY ({generate.PRICED}) TO '{project}/bare.parquet' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)")


def models(project: Path) -> None:
    """All models of a project in one process, each into a table."""
    with duckdb.connect(str(project / "bare.duckdb")) as connection:
        connection.execute("CREATE SCHEMA raw")
        for path in sorted((project / "data").glob("*.csv")):
            connection.execute(f"CREATE TABLE raw.{path.stem} AS FROM read_csv('{path}')")
        for path in sorted((project / "models").rglob("*.sql"), key=lambda p: int(p.stem[1:])):
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {path.parent.name}")
            sql = re.sub(r"\A/\* xde.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
            connection.execute(f"CREATE TABLE {path.parent.name}.{path.stem} AS {sql}")


def diff(project: Path) -> None:
    """The join that tells which rows and which cells differ, and nothing of doubtful keys, of types or of samples."""
    changed = ", ".join(f"count_if(l.{c} IS DISTINCT FROM r.{c} AND l.id IS NOT NULL AND r.id IS NOT NULL)" for c in generate.VALUES)
    sides = f"'{project}/old.parquet' AS l FULL OUTER JOIN '{project}/new.parquet' AS r ON l.id = r.id"
    with duckdb.connect() as connection:
        connection.execute(f"SELECT count_if(l.id IS NULL), count_if(r.id IS NULL), {changed} FROM {sides}").fetchall()


if __name__ == "__main__":
    {"load": load, "build": build, "models": models, "diff": diff}[sys.argv[1]](Path(sys.argv[2]))
