"""What an import made, in words: a table for a terminal, data for a machine, a page that stays in the project."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xde.faces.words.findings import finding_fact
from xde.faces.words.ink import PLAIN, Ink
from xde.faces.words.numbers import amount
from xde.faces.words.table import Column, draw

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from xde.app.importing import Imported
    from xde.ground.findings import Finding
    from xde.undercurrents.engineering.dbt.report import Report


def import_text(made: Imported, ink: Ink = PLAIN, cells: int | None = None) -> str:
    """How many parts of each kind were carried over, how many wait, and how much there is to decide."""
    rows = [[kind, str(done), str(waits) if waits else ""] for kind, done, waits in made.report.counts()]
    drawn = draw([Column("part"), Column("carried over", right=True), Column("waiting", right=True)], rows, cells=cells, ink=ink)
    to_do = amount(len(made.report.decisions), "thing")
    last = (
        f"{made.folder}: {amount(len(made.files), 'file')}; {to_do} to decide"
        if made.report.decisions
        else f"{made.folder}: nothing to decide"
    )
    return "\n".join([*drawn.lines, "", last])


def import_fact(made: Imported) -> dict[str, object]:
    """The same as JSON data, with every part and finding."""
    report = made.report
    return {
        "project": str(made.folder),
        "files": list(made.files),
        "carried": [{"what": c.what, "name": c.name, "path": c.path, "became": c.became, "how": c.how} for c in report.carried],
        "waiting": [{"what": w.what, "name": w.name, "path": w.path, "kept": w.kept, "reason": w.reason} for w in report.waiting],
        "decisions": [finding_fact(f) for f in report.decisions],
        "remarks": [finding_fact(f) for f in report.remarks],
        "findings": [finding_fact(f) for f in report.unread],
    }


def import_page(report: Report) -> str:
    """`IMPORT.md`."""
    lines = [f"# {report.project}, from dbt", "", "Made by `xde import dbt`. Delete this page when nothing on it is open any more.", ""]
    lines += _decisions(report)
    lines += _part("## What xde says of the result", report.unread, report)
    lines += _carried(report)
    lines += _part("## What is otherwise than it was, and needs nobody", report.remarks, report)
    return "\n".join(lines).rstrip() + "\n"


def _decisions(report: Report) -> Iterator[str]:
    yield "## What a person must decide"
    yield ""
    if not report.decisions:
        yield "Nothing."
        yield ""
        return
    yield from (f"- [ ] {_said(f, report)}" for f in report.decisions)
    yield ""
    if report.waiting:
        yield "What is not built stands under `undecided/`, where it was in the dbt project or as it would be here:"
        yield ""
        yield "| part | name | kept in |"
        yield "| --- | --- | --- |"
        yield from (f"| {w.what} | `{w.name}` | `{w.kept}` |" for w in report.waiting)
        yield ""


def _carried(report: Report) -> Iterator[str]:
    yield "## What was carried over"
    yield ""
    yield "| part | name | became | as |"
    yield "| --- | --- | --- | --- |"
    for part in report.carried:
        became = f"`{part.became}`" if part.became else ""
        yield f"| {part.what} | {_cell(part.name)} | {became} | {part.how} |"
    yield ""


def _part(title: str, findings: Sequence[Finding], report: Report) -> Iterator[str]:
    if findings:
        yield title
        yield ""
        yield from (f"- {_said(f, report)}" for f in findings)
        yield ""


def _said(finding: Finding, report: Report) -> str:
    """A finding in one line; its place is in the dbt project."""
    span = finding.span
    place = f" ({span.path.removeprefix(f'{report.folder}/')}:{span.line})" if span is not None else ""
    more = "; ".join(" ".join(t.split()) for t in (finding.why, finding.hint) if t)
    return f"{' '.join(finding.message.split())}{place}" + (f": {more}" if more else "")


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
