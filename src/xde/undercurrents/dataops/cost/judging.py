"""What is worth a thought of a dataset's cost: each rule is a function, their order is one tuple."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from xde.ground.findings import Finding, Severity
from xde.ground.names import listed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from xde.kernel.plan.costs import CostRecord
    from xde.undercurrents.dataops.cost.spending import Spending

DEAR = 0.01  # of all seconds or of all bytes kept: below it, nobody need think of it
OFTEN = 3  # builds
ABOUT = 0.001  # two tables of the same rows differ by no more in bytes: threads may meet in another order
SMALL = 1_000_000  # bytes; what is smaller may be larger than its inputs


def judge(spendings: Iterable[Spending]) -> tuple[Finding, ...]:
    """The findings of all datasets, in their order."""
    return tuple(finding for s in spendings for rule in RULES for finding in rule(s))


def unused(s: Spending) -> Iterator[Finding]:
    """Nobody reads what it costs to make or to keep."""
    r = s.readers
    if r.models or r.times or not s.builds or max(s.share, s.kept_share) < DEAR:
        return
    made = f"it was made {_times(len(s.builds))} since {_minute(s.builds[0].ended_at)}"
    last = f", and last read at {_minute(r.last)}" if r.last else ""
    others = listed([f"`{n}`" for n in r.only_for_it])
    with_it = f"; {others} {'is' if len(r.only_for_it) == 1 else 'are'} there only for it" if others else ""
    match s.kind:
        case "source":
            hint = "stop loading it: take it out of its contract"
        case "view":
            hint = "drop the model"
        case _:
            hint = "drop the model, or make it `kind: view`: it then costs nothing until it is read"
    yield _finding(
        "XDE0770",
        f"`{s.dataset}` is paid for and not used: no model reads it, and nobody else",
        f"{made}{last}; what other programs read of the lake's files is not seen here{with_it}",
        hint,
    )


def not_read_since_built(s: Spending) -> Iterator[Finding]:
    """Built again and again since somebody last looked."""
    r = s.readers
    since = [b for b in s.builds if r.last and b.ended_at > r.last]
    if r.models or not r.times or len(since) < 2:
        return
    yield _finding(
        "XDE0771",
        f"`{s.dataset}` was made {_times(len(since))} since somebody last read it",
        f"it was last read at {_minute(r.last or '')}, and no model reads it",
        f"run it when it is needed: `xde run +{s.dataset}`" + ("" if s.kind in {"view", "source"} else ", or make it `kind: view`"),
    )


def same_rows(s: Spending) -> Iterator[Finding]:
    """Whole tables made again, as they were."""
    again = sum(_alike(a, b) for a, b in pairwise(s.builds))
    if s.kind != "table" or again + 1 < OFTEN or again * 2 < len(s.builds) - 1:
        return
    yield _finding(
        "XDE0772",
        f"`{s.dataset}` was made {len(s.builds)} times in {_days(s.days)}, {again} of them with as many rows and bytes as before",
        "each time all of it was computed and written again",
        f"see whether a row has changed with `xde diff {s.dataset}`; if none has, make it `kind: incremental`, or run it less often",
    )


def larger_than_inputs(s: Spending) -> Iterator[Finding]:
    """It keeps more than it is made of."""
    given = next((b.usage.bytes_in for b in reversed(s.builds) if b.usage.bytes_in is not None), None)
    if s.kind in {"source", "view"} or given is None or s.table < SMALL or s.table <= given:
        return
    yield _finding(
        "XDE0773",
        f"`{s.dataset}` takes more room than all that it is made from",
        f"it has {_megabytes(s.table)}, and its inputs have {_megabytes(given)}",
        "if it is cheap to make, `kind: view` or `kind: ephemeral` keeps nothing; if not, keep fewer columns",
    )


RULES = (unused, not_read_since_built, same_rows, larger_than_inputs)


def _alike(a: CostRecord, b: CostRecord) -> bool:
    sizes = a.usage.bytes, b.usage.bytes
    return a.version == b.version and a.usage.rows == b.usage.rows and max(sizes) - min(sizes) <= ABOUT * max(sizes)


def _finding(code: str, message: str, why: str, hint: str) -> Finding:
    return Finding(code, message, why=why, hint=hint, severity=Severity.INFO)


def _days(days: int) -> str:
    return "a day" if days == 1 else f"{days} days"


def _times(number: int) -> str:
    return "once" if number == 1 else "twice" if number == 2 else f"{number} times"


def _minute(iso: str) -> str:
    return iso[:16].replace("T", " ")


def _megabytes(number: int) -> str:
    return f"{number / 1e6:,.1f} MB"
