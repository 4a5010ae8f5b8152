"""Rows on their way to the loader, as files: CSV of those that are whole, NDJSON of those that lack what the log does not repeat."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TextIO

from xde.connectors.postgres.capture.pgoutput import KEPT
from xde.lifecycle.sources.tables import NULL, Piece, Unfinished

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from xde.connectors.postgres.capture.latest import Key
    from xde.connectors.postgres.capture.pgoutput import Row

STEP = 1000  # rows that are written at once
Text = str | None
_Kind = tuple[tuple[str, ...], tuple[str, ...]]  # columns, and those of the key


class Output(NamedTuple):
    """The columns of rows that go into one file, those of their key, and the places of values that the server is to write as JSON.

    With each place stands the type in SQL.
    """

    columns: tuple[str, ...]
    key: tuple[str, ...]
    nested: tuple[tuple[int, str], ...] = ()


class _Waiting(NamedTuple):
    row: Row
    told: tuple[Text, ...]
    origin: Key | None


@dataclass(slots=True)
class _File:
    file: TextIO
    path: Path
    rows: int = 0


class Pieces:
    """Files of a folder, one for each set of columns; `as_json` has the server write values of a type as JSON."""

    def __init__(self, folder: Path, told: tuple[str, ...], as_json: Callable[[str, Sequence[Text]], Sequence[Text]]) -> None:
        self._folder, self._told, self._as_json = folder, told, as_json
        self._waiting: dict[Output, list[_Waiting]] = {}
        self._whole: dict[_Kind, _File] = {}
        self._lacking: dict[_Kind, _File] = {}
        self.rows = 0

    def write(self, output: Output, row: Row, told: tuple[Text, ...], origin: Key | None) -> None:
        """A row; with an `origin` the lake has under that key what the row lacks."""
        waiting = self._waiting.setdefault(output, [])
        waiting.append(_Waiting(row, told, origin))
        if len(waiting) >= STEP:
            self._flush(output)

    def written(self) -> tuple[tuple[Piece, ...], tuple[Unfinished, ...]]:
        """All files, closed."""
        for output in list(self._waiting):
            self._flush(output)
        self.close()
        whole = tuple(Piece(f.path, f.rows) for f in self._whole.values())
        return whole, tuple(Unfinished(f.path, f.rows, *kind) for kind, f in self._lacking.items())

    def close(self) -> None:
        """Let go of the files."""
        for each in (*self._whole.values(), *self._lacking.values()):
            each.file.close()

    def _flush(self, output: Output) -> None:
        waiting = self._waiting.pop(output, [])
        rows: list[list[Any]] = [list(w.row) for w in waiting]
        for at, kind in output.nested:
            places = [n for n, r in enumerate(rows) if isinstance(r[at], str)]
            for n, text in zip(places, self._as_json(kind, [rows[n][at] for n in places]) if places else (), strict=True):
                rows[n][at] = text
        columns = (*output.columns, *self._told)
        whole, lacking = [], []
        for row, w in zip(rows, waiting, strict=True):
            if KEPT in row:
                lacking.append(self._line(columns, [*row, *w.told], w.origin))
            else:
                whole.append(csv_line([*row, *w.told]))
        self._append(self._whole, (columns, ()), whole, "csv")
        self._append(self._lacking, (columns, output.key), lacking, "ndjson")
        self.rows += len(waiting)

    def _line(self, columns: Sequence[str], values: Sequence[Any], origin: Key | None) -> str:
        row = {c: v for c, v in zip(columns, values, strict=True) if v is not KEPT}
        return json.dumps({"row": row, "key": list(origin or ())}) + "\n"

    def _append(self, files: dict[_Kind, _File], kind: _Kind, lines: list[str], ending: str) -> None:
        if not lines:
            return
        if kind not in files:
            path = self._folder / f"changes-{len(files)}.{ending}"
            files[kind] = _File(path.open("w", encoding="utf-8", newline=""), path)
            files[kind].file.write(csv_line(kind[0]) if ending == "csv" else "")
        files[kind].file.writelines(lines)
        files[kind].rows += len(lines)


def csv_line(values: Sequence[Text]) -> str:
    """A line as the loader reads it: what is missing is a word without quotes, and all else has them."""
    return ",".join([NULL if v is None else '"' + v.replace('"', '""') + '"' for v in values]) + "\n"
