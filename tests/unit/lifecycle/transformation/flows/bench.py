"""Flows run on DuckDB: a picture's rows put into tables, a call expanded and asked, and what came compared."""

from __future__ import annotations

from importlib import import_module

import duckdb

from xde.ground.names import quoted, quoted_name
from xde.kernel.graph.flows.book import FlowBook
from xde.kernel.graph.flows.expanding import expand
from xde.kernel.graph.flows.signature import flow_of
from xde.lifecycle.transformation.flows import NAMES

OURS = "xde.lifecycle.transformation.flows"


def ours(name):
    module = import_module(f"{OURS}.{name}")
    return flow_of(getattr(module, name), str(module.__file__), "xde")


BOOK = FlowBook({n: lambda n=n: ours(n) for n in NAMES})


def expanded(sql):
    made = expand(sql, BOOK)
    assert not made.faults, made.faults
    return made.sql


def connection():
    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'")
    return con


def put(con, name, rows):
    """A table with the rows of a picture."""
    con.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(name.split('.')[0])}")
    columns = ", ".join(f"{quoted(c)} {t}" for c, t in zip(rows.columns, rows.types, strict=True))
    con.execute(f"CREATE OR REPLACE TABLE {quoted_name(name)} ({columns})")
    casts = ", ".join(f"CAST(? AS {t})" for t in rows.types)
    for row in rows.cells:
        con.execute(f"INSERT INTO {quoted_name(name)} SELECT {casts}", list(row))


def asked(con, sql, parameters=None):
    """The rows of a query whose flows are expanded, as dictionaries."""
    result = con.execute(expanded(sql), parameters or {})
    names = [d[0] for d in result.description]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]
