"""Each flow's picture is true, and lineage goes through it: the rows that it shows going in give the rows that it shows coming out."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from flow_bench import FLOWS, connection, expanded, put_picture

from xde.kernel.graph.analyses import source_meaning
from xde.kernel.graph.meaning.lines import lines_of
from xde.kernel.graph.text.parse import read_text


@pytest.mark.parametrize("flow", FLOWS.values(), ids=FLOWS)
def test_what_goes_in_gives_what_comes_out(flow):
    picture = flow.picture
    con = connection()
    for dataset, table in picture.given.items():
        put_picture(con, dataset, table)
    put_picture(con, "picture.gives", picture.gives)
    parameters = dict(picture.also)
    sql = expanded(f"SELECT * FROM {picture.call}")
    described = con.execute(f"DESCRIBE {sql}", parameters).fetchall()
    assert [(d[0], d[1]) for d in described] == list(zip(picture.gives.columns, picture.gives.types, strict=True))
    found = con.execute(f"SELECT * FROM ({sql}) ORDER BY ALL", parameters).fetchall()
    assert found == con.execute("SELECT * FROM picture.gives ORDER BY ALL").fetchall()


@pytest.mark.parametrize("flow", FLOWS.values(), ids=FLOWS)
def test_nothing_goes_in_and_nothing_breaks(flow):
    picture = flow.picture
    con = connection()
    for dataset, table in picture.given.items():
        put_picture(con, dataset, table._replace(cells=()))
    found = con.execute(expanded(f"SELECT * FROM {picture.call}"), dict(picture.also)).fetchall()
    always = {"funnel": [(1, "look", 0, None), (2, "cart", 0, None), (3, "pay", 0, None)], "unknown_member": [(-1, "unknown", None)]}
    assert found == always.get(flow.name, [])


@pytest.mark.parametrize("flow", FLOWS.values(), ids=FLOWS)
def test_the_lineage_of_every_column_is_exact(flow):
    picture = flow.picture
    given = {d: dict(zip(t.columns, t.types, strict=True)) for d, t in picture.given.items()}
    reading = read_text(expanded(f"SELECT * FROM {picture.call}"))
    assert reading.faults == ()
    assert {".".join(t.parts) for t in reading.tables} == set(picture.given)
    lines = lines_of(reading, {d: (types, source_meaning(d, types)) for d, types in given.items()}, ordered=False)
    assert lines.is_exact
    assert lines.missing == ()
    columns, _ = lines.named(picture.gives.columns)
    copied = {c.name for c in columns if c.identity is not None}
    first = next(iter(picture.given.values()))
    if flow.name in {"dedupe", "latest", "as_of", "lookup", "validate", "surrogate_key", "sessionize", "rolling", "rank_within"}:
        assert copied >= set(first.columns)


@pytest.mark.parametrize("flow", FLOWS.values(), ids=FLOWS)
def test_says_what_every_argument_is(flow):
    assert flow.summary.endswith(".")
    assert [a.name for a in flow.arguments if not a.help and a.kind.value != "a relation"] == []
