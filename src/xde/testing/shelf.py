"""The far side of a connector under test: a real server, or file, that its author can fill, change and take away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager
    from datetime import date, datetime
    from decimal import Decimal

COLUMNS = {
    "id": "{name: id, logicalType: integer, primaryKey: true, required: true}",
    "word": "{name: word, logicalType: string}",
    "amount": '{name: amount, logicalType: number, physicalType: "DECIMAL(18,4)"}',
    "ratio": "{name: ratio, logicalType: number}",
    "day": "{name: day, logicalType: date}",
    "at": "{name: at, logicalType: timestamp}",
    "flag": "{name: flag, logicalType: boolean}",
}
"""The columns of the table, as a contract has them: 64 bits, text, decimal, double, date, timestamp without zone, boolean."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the table; all but the key may be missing."""

    id: int
    word: str | None = None
    amount: Decimal | None = None
    ratio: float | None = None
    day: date | None = None
    at: datetime | None = None
    flag: bool | None = None


class Shelf:
    """What the author of a connector writes: a table of `Row` that the connector reads. Each call is over when others can see what it did.

    `columns` are those that the source can hold; `cursor` is how a contract says that rows are new by their `id`; `secret` is a text that
    must be seen nowhere, such as the password that the contract's server refers to.
    """

    columns: Sequence[str] = tuple(COLUMNS)
    relation = "things"
    cursor = "{property: id, lag: 100}"
    secret = ""

    @property
    def server(self) -> str:
        """The contract's server, as a mapping of YAML on one line."""
        raise NotImplementedError

    def put(self, rows: Sequence[Row]) -> None:
        """Add rows, or put others in the place of those with the same `id`."""
        raise NotImplementedError

    def remove(self, ids: Sequence[int]) -> None:
        """Take rows away."""
        raise NotImplementedError

    def away(self) -> AbstractContextManager[None] | None:
        """While it is entered the source cannot be reached; None where that cannot be arranged."""
        return None

    def late(self, rows: Sequence[Row]) -> AbstractContextManager[None] | None:
        """Rows that are written when it is entered and committed when it is left; None where the source knows no transactions."""
        del rows
        return None
