"""Two columns held against each other in SQL: in which type, when their values differ, and how one is shown."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import duckdb

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xde.lifecycle.serving.comparing import Retyped

FLOATS = frozenset({"FLOAT", "DOUBLE"})
# the decimal digits of whole numbers
WHOLE = {"TINYINT": 3, "SMALLINT": 5, "INTEGER": 10, "BIGINT": 19, "HUGEINT": 38}
WHOLE |= {"UTINYINT": 3, "USMALLINT": 5, "UINTEGER": 10, "UBIGINT": 20, "UHUGEINT": 39}
NEAR = 1e-9
_DECIMAL = re.compile(r"DECIMAL\((\d+),\s*(\d+)\)\Z")
# what Python can take as it is; all else goes as the engine's own text, which knows every value (the year 20000, infinity)
_PLAIN = frozenset(
    {"BOOLEAN", "VARCHAR", "DOUBLE", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"}
)


@dataclass(frozen=True, slots=True)
class Value:
    """A column that is compared; its cells are called `c0`, `c1` ... on both sides, and are of one type there."""

    index: int
    column: Retyped

    @property
    def cell(self) -> str:
        """Its name in SQL."""
        return f"c{self.index}"

    @property
    def is_float(self) -> bool:
        """Whether it is compared as floating point."""
        return self.column.compared in FLOATS

    @property
    def is_number(self) -> bool:
        """Whether it has a mean."""
        return self.is_float or self.column.compared in WHOLE or _DECIMAL.match(self.column.compared) is not None

    def differ(self, left: str, right: str, tolerance: float = 0.0) -> str:
        """Whether two cells differ: NULL is NULL, NaN is NaN, and 0.0 is -0.0."""
        exact = f"{left}.{self.cell} IS DISTINCT FROM {right}.{self.cell}"
        return f"({exact} AND NOT {self._close(left, right, tolerance)})" if tolerance and self.is_float else exact

    def near(self, left: str, right: str) -> str | None:
        """Whether two cells differ by next to nothing; only floating point can."""
        if not self.is_float:
            return None
        return f"({self.differ(left, right)} AND {self._close(left, right, NEAR)})"

    def _close(self, left: str, right: str, tolerance: float) -> str:
        """As `math.isclose` with both tolerances; what is infinite or no number is close to nothing (and NaN is above all numbers)."""
        a, b = f"{left}.{self.cell}::DOUBLE", f"{right}.{self.cell}::DOUBLE"
        bound = f"greatest({tolerance!r}::DOUBLE * greatest(abs({a}), abs({b})), {tolerance!r}::DOUBLE)"
        return f"coalesce(isfinite({a}) AND isfinite({b}) AND abs({a} - {b}) <= {bound}, false)"


def settled(cursor: duckdb.DuckDBPyConnection, columns: Sequence[Retyped]) -> tuple[Retyped, ...]:
    """The columns with the type in which each is compared: that of both, or one that holds both, or text."""
    return tuple(c if c.compared else replace(c, compared=_common(cursor, c.left, c.right)) for c in columns)


def _common(cursor: duckdb.DuckDBPyConnection, one: str, other: str) -> str:
    """The engine's own word for a type that holds both, where that loses nothing."""
    if "FLOAT" in (one, other) and (one in WHOLE or other in WHOLE):
        return "DOUBLE"
    digits = [_digits(one), _digits(other)]
    if digits[0] and digits[1]:
        return _decimal(one, other, digits[0], digits[1])
    try:
        row = cursor.execute(f"SELECT typeof(CASE WHEN true THEN CAST(NULL AS {one}) ELSE CAST(NULL AS {other}) END)").fetchone()
        cursor.execute(f"SELECT CAST(CAST(NULL AS {one}) AS {row[0]}), CAST(CAST(NULL AS {other}) AS {row[0]})" if row else "")
    except (duckdb.BinderException, duckdb.ConversionException):
        return "VARCHAR"
    return str(row[0]) if row else "VARCHAR"


def _digits(kind: str) -> tuple[int, int] | None:
    """Digits before and after the point."""
    found = _DECIMAL.match(kind)
    if found:
        return int(found[1]) - int(found[2]), int(found[2])
    return (WHOLE[kind], 0) if kind in WHOLE else None


def _decimal(one: str, other: str, a: tuple[int, int], b: tuple[int, int]) -> str:
    before, after = max(a[0], b[0]), max(a[1], b[1])
    if not after:
        signed = [k for k in (one, other) if not k.startswith("U")]
        wider = one if a[0] >= b[0] else other
        return wider if len(signed) in {0, 2} else "HUGEINT" if "BIGINT" in wider or "HUGEINT" in wider else "BIGINT"
    return f"DECIMAL({before + after},{after})" if before + after <= 38 else "DOUBLE"


def comparable(sql: str, kind: str, compared: str) -> str:
    """A column as it is compared: in the common type, and a map as its entries in order, for its own order means nothing."""
    cast = sql if kind == compared else f"CAST({sql} AS {compared})"
    return f"list_sort(map_entries({cast}))" if is_map(compared) else cast


def is_map(kind: str) -> bool:
    """Whether a type is that of a map itself, not of a list of them."""
    return kind.startswith("MAP(") and not kind.endswith("]")


def shown(sql: str, kind: str) -> str:
    """A cell as Python can take it."""
    if kind == "FLOAT":
        return f"CAST(CAST({sql} AS VARCHAR) AS DOUBLE)"  # 0.1, not 0.10000000149
    if kind in _PLAIN or _DECIMAL.match(kind):
        return sql
    return f"CAST(map_from_entries({sql}) AS VARCHAR)" if is_map(kind) else f"CAST({sql} AS VARCHAR)"
