"""Plans in words and as data."""

import json

import pytest

from xde.faces.words.plan import intervals_text, plan_fact, plan_text, short_plan_text
from xde.kernel.plan.plan import Cost, Interval, Plan, Reason, SourceFile, Step, StepKind

FILES = tuple(SourceFile(f"flights-2013-{m:02}.csv.gz", 675_000, f"{m:032x}") for m in range(1, 13))
LOAD = Step(
    "load:nyc.flights",
    StepKind.LOAD,
    "nyc.flights",
    "v1",
    (Reason("new", "not in this environment yet"), Reason("files", "12 files are not loaded yet")),
    files=FILES,
)
BUILD = Step(
    "build:marts.daily",
    StepKind.BUILD,
    "marts.daily",
    "v2",
    (Reason("upstream", "`nyc.flights` is loaded by this plan"),),
    after=("nyc.flights",),
    intervals=(Interval("2013-01-01T00:00:00", "2014-01-01T00:00:00"),),
    cost=Cost(2.13, 1095, 40_000),
)
PLAN = Plan("dev", (LOAD, BUILD), 3, "2026-01-01T00:00:00+00:00")


def test_the_whole_plan():
    assert plan_text(PLAN) == (
        "2 steps for `dev`, 3 datasets unchanged\n"
        "\n"
        "step   dataset      what                                 last time          because\n"
        "─────  ───────────  ───────────────────────────────────  ─────────────────  ────────────────────────────────────\n"
        "load   nyc.flights  12 files, 8.1 MB                                        not in this environment yet\n"
        "                                                                            12 files are not loaded yet\n"
        "build  marts.daily  2013-01-01 .. 2014-01-01 (365 days)  2.1 s, 1,095 rows  `nyc.flights` is loaded by this plan\n"
        "\n"
        "by the last run: 2.1 s of work, 1 step never done before\n"
        "to do it: `xde run`\n"
    )


def test_in_short():
    assert short_plan_text(PLAN) == (
        "2 steps for `dev`, 3 datasets unchanged\n"
        "  load nyc.flights: not in this environment yet (and 1 more reason)\n"
        "  build marts.daily: `nyc.flights` is loaded by this plan\n"
    )
    many = Plan("dev", (BUILD,) * 11, 0, "")
    assert short_plan_text(many).splitlines()[-1] == "  and 3 more steps; `xde plan` shows all"


def test_nothing_to_do_is_one_line():
    assert plan_text(Plan("prod", (), 17, "")) == "nothing to do: 17 datasets are up to date in `prod`\n"
    assert plan_text(Plan("prod", (), 1, "")) == "nothing to do: 1 dataset is up to date in `prod`\n"


@pytest.mark.parametrize(
    ("intervals", "text"),
    [
        ([("2013-01-01", "2014-01-01")], "2013-01-01 .. 2014-01-01 (365 days)"),
        ([("2013-01-01", "2013-01-02")], "2013-01-01 .. 2013-01-02 (1 day)"),
        ([("2013-01-01", "2013-02-01"), ("2013-03-01", "2013-04-01")], "2013-01-01 .. 2013-02-01 and 1 more (62 days in all)"),
        ([("2013-01-01T05:00:00", "2013-01-01T11:00:00")], "2013-01-01 05:00 .. 2013-01-01 11:00 (6 hours)"),
    ],
)
def test_intervals_in_short(intervals, text):
    assert intervals_text([Interval(*i) for i in intervals]) == text


def test_the_same_as_data():
    document = json.loads(json.dumps(plan_fact(PLAN)))
    assert document["digest"] == PLAN.digest
    assert (document["environment"], document["unchanged"], document["created_at"]) == ("dev", 3, "2026-01-01T00:00:00+00:00")
    first, second = document["steps"]
    assert first["reasons"][1] == {"code": "files", "text": "12 files are not loaded yet"}
    assert len(first["files"]) == 12
    assert first["cost"] is None
    assert second == {
        "id": "build:marts.daily",
        "kind": "build",
        "dataset": "marts.daily",
        "version": "v2",
        "reasons": [{"code": "upstream", "text": "`nyc.flights` is loaded by this plan"}],
        "after": ["nyc.flights"],
        "intervals": [{"start": "2013-01-01T00:00:00", "end": "2014-01-01T00:00:00"}],
        "files": [],
        "full": False,
        "until": None,
        "cost": {"seconds": 2.13, "rows": 1095, "bytes": 40000},
    }
