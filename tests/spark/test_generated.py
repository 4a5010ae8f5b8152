"""Generated queries over a table of nasty values: the same rows on both engines, a refusal, or an error of both; nothing else."""

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from generating import Maker
from probing import Probe

from xde.ground.errors import UserError

pytestmark = pytest.mark.spark

SEEDS, EACH = 10, 24
STATES = Counter()


@pytest.mark.parametrize("seed", range(SEEDS))
def test_generated_queries_give_the_same(lab, seed):
    maker = Maker(random.Random(seed))
    made = [Probe(maker.query(), "generated", number, refused=False, whole=True) for number in range(EACH)]
    with ThreadPoolExecutor(2) as pool:
        answers = [a for a in pool.map(lambda p: asked(lab, p), made) if a]
    wrong = [f"{a.state}: {a.probe.text}\n    {a.detail}" for a in answers if a.state not in {"same", "both fail"}]
    assert not wrong, "\n".join(wrong)


def asked(lab, probe):
    """The answer to a probe that DuckDB takes and Spark is given."""
    try:
        refusal = lab.spark.refused(lab.query(probe), lab.inputs)
    except UserError:
        STATES["no query"] += 1  # DuckDB itself does not take it
        return None
    if refusal:
        STATES[f"refused: {refusal.what[:60]}"] += 1
        return None
    (answer,) = lab.ask([probe])
    STATES[answer.state] += 1
    return answer


def test_most_of_them_say_something():
    assert STATES["same"] >= SEEDS * EACH * 0.6, STATES
