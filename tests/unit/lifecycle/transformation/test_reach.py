"""What comes late is computed where it belongs and nowhere else; whatever comes, the rows are those of a full rebuild."""

from __future__ import annotations

import random
import shutil
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from projects.contracts import source
from xde.app.workspace import Workspace

CONTRACT = source(
    """\
  - name: rides
    physicalName: rides-*.csv
    physicalType: file
    customProperties:
      - {property: xdeWriteMode, value: MODE}
    properties:
      - {name: ride, logicalType: integer, primaryKey: true, required: true}
      - {name: begun, logicalType: timestamp, required: true}
      - {name: stop, logicalType: string}
      - {name: fare, logicalType: integer}
""",
    name="trips",
)
STAGED = """\
/* xde
kind: incremental
time: begun
*/
SELECT ride, begun, CAST(begun - INTERVAL 5 HOUR AS DATE) AS local_day, stop, fare FROM trips.rides
"""
DAILY = """\
/* xde
kind: incremental
time: local_day
*/
SELECT local_day, stop, count(*) AS rides, sum(fare) AS fare FROM staging.rides GROUP BY ALL
"""
HOURLY = """\
/* xde
kind: incremental
time: begun
grain: hour
*/
SELECT begun, count(*) AS rides, sum(fare) AS fare FROM staging.rides GROUP BY ALL
"""
MONTHLY = """\
/* xde
kind: incremental
time: local_day
grain: month
*/
SELECT s.local_day, max(s.fare) AS highest FROM staging.seen AS s GROUP BY ALL
"""
SEEN = """\
/* xde
kind: view
*/
SELECT local_day, fare FROM staging.rides WHERE stop IS NOT NULL
"""
MARTS = ("marts.daily", "marts.hourly", "marts.monthly")
FIRST = datetime(2026, 1, 1)  # noqa: DTZ001 - the column has no zone


class Rides:
    """A project, the rides that were delivered to it, and short words for what a test does with both."""

    def __init__(self, root: Path, mode: str = "append") -> None:
        self.root, self.files, self.rides = root, 0, 0
        for folder in ("sources", "data", "models/staging", "models/marts"):
            (root / folder).mkdir(parents=True)
        (root / "xde.yaml").write_text("name: trips\n")
        (root / "sources/trips.yaml").write_text(CONTRACT.replace("MODE", mode))
        for path, sql in (("staging/rides", STAGED), ("staging/seen", SEEN), ("marts/daily", DAILY), ("marts/hourly", HOURLY)):
            (root / f"models/{path}.sql").write_text(sql)
        (root / "models/marts/monthly.sql").write_text(MONTHLY)

    def deliver(self, *hours: float, rides: list[int] | None = None, fare: int = 3) -> None:
        """A file of rides that began so many hours after the first of January."""
        names = rides or range(self.rides, self.rides + len(hours))
        self.rides = max(self.rides, *(n + 1 for n in names))
        lines = [f"{n},{FIRST + timedelta(hours=h)},{'abc'[n % 3]},{fare + n % 5}" for n, h in zip(names, hours, strict=True)]
        (self.root / f"data/rides-{self.files}.csv").write_text("ride,begun,stop,fare\n" + "\n".join(lines) + "\n")
        self.files += 1

    def run(self, **how):
        with Workspace.open(self.root) as workspace:
            finished = workspace.run(**how)
        assert finished.status == "done", [o.findings for o in finished.outcomes]
        return {o.step.dataset: o.rows for o in finished.outcomes}

    def rows(self, dataset):
        with Workspace.open(self.root) as workspace:
            return sorted(tuple(r.values()) for r in workspace.show(dataset, limit=None).read_all().to_pylist())

    def is_as_rebuilt(self):
        """Every table holds what it would if it were made now from nothing."""
        before = {n: self.rows(n) for n in ("staging.rides", *MARTS)}
        again = Path(f"{self.root}-again")
        shutil.copytree(self.root, again, ignore=shutil.ignore_patterns(".xde"))
        other = Rides.__new__(Rides)
        other.root = again
        other.run()
        rebuilt = {n: other.rows(n) for n in before}
        shutil.rmtree(again)
        assert before == rebuilt
        return True


@pytest.fixture
def year(tmp_path):
    """A ride every seven hours of a year, delivered at once and built."""
    rides = Rides(tmp_path / "trips")
    rides.deliver(*range(0, 8760, 7))
    rides.run()
    return rides


@pytest.mark.slow
def test_a_late_file_reaches_its_days_through_a_model_that_is_kept_by_another_time(year):
    year.deliver(2401, 2402, 2449)
    computed = year.run()
    assert computed["trips.rides"] == 3
    assert computed["staging.rides"] <= 3 + 2 * 4, "two days of the clock that it is kept by"
    assert computed["marts.daily"] <= 4 * 3, "the four local days that those two may be"
    assert computed["marts.hourly"] <= 3 * 4, "the same column under the same name: no row is looked at"
    assert computed["marts.monthly"] <= 31
    assert year.is_as_rebuilt()


@pytest.mark.slow
def test_late_rows_far_apart_reach_their_own_days_alone(year):
    year.deliver(10, 4000, 8000)
    computed = year.run()
    assert computed["staging.rides"] <= 3 * 5
    assert computed["marts.daily"] <= 3 * 3 * 3
    assert year.is_as_rebuilt()


@pytest.mark.slow
def test_several_runs_upstream_are_reached_by_one_downstream(year):
    for hour in (100, 3000, 3001):
        year.deliver(hour)
        year.run(selection=["trips.rides", "staging.rides"])
    computed = year.run()
    assert computed["marts.daily"] <= 2 * 3 * 3
    assert year.is_as_rebuilt()


@pytest.mark.slow
def test_a_compaction_between_changes_nothing(year):
    year.deliver(5000)
    year.run(selection=["trips.rides", "staging.rides"])
    with Workspace.open(year.root) as workspace:
        workspace.clean(compact=True)
    assert year.run()["marts.daily"] <= 2 * 3
    assert year.is_as_rebuilt()


@pytest.mark.slow
def test_where_the_old_files_are_gone_everything_is_computed(year):
    year.deliver(5000)
    year.run(selection=["trips.rides", "staging.rides"])
    with Workspace.open(year.root) as workspace:
        (table,) = (t for t in workspace.house.lake.tables() if t.dataset == "staging.rides")
        for file in workspace.house.lake.snapshot(table, 0).files:
            (Path(workspace.house.lake.folder(table)) / file.path).unlink(missing_ok=True)
    assert year.run()["marts.daily"] > 300
    assert year.is_as_rebuilt()


def test_rows_that_change_by_their_key_reach_the_days_they_were_in_and_are_in(tmp_path):
    rides = Rides(tmp_path / "trips", "merge")
    rides.deliver(*range(0, 8760, 7))
    rides.run()
    rides.deliver(24.5, rides=[600], fare=50)  # a ride of the summer that was one of the winter
    computed = rides.run()
    assert computed["staging.rides"] <= 2 * 5
    assert computed["marts.daily"] <= 2 * 3 * 3
    assert rides.is_as_rebuilt()


@pytest.mark.slow
def test_a_full_rebuild_upstream_is_compared_row_by_row(year):
    year.run(selection=["staging.rides"], full=True)
    assert year.run().get("marts.daily", 0) == 0, "the rows are the same"
    assert year.is_as_rebuilt()


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.slow
def test_whatever_comes_it_is_as_rebuilt(tmp_path, seed):
    dice = random.Random(seed)
    rides = Rides(tmp_path / "trips", dice.choice(["append", "merge"]))
    rides.deliver(*(dice.uniform(0, 2000) for _ in range(200)))
    rides.run()
    for _ in range(4):
        rides.deliver(*(dice.uniform(0, 2200) for _ in range(dice.randint(1, 6))))
        rides.run(selection=dice.choice([(), ("trips.rides", "staging.rides"), ("trips.rides",)]))
    rides.run()
    assert rides.is_as_rebuilt()
