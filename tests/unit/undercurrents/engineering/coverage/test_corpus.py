"""Every query of the graph's corpus: a probe of it runs wherever the query does, and counts add up."""

from __future__ import annotations

import sys
from collections import defaultdict
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from xde.undercurrents.engineering.coverage.branch import KEPT, LEFT_OUT, UNKNOWN
from xde.undercurrents.engineering.coverage.probing import survey


@pytest.fixture(scope="module")
def shop():
    path = Path(__file__).parents[3] / "kernel/graph/conftest.py"
    spec = spec_from_file_location("corpus_of_the_graph", path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[spec.name] = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_probes_run_wherever_the_query_does(shop):
    engine = shop.Engine()
    engine.fill(7)
    asked = 0
    for case in shop.corpus():
        found = survey(case.sql)
        for probe in found.probes:
            rows = engine.connection.execute(probe.sql, shop.used(probe.sql)).fetchall()
            assert set(shop.used(probe.sql)) == set(probe.parameters)
            assert len(rows) == 1, case.title
            assert len(rows[0]) == len(probe.branches), case.title
            sums = defaultdict(set)
            places = defaultdict(int)
            for branch, count in zip(probe.branches, rows[0], strict=True):
                if branch.outcome in {KEPT, LEFT_OUT, UNKNOWN}:
                    places[branch.line, branch.column] += count
            for (line, column), total in places.items():
                sums["rows"].add(total)
                assert total >= 0, (line, column)
            assert len(sums["rows"]) <= 1, case.title  # conditions of one clause see the same rows
            asked += 1
    assert asked > 60
