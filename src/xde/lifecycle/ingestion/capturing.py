"""Captured changes on their way into a table: what the log does not repeat is looked up there, and rows of keys that are gone go."""

from __future__ import annotations

import json
import secrets
import socket
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from xde.ground.digests import digest
from xde.ground.findings import Finding, Severity
from xde.ground.names import literal, quoted
from xde.lifecycle.sources.tables import LSN, NULL, SEQUENCE, Piece
from xde.lifecycle.storage.merging import Rewritten

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from xde.lifecycle.ingestion.declare import Reading
    from xde.lifecycle.ingestion.port import Field
    from xde.lifecycle.sources.tables import Ask, Position, Unfinished
    from xde.lifecycle.storage.merging import Merger
    from xde.lifecycle.storage.port import DataFile, Schema, Snapshot

Kept = Callable[[Sequence[str], Sequence[Sequence[str | None]]], Sequence[Sequence[str | None]]]
"""What is kept of values of some fields, row by row, as texts."""
AT_ONCE = 20_000  # rows that are looked up by one query
_TABLE = "xde.there"


def placed(ask: Ask, position: Position | None, folder: str, *, anew: bool) -> Ask:
    """With the slot of a table of a lake, which nobody else reads: that of its position, else one by the place where the table is.

    A place has two names. Who loads all `anew` takes the one that is not read, so that the other can go on if it comes to nothing.
    """
    if ask.capture is None:
        return ask
    place = folder if "://" in folder else f"{socket.gethostname()}:{folder}"
    one, two = (f"{ask.capture.slot}_{digest(place, n)[:10]}" for n in (1, 2))
    reads = str(position["slot"]) if position is not None and position.get("slot") else ""
    name = (two if reads == one else one) if anew or not reads else reads
    other = {one: two, two: one}.get(name, "") if not anew else ""
    return replace(ask, capture=replace(ask.capture, name=name, other=other))


def bounded_by_nothing(position: Position | None) -> Position | None:
    """A position for another run: it goes up to the end of the log as it finds it, and not as an older one did."""
    return {n: v for n, v in position.items() if n != "until"} if position is not None else None


class Finishing:
    """Gives rows the values that the log does not repeat, from the table as it is: of a log of changes from the last row of the key.

    A row whose key is not there cannot be finished; it is written without its last columns, so that it becomes a dead letter.
    """

    def __init__(self, reading: Reading, merger: Merger, before: Snapshot | None, kept: Kept | None = None) -> None:
        """`kept` says what is kept of values that are treated as they are read."""
        self.mark = f"{secrets.token_hex(16)}:" if reading.private else ""
        self._kept = kept
        self._fields = {n: f for f in reading.fields for n in f.names}
        self._merger, self._before, self._reading = merger, before, reading
        self.lacking = 0

    def __call__(self, unfinished: Sequence[Unfinished], folder: Path) -> Sequence[Piece]:
        """A file for each."""
        return [self._finished(u, folder / f"finished-{n}.csv") for n, u in enumerate(unfinished)]

    def gone(self, keys: Piece, folder: Path) -> Piece:
        """The keys that are deleted, as the table has them: they are treated before anything is written of them."""
        target = folder / "gone-kept.csv"
        with keys.path.open(encoding="utf-8") as lines, target.open("w", encoding="utf-8", newline="") as out:
            columns = json.loads(next(lines))
            out.write(_line(columns))
            while rows := [json.loads(line) for line in islice(lines, AT_ONCE)]:
                out.writelines(_line(row) for row in self._as_kept(columns, rows))
        return Piece(target, keys.rows)

    def _as_kept(self, columns: Sequence[str], rows: Sequence[Sequence[str | None]]) -> Sequence[Sequence[str | None]]:
        names = [self._fields[c].name if c in self._fields else c for c in columns]
        treated = any(c in self._fields and self._fields[c].treatment is not None for c in columns)
        return self._kept(names, rows) if treated and self._kept is not None else rows

    def _told_apart(self, key: Sequence[str]) -> bool:
        """Whether what is kept of a key tells it from all others."""
        how = [self._fields[c].treatment for c in key if c in self._fields]
        return all(t is None or (t.kind == "hash" and not t.fold) for t in how)

    def _marked(self, column: str, there: Mapping[str, str | None]) -> str | None:
        """A value of the table as it is to be read again: of a column that is treated with the mark that it was."""
        field = self._fields.get(column)
        if field is None or field.treatment is None:
            return there[column]
        if field.treatment.kind in {"drop", "empty"}:
            return self.mark if _is_text(field) else None
        return None if there[column] is None else f"{self.mark}{there[column]}"

    def findings(self, ask: Ask) -> tuple[Finding, ...]:
        """What is told of rows that could not be finished."""
        if not self.lacking:
            return ()
        told = f"{self.lacking:,} changes of `{ask.relation}` leave large values as they were, of rows that `{ask.dataset}` does not have"
        why = "they are dead letters: so was an earlier record of theirs, or its row was taken away here"
        hint = (
            f"run: ALTER TABLE {ask.relation} REPLICA IDENTITY FULL, which has the log repeat all values; `xde run --full` loads all anew"
        )
        return (Finding("XDE0431", told, ask.span, "", why, hint, Severity.WARNING),)

    def _finished(self, unfinished: Unfinished, target: Path) -> Piece:
        with unfinished.path.open(encoding="utf-8") as lines, target.open("w", encoding="utf-8", newline="") as out:
            out.write(_line(list(unfinished.columns)))
            while rows := [json.loads(line) for line in islice(lines, AT_ONCE)]:
                found = self._looked_up(rows, unfinished)
                for number, each in enumerate(rows):
                    out.write(self._whole(each["row"], found.get(number), unfinished.columns))
        return Piece(target, unfinished.rows)

    def _whole(self, row: Mapping[str, str | None], there: Mapping[str, str | None] | None, columns: Sequence[str]) -> str:
        if there is None or any(c not in row and not self._known(c, there) for c in columns):
            self.lacking += 1
            return _line([row.get(c) for c in columns][:-1] or ["", "", ""])
        return _line([row[c] if c in row else self._marked(c, there) for c in columns])

    def _known(self, column: str, there: Mapping[str, str | None]) -> bool:
        field = self._fields.get(column)
        if field is None or field.treatment is None:
            return column in there
        return field.treatment.kind in {"drop", "empty"} or (column in there and _is_text(field))

    def _looked_up(self, rows: Sequence[Mapping[str, object]], unfinished: Unfinished) -> dict[int, dict[str, str | None]]:
        """What the table has for those rows, by their numbers."""
        known = {c.name: c.type for c in self._before.schema} if self._before is not None else {}
        fields = self._fields
        lacking = [c for c in unfinished.columns if not c.startswith("$") and any(c not in _mapping(r["row"]) for r in rows)]
        wanted = [c for c in lacking if c not in fields or fields[c].kept_type is not None]
        named = {c: fields[c].name if c in fields else c for c in (*wanted, *unfinished.key)}
        if self._before is None or not unfinished.key or any(named[c] not in known for c in named):
            return {}
        keys = [f"k{n}" for n in range(len(unfinished.key))]
        placed = [n for n, r in enumerate(rows) if r["key"]]
        if not placed or not self._told_apart(unfinished.key):
            return {}
        found_keys = self._as_kept(unfinished.key, [_texts(rows[n]["key"]) for n in placed])
        values = ", ".join(f"({n}, {', '.join(map(_literal, key))})" for n, key in zip(placed, found_keys, strict=True))
        match = " AND ".join(
            f"t.{quoted(named[c])} = TRY_CAST(k.{k} AS {known[named[c]]})" for c, k in zip(unfinished.key, keys, strict=True)
        )
        picked = ", ".join(["true", *(_text(named[c], known[named[c]]) for c in wanted)])
        sql = f"SELECT k.n, {picked} FROM (VALUES {values}) AS k (n, {', '.join(keys)}) JOIN {_TABLE} AS t ON {match}"
        if self._reading.write_mode == "append":
            order = ", ".join(f"t.{quoted(fields[w].name)} DESC" for w in (LSN, SEQUENCE))
            sql += f" QUALIFY row_number() OVER (PARTITION BY k.n ORDER BY {order}) = 1"
        found = self._merger.read(sql, {_TABLE: (self._before.schema, self._before.paths)}, {})
        return {int(str(n)): {c: None if v is None else str(v) for c, v in zip(wanted, rest, strict=True)} for n, _, *rest in found}


def without_gone(
    merger: Merger, before: Snapshot, loaded: tuple[Schema, Sequence[DataFile]], reading: Reading, gone: Piece | None
) -> Rewritten:
    """New rows in the place of old ones of their keys, and the rows of keys that are gone taken out."""
    schema, files = loaded
    told = _tombstones(merger, before, schema, reading, gone) if gone is not None else ()
    merged = merger.merge(before, [*files, *told], schema, reading.key)
    marks = {f.path for f in told}
    return Rewritten([f for f in merged.adds if f.path not in marks], merged.removes)


def _tombstones(merger: Merger, before: Snapshot, schema: Schema, reading: Reading, gone: Piece) -> Sequence[DataFile]:
    """Files of rows that have nothing but their key, to be merged and thrown away; a key that is none of its type was never here."""
    by_name: dict[str, Field] = {f.name: f for f in reading.fields}
    types = {c.name: c.type for c in schema}
    keys = {k: f"TRY_CAST({quoted(by_name[k].source_name)} AS {types[k]})" for k in reading.key}
    columns = ", ".join(f"{keys.get(c.name, f'CAST(NULL AS {c.type})')} AS {quoted(c.name)}" for c in schema)
    known = " AND ".join(f"{k} IS NOT NULL" for k in keys.values())
    how = f"header = true, all_varchar = true, delim = ',', quote = '\"', escape = '\"', nullstr = {literal(NULL)}, parallel = false"
    return merger.write(f"SELECT {columns} FROM read_csv({literal(str(gone.path))}, {how}) WHERE {known}", {}, {}, before.folder)


def _text(name: str, kind: str) -> str:
    """A value as text that the loader takes for the same value."""
    nested = kind.endswith("]") or kind.upper().startswith(("STRUCT", "MAP"))
    return f"CAST({f'to_json(t.{quoted(name)})' if nested else f't.{quoted(name)}'} AS VARCHAR)"


def _literal(value: object) -> str:
    return "NULL" if value is None else literal(str(value))


def _line(values: Sequence[str | None]) -> str:
    return ",".join(NULL if v is None else '"' + v.replace('"', '""') + '"' for v in values) + "\n"


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _texts(value: object) -> list[str | None]:
    return value if isinstance(value, list) else []


def _is_text(field: Field) -> bool:
    return field.type.strip().upper() in {"VARCHAR", "TEXT", "STRING"}
