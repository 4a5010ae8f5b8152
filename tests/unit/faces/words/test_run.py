"""Runs in words and as data."""

import json

from xde.faces.words.listings import steps_text
from xde.faces.words.plan import last_time
from xde.faces.words.run import StepLines, data_did_not_pass, run_fact, run_findings, run_line, summary_table
from xde.ground.findings import Finding, Severity
from xde.kernel.plan.checks import Action, Check, CheckKind, CheckResult
from xde.kernel.plan.ledger import StepRecord
from xde.kernel.plan.plan import Cost, Plan, SourceFile, Step, StepKind
from xde.kernel.run.events import Outcome, RunFinished

FILES = tuple(SourceFile(f"f{n}", 675_000, "d") for n in range(12))
LOAD = Step("load:nyc.flights", StepKind.LOAD, "nyc.flights", "v1", (), files=FILES)
BUILD = Step("build:marts.carrier_delay", StepKind.BUILD, "marts.carrier_delay", "v2", (), full=True)
LATE = Step("build:marts.late", StepKind.BUILD, "marts.late", "v3", ())
WARNING = Finding("XDE0502", "7,602 flights go to no known airport", severity=Severity.WARNING)
BROKEN = Finding("XDE0501", "`mean_delay` is null in 3 rows")

LOADED = Outcome(LOAD, "done", 336_776, 8_100_000, 1, 2.13, snapshot=0, findings=(WARNING,))
BUILT = Outcome(BUILD, "done", 185, 9_000, 0, 0.04, snapshot=4)
FAILED = Outcome(BUILD, "failed", seconds=0.3, findings=(BROKEN,))
SKIPPED = Outcome(LATE, "skipped", reason="`marts.carrier_delay` failed")


def finished(*outcomes: Outcome, status: str = "done") -> RunFinished:
    return RunFinished("r1", status, outcomes, 12.34567, "2026-01-01T00:00:00+00:00")


def test_lines_of_finished_steps_stand_below_each_other():
    lines = StepLines.of(Plan("dev", (LOAD, BUILD, LATE), 0, ""))
    assert [lines.line(o) for o in (LOADED, BUILT, FAILED, SKIPPED)] == [
        "done     nyc.flights          load   12 files      336,776 rows  1 dead letter       2.1 s",
        "done     marts.carrier_delay  build                    185 rows                      40 ms",
        "failed   marts.carrier_delay  build  `mean_delay` is null in 3 rows",
        "skipped  marts.late           build  `marts.carrier_delay` failed",
    ]


def test_the_table_at_the_end():
    assert summary_table(finished(LOADED, FAILED, SKIPPED)) == (
        "status   dataset              step   what                 rows    size  dead letters   time\n"
        "───────  ───────────────────  ─────  ────────────────  ───────  ──────  ────────────  ─────\n"
        "done     nyc.flights          load   12 files, 8.1 MB  336,776  8.1 MB             1  2.1 s\n"
        "failed   marts.carrier_delay  build  whole table                                      0.3 s\n"
        "skipped  marts.late           build\n"
    )


def test_a_view_has_no_rows_to_tell_of():
    view = Outcome(
        Step("view:staging.late", StepKind.VIEW, "staging.late", "v4", (), cost=Cost(0.02, 0, 0)), "done", seconds=0.02, snapshot=0
    )
    lines = StepLines.of(Plan("dev", (BUILD, view.step), 0, ""))
    assert [lines.line(o) for o in (BUILT, view)] == [
        "done     marts.carrier_delay  build          185 rows                      40 ms",
        "done     staging.late         view                                         20 ms",
    ]
    assert summary_table(finished(view)).splitlines()[2].split() == ["done", "staging.late", "view", "20", "ms"]
    assert last_time(view.step) == "20 ms"
    record = StepRecord("r1", "view:staging.late", "view", "staging.late", "v4", "done", "2026-01-01T00:00:00+00:00", seconds=0.02)
    assert steps_text([record]).splitlines()[2].split() == ["done", "staging.late", "view", "1", "20", "ms"]


def test_the_last_line():
    assert run_line(finished(LOADED, BUILT)) == "done: 2 steps done in 12.3 s, 336,961 rows, 1 dead letter (`xde letters list`)"
    assert run_line(finished(FAILED, SKIPPED, status="failed")) == "failed: 0 steps done in 12.3 s, 1 failed, 1 skipped, 0 rows"


def test_findings_are_said_once():
    assert run_findings(finished(LOADED, FAILED, LOADED)) == [WARNING, BROKEN]


def result(action: Action, *, passed: bool = False, waived: bool = False) -> CheckResult:
    return CheckResult(Check("c", "marts.carrier_delay", CheckKind.ROW, action, "m"), passed=passed, waived=waived, failing=3, rows=185)


def test_whether_it_was_the_data():
    def failed(*checks: CheckResult, **facts: object) -> list[Outcome]:
        return [LOADED, Outcome(BUILD, "failed", checks=checks, facts=facts)]

    assert data_did_not_pass(failed(result(Action.STOP)))
    assert data_did_not_pass(failed(temper="data"))
    assert not data_did_not_pass(failed())
    assert not data_did_not_pass(failed(result(Action.WARN), result(Action.STOP, waived=True), result(Action.STOP, passed=True)))
    assert not data_did_not_pass([Outcome(BUILD, "done", checks=(result(Action.STOP),))])


def test_the_same_as_data():
    document = json.loads(
        json.dumps(run_fact(finished(LOADED, Outcome(BUILD, "failed", checks=(result(Action.STOP),), findings=(BROKEN,)), status="failed")))
    )
    assert (document["run"], document["status"], document["seconds"]) == ("r1", "failed", 12.346)
    assert document["steps"][0]["rows"] == 336_776
    assert document["steps"][0]["files"] == 12
    assert document["steps"][1]["checks"] == [
        {
            "id": "c",
            "message": "m",
            "action": "stop",
            "passed": False,
            "waived": False,
            "failing": 3,
            "rows": 185,
            "value": "",
            "how": "scan",
        }
    ]
    assert document["steps"][1]["findings"][0]["code"] == "XDE0501"
