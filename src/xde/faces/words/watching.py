"""One look at a watched project in words: what was saved, what of the cases it reached, and how all of them stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xde.faces.words.cases import case_fact, summary
from xde.faces.words.findings import finding_fact
from xde.faces.words.ink import PLAIN, Ink
from xde.faces.words.numbers import amount, count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xde.app.testing import CaseResult
    from xde.app.watching import Look

_NAMED = 3  # files of a save that are named


def still_failing(result: CaseResult, ink: Ink = PLAIN) -> str:
    """`still  marts.orders: an order without payments is worth nothing  --> tests/orders.yaml:9:11`."""
    return f"{ink('error', 'still')} {result.case.dataset}: {result.case.name}  {ink('mark', '-->')} {result.case.span}"


def look_summary(look: Look, ink: Ink = PLAIN) -> str:
    """`models/marts/orders.sql: 3 cases: 3 passed (60 ms); 7 not reached`."""
    saved = f"{ink('strong', saved_text(look.saved))}: " if look.saved else ""
    if look.findings and not look.results:
        return saved + ink("error", f"{amount(len(look.findings), 'finding')}, and no case was run")
    others = look.cases - len(look.results)
    if not look.results:
        standing = ink("error", f"{count(len(look.failing))} of them failing") if look.failing else ink("good", "none of them failing")
        return f"{saved}reaches none of {amount(look.cases, 'case')}, {standing}"
    rest = [f"{count(others)} not reached"] if others else []
    rest += [ink("error", f"{count(len(look.failing))} still failing")] if look.failing else []
    return saved + summary(look.results, look.seconds, ink) + "".join(f"; {text}" for text in rest)


def saved_text(paths: Sequence[str]) -> str:
    """`a.sql, b.sql, c.sql and 2 more files`."""
    more = len(paths) - _NAMED
    return ", ".join(paths[:_NAMED]) + (f" and {amount(more, 'more file')}" if more > 0 else "")


def look_fact(look: Look) -> dict[str, object]:
    """A look as JSON data."""
    return {
        "saved": list(look.saved),
        "cases": [case_fact(r) for r in look.results],
        "failing": [case_fact(r) for r in look.failing],
        "findings": [finding_fact(f) for f in look.findings],
        "of": look.cases,
        "passed": look.passed,
        "seconds": round(look.seconds, 4),
    }
