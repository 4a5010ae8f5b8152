"""Models of windows, load by load: the same tables and the same letters, whichever engine ran the queries."""

from pathlib import Path

import pytest
from examples import differences, name_it
from projects.clicks import CONTRACT, project

from xde.app.workspace import Workspace

pytestmark = pytest.mark.spark
MODELS = ("marts.tumble_update", "marts.slide_separate", "marts.session_update", "marts.session_closed")
LOADS = [
    [(0, "a", 0), (1, "a", 3), (2, "b", 12), (3, "c", 1)],
    [(4, "a", 21), (5, "b", 16), (6, "c", 9), (7, "a", 14)],
    [(8, "a", 8), (9, "b", 22), (10, "c", 5), (11, "a", 17), (12, "c", 40)],
]


def made(root: Path, settings) -> tuple[Path, dict[str, list[object]]]:
    web = project(root, *MODELS)
    web.write("sources/web.yaml", CONTRACT)
    if settings:
        name_it(root, settings)
    for load in LOADS:
        web.deliver(load)
        with Workspace.open(root) as workspace:
            finished = workspace.run()
        assert finished.status == "done", [(o.step.dataset, f.code, f.message, f.why) for o in finished.outcomes for f in o.findings]
    return root, {n: web.letters(n) for n in MODELS}


def test_windows_are_the_same_on_both_engines(spark_settings, tmp_path):
    one, ours = made(tmp_path / "duckdb", None)
    other, theirs = made(tmp_path / "spark", spark_settings)
    assert differences(one, other) == []
    assert ours == theirs
    assert sum(map(len, ours.values())) > 3
