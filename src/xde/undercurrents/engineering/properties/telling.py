"""What was found, as findings: which guarantee, where it is written, and that valid input breaks it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xde.ground.findings import Finding, Severity
from xde.undercurrents.engineering.properties.guarantees import AGAIN, DELIVERED, ORDER, RUNS, SPLIT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xde.ground.spans import Span
    from xde.undercurrents.engineering.properties.found import Failure, Searched

BROKEN, FAILS, UNORDERED, UNSTEADY, CUT = "XDE0930", "XDE0931", "XDE0932", "XDE0933", "XDE0934"
PARTS, TROUBLE, PLAIN, NO_MODEL, NOT_KEPT = "XDE0935", "XDE0936", "XDE0937", "XDE0938", "XDE0939"

LAWS: Mapping[str, tuple[str, str, str, str]] = {
    RUNS: (
        FAILS,
        "fails on input that keeps its contract",
        "",
        "let the contract of the input exclude such values, or use `TRY_CAST` and the like where they may come",
    ),
    ORDER: (
        UNORDERED,
        "gives other rows when the rows of its input come in another order",
        "nobody promises an order of rows: the result depends on chance",
        "order by enough columns that no two rows tie, or take `min` or `max` instead of `first`",
    ),
    AGAIN: (
        UNSTEADY,
        "gives other rows when it is run again on the same input",
        "a model that reads chance or the clock cannot be tested, and every run changes its table",
        "take the moment from `$today`, and leave `random()` and its like out",
    ),
    SPLIT: (
        CUT,
        "gives other rows when it is built interval by interval than in a full refresh",
        "each interval must give the rows of its own time, whatever the others are",
        "let `$start` be in the interval and `$end` not: `>= $start AND < $end`; what looks back beyond it needs the earlier input too",
    ),
    DELIVERED: (
        PARTS,
        "gives other rows when its input comes in two deliveries than in one",
        "what an earlier delivery has made stays in the table, whatever a later one would make of it",
        "make every row from one row of the input, or make the model a `table`",
    ),
}


def finding_of(model: str, failure: Failure, place: Span | None) -> Finding:
    """The finding for a guarantee that is broken; `place` is that of the model, for laws that nobody has written down."""
    guarantee = failure.guarantee
    severity = Severity.WARNING if guarantee.warning else Severity.ERROR
    if guarantee.law in LAWS:
        code, message, why, hint = LAWS[guarantee.law]
        return Finding(code, f"`{model}` {message}", place, "this model", failure.error or failure.note or why, hint, severity)
    return Finding(
        BROKEN,
        f"`{model}`: {guarantee.message}: input that keeps its contract breaks it",
        guarantee.span or place,
        "this guarantee",
        failure.error,
        "mend the model, or promise more of its input, if that is held there; or promise less here",
        severity,
    )


def trouble_of(searched: Searched, place: Span | None) -> Finding:
    """The finding for a model that could not be tried."""
    return Finding(
        TROUBLE,
        f"`{searched.model}` cannot be tried on random input",
        place,
        "this model",
        searched.trouble,
        "try the rules of its inputs one by one; a rule that does not run is the usual cause",
    )


def plainer() -> Finding:
    """The remark that a counterexample could be plainer."""
    return Finding(
        PLAIN,
        "what was found has few rows, but its values are as they were drawn",
        why="plainer values are looked for by hypothesis, which is not installed",
        hint="`pip install 'xde[test]'`",
        severity=Severity.INFO,
    )
