"""A plan in words: each step with its extent, its last cost and its reasons; or the same as data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xde.faces.words.cells import visible
from xde.faces.words.findings import finding_fact
from xde.faces.words.ink import PLAIN, Ink
from xde.faces.words.numbers import amount, duration, size
from xde.faces.words.table import Column, draw
from xde.kernel.plan.intervals import parse_moment
from xde.kernel.plan.plan import StepKind

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from xde.ground.findings import Finding
    from xde.kernel.plan.plan import Interval, Plan, Step

_SHORT = 8  # steps named before a run


def plan_text(plan: Plan, *, ink: Ink = PLAIN, command: str = "xde run") -> str:
    """The whole plan for a person, with the command that carries it out; ends with a line end."""
    if not plan.steps:
        return nothing_to_do(plan) + "\n"
    rows: list[list[str]] = []
    for step in plan.steps:
        first, *more = [r.text for r in step.reasons] or [""]
        rows.append([step.kind.value, step.dataset, extent(step), last_time(step), first])
        rows += [["", "", "", "", text] for text in more]
    columns = [Column(t) for t in ("step", "dataset", "what", "last time", "because")]
    lines = draw(columns, rows, ink=ink).lines
    return "\n".join([_head(plan), "", *lines, "", *_foot(plan, command)]) + "\n"


def short_plan_text(plan: Plan) -> str:
    """What a run is about to do, in a few lines: the steps with their first reason."""
    lines = [_head(plan)]
    for step in plan.steps[:_SHORT]:
        reasons = [visible(r.text) for r in step.reasons]
        more = f" (and {amount(len(reasons) - 1, 'more reason')})" if len(reasons) > 1 else ""
        lines.append(f"  {step.kind.value} {step.dataset}: {reasons[0] if reasons else 'asked for'}{more}")
    if len(plan.steps) > _SHORT:
        lines.append(f"  and {amount(len(plan.steps) - _SHORT, 'more step')}; `xde plan` shows all")
    return "\n".join(lines) + "\n"


def nothing_to_do(plan: Plan) -> str:
    """The one line of an empty plan."""
    what = "dataset is" if plan.unchanged == 1 else "datasets are"
    return f"nothing to do: {plan.unchanged:,} {what} up to date in `{plan.environment}`"


def _head(plan: Plan) -> str:
    return f"{amount(len(plan.steps), 'step')} for `{plan.environment}`, {amount(plan.unchanged, 'dataset')} unchanged"


def _foot(plan: Plan, command: str) -> list[str]:
    working = [s for s in plan.steps if s.kind is not StepKind.COPY]
    known = [s.cost.seconds for s in working if s.cost]
    unknown = len(working) - len(known)
    lines = []
    if known:
        rest = f", {amount(unknown, 'step')} never done before" if unknown else ""
        lines.append(f"by the last run: {duration(sum(known))} of work{rest}")
    return [*lines, f"to do it: `{command}`"]


def extent(step: Step) -> str:
    """How much a step covers: files, intervals, the whole table."""
    parts = []
    if step.files:
        whole = sum(f.size for f in step.files)
        parts.append(amount(len(step.files), step.files[0].what) + (f", {size(whole)}" if whole else ""))
    if step.intervals:
        parts.append(intervals_text(step.intervals))
    if step.full:
        parts.append("whole table")
    if step.until:
        parts.append(f"up to {_short(step.until)}")
    if step.kind is StepKind.COPY:
        parts.append("by reference")
    return "; ".join(parts)


def intervals_text(intervals: Sequence[Interval]) -> str:
    """Stretches of time in short: `2013-01-01 .. 2014-01-01 (365 days)`, the end exclusive."""
    pairs = [(parse_moment(i.start), parse_moment(i.end)) for i in intervals]
    hours = sum((end - start).total_seconds() for start, end in pairs) / 3600
    midnight = all(m.hour == m.minute == m.second == 0 for pair in pairs for m in pair)
    start, end = pairs[0]
    more = f" and {len(pairs) - 1} more" if len(pairs) > 1 else ""
    total = amount(round(hours / 24), "day") if midnight else amount(round(hours), "hour")
    return f"{_moment(start, midnight=midnight)} .. {_moment(end, midnight=midnight)}{more} ({total}{' in all' if more else ''})"


def _moment(moment: datetime, *, midnight: bool) -> str:
    return moment.strftime("%Y-%m-%d" if midnight else "%Y-%m-%d %H:%M")


def _short(moment: str) -> str:
    parsed = parse_moment(moment)
    return _moment(parsed, midnight=(parsed.hour, parsed.minute, parsed.second) == (0, 0, 0))


def last_time(step: Step) -> str:
    """What the last such step took; empty if there was none."""
    if step.cost is None or step.kind is StepKind.COPY:
        return ""
    return duration(step.cost.seconds) + ("" if step.kind is StepKind.VIEW else f", {amount(step.cost.rows, 'row')}")


def plan_fact(plan: Plan, warnings: Sequence[Finding] = ()) -> dict[str, object]:
    """The plan as JSON data, with the warnings that came up in the making."""
    return {
        "environment": plan.environment,
        "digest": plan.digest,
        "created_at": plan.created_at,
        "unchanged": plan.unchanged,
        "steps": [step_fact(s) for s in plan.steps],
        "warnings": [finding_fact(w) for w in warnings],
    }


def step_fact(step: Step) -> dict[str, object]:
    """A step as JSON data; `cost` is null where the step was never done."""
    return {
        "id": step.id,
        "kind": step.kind.value,
        "dataset": step.dataset,
        "version": step.version,
        "reasons": [{"code": r.code, "text": r.text} for r in step.reasons],
        "after": list(step.after),
        "intervals": [{"start": i.start, "end": i.end} for i in step.intervals],
        "files": [{"path": f.path, "size": f.size, "digest": f.digest} for f in step.files],
        "full": step.full,
        "until": step.until or None,
        "cost": {"seconds": step.cost.seconds, "rows": step.cost.rows, "bytes": step.cost.bytes} if step.cost else None,
    }
