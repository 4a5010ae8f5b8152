"""How far was read: values of the cursor as JSON, and from where to read so that no row is lost that is committed late.

A row that is not seen yet is of a transaction that was open when the rows were read. Its value of the cursor is taken, by a sequence or a
clock, while that transaction is at work: so it is above all that could be seen before the transaction began. A load looks first how far
the cursor goes, with the time; then which transactions are open, and since when; then it takes its snapshot. What it does not see is of a
transaction that began after the look, or of one of those that are open. So the next load begins where the cursor was at the last look
before any of them. It reads some rows again, and merges them.

Where a database does not tell which transactions are open, the lag of the contract has to cover the longest of them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from xde.ground.records import dataclass

if TYPE_CHECKING:
    from xde.lifecycle.sources.tables import Cursor, Position

KEPT = 100  # looks beside the first one: without the others more is read again, and nothing is lost
FIRST = dt.datetime.min  # noqa: DTZ901 - before every moment of a server's clock, which tells no zone


@dataclass(frozen=True, slots=True)
class Look:
    """How far the cursor went at a moment of the server's clock; None: nothing was there, or nobody had looked."""

    at: dt.datetime
    value: object

    def data(self) -> dict[str, object]:
        """As JSON."""
        return {"at": self.at.isoformat(), "value": as_data(self.value)}


def as_data(value: object) -> object:
    """A value of a cursor as JSON, with its kind."""
    match value:
        case dt.datetime():
            return {"time": value.isoformat()}
        case dt.date():
            return {"date": value.isoformat()}
        case Decimal():
            return {"number": f"{value:f}"}
        case _:
            return value if value is None or isinstance(value, int | float) else str(value)


def of_data(told: object) -> object:
    """The value again."""
    match told:
        case {"time": str(text)}:
            return dt.datetime.fromisoformat(text)
        case {"date": str(text)}:
            return dt.date.fromisoformat(text)
        case {"number": str(text)}:
            return Decimal(text)
        case _:
            return told


def looks_of(position: Position | None) -> list[Look]:
    """What earlier loads saw, the oldest first; before the first of them nobody had seen anything."""
    told = position.get("looks") if position is not None else None
    found = [
        Look(dt.datetime.fromisoformat(str(x["at"])), of_data(x.get("value")))
        for x in (told if isinstance(told, Sequence) else ())
        if isinstance(x, Mapping)
    ]
    return found or [Look(FIRST, None)]


def kept(looks: Sequence[Look], unseen_since: dt.datetime) -> list[Look]:
    """The looks that later loads need: the last one before everything that was not seen, and those after it."""
    first = max(n for n, look in enumerate(looks) if look.at < unseen_since or n == 0)
    return [looks[first], *looks[first + 1 :][-KEPT:]]


def start(cursor: Cursor, looks: Sequence[Look]) -> object | None:
    """The least value of the cursor's first column that is read again; None reads all."""
    return None if looks[0].value is None else below(looks[0].value, cursor)


def below(value: object, cursor: Cursor) -> object:
    """A value less the lag."""
    lag = cursor.lag
    if not lag:
        return value
    if isinstance(value, dt.datetime):
        return value - dt.timedelta(seconds=lag)
    if isinstance(value, dt.date):
        return value - dt.timedelta(days=-(-lag // 86_400))
    if isinstance(value, Decimal):
        return value - Decimal(str(lag))
    return value - (int(lag) if lag == int(lag) else lag) if isinstance(value, int | float) else value
