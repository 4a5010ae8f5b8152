"""Flows run on DuckDB: rows put into tables, a call expanded and asked, and what came given back."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict

import duckdb
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

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


some = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
START = dt.datetime.fromisoformat("2024-01-01")
keys = st.one_of(st.none(), st.sampled_from(["a", "b"]))
known_moments = st.integers(0, 40).map(lambda n: START + dt.timedelta(minutes=n))
moments = st.one_of(st.none(), known_moments)
values = st.one_of(st.none(), st.integers(0, 3))
rows = st.lists(st.tuples(keys, moments, values), max_size=12)
COLUMNS = "k VARCHAR, t TIMESTAMP, v INTEGER"
CON = connection()  # every answer is taken whole, and every table made anew: an example need not open one of its own


def table(data, columns=COLUMNS):
    put(CON, "s.t", columns, data)
    return CON


def groups(data):
    """Rows by their first cell."""
    found = defaultdict(list)
    for row in data:
        found[row[0]].append(row)
    return found


def nulls_first(value):
    return (value is not None, value) if value is not None else (False,)


def nulls_last(value):
    return (value is None, value) if value is not None else (True,)


def sort(found):
    return sorted(found, key=lambda row: tuple(nulls_last(c) for c in row))
