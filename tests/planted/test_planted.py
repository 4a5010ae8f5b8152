"""Which of the faults that people really make are caught by the examples' cases, by properties, by neither: the table in the docs is what comes out."""

import os
import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from faults import FAULTS

from xde.app.properties import Prover
from xde.app.testing import TestBench

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/planted-faults.md"
BEGIN, END = "<!-- the table -->\n", "<!-- end of the table -->\n"


def caught(fault, folder, before):
    """The name of a case that fails, and the rules that random input breaks; none of them where there is none."""
    shutil.copytree(ROOT / "examples" / fault.example, folder, ignore=shutil.ignore_patterns(".xde", "data"))
    model = folder / "models" / (fault.model.replace(".", "/") + ".sql")
    text = model.read_text()
    assert text.count(fault.right) == 1, "the fault must have its place"
    model.write_text(text.replace(fault.right, fault.wrong))
    bench = TestBench.open(folder)
    try:
        failed = next((r.case.name for r in bench.run(bench.cases) if not r.passed), None)
        (proved,) = Prover(bench.known, bench.house).search([fault.model])
    finally:
        bench.close()
    broken = [f.guarantee.id for f in proved.searched.failures if f.guarantee.id not in before] if not proved.trouble else ["the query"]
    return failed, broken


def broken_already(example, model):
    """The guarantees that random input breaks of the model as it stands: they say nothing of a fault."""
    bench = TestBench.open(ROOT / "examples" / example)
    try:
        (proved,) = Prover(bench.known, bench.house).search([model])
    finally:
        bench.close()
    return {f.guarantee.id for f in proved.searched.failures}


def line(fault, failed, broken):
    return f"| {fault.kind} | {fault.says} | `{fault.model}` | {'yes' if failed else 'no'} | {'yes' if broken else 'no'} |"


@pytest.mark.planted
def test_the_table_of_planted_faults_is_what_comes_out(tmp_path):
    before = {m: broken_already(e, m) for e, m in dict.fromkeys((f.example, f.model) for f in FAULTS)}
    found = [(f, *caught(f, tmp_path / str(n), before[f.model])) for n, f in enumerate(FAULTS)]
    by_cases, by_properties = (sum(bool(x[i]) for x in found) for i in (1, 2))
    neither = sum(not (x[1] or x[2]) for x in found)
    table = [
        "| kind | fault | model | by its cases | by properties |",
        "| --- | --- | --- | --- | --- |",
        *(line(*x) for x in found),
        "",
        f"Of {len(found)} faults the cases catch {by_cases}, properties without any case {by_properties}, neither of them {neither}.",
        "",
    ]
    before, _, rest = PAGE.read_text().partition(BEGIN)
    told, _, after = rest.partition(END)
    now = "\n".join(table)
    if os.environ.get("XDE_STORIES") == "write":
        PAGE.write_text(before + BEGIN + now + END + after)
        return
    assert told == now
    assert by_cases >= 0.9 * len(found)
