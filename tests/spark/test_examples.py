"""All example projects on both engines: the same versions, schemas and rows."""

import pytest
from examples import build, differences

pytestmark = pytest.mark.spark


@pytest.mark.parametrize("name", ["jaffle_shop", "austin_traffic", "flights", "sushi"])
def test_an_example_is_the_same_on_both_engines(name, lab, spark_settings, tmp_path):
    one = build(name, tmp_path, None)
    other = build(name, tmp_path, spark_settings)
    assert differences(one, other) == []


def test_a_second_run_has_nothing_to_do(lab, spark_settings, tmp_path):
    from xde.app.workspace import Workspace

    root = build("jaffle_shop", tmp_path, spark_settings)
    with Workspace.open(root) as workspace:
        assert workspace.plan().steps == ()
