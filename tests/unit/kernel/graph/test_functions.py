"""What we say of DuckDB's functions, asked of DuckDB."""

from __future__ import annotations

import re

import duckdb
import pytest
import sqlglot
from sqlglot import exp

from xde.kernel.graph.cache import PARSER
from xde.kernel.graph.text.expressions import is_aggregate
from xde.kernel.graph.text.functions import AGGREGATES, READ_BY_TEXT, SPREADING, TABLE_FUNCTIONS, gives_a_table, is_file, reads_files

ARGUMENTS = ("a", "a, b", "a, b, c", "a, 0.5", "a, 1, 2, 3")


def functions(*kinds: str) -> list[str]:
    with duckdb.connect() as connection:
        rows = connection.execute("SELECT DISTINCT function_name, function_type FROM duckdb_functions()").fetchall()
    return sorted({n for n, k in rows if k in kinds and re.fullmatch(r"\w+", n)})


def calls(name: str) -> list[exp.Expr]:
    found = []
    for arguments in ARGUMENTS:
        try:
            found.append(sqlglot.parse_one(f"SELECT {name}({arguments})", read="duckdb").expressions[0])
        except sqlglot.errors.ParseError:
            continue
    return found


def core(node: exp.Expr) -> exp.Expr:
    while isinstance(node, (exp.IgnoreNulls, exp.RespectNulls, exp.WithinGroup, exp.Paren)):
        node = node.this
    return node


@pytest.mark.parametrize("name", functions("aggregate"))
def test_every_aggregate_is_known_as_one(name):
    assert all(is_aggregate(core(call)) for call in calls(name))


def test_no_other_function_is_taken_for_an_aggregate():
    others = set(functions("scalar", "macro")) - set(functions("aggregate"))
    assert [n for n in others for call in calls(n) if any(is_aggregate(x) for x in call.find_all(exp.Func))] == []


def test_the_aggregates_that_we_name_exist():
    assert set(functions("aggregate")) >= AGGREGATES
    assert set(functions("table", "scalar", "table_macro", "macro")) | {"unnest"} >= SPREADING


def test_table_functions_that_read_files_are_known():
    assert {n for n in functions("table", "table_macro") if reads_files(n)} >= {
        "read_csv",
        "read_csv_auto",
        "read_parquet",
        "parquet_scan",
        "glob",
    }
    assert not any(reads_files(n) for n in ("range", "generate_series", "unnest", "repeat"))
    assert set(functions("table", "table_macro")) >= READ_BY_TEXT
    assert is_file("a.csv")
    assert is_file("data/x.parquet")
    assert not is_file("orders")


def test_every_function_that_gives_a_table_is_known_as_one():
    theirs = set(functions("table", "table_macro"))
    switches = {
        n
        for n in theirs
        if n.startswith(("enable_", "disable_", "force_", "truncate_")) or n in {"checkpoint", "which_secret", "create_external_resource"}
    }
    assert {n for n in theirs if not gives_a_table(n)} == switches
    assert theirs | {"unnest"} >= TABLE_FUNCTIONS


def test_the_parser_is_the_one_that_analyses_are_kept_for():
    assert sqlglot.__version__ == PARSER
    with duckdb.connect() as connection:
        assert connection.execute("SELECT [x + 1 FOR x IN [1, 2]]").fetchone() == ([2, 3],)
