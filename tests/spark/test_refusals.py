"""What is not proven is refused before Spark is asked; and every function that is let through has a probe. Needs no Spark."""

import re

import pytest
from probing import LAB, Lab, probes

from xde.connectors.spark.portable.proven import FUNCTIONS
from xde.ground.errors import UserError
from xde.kernel.project.settings import EngineSettings

ALL = probes()
CALLED = re.compile(r"\b(\w+)\(")


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    made = Lab(tmp_path_factory.mktemp("desk"), EngineSettings("spark"))
    made.add(LAB, "lab")
    return made


def test_there_are_enough_probes():
    assert len(ALL) >= 800
    assert len({p.text for p in ALL}) > 800


@pytest.mark.parametrize("kind", sorted({p.kind for p in ALL}))
def test_a_probe_is_refused_or_not_as_it_says(desk, kind):
    wrong = []
    for probe in ALL:
        if probe.kind != kind:
            continue
        try:
            told = desk.spark.refused(desk.query(probe), desk.inputs)
        except UserError:
            told = "DuckDB refuses it itself"
        if bool(told) != probe.refused:
            wrong.append(f"{'refused' if told else 'accepted'}: {probe} {told}")
    assert not wrong, "\n".join(wrong)


def test_every_function_that_is_let_through_has_a_probe():
    proven = {n.lower() for p in ALL if not p.refused for n in CALLED.findall(p.text)}
    assert sorted(set(FUNCTIONS) - proven) == []


def test_a_refusal_says_where_why_and_what_instead(desk):
    from xde.lifecycle.transformation.port import Query

    sql = "SELECT g,\n  any_value(x) AS one\nFROM lab.facts GROUP BY g"
    told = desk.spark.refused(Query(sql), desk.inputs)
    assert told.code == "XDE0820"
    assert sql[told.start : told.start + told.length] == "any_value"
    assert "min(x)" in told.hint


def test_the_documentation_has_the_table_of_what_is_let_through():
    from pathlib import Path

    from xde.connectors.spark.portable.table import placed

    page = (Path(__file__).parents[2] / "docs/concepts/engine.md").read_text(encoding="utf-8")
    assert placed(page) == page, (
        "run `python -m xde.connectors.spark.portable.table < docs/concepts/engine.md`, and put what comes in its place"
    )
