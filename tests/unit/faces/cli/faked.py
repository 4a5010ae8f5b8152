"""`xde` over a workspace of canned answers, for tests of what is drawn and of exit codes: `python faked.py ARGS`.

What happens is chosen by `XDE_TEST_CASE`; the real workspace is tried by the stories.
"""

import os
import sys
import types

from xde.app.expiring import Expired
from xde.app.answers import DatasetLine, Diagnosis, HistoryLine, LetterLine, LineageNode, ReplayOutcome
from xde.ground.errors import Bug, DataError, TemporaryError, UserError
from xde.ground.findings import Finding, Severity
from xde.ground.spans import Span
from xde.kernel.plan.checks import Action, Check, CheckKind, CheckResult
from xde.kernel.plan.ledger import Claim, RunRecord, StepRecord
from xde.kernel.plan.plan import Plan, Reason, SourceFile, Step, StepKind
from xde.kernel.run.events import Outcome, RunFinished, RunStarted, StepFinished, StepProgress, StepStarted
from xde.lifecycle.ingestion.port import Letter, LetterReason
from xde.lifecycle.storage.port import Cleaned, CommitRecord, TableId

CASE = os.environ.get("XDE_TEST_CASE", "")
AT = "2026-01-01T00:00:00+00:00"
LOAD = Step(
    "load:nyc.flights", StepKind.LOAD, "nyc.flights", "v1", (Reason("new", "not there yet"),), files=(SourceFile("f.csv", 1000, "d"),)
)
BUILD = Step("build:marts.daily", StepKind.BUILD, "marts.daily", "v2", (Reason("upstream", "`nyc.flights` is loaded by this plan"),))
BROKEN = Finding("XDE0501", "`mean_delay` is null in 3 rows", Span("xde.yaml", 1, 1, 1, 5), "this", hint="mend it")
LETTERS = {
    i: LetterLine(
        Letter(i, "nyc.weather", "weather.csv", "d", n, raw, (LetterReason("range", "wind", "`1048` is above 300"),), "r1", AT), status
    )
    for n, (i, raw, status) in enumerate(
        [("3f2a00", b"EWR,1048\n", "open"), ("3f2b00", b"JFK,\xff,1048", "open"), ("9c0100", b"x\n", "replayed")], 1
    )
}


class Workspace:
    def __init__(self):
        self.warnings = (Finding("XDE0302", "a warning of the project", severity=Severity.WARNING),) if CASE == "warned" else ()

    @classmethod
    def open(cls, root, *, environment=None, working_tree=False):
        if CASE == "unreadable":
            raise UserError(BROKEN, Finding("XDE0101", "another"))
        print(f"opened {root.name} {environment}", file=sys.stderr)
        return cls()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def take_in(self, selection=()):
        return (BROKEN,) if CASE in {"not handed over", "idle, not handed over"} else ()

    def plan(self, selection=(), *, full=False, until="", reason=""):
        if CASE == "bug":
            raise ZeroDivisionError("nobody foresaw this")
        if CASE == "our bug":
            raise Bug("a state that cannot be")
        if CASE == "interrupted":
            raise KeyboardInterrupt
        if CASE == "engine interrupted":
            raise RuntimeError("Query interrupted")
        return Plan(environment="dev", steps=() if CASE.startswith("idle") else (LOAD, BUILD), unchanged=15, created_at=AT)

    def run(self, plan=None, *, selection=(), full=False, until="", reason="", observers=(), wait=0.0, waiting=None):
        if CASE == "locked":
            raise TemporaryError(f"another run holds `dev` (waited {wait:g} s)")
        if CASE == "data":
            raise DataError(BROKEN)
        check = CheckResult(Check("c", "marts.daily", CheckKind.ROW, Action.STOP, "m"), passed=False, failing=3, rows=9)
        if CASE == "waited":
            waiting(Claim("dev", "host:1", "r0", 1, AT))
            return RunFinished("r1", "done", (), 0.0, AT)
        loaded = Outcome(LOAD, "done", 336776, 1000, 0, 2.1)
        second = {
            "failed check": Outcome(BUILD, "failed", checks=(check,), findings=(BROKEN,)),
            "failed": Outcome(BUILD, "failed", findings=(BROKEN,)),
            "cancelled": Outcome(BUILD, "cancelled"),
            "our step": Outcome(BUILD, "failed", facts={"trace": "Traceback (most recent call last):\n  x\n"}),
        }.get(CASE, Outcome(BUILD, "done", 365, 900, 0, 0.04))
        status = {"done": "done", "failed": "failed", "cancelled": "cancelled"}[second.status]
        events = [
            RunStarted("r1", plan, AT),
            StepStarted("r1", LOAD, 1, AT),
            StepProgress("r1", LOAD, "1,000 rows", 0.5),
            StepFinished("r1", loaded, AT),
        ]
        events += [StepStarted("r1", BUILD, 2, AT), StepProgress("r1", BUILD, "[red] \x1b"), StepFinished("r1", second, AT)]
        finished = RunFinished("r1", status, (loaded, second), 2.2, AT)
        for event in [*events, finished]:
            for observer in observers:
                observer.hear(event)
        return finished

    def watch(self):
        return dict

    def datasets(self):
        return (DatasetLine("nyc.flights", "source", "v1", 336776, 1000, AT),)

    def show(self, dataset, *, where, columns, limit, at, version=None):
        import pyarrow as pa

        print(f"show {dataset} where={where} columns={columns} limit={limit} at={at} version={version}", file=sys.stderr)
        rows = 100_000 if limit is None else min(limit, 100_000)
        table = pa.table({"n": pa.array(range(rows)), "word": ["añ日"] * rows})
        return table.to_reader(max_chunksize=1000)

    def note_read(self, dataset, how):
        if CASE == "noted":
            print(f"read {dataset} how={how}", file=sys.stderr)

    def history(self, dataset):
        return () if CASE == "idle" else (HistoryLine(dataset, "v1", CommitRecord(0, AT, {"kind": "load"}, 5, 1, 0)),)

    def lineage(self, target, *, downstream=False, depth=None):
        return LineageNode(target, "column", parents=(LineageNode(f"up {downstream} {depth}", "column"),))

    def letters(self, dataset, *, status="open"):
        return tuple(x for x in LETTERS.values() if status in {None, x.status})

    def replay(self, ids, *, dataset, corrected=None):
        print(f"replay {list(ids)} corrected={dict(corrected or {})}", file=sys.stderr)
        again = tuple(LETTERS[i].letter for i in ids) if CASE == "again" else ()
        return (ReplayOutcome("nyc.weather", len(ids) - len(again), again, 5),)

    def discard(self, ids, *, dataset, reason):
        print(f"discard {list(ids)} because {reason}", file=sys.stderr)
        return len(ids)

    def doctor(self, engine=None):
        yield Diagnosis("lake", "ok", "written and read")
        yield Diagnosis("disk", "slow", "3 s")
        if CASE == "ill":
            yield Diagnosis("source nyc", "missing", "no folder `data`", "make it")

    freed = ()

    def clean(self, *, keep_hours, keep_days, dry_run, compact):
        print(f"clean keep_hours={keep_hours:g} keep_days={keep_days:g}", file=sys.stderr)
        return (Cleaned(TableId("a.b", "u"), ("x", "y"), 500, dropped=True), Cleaned(TableId("a.b", "v"), ("x",), 1500))

    def expire(self, *, dry_run):
        return (Expired("my_branch", AT, 30.0, 4),) if CASE == "expired" else ()

    def runs(self, limit=20):
        return [] if CASE == "idle" else [RunRecord("r1", "dev", "p", "done", AT, AT)][:limit]

    def steps(self, run):
        return [StepRecord("r1", "s", "load", "a.b", "v", "done", AT)] if run == "r1" else []


if __name__ == "__main__":
    module = types.ModuleType("xde.app.workspace")
    module.Workspace = Workspace
    sys.modules["xde.app.workspace"] = module
    from xde.faces.cli.main import main

    sys.exit(main(sys.argv[1:]))
