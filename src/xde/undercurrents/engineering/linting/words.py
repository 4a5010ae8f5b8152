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
            "XDE0260",
            "XDE0261",
            "XDE0262",
            "XDE0263",
            "XDE0264",
            "XDE0265",
            "XDE0266",
            "XDE0267",
            "XDE0268",
            "XDE0269",
            "XDE0270",
            "XDE0271",
            "XDE0272",
            "XDE0273",
        ),
        strict=True,
    )
)
UNUSED_ALLOWANCE = "XDE0274"


class Remark(NamedTuple):
    """What a rule says of a part of a query; the rest of a finding follows from where it stands and which rule it is."""

    rule: str
    at: exp.Expr
    message: str
    label: str
    why: str
    hint: str
    severity: Severity = Severity.WARNING
