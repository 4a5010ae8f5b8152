"""Rows that are compared in a test, with the table of differences that `xde test` draws."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from xde.faces.pytest.rows import frame_of
from xde.faces.words.cases import differences
from xde.ground.names import did_you_mean
from xde.undercurrents.engineering.testing.comparing import ANY, Changed, Comparison, How, compare, same

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xde.faces.pytest.rows import Frame
    from xde.undercurrents.engineering.testing.comparing import Values

_MOST = 300  # rows of each side that are compared all with all, when they differ


class Absent:
    """Stands for a cell that a row does not have."""

    def __str__(self) -> str:
        return "(absent)"


ABSENT = Absent()


def assert_rows_equal(
    actual: object,
    expected: object,
    *,
    key: str | Sequence[str] | None = None,
    ordered: bool = False,
    tolerance: float = 1e-9,
) -> None:
    """Hold two sets of rows together: lists of mappings, frames of pandas, Polars or Spark, Arrow tables, or what `run_model` gave.

    They are compared by the columns that `expected` has; a mapping that leaves a column out takes any value there. Rows count as often as
    they are there, in any order unless `ordered`. `tolerance` is relative, for floating point; `key` says which rows belong together
    where they differ (by itself: the model's key). Raises `AssertionError` with a table of what differs.
    """
    __tracebackhide__ = True
    came, wanted = frame_of(actual), frame_of(expected)
    columns = wanted.columns or came.columns
    unknown = [c for c in columns if came.rows and c not in came.columns]
    if unknown:
        raise AssertionError("\n".join(_unknown(c, came) for c in unknown))
    keys = (key,) if isinstance(key, str) else tuple(key or came.key)
    found = _compared(columns, _values(wanted, columns, ANY), _values(came, columns, ABSENT), How(ordered, tolerance, keys))
    if not found.equal:
        raise AssertionError("\n".join(["rows differ", "", *differences(found), *came.notes]))


def _unknown(column: str, came: Frame) -> str:
    hint = did_you_mean(column, came.columns)
    has = ", ".join(f"`{c}`" for c in came.columns)
    return f"what came has no column `{column}`; it has {has}" + (f"; {hint}" if hint else "")


def _values(frame: Frame, columns: Sequence[str], left_out: object) -> list[Values]:
    return [tuple(_plain(row[c]) if c in row else left_out for c in columns) for row in frame.rows]


def _plain(value: object) -> object:
    """A scalar of NumPy as one of Python, a list of tuples (a map of Arrow) as a mapping."""
    if type(value).__module__ == "numpy":
        plain = getattr(value, "tolist", None)
        return plain() if plain is not None else value
    if type(value).__name__ in {"NaTType", "NAType"}:
        return None
    return value


def _compared(columns: Sequence[str], expected: list[Values], actual: list[Values], how: How) -> Comparison:
    """Equal rows are set aside by their text first: of what is left, few can be compared with each other."""
    expected, actual = _alike(expected, actual)
    counts = len(expected), len(actual)
    if how.ordered and len(expected) == len(actual) and all(same(e, a, how.tolerance) for e, a in zip(expected, actual, strict=True)):
        return Comparison(tuple(columns), expected_rows=counts[0], actual_rows=counts[1])
    left, came = _apart(expected, actual, how.tolerance)
    if not left and not came:
        return (
            _misplaced(columns, expected, actual, how)
            if how.ordered
            else Comparison(tuple(columns), expected_rows=counts[0], actual_rows=counts[1])
        )
    found = compare(columns, left[:_MOST], came[:_MOST], how)
    more = len(left) + len(came) - len(left[:_MOST]) - len(came[:_MOST])
    notes = (f"{more:,} more rows differ, and were not paired",) if more else ()
    return replace(found, expected_rows=counts[0], actual_rows=counts[1], notes=(*found.notes, *notes))


def _misplaced(columns: Sequence[str], expected: list[Values], actual: list[Values], how: How) -> Comparison:
    """The same rows in another order."""
    pairs = [(e, a) for e, a in zip(expected, actual, strict=True) if not same(e, a, how.tolerance)]
    moved = tuple(
        Changed(e, a, tuple(i for i, (x, y) in enumerate(zip(e, a, strict=True)) if not same(x, y, how.tolerance)))
        for e, a in pairs[:_MOST]
    )
    return Comparison(tuple(columns), misplaced=moved, expected_rows=len(expected), actual_rows=len(actual))


def _apart(expected: list[Values], actual: list[Values], tolerance: float) -> tuple[list[Values], list[Values]]:
    """What is left of both without rows that look the same with nine digits, and are."""
    by_text: dict[str, list[Values]] = {}
    for row in actual:
        by_text.setdefault(_text(row), []).append(row)
    left: list[Values] = []
    for row in expected:
        twins = by_text.get(_text(row), [])
        twin = next((i for i, other in enumerate(twins) if same(row, other, tolerance)), None)
        if twin is None:
            left.append(row)
        else:
            twins.pop(twin)
    return left, [row for rows in by_text.values() for row in rows]


def _text(row: Values) -> str:
    return "|".join(f"{v:.8e}" if isinstance(v, float) else repr(v) for v in row)


def _alike(expected: list[Values], actual: list[Values]) -> tuple[list[Values], list[Values]]:
    """Columns that one side holds in another kind of the same: numbers as floating point, days as moments (pandas has no days)."""
    both = [*expected, *actual]
    width = len(both[0]) if both else 0
    floats = [i for i in range(width) if any(isinstance(r[i], float) for r in both)]
    moments = [i for i in range(width) if any(isinstance(r[i], datetime) and not r[i].tzinfo for r in both)]  # type: ignore[attr-defined]
    if not floats and not moments:
        return expected, actual

    def even(row: Values) -> Values:
        return tuple(_float(v) if i in floats else _moment(v) if i in moments else v for i, v in enumerate(row))

    return [even(r) for r in expected], [even(r) for r in actual]


def _float(value: object) -> object:
    return float(value) if isinstance(value, (int, Decimal)) and not isinstance(value, bool) else value


def _moment(value: object) -> object:
    return datetime(value.year, value.month, value.day) if isinstance(value, date) and not isinstance(value, datetime) else value  # noqa: DTZ001 - without zone, as the others
