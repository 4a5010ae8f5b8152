"""What a table looked like when it was read last: a change of it that the log does not tell row by row is found here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xde.ground.errors import UserError
from xde.ground.findings import Finding, Severity
from xde.ground.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    import psycopg

    from xde.connectors.postgres.catalogue import Described
    from xde.lifecycle.sources.tables import Ask, Position

_COLUMNS = """
SELECT attname::text, attnum || ':' || atttypid || ':' || atttypmod, atthasdef OR atthasmissing OR attidentity <> ''
FROM pg_attribute WHERE attrelid = %s AND attnum > 0 AND NOT attisdropped ORDER BY attnum
"""


@dataclass(frozen=True, slots=True)
class Shape:
    """A table's number, the files of its parts, its columns (number, type, modifier), and which of them fill themselves."""

    oid: int
    files: Mapping[str, int]
    columns: Mapping[str, str]
    filled: frozenset[str]

    def fact(self) -> dict[str, object]:
        """What is kept of it in a position."""
        return {"table": self.oid, "files": dict(self.files), "columns": dict(self.columns)}


def shape_of(cursor: psycopg.Cursor[Any], described: Described) -> Shape:
    """The table as it is now."""
    cursor.execute(_COLUMNS, (described.oid,))
    rows = cursor.fetchall()
    return Shape(described.oid, dict(described.files or {}), {n: s for n, s, _ in rows}, frozenset(n for n, _, f in rows if f))


def compared(ask: Ask, position: Position, now: Shape) -> list[Finding]:
    """What is to be told of a table that changed its shape. Raises `UserError` where rows changed of which the log says nothing."""
    if position.get("table") != now.oid:
        raise UserError(_other(ask, f"`{ask.relation}` is another table than the one that was read", "it was dropped and made anew"))
    known = position.get("columns")
    files = position.get("files")
    before: Mapping[str, str] = known if isinstance(known, dict) else {}
    moved = isinstance(files, dict) and any(files.get(p, f) != f for p, f in now.files.items())
    findings = []
    for column in ask.columns:
        if column.name not in now.columns:
            continue
        is_now, was = now.columns[column.name].split(":"), before.get(column.name, "").split(":")
        if column.name not in before:
            findings += [_filled(ask, column.name)] if column.name in now.filled else []
        elif was[0] != is_now[0]:
            raise UserError(
                _other(
                    ask,
                    f"`{column.name}` of `{ask.relation}` is another column than the one that was read",
                    "it was dropped and added anew",
                )
            )
        elif was[1:] != is_now[1:] and moved:
            why = "`ALTER TABLE` wrote all rows anew, perhaps with other values, and the log does not say which"
            raise UserError(_other(ask, f"`{column.name}` of `{ask.relation}` has another type than when it was read", why))
    return findings


def _other(ask: Ask, told: str, why: str) -> Finding:
    hint = f"load all of it once more by `xde run --full {ask.dataset}`"
    return Finding("XDE0429", told, ask.span, "not told by the log", why, hint)


def _filled(ask: Ask, name: str) -> Finding:
    why = "it has a default, which rows from before have in the database: the log does not tell of them, and here they have nothing in it"
    hint = f"load all of it once more by `xde run --full {ask.dataset}`, if its value in them matters"
    return Finding("XDE0432", f"`{ask.relation}` has a new column that fills itself: `{name}`", ask.span, "", why, hint, Severity.WARNING)
