"""Two tables compared in DuckDB: one full outer join by the key that keeps only what differs, or one grouping of whole rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xde.connectors.duckdb.compared_samples import column_changes, samples
from xde.connectors.duckdb.compared_sides import ADDED, BOTH, MASK_BITS, REMOVED, prepared
from xde.lifecycle.serving.comparing import Difference, Duplicates, duplicates_finding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xde.connectors.duckdb.compared_sides import Prepared
    from xde.connectors.duckdb.session import DuckdbSession
    from xde.lifecycle.serving.comparing import Asked, Side


class DuckdbComparer:
    """See `lifecycle.serving.comparing.Comparer`."""

    def __init__(self, session: DuckdbSession) -> None:
        self._session = session

    def compare(self, left: Side, right: Side, asked: Asked) -> Difference:
        """Everything happens in a database of its own that is gone afterwards; files that both sides have are not read for their rows."""
        with prepared(self._session, left, right, asked) as sides:
            return _compared(sides, asked) if sides.to_read else _answer(sides)


def _answer(sides: Prepared) -> Difference:
    left, right = sides.sides
    return Difference(left, right, sides.layout, *sides.rows, shared=sides.shared_rows, personal=sides.personal)


def _compared(sides: Prepared, asked: Asked) -> Difference:
    """Find the keys that are no keys, pair the other rows, hold the rest against each other whole, then look at what was found."""
    from dataclasses import replace

    twice = _duplicates(sides) if sides.keys else (Duplicates(), Duplicates())
    doubtful = any(d.keys for d in twice)
    masks = _masks(sides, asked)
    if sides.keys:
        _pair(sides, masks, without="twice" if doubtful else "")
    if doubtful or not sides.keys:
        _hold_whole(sides, only="twice" if doubtful else "")
    else:
        _hold_nothing(sides)
    added, removed, changed = _counts(sides)
    key = [c.name for c in sides.layout.key]
    findings = tuple(duplicates_finding(side, key, d) for side, d in zip(sides.sides, twice, strict=True) if d.keys)
    return replace(
        _answer(sides),
        added=added,
        removed=removed,
        changed=changed,
        columns=column_changes(sides, [name for name, _ in masks]) if changed else (),
        samples=samples(sides, asked.limit, [name for name, _ in masks if name.startswith("m")]),
        left_duplicates=twice[0],
        right_duplicates=twice[1],
        findings=findings,
    )


def _duplicates(sides: Prepared) -> tuple[Duplicates, Duplicates]:
    """Keys of more than one row go into `twice`. Rows of shared files count where a row that is to be compared has their key."""
    keys = ", ".join(sides.keys)
    if sides.has_shared:
        sides.run(
            f"CREATE TABLE shared_keys AS SELECT {keys}, count(*) AS n FROM xde_shared AS s "
            f"SEMI JOIN (SELECT {keys} FROM xde_left UNION SELECT {keys} FROM xde_right) AS a ON {sides.on('s', 'a')} GROUP BY {keys}"
        )
    found = []
    for side in ("left", "right"):
        counted = f"SELECT {keys}, count(*) AS n FROM xde_{side} GROUP BY {keys}"
        if sides.has_shared:
            counted = f"SELECT {keys}, sum(n) AS n FROM ({counted} UNION ALL SELECT {keys}, n FROM shared_keys) GROUP BY {keys}"
        sides.run(f"CREATE TABLE twice_{side} AS SELECT * FROM ({counted}) WHERE n > 1")
        row = sides.run(f"SELECT count(*), coalesce(sum(n), 0)::BIGINT FROM twice_{side}")[0]
        found.append(Duplicates(int(row[0]), int(row[1])))
    if any(d.keys for d in found):
        sides.run(f"CREATE TABLE twice AS SELECT {keys} FROM twice_left UNION SELECT {keys} FROM twice_right")
    return found[0], found[1]


def _pair(sides: Prepared, masks: Sequence[tuple[str, str]], *, without: str) -> None:
    """`differing` keeps the key of each row that differs, on which side it is, and which of its cells do."""
    rest = f" ANTI JOIN {without} AS t ON {sides.on('x', 't')}" if without else ""
    left, right = (f"(SELECT x.*, true AS there FROM xde_{side} AS x{rest})" for side in ("left", "right"))
    where = f"CASE WHEN l.there IS NULL THEN {ADDED} WHEN r.there IS NULL THEN {REMOVED} ELSE {BOTH} END"
    keys = [f"coalesce(l.{k}, r.{k}) AS {k}" for k in sides.keys]
    select = ", ".join([*keys, f"({where})::UTINYINT AS side", *(f"{sql} AS {name}" for name, sql in masks)])
    differs = " OR ".join([f"side <> {BOTH}", *(f"{name} <> 0" for name, _ in masks if name.startswith("m"))])
    joined = f"SELECT {select} FROM {left} AS l FULL OUTER JOIN {right} AS r ON {sides.on('l', 'r')}"
    sides.run(f"CREATE TABLE differing AS SELECT * FROM ({joined}) WHERE {differs}")


def _masks(sides: Prepared, asked: Asked) -> list[tuple[str, str]]:
    """Bits of the cells that differ (m0, m1 ...), and of those that do by next to nothing (n0, n1 ...): name and SQL."""
    masks = []
    for start in range(0, len(sides.values), MASK_BITS):
        some = sides.values[start : start + MASK_BITS]
        masks.append((f"m{start // MASK_BITS}", _bits([v.differ("l", "r", asked.tolerance) for v in some])))
        nears = [None if asked.tolerance else v.near("l", "r") for v in some]
        if any(nears):
            masks.append((f"n{start // MASK_BITS}", _bits([n or "false" for n in nears])))
    return masks


def _bits(conditions: Sequence[str]) -> str:
    return " | ".join(f"CASE WHEN {c} THEN {1 << i}::UBIGINT ELSE 0::UBIGINT END" for i, c in enumerate(conditions))


def _hold_whole(sides: Prepared, *, only: str) -> None:
    """`surplus` has each row that is more often on one side, with n, how many times more on the left; `only` names the keys meant."""
    every = ", ".join(sides.cells)
    chosen = f" SEMI JOIN {only} AS t ON {sides.on('x', 't')}" if only else ""
    rows = " UNION ALL ".join(f"SELECT x.*, {sign} AS n FROM xde_{side} AS x{chosen}" for side, sign in (("left", 1), ("right", -1)))
    sides.run(f"CREATE TABLE surplus AS SELECT {every}, sum(n)::BIGINT AS n FROM ({rows}) GROUP BY {every} HAVING sum(n) <> 0")


def _hold_nothing(sides: Prepared) -> None:
    sides.run("CREATE TABLE surplus AS SELECT *, 0::BIGINT AS n FROM xde_left LIMIT 0")


def _counts(sides: Prepared) -> tuple[int, int, int]:
    """Rows added, removed and changed."""
    whole = sides.run("SELECT coalesce(sum(-n) FILTER (n < 0), 0)::BIGINT, coalesce(sum(n) FILTER (n > 0), 0)::BIGINT FROM surplus")[0]
    paired = dict(sides.run("SELECT side, count(*) FROM differing GROUP BY side")) if sides.keys else {}
    return int(whole[0]) + paired.get(ADDED, 0), int(whole[1]) + paired.get(REMOVED, 0), paired.get(BOTH, 0)
