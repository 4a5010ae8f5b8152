"""Python models in a project: planned, run, tested, deployed."""

from __future__ import annotations

from pathlib import Path

import pytest

from projects.folder import Folder
from projects.contracts import source
from xde.app.deploying import Order
from xde.app.testing import TestBench
from xde.app.workspace import Workspace
from xde.ground.errors import UserError
from xde.lifecycle.storage.port import TableId

SOURCE = source("""\
  - name: sales
    physicalName: sales-*.csv
    properties:
      - {name: day, logicalType: date}
      - {name: item, logicalType: string}
      - {name: amount, logicalType: integer}
      - {name: note, logicalType: string}
""")
CONTRACT = """\
apiVersion: v3.1.0
kind: DataContract
id: daily
version: 1.0.0
schema:
  - name: daily
    properties:
      - {name: day, logicalType: date}
      - name: amount
        logicalType: integer
        quality: [{type: library, metric: nullValues, mustBe: 0}]
"""
DAILY = '''"""What was sold on each day."""

from typing import Annotated

import pyarrow as pa

from xde.models import Reads, model


@model(WORDS)
def daily(sales: Annotated[pa.Table, Reads("shop.sales", columns=["day", "amount"])]) -> pa.Table:
    return sales.group_by("day").aggregate([("amount", "sum")]).rename_columns(["day", "amount"])
'''


class Project(Folder):
    def __init__(self, root: Path) -> None:
        self.root = root
        self.write("xde.yaml", "name: shop\nparameters: {least: 2}\n")
        self.write("sources/shop.yaml", SOURCE)
        self.write("data/sales-1.csv", "day,item,amount,note\n2024-01-01,a,1,\n2024-01-01,b,2,\n2024-01-02,a,3,\n")
        self.write("models/marts/daily.yaml", CONTRACT)

    def daily(self, words: str = "", **changed: str) -> None:
        text = DAILY.replace("@model(WORDS)", f"@model({words})" if words else "@model")
        for old, new in changed.items():
            text = text.replace(old, new)
        self.write("models/marts/daily.py", text)

    def open(self, environment: str | None = None) -> Workspace:
        return Workspace.open(self.root, environment=environment)

    def run(self, environment: str | None = None, **how):
        with self.open(environment) as workspace:
            finished = workspace.run(**how)
        return {o.step.dataset: o for o in finished.outcomes}

    def rows(self, dataset: str = "marts.daily", environment: str | None = None) -> list[tuple[object, ...]]:
        with self.open(environment) as workspace:
            found = workspace.show(dataset, limit=None).read_all().to_pylist()
        return sorted((str(r["day"]), r["amount"]) for r in found)

    def version(self) -> str:
        with self.open() as workspace:
            return workspace.known.versions["marts.daily"]

    def refused(self) -> list[tuple[str, str]]:
        with pytest.raises(UserError) as caught, self.open() as workspace:
            workspace.plan()
        return [(f.code, str(f.span)) for f in caught.value.findings]


@pytest.fixture
def shop(tmp_path: Path) -> Project:
    return Project(tmp_path / "shop")


def test_a_function_computes_a_dataset_that_others_read(shop: Project) -> None:
    shop.daily()
    shop.write("models/marts/best.sql", "SELECT day, amount FROM marts.daily WHERE amount > 2\n")
    outcomes = shop.run()
    assert [o.status for o in outcomes.values()] == ["done"] * 3
    assert shop.rows() == shop.rows("marts.best") == [("2024-01-01", 3), ("2024-01-02", 3)]
    with shop.open() as workspace:
        assert not workspace.plan().steps
        node = workspace.lineage("marts.best.amount")
        facts = workspace.house.lake.history(TableId("marts.daily", workspace.known.versions["marts.daily"]))[0].facts
    assert [(str(n.name), n.how) for n in node.parents[0].parents] == [
        ("shop.sales.day", "in Python, from any of them"),
        ("shop.sales.amount", "in Python, from any of them"),
    ]
    assert set(facts["packages"]) == {"python", "pyarrow"}


def test_the_version_is_that_of_what_the_text_means_and_of_the_columns_that_are_read(shop: Project) -> None:
    shop.daily()
    before = shop.version()
    shop.daily('description="other words", memory="1GB"', **{'"""What was sold on each day."""': "# a comment\n"})
    assert shop.version() == before
    shop.write("sources/shop.yaml", SOURCE + "      - {name: more, logicalType: string}\n")
    assert shop.version() == before
    shop.daily(**{'"sum"': '"max"'})
    assert shop.version() != before
    shop.daily('requires=["pyarrow>=20"]')
    assert shop.version() != before
    shop.daily()
    shop.write("sources/shop.yaml", SOURCE.replace("amount, logicalType: integer", "amount, logicalType: integer, physicalType: INTEGER"))
    assert shop.version() != before


@pytest.mark.slow
def test_what_a_model_imports_from_lib_is_part_of_it_and_what_it_does_not_import_is_not(shop: Project) -> None:
    shop.write(
        "lib/sums.py",
        "from lib.names import NAMES\n\ndef total(t):\n    return t.group_by('day').aggregate([('amount', 'sum')]).rename_columns(NAMES)\n",
    )
    shop.write("lib/names.py", "NAMES = ['day', 'amount']\n")
    shop.write("lib/other.py", "x = 1\n")
    body = 'sales.group_by("day").aggregate([("amount", "sum")]).rename_columns(["day", "amount"])'
    shop.daily(**{body: "total(sales)", "import pyarrow as pa": "import pyarrow as pa\nfrom lib.sums import total"})
    before = shop.version()
    assert shop.run()["marts.daily"].status == "done"
    assert shop.rows() == [("2024-01-01", 3), ("2024-01-02", 3)]
    shop.write("lib/other.py", "x = 2\n")
    assert shop.version() == before
    shop.write("lib/names.py", "NAMES = ['day', 'amount', 'more'][:2]\n")
    assert shop.version() != before
    (shop.root / "lib/names.py").unlink()
    assert shop.refused() == [("XDE0269", "lib/sums.py:1:1")]


@pytest.mark.slow
def test_an_interval_is_computed_from_the_rows_of_that_interval(shop: Project) -> None:
    shop.daily('kind="incremental", time="day"', **{'columns=["day", "amount"]': 'columns=["amount"], time="day"'})
    shop.run()
    assert shop.rows() == [("2024-01-01", 3), ("2024-01-02", 3)]
    shop.write("data/sales-2.csv", "day,item,amount,note\n2024-01-02,a,10,\n2024-01-05,a,7,\n")
    assert shop.run()["marts.daily"].rows == 2
    assert shop.rows() == [("2024-01-01", 3), ("2024-01-02", 13), ("2024-01-05", 7)]


@pytest.mark.slow
def test_batches_are_as_one_build(shop: Project) -> None:
    shop.daily('kind="incremental", time="day", batch=1', **{'columns=["day", "amount"]': 'columns=["amount"], time="day"'})
    shop.run()
    assert shop.rows() == [("2024-01-01", 3), ("2024-01-02", 3)]


@pytest.mark.slow
def test_a_build_of_an_interval_is_given_the_rows_of_that_interval_only(shop: Project) -> None:
    counted = 'pa.table({"day": sales["day"].unique(), "amount": [sales.num_rows] * len(sales["day"].unique())})'
    body = 'sales.group_by("day").aggregate([("amount", "sum")]).rename_columns(["day", "amount"])'
    parts = {'columns=["day", "amount"]': 'columns=["amount"], time="day"', body: counted}
    shop.daily('kind="incremental", time="day"', **parts)
    shop.run()
    assert shop.rows() == [("2024-01-01", 3), ("2024-01-02", 3)]
    shop.write("data/sales-2.csv", "day,item,amount,note\n2024-01-02,a,10,\n2024-01-05,a,7,\n")
    shop.run()
    assert shop.rows() == [("2024-01-01", 3), ("2024-01-02", 2), ("2024-01-05", 1)]
    shop.daily('kind="incremental", time="day", batch=1, start="2024-01-02"', **parts)
    shop.run(full=True)
    assert shop.rows() == [("2024-01-02", 2), ("2024-01-05", 1)]


@pytest.mark.slow
def test_by_key_and_append(shop: Project) -> None:
    shop.daily('kind="incremental", key=["day"]')
    shop.run()
    shop.write("data/sales-2.csv", "day,item,amount,note\n2024-01-02,a,10,\n")
    shop.run()
    assert shop.rows() == [("2024-01-01", 3), ("2024-01-02", 13)]
    shop.daily('kind="append"')
    shop.run()
    shop.write("data/sales-3.csv", "day,item,amount,note\n2024-01-02,a,5,\n")
    assert shop.run()["marts.daily"].rows == 1
    assert shop.rows() == [("2024-01-01", 3), ("2024-01-02", 5), ("2024-01-02", 13)]


def test_what_fails_publishes_nothing_and_keeps_nobody_else(shop: Project) -> None:
    shop.daily(**{"return sales": "raise ValueError('no') or sales"})
    shop.write("models/marts/best.sql", "SELECT day, amount FROM marts.daily\n")
    shop.write("models/marts/other.sql", "SELECT day, amount FROM shop.sales\n")
    outcomes = shop.run()
    assert {n: o.status for n, o in outcomes.items()} == {
        "shop.sales": "done",
        "marts.daily": "failed",
        "marts.best": "skipped",
        "marts.other": "done",
    }
    assert [(f.code, str(f.span)) for f in outcomes["marts.daily"].findings] == [("XDE0270", "models/marts/daily.py:12:5")]
    with shop.open() as workspace, pytest.raises(UserError):
        workspace.show("marts.daily")


@pytest.mark.slow
def test_the_rows_of_a_function_are_audited_as_any_others(shop: Project) -> None:
    shop.daily(
        **{
            '.rename_columns(["day", "amount"])': '.rename_columns(["day", "amount"]).append_column("x", pa.nulls(2, pa.int64())).select(["day", "x"]).rename_columns(["day", "amount"])'
        }
    )
    outcome = shop.run()["marts.daily"]
    assert (outcome.status, outcome.facts.get("temper")) == ("failed", "data")


@pytest.mark.slow
def test_what_is_deployed_runs_though_the_working_tree_is_broken(shop: Project) -> None:
    shop.write("lib/names.py", "NAMES = ['day', 'amount']\n")
    shop.daily(
        **{
            'rename_columns(["day", "amount"])': "rename_columns(NAMES)",
            "import pyarrow as pa": "import pyarrow as pa\nfrom lib.names import NAMES",
        }
    )
    shop.run()
    with shop.open("prod") as workspace:
        workspace.deploy(Order())
    shop.write("models/marts/daily.py", "broken(")
    shop.write("lib/names.py", "broken(")
    shop.write("data/sales-2.csv", "day,item,amount,note\n2024-01-07,a,10,\n")
    shop.run("prod")
    assert shop.rows(environment="prod") == [("2024-01-01", 3), ("2024-01-02", 3), ("2024-01-07", 10)]


CASES = """\
model: marts.daily
cases:
  - name: sums up a day
    given:
      shop.sales:
        - {day: 2024-01-01, amount: 1}
        - {day: 2024-01-01, amount: 4}
    expect:
      - {day: 2024-01-01, amount: 5}
  - name: and this is wrong
    given:
      shop.sales: [{day: 2024-01-01, amount: 1}]
    expect:
      - {day: 2024-01-01, amount: 2}
"""


@pytest.mark.slow
def test_cases_call_the_function_in_earnest(shop: Project) -> None:
    shop.daily()
    shop.write("tests/daily.yaml", CASES)
    bench = TestBench.open(shop.root)
    try:
        results = list(bench.run(bench.cases))
    finally:
        bench.close()
    assert [(r.case.name, r.passed) for r in results] == [("sums up a day", True), ("and this is wrong", False)]


REFUSED = {
    "a dataset that there is not": ("", {"shop.sales": "shop.sale"}, [("XDE0201", "models/marts/daily.py:11:38")]),
    "a column that there is not": ("", {'"day", "amount"])]': '"day", "amounts"])]'}, [("XDE0204", "models/marts/daily.py:11:38")]),
    "a parameter that there is not": ("", {")]) -> pa": ")], most: int) -> pa"}, [("XDE0215", "models/marts/daily.py:11:87")]),
    "a parameter of another type": ("", {")]) -> pa": ")], least: str) -> pa"}, [("XDE0263", "models/marts/daily.py:11:87")]),
    "a type that there is not": ('columns={"day": "DATES", "amount": "INTEGER"}', {}, [("XDE0264", "models/marts/daily.py:10:24")]),
    "a column that the contract promises": ('columns={"day": "DATE"}', {}, [("XDE0350", "models/marts/daily.yaml:9:15")]),
    "itself": ("", {"shop.sales": "marts.daily"}, [("XDE0202", "models/marts/daily.py:11:38")]),
    "a package that is missing": ('requires=["no-such-package-there-is"]', {}, [("XDE0266", "models/marts/daily.py:10:18")]),
    "a package of another version": ('requires=["pyarrow<2"]', {}, [("XDE0266", "models/marts/daily.py:10:18")]),
    "Spark without Spark": (
        "",
        {"import pyarrow as pa": "import pyspark.sql as pa", "pa.Table": "pa.DataFrame"},
        [("XDE0267", "models/marts/daily.py:11:5")],
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_a_model_needs_is_looked_for_before_the_run(shop: Project, what: str) -> None:
    words, changed, expected = REFUSED[what]
    shop.daily(words, **changed)
    assert shop.refused() == expected


def test_what_works_on_queries_says_that_a_function_has_none(shop: Project) -> None:
    from xde.app.covering import cover
    from xde.app.mutating import mutate
    from xde.app.properties import Prover

    shop.daily()
    shop.write("models/marts/best.sql", "SELECT day, amount FROM marts.daily WHERE amount > 2\n")
    shop.write("tests/daily.yaml", CASES)
    bench = TestBench.open(shop.root)
    try:
        prover = Prover(bench.known, bench.house)
        for ask in (
            lambda: cover(bench, ["marts.daily"]),
            lambda: list(mutate(bench, ["marts.daily"])),
            lambda: prover.models(["marts.daily"]),
        ):
            with pytest.raises(UserError) as caught:
                ask()
            assert [f.code for f in caught.value.findings] == ["XDE0278"]
        assert [c.dataset for c in cover(bench, [])] == ["marts.best"]
        assert prover.models([]) == ("marts.best",)
    finally:
        bench.close()


@pytest.mark.slow
def test_a_view_is_computed_for_the_function_that_reads_it(shop: Project) -> None:
    shop.write("models/marts/known.sql", "/* xde\nkind: view\n*/\nSELECT day, amount FROM shop.sales WHERE amount >= $least\n")
    shop.daily(**{"shop.sales": "marts.known"})
    shop.run()
    assert shop.rows() == [("2024-01-01", 2), ("2024-01-02", 3)]


def test_doctor_tells_what_is_missing(shop: Project) -> None:
    from xde.app.doctor import doctor

    shop.daily('requires=["pyarrow<2"]')
    with shop.open() as workspace:
        told = {d.subject: d.status for d in doctor(workspace.house, workspace.known)}
    assert told["models/marts/daily.py:10:18"] == "missing"


def test_what_models_need_is_part_of_what_the_project_needs(shop: Project) -> None:
    from xde.app.dependencies import needed

    shop.write("requirements.txt", "polars>=1\n")
    shop.daily(
        'requires=["pyarrow>=20", "polars>=1", "scipy"]',
        **{"-> pa.Table": "-> pandas.DataFrame", "import pyarrow as pa": "import pandas, pyarrow as pa"},
    )
    assert [d.text for d in needed(shop.root)] == ["polars>=1", "pyarrow>=20", "scipy", "pandas"]
