"""Listings: datasets, commits, runs, diagnoses, cleanings."""

from xde.app.answers import DatasetLine, Diagnosis, HistoryLine
from xde.faces.words.listings import cleaned_text, datasets_text, diagnosis_fact, diagnosis_text, history_text, runs_text, steps_text
from xde.kernel.plan.ledger import RunRecord, StepRecord
from xde.lifecycle.storage.port import Cleaned, CommitRecord, TableId


def test_datasets():
    lines = [
        DatasetLine("nyc.flights", "source", "v1", 336_776, 8_100_000, "2026-01-01T12:00:00+00:00", 1, "Flights.\nMore."),
        DatasetLine("marts.routes", "table", None, None, None, None),
    ]
    assert datasets_text(lines) == (
        "dataset       kind       rows    size  dead letters  updated (UTC)        description\n"
        "────────────  ──────  ───────  ──────  ────────────  ───────────────────  ───────────\n"
        "nyc.flights   source  336,776  8.1 MB             1  2026-01-01 12:00:00  Flights.\n"
        "marts.routes  table                                  not built\n"
    )


def test_history():
    record = CommitRecord(3, "2026-01-01T12:00:00+00:00", {"kind": "load", "run": "r1"}, 28_000, 1, 0)
    assert history_text([HistoryLine("nyc.flights", "v1", record)]) == (
        "at  when (UTC)           kind  rows added  files added  files removed  run  version\n"
        "──  ───────────────────  ────  ──────────  ───────────  ─────────────  ───  ───────\n"
        " 3  2026-01-01 12:00:00  load      28,000            1              0  r1   v1\n"
    )


def test_runs_and_steps():
    assert runs_text([RunRecord("r1", "dev", "p", "running", "2026-01-01T12:00:00+00:00")]).splitlines()[2] == (
        "r1   dev          running  2026-01-01 12:00:00  not ended"
    )
    assert steps_text([StepRecord("r1", "s", "load", "a.b", "v", "done", "t", rows=5, bytes=1500, seconds=0.2)]).splitlines()[2] == (
        "done    a.b      load     5  1.5 kB             0        1  0.2 s"
    )


def test_diagnoses():
    assert diagnosis_text(Diagnosis("lake", "ok", "written and read in 3 ms")) == "ok  lake  written and read in 3 ms\n"
    assert (
        diagnosis_text(Diagnosis("source nyc", "missing", "no folder `data`", "make it"))
        == "!!  source nyc  missing: no folder `data`\n    hint: make it\n"
    )
    assert diagnosis_text(Diagnosis("disk", "slow", "3 s")) == "!   disk  slow: 3 s\n"


def test_cleanings():
    table = TableId("a.b", "v")
    some = [Cleaned(table, ("x", "y"), 2000), Cleaned(TableId("c.d", "w"), (), 0)]
    assert cleaned_text(some, dry_run=True) == "a.b  v  2 files, 2.0 kB\n2 files, 2.0 kB would be taken away\n"
    assert cleaned_text(some, dry_run=False).endswith("2 files, 2.0 kB taken away\n")
    assert cleaned_text([], dry_run=False) == "nothing to clean\n"


def test_much_that_was_looked_at_has_a_line_for_each_and_little_is_one():
    parts = ("round trip: 0.1 ms", "TLS: not in use, on this machine", "log held: " + "x" * 80)
    much = Diagnosis("server db/shop", "ok", "; ".join(parts), parts=parts)
    assert diagnosis_text(much) == "ok  server db/shop\n" + "".join(f"      {p}\n" for p in parts)
    assert diagnosis_fact(much)["parts"] == list(parts)
    little = Diagnosis("source shop.orders", "ok", "orders: read; rights: all", parts=("orders: read", "rights: all"))
    assert diagnosis_text(little) == "ok  source shop.orders  orders: read; rights: all\n"
