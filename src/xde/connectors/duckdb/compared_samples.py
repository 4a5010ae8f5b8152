"""What a comparison has found, told: how often each column changed and what it is like on both sides, and a few rows of each kind."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from xde.connectors.duckdb.compared_sides import ADDED, BOTH, MASK_BITS, REMOVED
from xde.connectors.duckdb.compared_values import shown
from xde.lifecycle.serving.comparing import ChangedRow, ColumnChange, Figures, Samples, WholeRow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xde.connectors.duckdb.compared_sides import Prepared
    from xde.connectors.duckdb.compared_values import Value

HIDDEN = "***"


def column_changes(sides: Prepared, masks: Sequence[str]) -> tuple[ColumnChange, ...]:
    """The columns of which at least one cell changed, from the bits in `differing`."""
    counts = []
    for value in sides.values:
        mask, bit = divmod(value.index, MASK_BITS)
        counts += [f"count(*) FILTER (WHERE {m} & {1 << bit} <> 0)" if m in masks else "0" for m in (f"m{mask}", f"n{mask}")]
    row = sides.run(f"SELECT {', '.join(counts)} FROM differing WHERE side = {BOTH}")[0]
    found = {v: ColumnChange(v.column.name, v.column.right, int(row[2 * v.index]), int(row[2 * v.index + 1])) for v in sides.values}
    found = {v: change for v, change in found.items() if change.rows}
    wanted = [v for v in found if v.is_number and not sides.hides(v.column.name)]
    for value, left, right in zip(wanted, _figures(sides, "left", wanted), _figures(sides, "right", wanted), strict=True):
        found[value] = replace(found[value], left=left, right=right)
    return tuple(found.values())


def _figures(sides: Prepared, side: str, values: Sequence[Value]) -> list[Figures]:
    """Of all rows of a side, those of shared files too."""
    if not values:
        return []
    asked = [
        f"{shown(f'min({v.cell})', v.column.compared)}, avg({v.cell})::DOUBLE, {shown(f'max({v.cell})', v.column.compared)}, "
        f"count(*) - count({v.cell})"
        for v in values
    ]
    cells = ", ".join(v.cell for v in values)
    rows = f"SELECT {cells} FROM xde_{side}" + (f" UNION ALL SELECT {cells} FROM xde_shared" if sides.has_shared else "")
    row = sides.run(f"SELECT {', '.join(asked)} FROM ({rows})")[0]
    return [Figures(*row[i : i + 4]) for i in range(0, len(row), 4)]


def samples(sides: Prepared, limit: int, masks: Sequence[str]) -> Samples:
    """The same ones each time, for the same data."""
    columns = tuple(c.name for c in (*sides.layout.key, *sides.layout.columns))
    added = _on_one_side(sides, limit, ("right", ADDED, "n < 0"))
    removed = _on_one_side(sides, limit, ("left", REMOVED, "n > 0"))
    return Samples(columns, len(sides.keys), added, removed, _changed(sides, limit, masks) if sides.keys and masks else ())


def _on_one_side(sides: Prepared, limit: int, which: tuple[str, int, str]) -> tuple[WholeRow, ...]:
    side, status, surplus = which
    found: list[Any] = []
    if sides.keys:
        keys = ", ".join(sides.keys)
        picked = f"(SELECT {keys} FROM differing WHERE side = {status} ORDER BY {keys} LIMIT {limit:d})"
        joined = f"SELECT {_shown(sides, 'x')}, 1 FROM xde_{side} AS x JOIN {picked} AS p ON {sides.on('x', 'p')}"
        found = sides.run(f"{joined} ORDER BY {_of('x', sides.keys)}")
    if len(found) < limit:
        every = _of("x", sides.cells)
        more = f"SELECT {_shown(sides, 'x')}, abs(n) FROM surplus AS x WHERE {surplus} ORDER BY {every} LIMIT {limit - len(found):d}"
        found += sides.run(more)
    return tuple(WholeRow(tuple(row[:-1]), int(row[-1])) for row in found)


def _changed(sides: Prepared, limit: int, masks: Sequence[str]) -> tuple[ChangedRow, ...]:
    """A few rows of each set of columns that change together, the most frequent set first, so that ten samples show ten ways."""
    key, ways = ", ".join(f"{k}: {k}" for k in sides.keys), ", ".join(masks)
    sets = (
        f"SELECT {ways}, count(*) AS times, min({{{key}}}, {max(limit, 1):d}) AS firsts "
        f"FROM differing WHERE side = {BOTH} GROUP BY {ways} ORDER BY times DESC, {ways} LIMIT {limit:d}"
    )
    rows = f"SELECT {ways}, times, unnest(firsts, max_depth := 2), generate_subscripts(firsts, 1) AS nth FROM ({sets})"
    sides.run(f"CREATE TABLE picked AS SELECT * FROM ({rows}) ORDER BY nth, times DESC, {ways} LIMIT {limit:d}")
    found = sides.run(
        f"SELECT {_shown(sides, 'l')}, {_shown(sides, 'r')}, {_of('p', masks)} FROM picked AS p "
        f"JOIN xde_left AS l ON {sides.on('p', 'l')} JOIN xde_right AS r ON {sides.on('p', 'r')} ORDER BY {_of('p', sides.keys)}"
    )
    width, first = len(sides.cells), len(sides.keys)
    return tuple(ChangedRow(tuple(row[:width]), tuple(row[width : 2 * width]), _positions(row[2 * width :], first)) for row in found)


def _positions(masks: Sequence[int], first: int) -> tuple[int, ...]:
    """Where the bits are, counted from the first column after the key."""
    bits = [mask >> bit & 1 for mask in masks for bit in range(MASK_BITS)]
    return tuple(first + position for position, bit in enumerate(bits) if bit)


def _of(table: str, names: Sequence[str]) -> str:
    return ", ".join(f"{table}.{n}" for n in names)


def _shown(sides: Prepared, table: str) -> str:
    """Every cell as Python can take it; a personal one stays where it is, and is shown as `***`, or NULL where it is NULL."""
    columns = (*sides.layout.key, *sides.layout.columns)
    return ", ".join(
        f"CASE WHEN {table}.{cell} IS NOT NULL THEN '{HIDDEN}' END" if sides.hides(c.name) else shown(f"{table}.{cell}", c.compared)
        for cell, c in zip(sides.cells, columns, strict=True)
    )
