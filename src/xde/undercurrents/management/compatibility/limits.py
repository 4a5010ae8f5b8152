"""What a limit lets through, and whether another lets through more or less: bounds, lengths, thresholds of rules."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class Move(Enum):
    """How a new limit stands to the old one; MIXED lets through some that the old one did not, and not all that it did."""

    SAME = "same"
    LOOSER = "looser"
    TIGHTER = "tighter"
    MIXED = "mixed"
    UNKNOWN = "unknown"


def moved(looser: bool, tighter: bool) -> Move:  # noqa: FBT001 - the two halves of one answer
    """The move of which both halves are known."""
    return Move.MIXED if looser and tighter else Move.LOOSER if looser else Move.TIGHTER if tighter else Move.SAME


@dataclass(frozen=True)
class Floor:
    """The least value allowed, itself left out if `open`; None allows everything. A ceiling is a floor of the other direction."""

    value: object = None
    open: bool = False

    def shown(self, sign: str) -> str | None:
        """As in `>= 0`; None when there is none."""
        return None if self.value is None else f"{sign}{'' if self.open else '='} {self.value}"


def compare(old: Floor, new: Floor, *, ceiling: bool = False) -> Move:
    """How the limit moved; UNKNOWN when the two cannot be compared."""
    if old == new:
        return Move.SAME
    if old.value is None or new.value is None:
        return Move.TIGHTER if old.value is None else Move.LOOSER
    order = ordered(old.value, new.value)
    if order is None:
        return Move.UNKNOWN
    if order == 0:
        return Move.SAME if old.open == new.open else Move.TIGHTER if new.open else Move.LOOSER
    return Move.TIGHTER if (order < 0) != ceiling else Move.LOOSER


def ordered(one: object, other: object) -> int | None:
    """-1, 0 or 1 as numbers, or as texts that sort (ISO dates and times); None for anything else."""
    if isinstance(one, bool) or isinstance(other, bool):
        return None
    if isinstance(one, int | float) and isinstance(other, int | float):
        return (one > other) - (one < other)
    if isinstance(one, str) and isinstance(other, str):
        return (one > other) - (one < other)
    return None


def compare_multiples(old: object, new: object) -> Move:
    """How `multipleOf` moved: every multiple of 10 is one of 5."""
    if old == new:
        return Move.SAME
    if not isinstance(old, int | float) or not isinstance(new, int | float) or not old or not new:
        return Move.TIGHTER if old is None else Move.LOOSER if new is None else Move.UNKNOWN
    return moved(not _divides(old, new), not _divides(new, old))


def _divides(divisor: float, number: float) -> bool:
    ratio = number / divisor
    return abs(ratio - round(ratio)) < 1e-9


Stretch = tuple[float, bool, float, bool]
"""Numbers from and to, each end left out if its flag is set."""

_END = float("inf")


def accepted(operator: str | None, threshold: object) -> tuple[Stretch, ...] | None:
    """The numbers that a rule's operator accepts (ODCS, Data Quality, Operators), as stretches in order; None when it is not of numbers."""
    numbers = _numbers(threshold)
    if not numbers:
        return None
    low, high = numbers[0], numbers[-1]
    found: dict[str, tuple[Stretch, ...]] = {
        "mustBe": ((low, False, low, False),),
        "mustNotBe": ((-_END, True, low, True), (low, True, _END, True)),
        "mustBeGreaterThan": ((low, True, _END, True),),
        "mustBeGreaterOrEqualTo": ((low, False, _END, True),),
        "mustBeLessThan": ((-_END, True, low, True),),
        "mustBeLessOrEqualTo": ((-_END, True, low, False),),
        "mustBeBetween": ((low, False, high, False),),
        "mustNotBeBetween": ((-_END, True, low, True), (high, True, _END, True)),
    }
    counted = tuple(_of_counts(s) for s in found.get(operator or "mustBe", ()))
    return tuple(s for s in counted if s is not None) or None


def _numbers(threshold: object) -> list[float]:
    given = threshold if isinstance(threshold, list | tuple) else [threshold]
    numbers = [float(n) for n in given if isinstance(n, int | float) and not isinstance(n, bool)]
    return sorted(numbers) if len(numbers) == len(given) else []


def _of_counts(stretch: Stretch) -> Stretch | None:
    """Cut to what a count or a share can be: nothing below 0."""
    low, _, high, high_open = stretch
    if high < 0 or (high == 0 and high_open):
        return None
    return (0.0, False, high, high_open) if low < 0 else stretch


def compare_stretches(old: Sequence[Stretch], new: Sequence[Stretch]) -> Move:
    """How a set of numbers moved."""
    return moved(not all(_held(s, old) for s in new), not all(_held(s, new) for s in old))


def _held(inner: Stretch, outers: Sequence[Stretch]) -> bool:
    return any(
        (outer[0], outer[1]) <= (inner[0], inner[1]) and (inner[2] < outer[2] or (inner[2] == outer[2] and (not outer[3] or inner[3])))
        for outer in outers
    )
