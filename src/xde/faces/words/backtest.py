"""What a contract would have done to earlier deliveries: a line a delivery, and below each what it would not have passed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xde.faces.words.cells import visible
from xde.faces.words.ink import PLAIN, Ink
from xde.faces.words.numbers import amount, count, moment
from xde.faces.words.table import Column, draw
from xde.kernel.plan.checks import Action

if TYPE_CHECKING:
    from xde.app.backtesting import Backtest, Tried
    from xde.kernel.plan.checks import CheckResult

_WOULD = {Action.STOP: "would stop", Action.DEAD_LETTER: "would put aside", Action.WARN: "would warn"}


def backtest_text(found: Backtest, ink: Ink = PLAIN, cells: int | None = None) -> str:
    """Deliveries in a table, then their failed checks with some rows; ends with a line end."""
    heads = [
        Column("dataset"),
        Column("at", right=True),
        Column("when (UTC)"),
        Column("rows", right=True),
        Column("put aside", right=True),
        Column("verdict"),
    ]
    rows = [[t.dataset, count(t.number), moment(t.at), count(t.rows), count(t.aside) if t.aside else "", _verdict(t)] for t in found.tried]
    lines = draw(heads, rows, cells=cells, ink=ink).lines if rows else ["nothing is loaded that a contract could be held against"]
    for tried in found.tried:
        if tried.failed:
            lines += ["", ink("strong", f"{visible(tried.dataset)} at {tried.number}")]
            lines += [line for r in tried.failed for line in _failed(r, ink)]
    if found.unknown:
        lines += ["", f"no rows here: {', '.join(found.unknown)}"]
    return "\n".join(lines) + "\n"


def _verdict(tried: Tried) -> str:
    if tried.stopped:
        return "stopped" + (f": {tried.limit}" if tried.limit else "")
    if tried.aside:
        return "published without those"
    return "published, with warnings" if tried.failed else "published"


def _failed(result: CheckResult, ink: Ink) -> list[str]:
    check = result.check
    role = {Action.STOP: ink("error", _WOULD[Action.STOP]), Action.WARN: ink("info", _WOULD[Action.WARN])}.get(
        check.action, ink("warning", _WOULD[check.action])
    )
    said = "would pass by its waiver" if result.waived else role
    found = amount(result.failing, "row") if result.failing else visible(result.value)
    lines = [f"  {said}: {found}: {visible(check.message)}"]
    for row in result.samples:
        lines.append("    " + visible(", ".join(f"{n} = {'NULL' if v is None else v}" for n, v in list(row.items())[:6])))
    return lines


def backtest_fact(found: Backtest) -> dict[str, object]:
    """The same as JSON data."""
    return {"harmless": found.harmless, "deliveries": [_fact(t) for t in found.tried], "no_rows": list(found.unknown)}


def _fact(tried: Tried) -> dict[str, object]:
    return {
        "dataset": tried.dataset,
        "number": tried.number,
        "at": tried.at,
        "rows": tried.rows,
        "stopped": tried.stopped,
        "put_aside": tried.aside,
        "limit": tried.limit,
        "failed": [
            {
                "check": r.check.id,
                "action": r.check.action.value,
                "message": r.check.message,
                "failing": r.failing,
                "value": r.value,
                "waived": r.waived,
                "samples": [dict(s) for s in r.samples],
            }
            for r in tried.failed
        ],
    }
