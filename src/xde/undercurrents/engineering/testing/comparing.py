"""Two tables of few rows, compared: what is missing, what was not expected, and which rows differ in which cells."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

Values = tuple[object, ...]


class Anything:
    """Stands for any value: a cell of an expected row that does not matter."""

    def __repr__(self) -> str:
        return "any"


ANY = Anything()


@dataclass(frozen=True, slots=True)
class Changed:
    """A row that is there but not as expected; `columns` are the positions of the cells that differ."""

    expected: Values
    actual: Values
    columns: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """The differences, by the columns that were compared; none in any of them means equal. `misplaced`: equal but for the order."""

    columns: tuple[str, ...]
    missing: tuple[Values, ...] = ()
    unexpected: tuple[Values, ...] = ()
    changed: tuple[Changed, ...] = ()
    misplaced: tuple[Changed, ...] = ()
    expected_rows: int = 0
    actual_rows: int = 0
    notes: tuple[str, ...] = field(default=())

    @property
    def equal(self) -> bool:
        """Whether nothing differs."""
        return not (self.missing or self.unexpected or self.changed or self.misplaced)


@dataclass(frozen=True, slots=True)
class How:
    """How rows are compared: in order or as a multiset, floats with a relative tolerance, paired by a key where they differ."""

    ordered: bool = False
    tolerance: float = 1e-9
    key: tuple[str, ...] = ()


def compare(columns: Sequence[str], expected: Sequence[Values], actual: Sequence[Values], how: How) -> Comparison:
    """Compare rows of the same columns. Equal rows are taken out first; of the rest those are paired that share a key, or most cells."""
    names, counts = tuple(columns), (len(expected), len(actual))
    if how.ordered and len(expected) == len(actual):
        pairs = list(zip(expected, actual, strict=True))
        if all(same(e, a, how.tolerance) for e, a in pairs):
            return Comparison(names, expected_rows=counts[0], actual_rows=counts[1])
    missing, unexpected = _without_equals(expected, actual, how.tolerance)
    if how.ordered and not missing and not unexpected:
        moved = tuple(
            Changed(e, a, _differing(e, a, how.tolerance)) for e, a in zip(expected, actual, strict=True) if not same(e, a, how.tolerance)
        )
        return Comparison(names, misplaced=moved, expected_rows=counts[0], actual_rows=counts[1])
    key = tuple(names.index(k) for k in how.key) if how.key and all(k in names for k in how.key) else ()
    changed = _paired(missing, unexpected, key, how.tolerance)
    return Comparison(names, tuple(missing), tuple(unexpected), tuple(changed), (), counts[0], counts[1])


def same(one: object, other: object, tolerance: float) -> bool:
    """Whether two values are the same: NULL is NULL, NaN is NaN, floats are near, and so are those within lists and mappings."""
    if one is ANY or other is ANY:
        return True
    if isinstance(one, float) or isinstance(other, float):
        return _near(one, other, tolerance)
    if isinstance(one, (tuple, list)) and isinstance(other, (tuple, list)):
        return len(one) == len(other) and all(same(a, b, tolerance) for a, b in zip(one, other, strict=True))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[k], other[k], tolerance) for k in one)
    if isinstance(one, bool) is not isinstance(other, bool):
        return False
    return one == other


def _near(one: object, other: object, tolerance: float) -> bool:
    numbers = (int, float, Decimal)
    if not isinstance(one, numbers) or not isinstance(other, numbers) or isinstance(one, bool) or isinstance(other, bool):
        return False
    a, b = float(one), float(other)
    return (math.isnan(a) and math.isnan(b)) or math.isclose(a, b, rel_tol=tolerance, abs_tol=tolerance if tolerance < 1 else 0.0)


def _without_equals(expected: Sequence[Values], actual: Sequence[Values], tolerance: float) -> tuple[list[Values], list[Values]]:
    """What is left of both when equal rows are taken away two by two: first those with the same text, then by comparing all with all."""
    counted: dict[str, list[Values]] = {}
    for row in actual:
        counted.setdefault(repr(row), []).append(row)
    left: list[Values] = []
    for row in expected:
        twins = counted.get(repr(row))
        if twins:
            twins.pop()
        else:
            left.append(row)
    rest = [row for rows in counted.values() for row in rows]
    missing: list[Values] = []
    for row in sorted(left, key=lambda row: sum(v is ANY for v in row)):  # those that say most choose first
        twin = next((i for i, other in enumerate(rest) if same(row, other, tolerance)), None)
        if twin is None:
            missing.append(row)
        else:
            rest.pop(twin)
    order = {id(row): i for i, row in enumerate([*actual, *expected])}
    missing.sort(key=lambda row: order[id(row)])
    return missing, sorted(rest, key=lambda row: order[id(row)])


def _paired(missing: list[Values], unexpected: list[Values], key: tuple[int, ...], tolerance: float) -> list[Changed]:
    """Rows of both that belong together; they are taken out of the two lists. Bounded: beyond 200 rows only a key pairs."""
    found: list[Changed] = []
    few = len(missing) * len(unexpected) <= 40_000
    for row in list(missing):
        if key:
            partner = next((o for o in unexpected if all(same(row[i], o[i], tolerance) for i in key)), None)
        else:
            partner = _most_alike(row, unexpected, tolerance) if few else None
        if partner is not None:
            found.append(Changed(row, partner, _differing(row, partner, tolerance)))
            missing.remove(row)
            unexpected.remove(partner)
    return found


def _most_alike(row: Values, others: Sequence[Values], tolerance: float) -> Values | None:
    """The row that shares most cells, if it shares at least half of them."""
    scored = [(len(row) - len(_differing(row, o, tolerance)), -i) for i, o in enumerate(others)]
    best, position = max(scored, default=(0, 0))
    return others[-position] if best * 2 >= len(row) and best > 0 else None


def _differing(one: Values, other: Values, tolerance: float) -> tuple[int, ...]:
    return tuple(i for i, (a, b) in enumerate(zip(one, other, strict=True)) if not same(a, b, tolerance))
