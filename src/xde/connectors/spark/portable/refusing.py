"""What is not carried over to Spark: said with its place and the nearest way that is, and never run."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from xde.ground.errors import UserError

if TYPE_CHECKING:
    from sqlglot import exp

    from xde.ground.findings import Finding

FUNCTION, TYPE, CLAUSE, ORDER, CAST, ARGUMENT, NAME, PATTERN = (
    "XDE0820",
    "XDE0821",
    "XDE0822",
    "XDE0823",
    "XDE0824",
    "XDE0825",
    "XDE0826",
    "XDE0827",
)


class NotPortable(Exception):
    """A part of a query that is not proven to give the same on Spark."""

    def __init__(self, code: str, what: str, node: exp.Expr | None = None, hint: str = "", why: str = "") -> None:
        super().__init__(what)
        self.code = code
        self.what = what
        self.hint = hint
        self.why = why
        self.at = place_of(node)


class Refusal(NamedTuple):
    """The same as data: `start` and `length` in characters of the query's text, -1 where no place is known."""

    code: str
    what: str
    why: str
    hint: str
    start: int
    length: int


def place_of(node: exp.Expr | None) -> tuple[int, int]:
    """Where the first word of a part of a query stands, as far as the parser tells."""
    if node is None:
        return -1, 0
    found = [(int(n.meta["start"]), int(n.meta["end"])) for n in node.walk() if n.meta.get("start") is not None]
    if not found:
        return -1, 0
    start, end = min(found)
    return start, end - start + 1


class RefusedError(UserError):
    """A query that Spark is not given, with what was refused of it."""

    def __init__(self, finding: Finding, refusal: Refusal) -> None:
        super().__init__(finding)
        self.refusal = refusal
