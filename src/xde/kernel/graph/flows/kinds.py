"""What an argument of a flow can be; each kind prints itself as a mark, and what the user wrote takes the mark's place later.

A flow puts its arguments into its SQL with an f-string, and yet no text is ever pasted: `f"{key}"` gives a name that nobody
else uses (`__xde_mark_3__`), and only where that name stands as a name of its own is it replaced. Inside a quoted text it is refused.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

MARK = re.compile(r"__xde_mark_(\d+)__")
OURS = "__flow"
"""How every name begins that a flow makes for itself; no dataset that goes into a flow may have a column of such a name."""


def mark_of(number: int) -> str:
    """The mark of an argument."""
    return f"__xde_mark_{number}__"


class Marked:
    """Something that the user wrote; `number` says which, `text` is how it was written."""

    def __init__(self, number: int, text: str = "") -> None:
        self.number = number
        self.text = text

    def __str__(self) -> str:
        return mark_of(self.number)


class Relation(Marked):
    """A dataset, a CTE, a sub-query in parentheses, or another flow. `text` names it where it has a name, else it is empty."""


class Column(Marked):
    """The name of a column of the input; `text` is the name without quotes."""


class Columns:
    """One or more names of columns; prints them with commas between."""

    def __init__(self, columns: tuple[Column, ...]) -> None:
        self._columns = columns

    def __iter__(self) -> Iterator[Column]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)

    def __str__(self) -> str:
        return ", ".join(map(str, self._columns))


class Expression(Marked):
    """A value computed from columns of one row of the input, without a sub-query."""


class Value(Marked):
    """A constant or a parameter (`$name`); `text` is a constant's own text, and `$name` for a parameter."""


class Values:
    """One or more constants; prints them with commas between."""

    def __init__(self, values: tuple[Value, ...]) -> None:
        self._values = values

    def __iter__(self) -> Iterator[Value]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __str__(self) -> str:
        return ", ".join(map(str, self._values))


class Interval(Marked):
    """A stretch of time: `INTERVAL 30 MINUTES`, `INTERVAL '1 day'` or a parameter."""


class Name(Marked):
    """The name of a column that the flow makes; `text` is the name without quotes."""


class ArgumentError(Exception):
    """What a flow says against an argument that is of the right kind and still cannot be right."""

    def __init__(self, argument: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.argument = argument
        self.message = message
        self.hint = hint
