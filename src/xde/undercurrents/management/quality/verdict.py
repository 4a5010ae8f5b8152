"""A failed check, in words: how many rows, which rule, an example that shows no person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xde.ground.findings import Finding, Severity
from xde.kernel.plan.checks import Action, CheckKind

if TYPE_CHECKING:
    from xde.kernel.plan.checks import CheckResult

CODES = {
    CheckKind.ROW: "XDE0501",
    CheckKind.UNIQUE: "XDE0502",
    CheckKind.REFERENCE: "XDE0503",
    CheckKind.COUNT: "XDE0504",
    CheckKind.QUERY: "XDE0505",
    CheckKind.FRESH: "XDE0506",
}


def finding_of(result: CheckResult) -> Finding:
    """The finding for a check that did not pass."""
    check = result.check
    counted = check.kind in {CheckKind.ROW, CheckKind.UNIQUE, CheckKind.REFERENCE} and not result.value.startswith("error:")
    rows = f"{result.failing:,} of {result.rows:,} rows: " if counted else ""
    found = f"; found {result.value}" if result.value and not counted else ""
    warning = check.action is Action.WARN or result.waived
    waived = (
        f" (waived until {check.waiver.until} by {check.waiver.author}: {check.waiver.reason})" if result.waived and check.waiver else ""
    )
    return Finding(
        CODES[check.kind],
        f"`{check.dataset}`: {rows}{check.message}{found}{waived}",
        check.span,
        "this rule",
        why="; ".join(_sample(s) for s in result.samples[:3]),
        hint="" if warning else "nothing was published; mend the data or the model, or change the rule if it is wrong",
        severity=Severity.WARNING if warning else Severity.ERROR,
    )


def _sample(row: dict[str, str | None]) -> str:
    return ", ".join(f"{name} = {'NULL' if value is None else value}" for name, value in list(row.items())[:6])
