"""The history of keys as SQL: rows that tell what was true since when, and the periods of validity that follow from all of them.

Two queries over `OLD` (files of the table) and `NEW`. The first gives *tellings*: what new rows say that the table does not know. The
second gives the periods of all keys that are told of. A table is nothing but its tellings: `valid_from` is when one became true,
`valid_to` and `is_current` follow from the next one of its key. A key that is gone without a row that says so (it was missing) is known by
a period that ends where no other begins. So periods do not depend on the order in which rows come in.

A telling has the columns of the table. `is_current` NULL marks one of an absence: it ends a period and is no row itself.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from xde.ground.names import quoted
from xde.ground.records import dataclass
from xde.lifecycle.storage.prune import touched_by_keys
from xde.lifecycle.storage.rewrite import NEW, OLD, Rewrite

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from xde.lifecycle.storage.port import DataFile, Schema, Snapshot

FROM, TO, CURRENT = "valid_from", "valid_to", "is_current"
_OURS = (FROM, TO, CURRENT)


class Winner(StrEnum):
    """Which of two tellings of one key and one moment counts."""

    ROW = "row"  # by time: the first by its columns, whichever came first; by comparison the newer
    NEW = "new"  # the one that comes: what is there was computed by what the history meant before
    OLD = "old"  # the one that is there: what comes is carried over from another version


@dataclass(frozen=True, slots=True)
class Periods:
    """How versions of a key are told apart: by the time in the column `updated`, or else by a change of `columns`, seen at a run's time.

    `deleted` is the column that is true where a row says that its key is gone; `complete` says that the new rows are all keys there are.
    """

    schema: Schema
    key: tuple[str, ...]
    updated: str | None = None
    columns: tuple[str, ...] = ()
    deleted: str | None = None
    complete: bool = False

    @property
    def own(self) -> Schema:
        """The columns of the query: all but those that say the period."""
        return tuple(c for c in self.schema if c.name not in _OURS)

    @property
    def watched(self) -> tuple[str, ...]:
        """The columns whose change begins a version."""
        return self.columns or tuple(c.name for c in self.own if c.name not in {*self.key, self.deleted})

    @property
    def since(self) -> str:
        """The type of `valid_from`."""
        return next(c.type for c in self.schema if c.name == FROM)

    def tellings(self, winner: Winner = Winner.ROW) -> str:
        """What the rows of `NEW` (columns of the query) say that `OLD` (the table, all of it) does not know; `$__now` is the run's time."""
        told = self._told_by_time(winner) if self.updated else self._told_by_comparison()
        return f"{told} UNION ALL {self._missing()}" if self.complete else told

    def _told_by_time(self, winner: Winner) -> str:
        order = f"{'__src DESC, ' if winner is Winner.NEW else ''}{self._decided}, __src"
        at = f"CAST(n.{quoted(self.updated or '')} AS {self.since})"
        same = _same("n", "o", (c.name for c in self.own))
        known = f"SELECT 1 FROM {OLD} AS o WHERE {same}"
        if not self.complete:
            fresh = f"SELECT n.*, {at} AS __at FROM {NEW} AS n WHERE NOT EXISTS ({known})"
        else:
            there = "NOT coalesce(n." + quoted(self.deleted) + ", false)" if self.deleted else "true"
            back = f"(c.__until IS NOT NULL AND {there})"
            fresh = f"""
                SELECT n.*, CASE WHEN {back} AND {at} < c.__until THEN greatest({self._now}, c.__until) ELSE {at} END AS __at
                FROM {NEW} AS n LEFT JOIN ({self._closed()}) AS c ON {_same("n", "c", self.key)}
                WHERE {back} OR NOT EXISTS ({known})
            """
        return f"""
            SELECT * EXCLUDE (__src, __rank) FROM (
                SELECT *, row_number() OVER (PARTITION BY {_names(self.key)}, {FROM} ORDER BY {order}) AS __rank
                FROM (
                    SELECT {self._list("f")}, f.__at AS {FROM}, CAST(NULL AS {self.since}) AS {TO}, false AS {CURRENT}, 1 AS __src
                    FROM ({fresh}) AS f
                    UNION ALL
                    SELECT {self._list("o")}, o.{FROM}, NULL, false, 0 FROM {OLD} AS o
                    WHERE EXISTS (SELECT 1 FROM {NEW} AS n WHERE {_same("n", "o", self.key)})
                )
            ) WHERE __rank = 1 AND __src = 1
        """

    def _told_by_comparison(self) -> str:
        gone = f"coalesce(n.{quoted(self.deleted)}, false)" if self.deleted else "false"
        differs = " OR ".join(f"n.{quoted(c)} IS DISTINCT FROM c.{quoted(c)}" for c in self.watched) or "false"
        return f"""
            SELECT {self._list("n")}, greatest({self._now}, c.{FROM}) AS {FROM}, CAST(NULL AS {self.since}) AS {TO},
                CASE WHEN {gone} THEN NULL ELSE false END AS {CURRENT}
            FROM {NEW} AS n LEFT JOIN (SELECT * FROM {OLD} WHERE {CURRENT}) AS c ON {_same("n", "c", self.key)}
            WHERE CASE WHEN c.{FROM} IS NULL THEN NOT {gone} ELSE {gone} OR {differs} END
        """

    def _missing(self) -> str:
        columns = ", ".join(f"o.{quoted(c.name)}" if c.name in self.key else f"NULL AS {quoted(c.name)}" for c in self.own)
        return f"""
            SELECT {columns}, greatest({self._now}, o.{FROM}) AS {FROM}, NULL AS {TO}, NULL AS {CURRENT}
            FROM {OLD} AS o
            WHERE o.{CURRENT} AND NOT EXISTS (SELECT 1 FROM {NEW} AS n WHERE {_same("n", "o", self.key)})
        """

    def _closed(self) -> str:
        keys = _names(self.key)
        return f"SELECT {keys}, max({TO}) AS __until FROM {OLD} GROUP BY {keys} HAVING NOT bool_or({CURRENT})"

    def carried(self, before: Schema) -> str:
        """The tellings of another table of this history, `OLD`, whose columns were those of `before`: one that it did not have is NULL."""
        known = {c.name for c in before}
        own = ", ".join(
            f"CAST(o.{quoted(c.name)} AS {c.type}) AS {quoted(c.name)}"
            if c.name in known
            else f"CAST(NULL AS {c.type}) AS {quoted(c.name)}"
            for c in self.own
        )
        keys = ", ".join(f"CAST(o.{quoted(c.name)} AS {c.type})" if c.name in self.key else f"CAST(NULL AS {c.type})" for c in self.own)
        return f"""
            SELECT {own}, CAST(o.{FROM} AS {self.since}) AS {FROM}, CAST(NULL AS {self.since}) AS {TO}, false AS {CURRENT} FROM {OLD} AS o
            UNION ALL
            SELECT {keys}, CAST(o.{TO} AS {self.since}), NULL, NULL FROM {OLD} AS o WHERE {self._ends("o", OLD)}
        """

    def periods(self, before: Snapshot | None, told: Sequence[DataFile], winner: Winner = Winner.ROW) -> Rewrite:
        """The files that hold keys of the tellings, and the query over them and the tellings (`NEW`) that gives what takes their place."""
        touched = touched_by_keys(before.files, told, self.key, self.schema) if before else ()
        keys = _names(self.key)
        # by comparison the newer telling of one moment counts; by time the whole row decides, whichever came first
        order = f"__gone, {self._decided}, __src" if self.updated else "__src DESC, __gone"
        if winner is not Winner.ROW:
            order = f"{'__src DESC' if winner is Winner.NEW else '__src'}, __gone, {self._decided}"
        flagged = f"coalesce({quoted(self.deleted)}, false)" if self.deleted and self.updated else "false"
        chosen = f"SELECT *, lead({FROM}) OVER (PARTITION BY {keys} ORDER BY {FROM}) AS __next FROM __counted"
        sql = f"""
            WITH __keys AS (SELECT DISTINCT {keys} FROM {NEW}),
            __mine AS (SELECT o.* FROM {OLD} AS o WHERE EXISTS (SELECT 1 FROM __keys AS k WHERE {_same("k", "o", self.key)})),
            __told AS (
                SELECT {self._list("m")}, m.{FROM}, false AS __gone, 0 AS __src FROM __mine AS m
                UNION ALL SELECT {self._list("m")}, m.{TO}, true, 0 FROM __mine AS m WHERE {self._ends("m", "__mine")}
                UNION ALL SELECT {self._list("n")}, n.{FROM}, n.{CURRENT} IS NULL, 1 FROM {NEW} AS n
            ),
            __ranked AS (SELECT *, row_number() OVER (PARTITION BY {keys}, {FROM} ORDER BY {order}) AS __rank FROM __told),
            __one AS (SELECT * FROM __ranked WHERE __rank = 1),
            __counted AS ({self._without_equals()}),
            __placed AS ({chosen})
            SELECT * FROM (
                SELECT {self._list("p")}, p.{FROM}, CASE WHEN {flagged} THEN p.{FROM} ELSE p.__next END AS {TO},
                    p.__next IS NULL AND NOT {flagged} AS {CURRENT}
                FROM __placed AS p WHERE NOT p.__gone
                UNION ALL
                SELECT {", ".join(f"o.{quoted(c.name)}" for c in self.schema)}
                FROM {OLD} AS o WHERE NOT EXISTS (SELECT 1 FROM __keys AS k WHERE {_same("k", "o", self.key)})
            ) ORDER BY {keys}, {FROM}
        """
        return Rewrite(touched, sql)

    def _without_equals(self) -> str:
        """By comparison a telling that says what the one before it said begins no version: two tables brought together may hold such."""
        if self.updated or not self.watched:
            return "SELECT * FROM __one"
        window = f"OVER (PARTITION BY {_names(self.key)} ORDER BY {FROM})"
        before = ", ".join(f"lag({quoted(c)}) {window} AS __before{i}" for i, c in enumerate(self.watched))
        equal = " AND ".join(f"{quoted(c)} IS NOT DISTINCT FROM __before{i}" for i, c in enumerate(self.watched))
        return f"""
            SELECT * FROM (SELECT *, {before}, lag(__gone) {window} AS __gone_before FROM __one)
            WHERE __gone OR __gone_before IS NULL OR __gone_before OR NOT ({equal})
        """

    def _ends(self, row: str, among: str) -> str:
        """Whether a period ends where no other of its key begins."""
        follows = f"SELECT 1 FROM {among} AS x WHERE {_same('x', row, self.key)} AND x.{FROM} = {row}.{TO}"
        return f"{row}.{TO} > {row}.{FROM} AND NOT EXISTS ({follows})"

    @property
    def _now(self) -> str:
        return f"CAST($__now AS {self.since})"

    @property
    def _decided(self) -> str:
        return ", ".join(f"{quoted(c.name)} ASC NULLS LAST" for c in self.own)

    def _list(self, row: str) -> str:
        return ", ".join(f"{row}.{quoted(c.name)}" for c in self.own)


def _names(columns: Iterable[str]) -> str:
    return ", ".join(quoted(c) for c in columns)


def _same(one: str, other: str, columns: Iterable[str]) -> str:
    return " AND ".join(f"{one}.{quoted(c)} IS NOT DISTINCT FROM {other}.{quoted(c)}" for c in columns)


def parameters(periods: Periods, now: object) -> Mapping[str, object]:
    """The parameters of `tellings`: the run's time where it has a part in it."""
    return {"__now": now} if periods.complete or not periods.updated else {}
