"""Histories, seeds, ephemeral parts and keys that go: the same tables, whichever engine ran the queries."""

import re
from pathlib import Path

import pytest
from examples import differences, name_it

from xde.app.workspace import Workspace

pytestmark = pytest.mark.spark
STORY = Path(__file__).parents[1] / "stories/moving_house.md"
STOCK = "/* xde\nkind: incremental\nkey: id\ndeleted: gone\nsort: [id]\n*/\nSELECT id, max(city) AS city, bool_or(gone) AS gone FROM crm.moves GROUP BY id\n"


def project(root: Path, settings) -> Path:
    """The story's files as they were before its last change, in two runs."""
    files = re.findall(r"```\w+ file=(\S+)\n(.*?)```", STORY.read_text(), re.DOTALL)
    for path, text in files:
        if path != "data/moves-2.csv" and "partition" not in text:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
    (root / "models/marts/stock.sql").write_text(STOCK)
    if settings:
        name_it(root, settings)
    for text in ("", dict(files)["data/moves-2.csv"]):
        if text:
            (root / "data/moves-2.csv").write_text(text)
        with Workspace.open(root) as workspace:
            finished = workspace.run()
        assert finished.status == "done", [(f.code, f.message, f.why) for o in finished.outcomes for f in o.findings]
    return root


def test_every_kind_is_the_same_on_both_engines(spark_settings, tmp_path):
    assert differences(project(tmp_path / "duckdb", None), project(tmp_path / "spark", spark_settings)) == []


JUDGED = "FROM validate(crm.moves, holds := trim(city) <> 'Ghent', rule := elsewhere, keep := letters)"
JUDGING = {
    "models/marts/judged.sql": f"SELECT count(*) AS n, min(since) AS first {JUDGED}\n",
    "models/marts/judged_by_time.sql": f"/* xde\nkind: incremental\ntime: since\n*/\nSELECT id, city, since {JUDGED}\n",
}


def letters(root: Path) -> list[tuple[str, str, bytes]]:
    with Workspace.open(root) as workspace:
        return sorted((x.letter.dataset, x.letter.id, x.letter.raw) for x in workspace.letters())


def test_rows_that_fail_are_the_same_letters_on_both_engines(spark_settings, tmp_path):
    made = []
    for name, settings in (("duckdb", None), ("spark", spark_settings)):
        for path, text in JUDGING.items():
            (tmp_path / name / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name / path).write_text(text)
        made.append(project(tmp_path / name, settings))
    assert differences(*made) == []
    assert letters(made[0]) == letters(made[1])
    assert {dataset for dataset, *_ in letters(made[0])} == {"marts.judged", "marts.judged_by_time"}
