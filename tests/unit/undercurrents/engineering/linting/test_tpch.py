"""The twenty-two queries of TPC-H, which are right: what the linter says of them beyond names without a table is false."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from xde.undercurrents.engineering.linting.facts import Field, Relation
from xde.undercurrents.engineering.linting.linting import lint
from xde.undercurrents.engineering.linting.subject import Model

TEXT = (Path(__file__).parents[4] / "spark/tpch.sql").read_text()
QUERIES = re.split(r"^-- (q\d+)\n", TEXT, flags=re.MULTILINE)[1:]
# TPC-H 3.0.1, 1.4.1 and 1.4.2; every column is there
TABLES = {
    "region": ("r_regionkey", "r_regionkey r_name r_comment"),
    "nation": ("n_nationkey", "n_nationkey n_name n_regionkey n_comment"),
    "supplier": ("s_suppkey", "s_suppkey s_name s_address s_nationkey s_phone s_acctbal s_comment"),
    "customer": ("c_custkey", "c_custkey c_name c_address c_nationkey c_phone c_acctbal c_mktsegment c_comment"),
    "part": ("p_partkey", "p_partkey p_name p_mfgr p_brand p_type p_size p_container p_retailprice p_comment"),
    "partsupp": ("ps_partkey ps_suppkey", "ps_partkey ps_suppkey ps_availqty ps_supplycost ps_comment"),
    "orders": (
        "o_orderkey",
        "o_orderkey o_custkey o_orderstatus o_totalprice o_orderdate o_orderpriority o_clerk o_shippriority o_comment",
    ),
    "lineitem": (
        "l_orderkey l_linenumber",
        "l_orderkey l_partkey l_suppkey l_linenumber l_quantity l_extendedprice l_discount l_tax l_returnflag l_linestatus "
        "l_shipdate l_commitdate l_receiptdate l_shipinstruct l_shipmode l_comment",
    ),
}


def type_of(column: str) -> str:
    if column.endswith("date"):
        return "DATE"
    numbers = ("key", "size", "availqty", "linenumber", "shippriority")
    decimals = ("price", "discount", "tax", "quantity", "acctbal", "cost")
    return "BIGINT" if column.endswith(numbers) else "DECIMAL(15,2)" if column.endswith(decimals) else "VARCHAR"


INPUTS = {
    f"tpch.{table}": Relation({c: Field(c, type_of(c), required=True) for c in columns.split()}, frozenset([frozenset(key.split())]))
    for table, (key, columns) in TABLES.items()
}


@pytest.mark.parametrize(("name", "sql"), list(zip(QUERIES[::2], QUERIES[1::2], strict=True)), ids=QUERIES[::2])
def test_a_query_that_is_right_is_not_complained_of(name, sql):
    linted = lint(Model(f"marts.{name}", sql.strip().rstrip(";"), frozenset(), promised=True), INPUTS)
    assert linted.relation.fields is not None
    assert [f for f in linted.found if f.rule != "unqualified-column"] == []


def test_all_are_there():
    assert len(QUERIES) == 44
