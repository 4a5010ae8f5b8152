"""The rules by name: the code of each, and how much it matters."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from xde.ground.findings import Severity
from xde.kernel.project.lint_words import RULES

if TYPE_CHECKING:
    from sqlglot import exp

CODES = dict(
    zip(
        RULES,
        (
            "XDE0222",
            "XDE0223",
            "XDE0224",
            "XDE0225",
            "XDE0226",
            "XDE0227",
            "XDE0228",
            "XDE0229",
            "XDE0230",
            "XDE0231",
            "XDE0232",
            "XDE0233",
            "XDE0234",
            "XDE0235",
        ),
        strict=True,
    )
)
UNUSED_ALLOWANCE = "XDE0236"


class Remark(NamedTuple):
    """What a rule says of a part of a query; the rest of a finding follows from where it stands and which rule it is."""

    rule: str
    at: exp.Expr
    message: str
    label: str
    why: str
    hint: str
    severity: Severity = Severity.WARNING
