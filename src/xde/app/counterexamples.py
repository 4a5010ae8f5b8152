"""Random input that breaks a guarantee, kept as a case: appended to the file of the model's cases, and tried before it is."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from xde.app.rehearsing import rehearse
from xde.app.subjects import at, moment, subject_of
from xde.ground.findings import Finding, Severity
from xde.undercurrents.engineering.properties.guarantees import AGAIN, DELIVERED, ORDER, SPLIT
from xde.undercurrents.engineering.properties.proving import records
from xde.undercurrents.engineering.properties.telling import NOT_KEPT
from xde.undercurrents.engineering.testing.case_reader import read_cases
from xde.undercurrents.engineering.testing.case_writer import appended, case_of_runs, case_text
from xde.undercurrents.engineering.testing.exercising import exercise

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from xde.app.understanding import Understanding
    from xde.app.wiring import House
    from xde.undercurrents.engineering.properties.found import Failure, Searched
    from xde.undercurrents.engineering.testing.case import Case, Table
    from xde.undercurrents.engineering.testing.case_writer import Tables

FOUND = "random input found: "
RUNS_OF = frozenset({SPLIT, DELIVERED})  # laws of models that grow
MOST_WAYS = 12  # in which the rows are parted until a case of several runs fails; each takes a tenth of a second or two


@dataclass(slots=True)
class Kept:
    """Cases that were added (file and name), and why others were not."""

    cases: list[tuple[str, str]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def keep(known: Understanding, house: House, searched: Searched) -> Kept:
    """Keep what was found of a model, each as a case that fails until it is mended; what is there already is not added again."""
    kept = Kept()
    for failure in searched.failures:
        _keep(known, house, searched.model, failure, kept)
    return kept


def _keep(known: Understanding, house: House, model: str, failure: Failure, kept: Kept) -> None:
    root = known.project.root
    stem = model.replace(".", "_")
    for name in (f"{stem}.yaml", f"{stem}_found.yaml"):
        path = root / "tests" / name
        text = path.read_text(encoding="utf-8") if path.exists() else None
        before = _read(text, name)
        title = _title(failure, before)
        for lines in _ways(known, house, model, failure, title):
            if any(_same(lines, model, case) for case in before):
                return
            made = appended(text, model, "model", lines)
            after = _read(made, name)
            if {c.digest for c in before} <= {c.digest for c in after} and any(c.name == title and _fails(known, house, c) for c in after):
                _put(path, made)
                kept.cases.append((f"tests/{name}", title))
                return
    why = (
        "no two runs of these rows show it: the planner cuts time elsewhere"
        if failure.guarantee.law in RUNS_OF
        else "as a case it does not fail: a table without a contract stands between it and the model"
    )
    kept.findings.append(_not_kept(model, failure, why))


def _read(text: str | None, name: str) -> tuple[Case, ...]:
    return read_cases(text.encode(), f"tests/{name}", lambda _: b"")[0] if text else ()


def _title(failure: Failure, before: tuple[Case, ...]) -> str:
    names = {c.name for c in before}
    title = FOUND + failure.guarantee.message.replace("`", "")
    number = 2
    while title in names:
        title = f"{FOUND}{failure.guarantee.message.replace('`', '')} ({number})"
        number += 1
    return title


def _ways(known: Understanding, house: House, model: str, failure: Failure, title: str) -> Iterator[list[str]]:
    """The case as text; where it takes several runs, one way after the other to part the rows."""
    today = [f"  now: {house.clock.now().date().isoformat()}"] if "today" in known.analyses[model].parameters else []
    given = records(failure.given)
    if failure.guarantee.law not in RUNS_OF:
        expect = "{anyOrder: true}" if failure.guarantee.law in {ORDER, AGAIN} else "{contract: true}"
        lines = case_text(title, given, (expect,))
        yield [lines[0], *today, *lines[1:]]
        return
    for runs in islice(_parted(given), MOST_WAYS):
        lines = case_of_runs(title, runs, "{asFull: true}")
        yield [lines[0], *today, *lines[1:]]


def _parted(given: Tables) -> Iterator[list[tuple[str, Tables]]]:
    """Some of the rows of one input later than all others, from the last on and from the first on; or all of them once more."""
    for name, rows in given.items():
        for cut in range(len(rows) - 1, -1, -1):
            for first, later in ((rows[:cut], rows[cut:]), (rows[len(rows) - cut :], rows[: len(rows) - cut])):
                yield [("given", {**given, name: first}), ("add", {name: later})]
    yield [("given", given), ("given", given)]


def _same(lines: list[str], model: str, case: Case) -> bool:
    """Whether a case gives and expects the same, whatever its name."""
    made = _read(appended(None, model, "model", lines), "x.yaml")
    return bool(made) and case.dataset == model and _asks(made[0]) == _asks(case)


def _asks(case: Case) -> object:
    return [(_cells(r.given), _cells(r.add), r.expect.contract, r.expect.any_order, r.expect.as_full) for r in case.rounds]


def _cells(tables: Mapping[str, Table]) -> dict[str, list[dict[str, object]]]:
    return {n: [dict(r.cells) for r in t.rows] for n, t in tables.items()}


def _fails(known: Understanding, house: House, case: Case) -> bool:
    if not case.plain:
        return not rehearse(known, house, case, {}).passed
    subject = at(subject_of(known, case.dataset), moment(case, case.now) or house.clock.now(), known)
    with house.sandbox.scratch() as scratch:
        verdict = exercise(scratch, subject, case, {})
    return not verdict.passed and not {f.code for f in verdict.findings} & {"XDE0905", "XDE0906", "XDE0907", "XDE0908"}


def _not_kept(model: str, failure: Failure, why: str) -> Finding:
    shown = failure.guarantee.message.replace("`", "")
    hint = f"write a case for `{model}` by hand, from the rows that are shown"
    return Finding(NOT_KEPT, f"not kept as a case: {shown}", None, "", why, hint, Severity.WARNING)


def _put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_suffix(f".{os.getpid()}.tmp")
    aside.write_text(text, encoding="utf-8")
    aside.replace(path)
