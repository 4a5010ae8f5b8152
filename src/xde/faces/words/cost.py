"""What datasets cost, in words: a line each, then what is worth a thought; or the same as data."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from xde.faces.words.findings import finding_fact, findings_text
from xde.faces.words.ink import PLAIN, Ink
from xde.faces.words.numbers import amount, count, duration, moment, size
from xde.faces.words.table import Column, draw

if TYPE_CHECKING:
    from xde.faces.words.findings import Look
    from xde.undercurrents.dataops.cost.spending import CostReport, Spending

TITLES = "dataset|kind|steps|time|mean|share|rows|written|kept|memory|models|reads|last read (UTC)"
MOST = 10  # remarks in words
LEFT = {"dataset", "kind", "last read (UTC)"}


def cost_text(report: CostReport, *, look: Look, ink: Ink = PLAIN, cells: int | None = None) -> str:
    """The report for a person; ends with a line end."""
    if not report.spendings:
        return "no datasets\n"
    columns = [Column(t, right=t not in LEFT) for t in TITLES.split("|")]
    drawn = draw(columns, [_cells(s) for s in report.spendings], ink=ink, cells=cells)
    lines = [*drawn.lines, "", _sum(report)]
    if drawn.hidden:
        lines.append(f"no room for {', '.join(drawn.hidden)} (`--json` has all)")
    told = findings_text(report.findings[:MOST], replace(look, ink=ink)) if report.findings else ""
    if len(report.findings) > MOST:
        told += f"\nthe first {MOST} of {amount(len(report.findings), 'remark')} (`--json` has all)\n"
    return "\n".join(lines) + "\n" + (f"\n{told}" if told else "")


def _cells(s: Spending) -> list[str]:
    last = s.builds[-1] if s.builds else None
    view = s.kind == "view"
    return [
        s.dataset,
        s.kind,
        count(len(s.steps)) + (f" ({count(len(s.steps) - len(s.builds))} failed)" if len(s.steps) > len(s.builds) else ""),
        duration(s.seconds) if s.steps else "",
        duration(s.mean_seconds) if s.mean_seconds is not None else "",
        f"{s.share:.0%}" if s.steps else "",
        count(last.usage.rows) if last and not view else "",
        size(s.written) if s.steps and not view else "",
        size(s.kept) if s.kept and not view else "",
        _memory(s),
        count(len(s.readers.models)),
        count(s.readers.times),
        moment(s.readers.last),
    ]


def _memory(s: Spending) -> str:
    if s.memory is None:
        return ""
    most, own = s.memory
    return size(most) if own else f"≤ {size(most)}"


def _sum(report: CostReport) -> str:
    steps = sum(len(s.steps) for s in report.spendings)
    spent = sum(s.seconds for s in report.spendings)
    kept = sum(s.kept for s in report.spendings)
    days = "the last day" if report.days == 1 else f"the last {report.days} days"
    return f"{amount(steps, 'step')} in {days} in `{report.environment}`: {duration(spent)} of work, {size(kept)} kept in the lake"


def cost_fact(report: CostReport) -> dict[str, object]:
    """The report as JSON data."""
    return {
        "environment": report.environment,
        "days": report.days,
        "since": report.since,
        "seconds": report.total_seconds,
        "bytes_kept": report.total_kept,
        "datasets": [spending_fact(s) for s in report.spendings],
        "findings": [{"dataset": _subject(f.message), **finding_fact(f)} for f in report.findings],
    }


def _subject(message: str) -> str:
    return message.split("`")[1]


def spending_fact(s: Spending) -> dict[str, object]:
    """A dataset's line as JSON data; what nobody could tell is null."""
    last = s.builds[-1] if s.builds else None
    most, own = s.memory or (None, None)
    return {
        "dataset": s.dataset,
        "kind": s.kind,
        "steps": len(s.steps),
        "failed": len(s.steps) - len(s.builds),
        "seconds": s.seconds,
        "mean_seconds": s.mean_seconds,
        "share": s.share,
        "rows": last.usage.rows if last else None,
        "rows_in": last.usage.rows_in if last else None,
        "bytes_in": last.usage.bytes_in if last else None,
        "bytes_read": last.usage.bytes_read if last else None,
        "bytes_written": s.written,
        "bytes_kept": s.kept,
        "bytes_shown": s.table,
        "memory": most,
        "memory_is_its_own": own,
        "spilled": max((x.usage.spilled for x in s.steps if x.usage.spilled is not None), default=None),
        "last_built": last.ended_at if last else None,
        "models": {model: list(columns) for model, columns in s.readers.models.items()},
        "columns_no_model_reads": list(s.readers.unread),
        "reads": dict(s.readers.reads),
        "last_read": s.readers.last,
    }
