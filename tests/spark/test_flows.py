"""The picture of every flow on both engines: the same rows, or a refusal that is known here."""

import sys
from pathlib import Path

import duckdb
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "unit/lifecycle/transformation/flows"))

from flow_bench import FLOWS, expanded, put_picture
from probing import difference, same

from xde.lifecycle.storage.port import Column
from xde.lifecycle.transformation.port import Input, Query

pytestmark = pytest.mark.spark

REFUSED = {"flatten", "unpivot"}


@pytest.mark.parametrize("flow", FLOWS.values(), ids=FLOWS)
def test_a_flow_gives_the_same_or_is_refused(lab, flow):
    picture = flow.picture
    for dataset, table in picture.given.items():
        path = lab.folder / f"{flow.name}.{dataset}.parquet"
        with duckdb.connect() as made:
            made.execute("SET TimeZone = 'UTC'")
            put_picture(made, dataset, table)
            made.execute(f"COPY (FROM {dataset}) TO '{path}' (FORMAT parquet)")
        lab.inputs[dataset] = Input(tuple(Column(c, t) for c, t in zip(table.columns, table.types, strict=True)), (str(path),))
    query = Query(expanded(f"SELECT * FROM {picture.call}"), dict(picture.also))
    inputs = {d: lab.inputs[d] for d in picture.given}
    refusal = lab.spark.refused(query, inputs)
    assert (refusal is not None) == (flow.name in REFUSED), refusal
    if refusal is None:
        one, other, typed = lab.both(query)
        assert isinstance(one, list), one
        assert isinstance(other, list), other
        assert same(one, other), difference(one, other)
        assert typed
