"""The raw engine at the same work: what a person with DuckDB alone would write. Each runs in a process of its own."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import duckdb
import generate

# as ours are: to pack less would be other work
PACKED = "(FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)"
RULES = """
    l_orderkey >= 1 AND l_partkey >= 1 AND l_suppkey >= 1 AND l_linenumber BETWEEN 1 AND 7 AND l_quantity BETWEEN 1 AND 50
    AND l_extendedprice > 0 AND coalesce(l_discount BETWEEN 0 AND 0.1, true) AND coalesce(l_tax BETWEEN 0 AND 0.08, true)
    AND l_returnflag IN ('A', 'N', 'R') AND coalesce(l_linestatus IN ('O', 'F'), true) AND l_shipdate IS NOT NULL
    AND coalesce(l_shipmode IN ('AIR', 'MAIL', 'SHIP', 'RAIL', 'TRUCK', 'FOB', 'REG AIR'), true) AND coalesce(length(l_comment) <= 44, true)
"""


def load(project: Path) -> None:
    """`read_csv`, typed, what cannot be cast left out, to Parquet: values are rounded to their type, no rule is looked at."""
    columns = {name: physical for name, physical, _ in generate.LINEITEM}
    with duckdb.connect() as connection:
        read = f"read_csv('{project}/data/lineitem.csv', header = true, auto_detect = false, columns = {columns}, ignore_errors = true)"
        connection.execute(f"COPY (SELECT * FROM {read}) TO '{project}/bare.parquet' {PACKED}")


def load_json(project: Path) -> None:
    """`read_json`, typed, what cannot be cast left out, to Parquet: values are rounded to their type, no rule is looked at."""
    columns = {name: physical for name, physical, _ in generate.LINEITEM}
    with duckdb.connect() as connection:
        read = f"read_json('{project}/data/lineitem.ndjson', format = 'newline_delimited', columns = {columns}, ignore_errors = true)"
        connection.execute(f"COPY (SELECT * FROM {read}) TO '{project}/bare.parquet' {PACKED}")


def load_same(project: Path) -> None:
    """The same rows as ours by SQL: exact values, the contract's rules as a condition; nothing kept of the others."""
    texts = {name: "VARCHAR" for name, _, _ in generate.LINEITEM}
    read = f"read_csv('{project}/data/lineitem.csv', header = true, auto_detect = false, columns = {texts})"
    cast = ", ".join(n if p == "VARCHAR" else f"TRY_CAST({n} AS {p}) AS {n}, {n} AS text_{n}" for n, p, _ in generate.LINEITEM)
    exact = " AND ".join(f"(text_{n} IS NULL OR {n}::VARCHAR = text_{n})" for n, p, _ in generate.LINEITEM if p != "VARCHAR")
    names = ", ".join(name for name, _, _ in generate.LINEITEM)
    with duckdb.connect() as connection:
        query = f"SELECT {names} FROM (SELECT {cast} FROM {read}) WHERE {exact} AND {RULES}"
        connection.execute(f"COPY ({query}) TO '{project}/bare.parquet' {PACKED}")


def build(project: Path) -> None:
    """The model's SQL to Parquet, over the same files."""
    with duckdb.connect() as connection:
        connection.execute("CREATE SCHEMA tpch")
        connection.execute(f"CREATE VIEW tpch.lineitem AS FROM read_parquet('{project}/.xde/lake/tpch/lineitem/*/*.parquet')")
        connection.execute(f"COPY ({generate.PRICED}) TO '{project}/bare.parquet' {PACKED}")


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
    changed = ", ".join(f"count_if(l.{c} IS DISTINCT FROM r.{c} AND l.id IS NOT NULL AND r.id IS NOT NULL)" for c in generate.COMPARED)
    sides = f"'{project}/old.parquet' AS l FULL OUTER JOIN '{project}/new.parquet' AS r ON l.id = r.id"
    with duckdb.connect() as connection:
        connection.execute(f"SELECT count_if(l.id IS NULL), count_if(r.id IS NULL), {changed} FROM {sides}").fetchall()


if __name__ == "__main__":
    {"load": load, "load_same": load_same, "load_json": load_json, "build": build, "models": models, "diff": diff}[sys.argv[1]](
        Path(sys.argv[2])
    )
