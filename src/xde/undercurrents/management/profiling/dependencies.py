"""Which columns decide another: found in a sample of rows, kept where an exact count over all rows does not contradict."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from xde.undercurrents.management.profiling.facts import Dependency

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xde.undercurrents.management.profiling.facts import ColumnFacts, Key
    from xde.undercurrents.management.profiling.port import Rows

SAMPLE = 3_000
SUPPORT = 5
"""So many rows a value must have on the average: what stands once decides everything by accident."""
PAIRED = 20
"""As many for two columns."""
DOMINATED = 0.9
"""Of a column that nearly always says the same nothing is learnt."""
MOST = 6
WIDEST = 30
_Row = tuple[int | None, ...]


def dependencies(rows: Rows, facts: Sequence[ColumnFacts], keys: Sequence[Key]) -> tuple[Dependency, ...]:
    """Those of one column, and of two where neither decides alone; the best supported first."""
    single = {k.columns[0] for k in keys if len(k.columns) == 1}
    usable = [f for f in facts if f.distinct > 1 and f.name not in single][:WIDEST]
    if len(usable) < 2 or rows.count < 50:
        return ()
    names = [f.name for f in usable]
    left = [f.name for f in usable if (f.is_text or f.is_whole) and f.present >= SUPPORT * f.distinct and f.distinct > 2]
    right = [f.name for f in usable if 2 * f.missing <= f.rows and f.top and f.top[0][1] <= DOMINATED * f.rows]
    some = rows.codes(names, SAMPLE)
    found = [(frozenset((a,)), b) for a in left for b in right if a != b and _holds(some, names, (a,), b)]
    pairs = [p for p in combinations(left, 2) if not any(a <= set(p) and b in p for a, b in found)]
    for pair in pairs:
        known = {b for a, b in found if a <= set(pair)}
        found += [(frozenset(pair), b) for b in right if b not in pair and b not in known and _holds(some, names, pair, b)]
    sizes = {f.name: f.distinct for f in usable}
    order = sorted(found, key=lambda d: (len(d[0]), -sizes[d[1]]))
    return tuple(d for d in (_exact(rows, names, a, b) for a, b in order[: MOST * 4]) if d is not None)[:MOST]


def _holds(some: Sequence[_Row], names: Sequence[str], left: Sequence[str], right: str) -> bool:
    """Whether no two of some rows contradict, and enough of them could."""
    at, to = [names.index(n) for n in left], names.index(right)
    seen: dict[_Row, int | None] = {}
    for row in some:
        key = tuple(row[i] for i in at)
        if seen.setdefault(key, row[to]) != row[to]:
            return False
    return len(some) >= 2 * len(seen)


def _exact(rows: Rows, names: Sequence[str], left: frozenset[str], right: str) -> Dependency | None:
    columns = tuple(n for n in names if n in left)
    groups = rows.distinct(columns)
    if groups * (SUPPORT if len(columns) == 1 else PAIRED) > rows.count or rows.distinct((*columns, right)) != groups:
        return None
    return Dependency(columns, right, groups)
