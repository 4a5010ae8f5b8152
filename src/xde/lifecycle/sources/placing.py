"""Whether the values of a cursor have an order in which later rows come last: what every database complains of where they have not."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import TYPE_CHECKING

from xde.ground.errors import UserError
from xde.ground.findings import Finding

if TYPE_CHECKING:
    from xde.lifecycle.sources.tables import Ask

ENDLESS = frozenset({"nan", "inf", "-inf", "infinity", "-infinity"})


def unplaced(ask: Ask, column: str, count: int) -> UserError:
    """Rows have nothing in the cursor: no later load could tell them from those read before."""
    why = "a later load could not tell whether it has them"
    hint = f"fill `{column}`, or take another cursor; `xdeQuery` may compute one"
    rows, have = ("row", "has") if count == 1 else ("rows", "have")
    message = f"{count:,} {rows} of `{ask.relation}` {have} nothing in the cursor `{column}`"
    return UserError(Finding("XDE0484", message, ask.span, "no position", why, hint))


def out_of_order(ask: Ask, column: str, shown: object, why: str) -> UserError:
    """A value stands above all that may come: after it no row would be read any more."""
    hint = f"mend those rows in the database, or leave them out by an `xdeQuery` with a condition on `{column}`"
    message = f"the cursor `{column}` of `{ask.relation}` has the value `{str(shown)[:60]}`"
    return UserError(Finding("XDE0496", message, ask.span, "no order", why, hint))


def endless(ask: Ask, column: str, value: object) -> None:
    """Raises where a value, itself or as a text, is a number or a moment that nothing is greater than."""
    number = isinstance(value, (float, Decimal)) and not math.isfinite(value)
    if number or (isinstance(value, str) and value.casefold() in ENDLESS):
        raise out_of_order(ask, column, value, "nothing is greater than it: every row that comes later would be passed over")
