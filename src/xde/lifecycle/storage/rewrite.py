"""Merge, replace, delete and compact as data: which files go, and the query whose result is written in their place.

Only files whose statistics touch the keys or the interval are written again. The queries read two datasets: `OLD`, the
files that go, and `NEW`, the new rows. New files stay as the engine wrote them.
"""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from xde.ground.findings import Finding
from xde.ground.names import quoted
from xde.ground.records import dataclass
from xde.lifecycle.storage.prune import may_hold, touched_by_keys

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xde.lifecycle.storage.port import DataFile, Schema, Snapshot

OLD, NEW = "xde.old", "xde.new"
SMALL = 0.75  # a file of this part of the wanted size is large enough


@dataclass(frozen=True, slots=True)
class Rewrite:
    """The files that go, and the query over `OLD` (them) and `NEW` that gives those of their rows that stay.

    No file that goes means that there is nothing to write.
    """

    removes: tuple[DataFile, ...]
    sql: str
    parameters: Mapping[str, object] = field(default_factory=dict)


def merge_by_key(before: Snapshot, new: Sequence[DataFile], schema: Schema, key: Sequence[str]) -> Rewrite:
    """Rows of the new files take the place of all old rows of the same key (NULL equals NULL); the others stay."""
    touched = touched_by_keys(before.files, new, key, schema)
    same = " AND ".join(f"n.{quoted(k)} IS NOT DISTINCT FROM o.{quoted(k)}" for k in key)
    return Rewrite(touched, _staying(before, schema, f"NOT EXISTS (SELECT 1 FROM {NEW} AS n WHERE {same})"))


GONE = "__gone"
"""The column of what `learnt` gives that says that a key is gone."""


def learnt(before: Snapshot, schema: Schema, key: Sequence[str], deleted: str | None, *, complete: bool) -> str:
    """What new rows (`NEW`) say of keys that are in the table (`OLD`, all of it) or not: their rows, and `GONE` for those that go.

    The column `deleted` is true where a row says that its key is gone. If the new rows are `complete`, the keys that are not among them are
    gone, and rows that are there as they are say nothing.
    """
    gone = f"coalesce(n.{quoted(deleted)}, false)" if deleted else "false"
    columns = ", ".join(f"n.{quoted(c.name)}" for c in schema)
    sql = f"SELECT {columns}, {gone} AS {GONE} FROM {NEW} AS n"
    if not complete:
        return sql
    known = {c.name for c in before.schema}
    there = " AND ".join(f"o.{quoted(c.name)} IS NOT DISTINCT FROM n.{quoted(c.name)}" for c in schema if c.name in known)
    same = " AND ".join(f"n.{quoted(k)} IS NOT DISTINCT FROM o.{quoted(k)}" for k in key)
    keys = ", ".join(f"o.{quoted(c.name)}" if c.name in key else f"NULL AS {quoted(c.name)}" for c in schema)
    new = f"{sql} WHERE {gone} OR NOT EXISTS (SELECT 1 FROM {OLD} AS o WHERE {there})"
    return f"{new} UNION ALL SELECT {keys}, true FROM {OLD} AS o WHERE NOT EXISTS (SELECT 1 FROM {NEW} AS n WHERE {same})"


def replace_interval(before: Snapshot, schema: Schema, column: str, start: object, end: object) -> Rewrite:
    """The new files take the place of all old rows with `$__start` <= column < `$__end`; rows without a time stay."""
    touched = tuple(f for f in before.files if may_hold(f, column, start, end))
    name = f"o.{quoted(column)}"
    outside = f"({name} < $__start OR {name} >= $__end OR {name} IS NULL)"
    return Rewrite(touched, _staying(before, schema, outside), {"__start": start, "__end": end})


def replace_stretches(before: Snapshot, schema: Schema, column: str, stretches: Sequence[tuple[object, object]]) -> Rewrite:
    """As `replace_interval`, of several stretches of time at once."""
    touched = tuple(f for f in before.files if any(may_hold(f, column, start, end) for start, end in stretches))
    name = f"o.{quoted(column)}"
    within = " OR ".join(f"({name} >= $s{n} AND {name} < $e{n})" for n in range(len(stretches))) or "false"
    bounds = {f"{w}{n}": v for n, stretch in enumerate(stretches) for w, v in zip("se", stretch, strict=True)}
    return Rewrite(touched, _staying(before, schema, f"(({within}) IS NOT TRUE)"), bounds)


def doubled_keys(dataset: str, key: Sequence[str], limit: int = 20) -> str:
    """The keys that more than one row has (NULL equals NULL), and how many rows: for the finding."""
    by = ", ".join(quoted(k) for k in key)
    return f"SELECT {by}, count(*) FROM {dataset} GROUP BY {by} HAVING count(*) > 1 ORDER BY ALL LIMIT {limit:d}"


def doubled_finding(dataset: str, key: Sequence[str], doubled: Sequence[Sequence[object]]) -> Finding:
    """What to tell of the rows that `doubled_keys` gave: a merge cannot know which row of a key is meant."""
    shown = "; ".join(f"({', '.join('NULL' if v is None else str(v) for v in row[:-1])}) {row[-1]} times" for row in doubled[:3])
    return Finding(
        "XDE0609",
        f"new rows for `{dataset}` have a key more than once: {shown}",
        why=f"rows are merged by `{', '.join(key)}`, and of two new rows with one key none is known to be the newer",
        hint="leave one row a key, for instance with `QUALIFY row_number() OVER (PARTITION BY key ORDER BY seen_at DESC) = 1`",
    )


def compaction(before: Snapshot, group: Sequence[DataFile]) -> Rewrite:
    """Many small files as few: all rows stay. Its commit has `kind: compact` in its facts."""
    return Rewrite(tuple(group), _staying(before, before.schema, "true"))


def small_files(snapshot: Snapshot, target_bytes: int) -> tuple[tuple[DataFile, ...], ...]:
    """Groups of small neighbours, each about the wanted size together; a group of one would gain nothing.

    Neighbours in the log were mostly written one after the other, so that intervals stay together.
    """
    groups: list[list[DataFile]] = [[]]
    size = 0
    for file in snapshot.files:
        if file.size >= target_bytes * SMALL:
            continue
        if size + file.size > target_bytes and groups[-1]:
            groups.append([])
            size = 0
        groups[-1].append(file)
        size += file.size
    return tuple(tuple(g) for g in groups if len(g) > 1)


def _staying(before: Snapshot, schema: Schema, condition: str) -> str:
    """The old rows for which a condition holds, in the columns of `schema`; one that the table did not have is null."""
    known = {c.name.casefold() for c in before.schema}
    columns = (f"o.{quoted(c.name)}" if c.name.casefold() in known else f"CAST(NULL AS {c.type}) AS {quoted(c.name)}" for c in schema)
    return f"SELECT {', '.join(columns)} FROM {OLD} AS o WHERE {condition}"
