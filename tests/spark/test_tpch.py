"""The 22 queries of TPC-H, over data of their own generator, on both engines."""

import subprocess
import sys
from pathlib import Path

import pytest
from probing import Probe

pytestmark = pytest.mark.spark

QUERIES = [q.strip().rstrip(";") for q in (Path(__file__).parent / "tpch.sql").read_text().split("-- q")[1:]]
TABLES = ("customer", "lineitem", "nation", "orders", "part", "partsupp", "region", "supplier")


@pytest.fixture(scope="module")
def tpch(lab, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tpch")
    program = Path(sys.executable).parent / "tpchgen-cli"
    if not program.exists():
        pytest.skip("the generator is not installed: pip install -r requirements-spark.lock")
    subprocess.run([program, "parquet", "-s", "0.01", "--output-dir", folder], check=True, capture_output=True)
    lab.add("; ".join(f"CREATE TABLE {t} AS FROM '{folder}/{t}.parquet'" for t in TABLES), "tpch")
    return lab


def test_there_are_22():
    assert len(QUERIES) == 22


@pytest.mark.parametrize("text", QUERIES, ids=[f"q{q.split()[0]}" for q in QUERIES])
def test_a_query_gives_the_same(tpch, text):
    number, _, sql = text.partition("\n")
    probe = Probe(sql, "tpch", int(number), refused=False, whole=True)
    (answer,) = tpch.ask([probe])
    assert answer.state == "same", answer.detail
