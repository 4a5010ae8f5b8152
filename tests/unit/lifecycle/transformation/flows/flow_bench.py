"""Flows run on DuckDB: rows put into tables, a call expanded and asked, and what came given back."""

from __future__ import annotations

import duckdb

from xde.app.flows import our_flows
from xde.ground.names import quoted, quoted_name
from xde.kernel.graph.flows.book import FlowBook
from xde.kernel.graph.flows.expanding import expand

FLOWS = {f.name: f for f in our_flows()}
BOOK = FlowBook({name: (lambda f=f: f) for name, f in FLOWS.items()})


def expanded(sql):
    made = expand(sql, BOOK)
    assert not made.faults, made.faults
    return made.sql


def connection():
    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'; SET threads = 1")
    return con


def put(con, name, columns, rows):
    """A table; `columns` are names with types (`id INTEGER, at TIMESTAMP`), cells are cast to them."""
    con.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(name.split('.')[0])}")
    con.execute(f"CREATE OR REPLACE TABLE {quoted_name(name)} ({columns})")
    if rows:
        marks = ", ".join(f"({', '.join('?' for _ in row)})" for row in rows)
        con.execute(f"INSERT INTO {quoted_name(name)} VALUES {marks}", [cell for row in rows for cell in row])


def put_picture(con, name, table):
    """A table with the rows of a picture."""
    put(con, name, ", ".join(f"{quoted(c)} {t}" for c, t in zip(table.columns, table.types, strict=True)), table.cells)


def asked(con, sql, parameters=None):
    """The rows of a query whose flows are expanded."""
    return con.execute(expanded(sql), parameters or {}).fetchall()
