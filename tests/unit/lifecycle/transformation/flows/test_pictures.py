"""Each flow's picture is true: the rows that it shows going in give the rows that it shows coming out, in columns and types."""

import importlib.util
from pathlib import Path

import pytest

from xde.lifecycle.transformation.flows import NAMES

spec = importlib.util.spec_from_file_location("flow_bench", Path(__file__).with_name("bench.py"))
bench = importlib.util.module_from_spec(spec)
spec.loader.exec_module(bench)


@pytest.mark.parametrize("name", NAMES)
def test_what_goes_in_gives_what_comes_out(name):
    picture = bench.ours(name).picture
    con = bench.connection()
    for dataset, rows in picture.given.items():
        bench.put(con, dataset, rows)
    bench.put(con, "picture.gives", picture.gives)
    parameters = dict(picture.also)
    sql = bench.expanded(f"SELECT * FROM {picture.call}")
    described = con.execute(f"DESCRIBE {sql}", parameters).fetchall()
    assert [(d[0], d[1]) for d in described] == list(zip(picture.gives.columns, picture.gives.types, strict=True))
    found = con.execute(f"SELECT * FROM ({sql}) ORDER BY ALL", parameters).fetchall()
    assert found == con.execute("SELECT * FROM picture.gives ORDER BY ALL").fetchall()
