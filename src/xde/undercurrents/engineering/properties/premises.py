"""What a model may take for granted of its inputs: their columns, and the rules of their contracts that are held."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from xde.kernel.plan.checks import Action, CheckKind
from xde.undercurrents.engineering.testing.promising import is_strict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xde.kernel.plan.checks import Check
    from xde.kernel.project.contract import SchemaObject

MOST_ROWS = 8


@dataclass(frozen=True, slots=True)
class Premise:
    """One input. `key` is a key that a model's head declares where no contract does; `computed`: rows come from other inputs, by a view."""

    name: str
    types: Mapping[str, str]
    promised: SchemaObject | None = None
    checks: Sequence[Check] = field(default=())
    key: tuple[str, ...] = ()
    computed: bool = False

    @property
    def known(self) -> bool:
        """Whether anything is known of its values."""
        return self.promised is not None

    @property
    def rules(self) -> list[Check]:
        """The rules that every row keeps."""
        return [c for c in self.checks if c.kind is CheckKind.ROW and binding(c)]

    @property
    def keys(self) -> list[tuple[str, ...]]:
        """The columns whose values are not there twice."""
        found = [c.columns for c in self.checks if c.kind is CheckKind.UNIQUE and binding(c)]
        return list(dict.fromkeys([*found, *([self.key] if self.key else [])]))

    @property
    def references(self) -> list[Check]:
        """What it refers to, held or not."""
        return [c for c in self.checks if c.kind is CheckKind.REFERENCE]

    @property
    def questions(self) -> list[Check]:
        """The rules that are queries of one number, which must be none."""
        return [c for c in self.checks if c.kind is CheckKind.QUERY and binding(c)]

    @property
    def sizes(self) -> tuple[int, int]:
        """How many rows it may have, as far as its contract speaks of few; a rule about a large table cannot be held in a small one."""
        low, high = 0, MOST_ROWS
        for check in self.checks:
            if check.kind is CheckKind.COUNT and binding(check, whole=True):
                least, most = _counts(check)
                low, high = (max(low, least), high) if least <= MOST_ROWS else (low, high)
                high = max(low, min(high, most))
        return low, high


def binding(check: Check, *, whole: bool = False) -> bool:
    """Whether data that breaks a rule would be stopped; a warning or a waiver lets it pass, and a tolerance lets some of it pass."""
    return check.action is not Action.WARN and check.waiver is None and (whole or is_strict(check))


def _counts(check: Check) -> tuple[int, int]:
    bounds = [int(str(b)) for b in (check.threshold if isinstance(check.threshold, list | tuple) else [check.threshold]) if _is_whole(b)]
    if not bounds:
        return 0, 2**31
    first = bounds[0]
    match check.operator:
        case "mustBe":
            return first, first
        case "mustBeGreaterThan":
            return first + 1, 2**31
        case "mustBeGreaterOrEqualTo":
            return first, 2**31
        case "mustBeLessThan":
            return 0, first - 1
        case "mustBeLessOrEqualTo":
            return 0, first
        case "mustBeBetween":
            return first, bounds[-1]
        case "mustNotBe" if first == 0:
            return 1, 2**31
        case _:
            return 0, 2**31


def upper_bound(check: Check) -> int | None:
    """The most rows that a rule about their number allows; None when it only asks for many."""
    most = _counts(check)[1]
    return most if most < 2**31 else None


def _is_whole(value: object) -> bool:
    return str(value).lstrip("-").isdigit()
