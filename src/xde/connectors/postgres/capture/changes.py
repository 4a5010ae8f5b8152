"""Changes in their order become what is loaded: the last row of each key, or a row for each change."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from xde.connectors.postgres.capture.latest import Known, Latest
from xde.connectors.postgres.capture.pgoutput import KEPT, Begin, Commit, Delete, Insert, Relation, Truncate, Update
from xde.connectors.postgres.capture.pieces import csv_line
from xde.ground.errors import UserError
from xde.ground.findings import Finding
from xde.lifecycle.sources.tables import COMMITTED, LSN, OPERATION, SEQUENCE, TRANSACTION, Piece

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from xde.connectors.postgres.capture.latest import Key
    from xde.connectors.postgres.capture.pgoutput import Message, Row, Value
    from xde.connectors.postgres.capture.pieces import Pieces
    from xde.connectors.postgres.capture.shaping import Shaped
    from xde.lifecycle.sources.tables import Ask

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
CREATED, UPDATED, DELETED, TRUNCATED, READ = "c", "u", "d", "t", "r"


class Changes:
    """Takes the messages of one table, from a position on; `shape` makes of a relation how its rows are taken apart.

    `reached` is where the last transaction ends that was taken whole, `counts` how many changes of each kind there were.
    """

    def __init__(self, ask: Ask, oid: int, after: int, shape: Callable[[Relation, int], Shaped], pieces: Pieces, folder: Path) -> None:
        self._ask, self._oid, self._after, self._shape, self._pieces, self._folder = ask, oid, after, shape, pieces, folder
        self._log = ask.capture is not None and ask.capture.key is None
        self._words = ask.capture.told if ask.capture is not None else ()
        self._shapes: list[Shaped] = []
        self._latest = Latest(folder, private=ask.private)
        self._begun: Begin | None = None
        self._sequence = 0
        self._fixed: list[str | None] = []  # what is told of every change of a transaction
        self._own = [n for n, w in enumerate(self._words) if w in {OPERATION, SEQUENCE}]
        self.reached = after
        self.anew = False
        self.counts = dict.fromkeys((CREATED, UPDATED, DELETED, TRUNCATED), 0)

    def take(self, message: Message) -> None:
        """One message."""
        match message:
            case Insert() | Update() | Delete():
                if message.oid == self._oid and self._begun is not None:
                    self._change(self._shapes[-1], message)
            case Begin(lsn):
                if lsn >= self._after:
                    self._begin(message)
            case Commit(_, end):
                self.reached = max(self.reached, end)
                self._begun = None
            case Relation(oid):
                if oid == self._oid:
                    self._shapes.append(self._shape(message, len(self._shapes)))
            case Truncate(oids):
                if self._oid in oids and self._begun is not None:
                    self._truncate()

    def written(self) -> Piece | None:
        """Write what was kept back; of the current state also the keys that are gone, in a file of their own."""
        if self._log:
            return None
        line = _json_line if self._ask.private else csv_line  # keys that are treated are treated before the engine sees them
        path, gone = self._folder / "gone", 0
        with path.open("w", encoding="utf-8", newline="") as out:
            out.write(line(self._ask.capture.key or () if self._ask.capture else ()))
            for key, known in self._latest.all():
                if known is not None:
                    self._pieces.write(self._shapes[known.shape].output, known.row, known.told, known.origin)
                elif not self.anew:
                    out.write(line(key))
                    gone += 1
        return Piece(path, gone) if gone else None

    def close(self) -> None:
        """Let go of files."""
        self._latest.close()

    def _begin(self, message: Begin) -> None:
        self._begun = message
        self._sequence = 0
        committed = f"{_EPOCH + timedelta(microseconds=message.at):%Y-%m-%d %H:%M:%S.%f}+00"
        fixed = {LSN: str(message.lsn), TRANSACTION: str(message.transaction), COMMITTED: committed}
        self._fixed = [fixed.get(w) for w in self._words]

    def _change(self, shape: Shaped, message: Insert | Update | Delete) -> None:
        if isinstance(message, Insert):
            self._put(shape, shape.key_of(message.row), shape.taken(message.row), None, CREATED)
            return
        if not shape.told_by_key:
            raise UserError(_untold(self._ask))
        if isinstance(message, Delete):
            self._gone(shape, shape.key_of(message.old), message.old)
        else:
            self._update(shape, message.old, message.row)

    def _update(self, shape: Shaped, old: Row | None, row: Row) -> None:
        before, now = shape.key_of(old if old is not None else row, old), shape.key_of(row, old)
        values, origin = self._filled(shape, before, shape.taken(row), old)
        if before == now:
            self._put(shape, now, values, origin, UPDATED)
            return
        self._gone(shape, before, old or row)
        self._put(shape, now, values, origin, CREATED)

    def _truncate(self) -> None:
        self._latest.clear()
        told = self._told(TRUNCATED)
        if not self._log:
            self.anew = True
        elif self._shapes:
            output = self._shapes[-1].output
            self._pieces.write(output, (None,) * len(output.columns), told, None)

    def _put(self, shape: Shaped, key: Key, values: Row, origin: Key | None, operation: str) -> None:
        known = Known(shape.number, values, origin, self._told(operation))
        if self._log:
            self._pieces.write(shape.output, values, known.told, origin)
        if not self._log or not shape.whole:
            self._latest.put(key, known)

    def _gone(self, shape: Shaped, key: Key, old: Row) -> None:
        told = self._told(DELETED)
        if self._log:
            places = shape.key if not shape.whole else shape.places
            kept = [old[p] if shape.whole or p in places else None for p in range(len(old))]
            self._pieces.write(shape.output, shape.taken(tuple(None if v is KEPT else v for v in kept)), told, None)
        if not self._log or not shape.whole:
            self._latest.put(key, None)

    def _filled(self, shape: Shaped, before: Key, values: Row, old: Row | None) -> tuple[Row, Key | None]:
        """A row with what the log does not repeat: from the old row, from an earlier change, or (its key there is given) from the lake."""
        if KEPT not in values:
            return values, None
        if shape.whole and old is not None:
            there = shape.taken(old)
            return tuple(t if v is KEPT else v for v, t in zip(values, there, strict=True)), None
        known = self._latest.get(before)
        if known is None:
            return values, before
        names = self._shapes[known.shape].output.columns
        told: dict[str, Value] = dict(zip(names, known.row, strict=True))
        filled = tuple(told.get(n, KEPT) if v is KEPT else v for n, v in zip(shape.output.columns, values, strict=True))
        return filled, (known.origin or before) if KEPT in filled else None

    def _told(self, operation: str) -> tuple[str | None, ...]:
        self.counts[operation] += 1
        self._sequence += 1
        if not self._own:
            return tuple(self._fixed)
        told = self._fixed.copy()
        for place in self._own:
            told[place] = operation if self._words[place] == OPERATION else str(self._sequence)
        return tuple(told)


def _json_line(values: Sequence[str | None]) -> str:
    return json.dumps(list(values)) + "\n"


def _untold(ask: Ask) -> Finding:
    why = "its replica identity does not have all columns of the key, so that the log does not tell which row was changed or deleted"
    hint = f"run: ALTER TABLE {ask.relation} REPLICA IDENTITY FULL, and load all of it once more by `xde run --full {ask.dataset}`"
    return Finding("XDE0428", f"a change of `{ask.relation}` cannot be brought together with its row", ask.span, "which row?", why, hint)
