"""Which of the faults that people really make are caught by the examples' cases, by properties, by neither: the table in the docs is what comes out."""

import os
import shutil
import sys
from functools import cache
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from faults import FAULTS

from xde.app.properties import Prover
from xde.app.testing import TestBench
from xde.undercurrents.engineering.properties.proving import Wish, search

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
        broken = sorted(broken_in(bench, fault.model) - before)
    finally:
        bench.close()
    return failed, broken


def broken_in(bench, model):
    """The guarantees that random input breaks; the examples need not be made small to be counted."""
    with bench.house.sandbox.scratch() as scratch:
        found = search(scratch, Prover(bench.known, bench.house).target(model), Wish(shrink=False), bench.house.clock.monotonic)
    return {"the query"} if found.trouble else {g.id for f in found.failures for g in (f.guarantee, *f.also)}


@cache
def broken_already(example, model):
    """The guarantees that random input breaks of the model as it stands: they say nothing of a fault."""
    bench = TestBench.open(ROOT / "examples" / example)
    try:
        return broken_in(bench, model)
    finally:
        bench.close()


def line(fault, failed, broken):
    return f"| {fault.kind} | {fault.says} | `{fault.model}` | {'yes' if failed else 'no'} | {'yes' if broken else 'no'} |"


HEAD = ["| kind | fault | model | by its cases | by properties |", "| --- | --- | --- | --- | --- |"]


def told():
    """The lines of the table in the docs, its head and the sentence under it."""
    return PAGE.read_text().partition(BEGIN)[2].partition(END)[0].splitlines()


def sentence(lines):
    caught_by = [tuple(cell.strip() == "yes" for cell in x.split("|")[4:6]) for x in lines]
    by_cases, by_properties = (sum(c[i] for c in caught_by) for i in (0, 1))
    neither = sum(not any(c) for c in caught_by)
    return f"Of {len(lines)} faults the cases catch {by_cases}, properties without any case {by_properties}, neither of them {neither}."


def found(fault, folder):
    return line(fault, *caught(fault, folder, broken_already(fault.example, fault.model)))


@pytest.mark.planted
@pytest.mark.parametrize("number", range(len(FAULTS)))
def test_a_planted_fault_is_caught_by_what_the_table_says(number, tmp_path):
    if os.environ.get("XDE_STORIES") == "write":
        pytest.skip("the table is written")
    assert told()[len(HEAD) + number] == found(FAULTS[number], tmp_path / "project")


@pytest.mark.planted
def test_the_table_is_whole(tmp_path):
    if os.environ.get("XDE_STORIES") == "write":
        lines = [found(f, tmp_path / str(n)) for n, f in enumerate(FAULTS)]
        before, _, rest = PAGE.read_text().partition(BEGIN)
        PAGE.write_text(before + BEGIN + "\n".join([*HEAD, *lines, "", sentence(lines), ""]) + END + rest.partition(END)[2])
    *table, nothing, last = told()
    lines = table[len(HEAD) :]
    assert table[: len(HEAD)] == HEAD
    assert len(lines) == len(FAULTS)
    assert (nothing, last) == ("", sentence(lines))
    assert sum(x.split("|")[4].strip() == "yes" for x in lines) >= 0.9 * len(lines)
