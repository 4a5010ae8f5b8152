"""Which rows a load takes, so that one that is committed late is never lost and none is taken twice.

A cursor alone cannot say it: a transaction may take a low number, or a time, and commit after a load that has seen higher ones. But each
row of a table knows the transaction that wrote it (`xmin`), and a snapshot knows the oldest transaction that was still writing when it was
taken (`pg_snapshot_xmin`): all before that one are over, and what they wrote is seen. So a load takes the rows written by transactions from
the last load's oldest writer on up to this one's, the end exclusive. The stretches neither overlap nor leave a gap, whatever the cursor's
values are, and parts of transactions (savepoints) are numbered after the whole, so that they are held back with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xde.connectors.postgres.catalogue import relation
from xde.ground.errors import UserError
from xde.ground.findings import Finding
from xde.ground.names import literal, quoted
from xde.ground.records import dataclass
from xde.lifecycle.sources.placing import unplaced

if TYPE_CHECKING:
    import psycopg

    from xde.connectors.postgres.catalogue import Described
    from xde.lifecycle.sources.tables import Ask, Position

ROUND = 1 << 32  # `xmin` is the lower half of a transaction's number
HALF = 1 << 31
MARKS = 50


@dataclass(frozen=True, slots=True)
class Seen:
    """A snapshot: the oldest transaction that was still writing, the first that had not begun, and how many were at it."""

    oldest: int
    next: int
    writing: int

    @classmethod
    def now(cls, cursor: psycopg.Cursor[Any]) -> Seen:
        """That of the transaction."""
        cursor.execute("SELECT pg_current_snapshot()::text")
        row = cursor.fetchone()
        oldest, following, writing = str(row[0] if row else "0:0:").split(":")
        return cls(int(oldest), int(following), len(writing.split(",")) if writing else 0)


@dataclass(frozen=True, slots=True)
class Window:
    """The condition of the rows to take (empty: all), the position after them, and the condition of those that wait for a transaction."""

    where: str
    position: Position
    held: str = ""


def window(cursor: psycopg.Cursor[Any], ask: Ask, described: Described, position: Position | None) -> Window:
    """What to take after a position, in the snapshot of the transaction."""
    seen = Seen.now(cursor)
    at: dict[str, object] = {"kind": "postgres", "oldest": str(seen.oldest), "writing": seen.writing}
    if ask.cursor is None:
        return Window("", at)
    if not described.stored:
        return _by_value(cursor, ask, position, at)
    at |= {"table": described.oid, "files": dict(described.files or {})}
    old = _transaction(position)
    lag = ""
    if ask.cursor.lag is not None:
        _all_placed(cursor, ask)
        marks = _marks(position)
        lag = _above(ask, _mark(marks, old or 0))
        at["marks"] = _kept([*marks, (seen.next, _reached(cursor, ask))], seen.oldest)
    open_ones = seen.next - seen.oldest
    settled = f"{how_far_after(seen.oldest)} >= {open_ones}" if open_ones else ""
    if position is None or old is None or _rewritten(ask, described, position):
        return Window(settled, at)
    if not 0 <= seen.oldest - old < HALF:
        raise UserError(
            _rewritten_finding(ask, "it was read so long ago, or is another server's, that its transactions cannot be told apart")
        )
    known = position.get("files")
    added = [p for p in described.files or {} if isinstance(known, dict) and p not in known]
    written = f"{how_far_after(old)} < {seen.oldest - old}"
    if added:  # partitions that were not there: their rows may be older
        fresh = f"tableoid IN ({', '.join(added)})"
        written = f"({written} OR {fresh}{f' AND {settled}' if settled else ''})"
    held = f"{how_far_after(seen.oldest)} < {open_ones}" if open_ones else ""
    return Window(" AND ".join(w for w in (written, lag) if w), at, held)


def how_far_after(transaction: int) -> str:
    """How many transactions after a given one a row was written; what was written before it is far beyond any."""
    return f"((xmin::text::bigint - {transaction % ROUND} + {ROUND}) % {ROUND})"


def _transaction(position: Position | None) -> int | None:
    said = position.get("oldest") if position is not None else None
    return int(said) if isinstance(said, str) and said.isdigit() else None


def _rewritten(ask: Ask, described: Described, position: Position) -> bool:
    """Whether all rows were written anew since, by `TRUNCATE`, `VACUUM FULL`, an `ALTER` or a restore: they are others to us then."""
    known = position.get("files")
    files = described.files or {}
    moved = isinstance(known, dict) and any(known[p] != f for p, f in files.items() if p in known)
    if position.get("table") == described.oid and not moved:
        return False
    if ask.cursor is not None and ask.merges:
        return True
    why = "it was dropped and made again, truncated, restored, or written anew by `VACUUM FULL` or `ALTER TABLE`"
    raise UserError(_rewritten_finding(ask, why))


def _rewritten_finding(ask: Ask, why: str) -> Finding:
    hint = f"load all of it once more by `xde run --full {ask.dataset}`, or say `merge` as its `xdeWriteMode`"
    return Finding("XDE0488", f"nobody can tell which rows of `{ask.relation}` were loaded before", ask.span, "another table", why, hint)


def _by_value(cursor: psycopg.Cursor[Any], ask: Ask, position: Position | None, at: dict[str, object]) -> Window:
    """Of a view or a query, whose rows do not tell who wrote them: the rows within the lag are read again, and merged."""
    if ask.cursor is None or ask.cursor.lag is None or not ask.merges:
        why = "its rows do not tell which transaction wrote them, so that one that is committed late would be lost"
        hint = "give the cursor a `lag` and say `merge` as its `xdeWriteMode`, or name a table"
        raise UserError(Finding("XDE0483", f"`{ask.relation}` is a view or a query", ask.span, "late rows", why, hint))
    _all_placed(cursor, ask)
    at["reached"] = _reached(cursor, ask)
    at["signature"] = signature(cursor, ask, at)
    where = _lowest(ask, position)
    return Window(where, at)


def signature(cursor: psycopg.Cursor[Any], ask: Ask, position: Position) -> str:
    """What the rows within the lag are, in short."""
    where = _lowest(ask, position)
    columns = ", ".join(quoted(c.name) for c in ask.columns)
    told = f"count(*) || ':' || coalesce(sum(hashtextextended(ROW({columns})::text, 0)::numeric), 0)"
    cursor.execute(f"SELECT {told} FROM {relation(ask)}{f' WHERE {where}' if where else ''}".encode())
    row = cursor.fetchone()
    return str(row[0]) if row else ""


def _all_placed(cursor: psycopg.Cursor[Any], ask: Ask) -> None:
    for name in ask.cursor.columns[:1] if ask.cursor is not None else ():
        cursor.execute(f"SELECT count(*) FROM {relation(ask)} WHERE {quoted(name)} IS NULL".encode())
        row = cursor.fetchone()
        if row and row[0]:
            raise unplaced(ask, name, row[0])


def _reached(cursor: psycopg.Cursor[Any], ask: Ask) -> str | None:
    """The greatest value that later ones can follow: after `NaN`, `infinity` or the year 9999 none comes."""
    if ask.cursor is None:
        return None
    name = quoted(ask.cursor.columns[0])
    last = f"{name} <= now() + interval '1 day'" if ask.cursor.timed else f"{name}::text NOT IN ('NaN', 'Infinity')"
    cursor.execute(f"SELECT max({name})::text FROM {relation(ask)} WHERE {last}".encode())
    row = cursor.fetchone()
    return row[0] if row else None


def _marks(position: Position | None) -> list[tuple[int, str | None]]:
    """The greatest value that each of the last snapshots saw, with the first transaction that had not begun then."""
    said = position.get("marks") if position is not None else None
    return [(int(n), v) for n, v in said] if isinstance(said, list) else []


def _mark(marks: list[tuple[int, str | None]], oldest: int) -> str | None:
    """The greatest value seen before any transaction began that was still writing: the lag of those counts from there."""
    return next((v for n, v in reversed(marks) if n <= oldest), None)


def _kept(marks: list[tuple[int, str | None]], oldest: int) -> list[list[object]]:
    """Those that can be needed yet."""
    begins = max((n for n, m in enumerate(marks) if m[0] <= oldest), default=0)
    kept = marks[begins:]
    return [[n, v] for n, v in (kept if len(kept) <= MARKS else [kept[0], *kept[1 - MARKS :]])]


def _lowest(ask: Ask, position: Position | None) -> str:
    reached = position.get("reached") if position is not None else None
    return _above(ask, reached if isinstance(reached, str) else None)


def _above(ask: Ask, reached: str | None) -> str:
    """The condition that a row is not further below a value than the lag."""
    if ask.cursor is None or ask.cursor.lag is None or reached is None:
        return ""
    name = quoted(ask.cursor.columns[0])
    if ask.cursor.timed:
        return f"{name} >= {literal(reached)}::timestamptz - make_interval(secs => {ask.cursor.lag})"
    return f"{name} >= {literal(reached)}::numeric - {ask.cursor.lag:.15g}"
