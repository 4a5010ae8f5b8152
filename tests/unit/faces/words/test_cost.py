"""A report of costs, drawn and as data."""

from __future__ import annotations

import json

from xde.faces.words.cost import cost_fact, cost_text
from xde.faces.words.findings import Look
from xde.kernel.plan.costs import CostRecord, Usage
from xde.undercurrents.dataops.cost.judging import judge
from xde.undercurrents.dataops.cost.spending import CostReport, Readers, Spending

AT = "2026-01-02T10:00:00.000000+00:00"
GOOD = CostRecord("r1", "build:m.a", "dev", "m.a", "v", "build", "done", AT, Usage(2.0, 10, 2_000_000, 5, 1_500_000, 900, 3_000_000, 0))
BAD = CostRecord("r2", "build:m.a", "dev", "m.a", "v", "build", "failed", AT, Usage(4.0))
SIDE = CostRecord("r1", "view:m.v", "dev", "m.v", "v", "view", "done", AT, Usage(0.05, memory=1_500_000, alone=False))
TABLE = Spending("m.a", "table", 7, (GOOD, BAD), 2_500_000, 2_000_000, 0.99, 1.0, Readers({}, ("x", "y"), {"show": 2, "diff": 1}, AT))
VIEW = Spending("m.v", "view", 7, (SIDE,), 0, 0, 0.01, 0.0, Readers({"m.w": ("x",)}, ("x", "y")))
NEVER = Spending("raw.t", "source")


def report(*spendings: Spending) -> CostReport:
    return CostReport("dev", 7, AT, spendings, judge(spendings), 6.05, 2_500_000)


def test_drawn() -> None:
    assert cost_text(report(TABLE, VIEW, NEVER), look=Look()).splitlines() == [
        "dataset  kind           steps   time   mean  share  rows  written    kept    memory  models  reads  last read (UTC)",
        "───────  ──────  ────────────  ─────  ─────  ─────  ────  ───────  ──────  ────────  ──────  ─────  ───────────────────",
        "m.a      table   2 (1 failed)  6.0 s  3.0 s    99%    10   2.0 MB  2.5 MB    3.0 MB       0      3  2026-01-02 10:00:00",
        "m.v      view               1  50 ms  50 ms     1%                         ≤ 1.5 MB       1      0",
        "raw.t    source             0                                                             0      0",
        "",
        "3 steps in the last 7 days in `dev`: 6.0 s of work, 2.5 MB kept in the lake",
        "",
        "info[XDE0773]: `m.a` takes more room than all that it is made from",
        "   = why: it has 2.0 MB, and its inputs have 1.5 MB",
        "",
        "hint: if it is cheap to make, `kind: view` or `kind: ephemeral` keeps nothing; if not, keep fewer columns",
    ]


def test_what_finds_no_room_is_named() -> None:
    lines = cost_text(report(TABLE), look=Look(), cells=40).splitlines()
    assert any(line.startswith("no room for ") and "last read (UTC)" in line for line in lines)


def test_of_many_remarks_the_first_are_told() -> None:
    many = [Spending(f"m.t{n:02}", "table", 30, (GOOD,), 0, 0, 0.1) for n in range(13)]
    lines = cost_text(report(*many), look=Look()).splitlines()
    assert sum("XDE0770" in line for line in lines) == 10
    assert lines[-1] == "the first 10 of 13 remarks (`--json` has all)"


def test_nothing_at_all() -> None:
    assert cost_text(report(), look=Look()) == "no datasets\n"


def test_as_data() -> None:
    told = json.loads(json.dumps(cost_fact(report(TABLE, VIEW, NEVER))))
    table, view, never = told["datasets"]
    assert (told["environment"], told["days"], told["seconds"], told["bytes_kept"]) == ("dev", 7, 6.05, 2_500_000)
    assert (table["steps"], table["failed"], table["rows_in"], table["bytes_in"], table["bytes_read"]) == (2, 1, 5, 1_500_000, 900)
    assert (table["memory"], table["memory_is_its_own"], table["spilled"], table["last_built"]) == (3_000_000, True, 0, AT)
    assert table["columns_no_model_reads"] == ["x", "y"]
    assert (view["models"], view["columns_no_model_reads"], view["memory_is_its_own"]) == ({"m.w": ["x"]}, ["y"], False)
    assert (never["mean_seconds"], never["memory"], never["last_read"]) == (None, None, None)
    assert [(f["dataset"], f["code"]) for f in told["findings"]] == [("m.a", "XDE0773")]
