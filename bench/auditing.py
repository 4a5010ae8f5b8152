"""Twenty checks, and one scan of the columns that they need: each in a process of its own, which prints the CPU seconds of that alone."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

import duckdb
import generate

from xde.app.wiring import house_of
from xde.kernel.project.reader import read_project
from xde.lifecycle.storage.audit_port import Audit
from xde.undercurrents.management.quality.compile import compile_checks

DATASET = "tpch.lineitem"


def spent() -> float:
    """The CPU seconds of this process until now."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def ours(root: Path) -> float:
    """The auditor over the newest snapshot of the dataset."""
    project, findings = read_project(root)
    if project is None:
        sys.exit("; ".join(f.message for f in findings))
    checks, _ = compile_checks(project.datasets[DATASET], project.datasets)
    house = house_of(root, project.settings, None)
    (table,) = (t for t in house.lake.tables() if t.dataset == DATASET)
    snapshot = house.lake.snapshot(table)
    if snapshot is None or len(checks) < 20:
        sys.exit(f"{len(checks)} checks, snapshot {snapshot}")
    house.session.cursor().close()
    audit = Audit(DATASET, snapshot.schema, snapshot.folder, snapshot.files, (), checks, "2026-01-01T00:00:00")
    before = spent()
    results = house.auditor.audit(audit)
    seconds = spent() - before
    if not all(r.passed for r in results):
        sys.exit(f"not passed: {[r.check.id for r in results if not r.passed]}")
    return seconds


def bare(root: Path) -> float:
    """A sum over each column, of lengths where it holds texts: nothing that statistics could answer."""
    types = {name: physical for name, physical, _ in generate.LINEITEM}
    needed = sorted({*generate.OPTIONS, *generate.REQUIRED, *generate.VALUES})
    sums = [f"sum(strlen({n}))" if types[n] == "VARCHAR" else f"sum(epoch({n}))" if types[n] == "DATE" else f"sum({n})" for n in needed]
    with duckdb.connect() as connection:
        before = spent()
        connection.execute(f"SELECT {', '.join(sums)} FROM read_parquet('{root}/.xde/lake/tpch/lineitem/*/*.parquet')").fetchall()
        return spent() - before


if __name__ == "__main__":
    print({"ours": ours, "bare": bare}[sys.argv[1]](Path(sys.argv[2])))
