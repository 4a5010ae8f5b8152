"""Every probe on both engines, on a cluster of two workers: the same, or refused before Spark is asked."""

import pytest
from probing import groups, probes

pytestmark = pytest.mark.spark

ALL = probes()
ACCEPTED = groups([p for p in ALL if not p.refused], 60)


@pytest.mark.parametrize("given", ACCEPTED, ids=lambda g: f"{g[0].kind} {g[0].line}-{g[-1].line}")
def test_both_engines_give_the_same(lab, given):
    wrong = [a for a in lab.ask(given) if a.state != "same"]
    assert not wrong, "\n".join(f"{a.state}: {a.probe}\n    {a.detail}" for a in wrong)
