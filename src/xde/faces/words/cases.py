"""Cases in words: a line for each, and for one that failed a table of what differs, the findings, and the query."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xde.faces.words.findings import Look, finding_fact, finding_text
from xde.faces.words.ink import PLAIN, Ink
from xde.faces.words.numbers import amount, duration
from xde.faces.words.table import Column, draw
from xde.faces.words.values import json_value, value_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xde.app.testing import CaseResult
    from xde.undercurrents.engineering.testing.comparing import Changed, Comparison

_MOST_ROWS = 20
_MARKS = {"missing": "error", "unexpected": "error", "changed": "warning", "misplaced": "warning"}


def line(result: CaseResult, ink: Ink = PLAIN) -> str:
    """`ok    marts.orders: an order without payments is worth nothing (12 ms)`."""
    case = result.case
    if result.skipped:
        return f"{ink('dim', 'same ')} {case.dataset}: {case.name}"
    mark = ink("good", "ok   ") if result.passed else ink("error", "FAIL ")
    return f"{mark} {case.dataset}: {case.name} ({duration(result.seconds)})"


def failure(result: CaseResult, look: Look, *, sql: bool, cells: int | None = None) -> str:
    """Everything that helps to mend what a failed case has found."""
    ink, verdict = look.ink, result.verdict
    place = f"  {ink('mark', '-->')} {result.case.span}" if result.case.span else ""
    lines = [line(result, ink), place] if place else [line(result, ink)]
    if verdict.comparison is not None and not verdict.comparison.equal:
        lines += ["", *(("    " + text).rstrip() for text in differences(verdict.comparison, ink=ink, cells=cells and cells - 4))]
    if verdict.empty and not verdict.findings:
        lines += ["", "    not given, and so empty: " + ", ".join(f"`{n}`" for n in verdict.empty)]
    for finding in verdict.findings:
        lines += ["", *("    " + text for text in finding_text(finding, look).splitlines())]
    if sql and verdict.sql:
        lines += ["", "    the query:", *(f"    {ink('dim', '|')} {text}".rstrip() for text in verdict.sql.strip().splitlines())]
    return "\n".join(lines) + "\n"


def differences(found: Comparison, *, ink: Ink = PLAIN, cells: int | None = None) -> list[str]:
    """The rows that differ, as a table; a changed cell shows what was expected and what came, the cells that agree stand as they are."""
    counted = (f"{amount(found.expected_rows, 'row')} expected, {amount(found.actual_rows, 'row')} came",)
    head = [", ".join((*counted, *found.notes))]
    rows: list[tuple[str, list[str | None]]] = []
    rows += [("missing", _texts(r)) for r in found.missing]
    rows += [("unexpected", _texts(r)) for r in found.unexpected]
    rows += [("changed", _cells(c)) for c in found.changed]
    rows += [("misplaced", _cells(c)) for c in found.misplaced]
    shown = rows[:_MOST_ROWS]
    table = draw([Column(""), *(Column(c) for c in found.columns)], [[mark, *texts] for mark, texts in shown], cells=cells)
    lines = table.lines[:2] + [ink(_MARKS[mark], text) for (mark, _), text in zip(shown, table.lines[2:], strict=True)]  # type: ignore[arg-type]  # roles by mark
    if found.changed or found.misplaced:
        head.append("a cell that differs: expected → actual")
    if len(rows) > len(shown):
        lines.append(f"and {amount(len(rows) - len(shown), 'more row')}")
    return [*head, "", *lines]


def _texts(row: Sequence[object]) -> list[str | None]:
    """Numbers of floating point with all their digits: two that differ must not look the same."""
    return [None if v is None else repr(v) if isinstance(v, float) else value_text(v) for v in row]


def _cells(changed: Changed) -> list[str | None]:
    wanted, came = _texts(changed.expected), _texts(changed.actual)
    return [f"{_null(w)} → {_null(c)}" if i in changed.columns else c for i, (w, c) in enumerate(zip(wanted, came, strict=True))]


def _null(text: str | None) -> str:
    return "NULL" if text is None else text or "''"


def summary(results: Sequence[CaseResult], seconds: float, ink: Ink = PLAIN) -> str:
    """`12 cases: 11 passed, 1 failed (0.3 s)`."""
    failed = sum(not r.passed for r in results)
    same = sum(r.skipped for r in results)
    parts = [f"{len(results) - failed - same:,} passed"]
    parts += [f"{same:,} unchanged"] if same else []
    parts += [f"{failed:,} failed"] if failed else []
    text = f"{amount(len(results), 'case')}: {', '.join(parts)} ({duration(seconds)})"
    return ink("error" if failed else "good", text)


def case_fact(result: CaseResult) -> dict[str, object]:
    """A case as JSON data; `status` is passed, failed or unchanged."""
    case, verdict = result.case, result.verdict
    return {
        "dataset": case.dataset,
        "name": case.name,
        "path": case.path,
        "line": case.span.line if case.span else None,
        "status": "unchanged" if result.skipped else "passed" if result.passed else "failed",
        "seconds": round(result.seconds, 4),
        "differences": _comparison_fact(verdict.comparison) if verdict.comparison and not verdict.comparison.equal else None,
        "findings": [finding_fact(f) for f in verdict.findings],
        "sql": verdict.sql if not result.passed else None,
    }


def _comparison_fact(found: Comparison) -> dict[str, object]:
    def row(values: Sequence[object]) -> dict[str, object]:
        return dict(zip(found.columns, (json_value(v) for v in values), strict=True))

    def change(changed: Changed) -> dict[str, object]:
        columns = [found.columns[i] for i in changed.columns]
        return {"expected": row(changed.expected), "actual": row(changed.actual), "columns": columns}

    return {
        "expected_rows": found.expected_rows,
        "actual_rows": found.actual_rows,
        "missing": [row(r) for r in found.missing],
        "unexpected": [row(r) for r in found.unexpected],
        "changed": [change(c) for c in found.changed],
        "misplaced": [change(c) for c in found.misplaced],
    }
