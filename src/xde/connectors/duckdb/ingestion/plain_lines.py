"""A file in which each line is a record, as batches of Arrow: a line is looked at once, and told or held. Here: CSV without quotes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from xde.connectors.duckdb.ingestion import at_once
from xde.connectors.duckdb.ingestion.at_once import Piece, Spans
from xde.connectors.duckdb.ingestion.casts import DECIMAL
from xde.connectors.duckdb.ingestion.splitting import BOM, Record

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from xde.connectors.duckdb.ingestion.at_once import Flags, Places, Telling, Words
    from xde.connectors.duckdb.ingestion.delivered import Content
    from xde.lifecycle.ingestion.port import Field

PIECE = 1 << 21
MOST = 1 << 30  # bytes of a piece: Arrow counts them in 32 bits
ENOUGH = 0.98  # of a column's texts must be told, else all are left as texts
# The C library keeps for the next piece what one gives back, but no more than twice the largest block that it has seen given back: of
# smaller ones every page is asked of the system again, which takes a fifth of all time.
KEPT = 30 << 20
LINE_END = 2  # bytes at most, which count where a line is as long as it may be
FEW, MANY = 100_000, 0.2  # lines that may be held back, and their share of all
FINE, RAW, AT, LINE = "__fine", "__raw", "__at", "__line"
WHOLE = {
    "TINYINT": (8, pa.int8()),
    "SMALLINT": (16, pa.int16()),
    "INTEGER": (32, pa.int32()),
    "INT": (32, pa.int32()),
    "BIGINT": (64, pa.int64()),
}
UNSIGNED = {
    "UTINYINT": (8, pa.uint8()),
    "USMALLINT": (16, pa.uint16()),
    "UINTEGER": (32, pa.uint32()),
    "UBIGINT": (64, pa.uint64()),
}
WIDEST = 18  # digits of a DECIMAL of 64 bits


class GivenUpError(ValueError):
    """Too many lines were held back."""


@dataclass(frozen=True, slots=True)
class Column:
    """A field's column: its place in a line, the words that are missing there, and how its texts are told; else they stay texts."""

    place: int
    words: Sequence[bytes]
    kind: pa.DataType
    told: Telling | None = None


def told_column(of: Field, place: int, words: Sequence[str], decimal: str) -> Column | None:
    """The column of a field whose texts can be told; words for missing that are the file's are those of the field as well."""
    known = _told(of, decimal)
    return Column(place, [w.encode() for w in (*words, *of.nulls)], *known) if known is not None else None


def text_column(place: int, words: Sequence[str]) -> Column:
    """A column of texts."""
    return Column(place, [w.encode() for w in words], pa.string_view())


def _told(of: Field, decimal: str) -> tuple[pa.DataType, Telling] | None:
    kind = of.type.strip().upper()
    if of.format:
        return None
    if kind in WHOLE:
        bits, arrow = WHOLE[kind]
        return arrow, at_once.whole(-(1 << (bits - 1)), (1 << (bits - 1)) - 1, f"i{bits // 8}")
    if kind in UNSIGNED:
        bits, arrow = UNSIGNED[kind]
        return arrow, at_once.unsigned((1 << bits) - 1, f"u{bits // 8}")
    if (found := DECIMAL.match(kind)) and int(found[1]) <= WIDEST and len(decimal.encode()) == 1:
        precision, scale = int(found[1]), int(found[2])
        return pa.decimal64(precision, scale), at_once.fixed(precision, scale, decimal)
    if kind == "DOUBLE" and len(decimal.encode()) == 1:
        return pa.float64(), at_once.double(decimal)
    return {"DATE": (pa.date32(), at_once.day), "TIMESTAMP": (pa.timestamp("us"), at_once.moment)}.get(kind)


@dataclass(frozen=True, slots=True)
class Cut:
    """A piece cut into lines and fields: `rows` are the lines with the fields that there should be, by their number.

    `begins` and `finishes` say where each of those lines does.
    """

    piece: Piece
    starts: Places
    ends: Places
    rows: Places
    begins: Places
    finishes: Places


@dataclass(frozen=True, slots=True)
class _Fields(Cut):
    """What stands in each field, by the columns."""

    values: Sequence[Spans]


@dataclass(slots=True)
class Lines:
    """The lines of a file below its first ones, in pieces. `held` are those that are not told, or nearly as long as a line may be."""

    content: Content
    above: int
    columns: Sequence[Column]
    longest: int
    pieces: int = field(default=1, init=False)  # so much larger is each than those of CSV: each call of NumPy has its price
    held: list[Record] = field(default_factory=list, init=False)
    given_up: bool = field(default=False, init=False)

    @property
    def schema(self) -> pa.Schema:
        """The columns by their numbers, whether a line is told, the line itself, where it begins and its number."""
        own = [(FINE, pa.bool_()), (RAW, pa.string_view()), (AT, pa.int64()), (LINE, pa.int64())]
        return pa.schema([(f"v{n}", c.kind) for n, c in enumerate(self.columns)] + own)

    def cut(self, piece: Piece) -> Cut:
        """A piece's lines and fields."""
        raise NotImplementedError

    def arrays(self, cut: Cut, fine: Flags) -> list[pa.Array]:
        """The columns of a piece; lines in which one is not told are not fine."""
        raise NotImplementedError

    def is_told(self, column: Column, cut: Cut) -> bool:
        """Whether enough texts of a column are told."""
        raise NotImplementedError

    def choose(self) -> Sequence[bool]:
        """Leave as texts the columns of which too little is told in the first piece; gives which are told."""
        for _, piece in self._pieces():
            cut = self.cut(piece)
            kept = [c.told is None or self.is_told(c, cut) for c in self.columns]
            self.columns = [c if k else replace(c, kind=pa.string_view(), told=None) for c, k in zip(self.columns, kept, strict=True)]
            break
        return [c.told is not None for c in self.columns]

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The records of each piece."""
        np.empty(KEPT, np.uint8)  # given back at once; see there
        schema, line = self.schema, self.above + 1
        for offset, piece in self._pieces():
            cut = self.cut(piece)
            fine = np.ones(len(cut.rows), np.bool_)
            arrays = self.arrays(cut, fine)
            fine &= cut.finishes - cut.begins < self.longest - LINE_END
            self._hold(cut, fine, line, offset)
            if len(self.held) > FEW and len(self.held) > (line + len(cut.starts)) * MANY:
                self.given_up = True
                raise GivenUpError("too many lines are held back")
            whole = Spans.of(cut.piece, cut.begins, cut.finishes)
            arrays += [
                pa.Array.from_buffers(pa.bool_(), len(fine), [None, bits(fine)]),
                texts(at_once.views(whole), cut.piece, None),
                _places(cut.begins + (offset - at_once.ROOM)),
                _places(cut.rows + line),
            ]
            line += len(cut.starts)
            yield pa.RecordBatch.from_arrays(arrays, schema=schema)

    def _pieces(self) -> Iterator[tuple[int, Piece]]:
        """Whole lines, and where the first begins."""
        end = b"\n" if self.content.line_end else b"\r\n"
        with self.content.open() as stream:
            offset = sum(len(stream.readline()) for _ in range(self.above))
            while text := stream.read(PIECE * self.pieces):
                if offset == 0 and text.startswith(BOM):
                    text, offset = text[len(BOM) :], len(BOM)
                rest = stream.readline()
                size = len(text) + len(rest)
                if size > MOST:
                    self.given_up = True
                    raise GivenUpError("a line is too long")
                whole = (rest or text).endswith(b"\n")
                if size:
                    yield offset, Piece(text, rest, b"" if whole else end)
                offset += size

    def _hold(self, cut: Cut, fine: Flags, line: int, offset: int) -> None:
        """Hold the lines that are not told; a line with nothing in it is no record."""
        held = cut.ends > cut.starts
        held[cut.rows[fine]] = False
        for n in np.flatnonzero(held).tolist():
            start = int(cut.starts[n])
            self.held.append(Record(line + n, offset + start - at_once.ROOM, cut.piece.padded[start : int(cut.ends[n])]))


@dataclass(slots=True)
class PlainLines(Lines):
    """Lines of CSV."""

    fields: int
    delimiter: int

    def cut(self, piece: Piece) -> Cut:
        body = piece.bytes[at_once.ROOM : -at_once.ROOM]
        line_ends = body == ord("\n")
        lines = int(np.count_nonzero(line_ends))
        marks = np.flatnonzero((body == self.delimiter) | line_ends)
        marks += at_once.ROOM
        ends = np.ascontiguousarray(marks[self.fields - 1 :: self.fields])
        alike = len(marks) == lines * self.fields and bool((piece.bytes[ends] == ord("\n")).all())
        if not alike or not (piece.padded.isascii() or is_text(piece.padded)):
            return self._cut_one_by_one(piece, marks)
        starts, ends = self._lines(ends)
        by_field = np.ascontiguousarray(marks.reshape(-1, self.fields).T)  # what is far apart costs more to look at than to copy
        return self._cut_at(piece, starts, ends, np.arange(lines), [starts, *by_field[:-1], ends])

    def _cut_one_by_one(self, piece: Piece, marks: Places) -> Cut:
        """Where some line has other fields than it should, or is no text."""
        last = np.flatnonzero(piece.bytes[marks] == ord("\n"))
        starts, ends = self._lines(marks[last])
        whole = np.diff(last, prepend=-1) == self.fields
        if not piece.padded.isascii():
            whole &= np.array([is_text(piece.padded[s:e]) for s, e in zip(starts.tolist(), ends.tolist(), strict=True)], np.bool_)
        rows = np.flatnonzero(whole)
        last = last[rows]
        fields = [marks[last + n] for n in range(1 - self.fields, 0)]
        return self._cut_at(piece, starts, ends, rows, [starts[rows], *fields, ends[rows]])

    def _cut_at(self, piece: Piece, starts: Places, ends: Places, rows: Places, marks: Sequence[Places]) -> Cut:
        """`marks` are where each of those lines begins, and where each of its fields ends."""
        values = [Spans.of(piece, marks[c.place] + (c.place > 0), marks[c.place + 1]) for c in self.columns]
        return _Fields(piece, starts, ends, rows, marks[0], marks[-1], values)

    def _lines(self, feeds: Places) -> tuple[Places, Places]:
        """Where lines begin and end, by their line feeds."""
        starts = np.concatenate([[at_once.ROOM], feeds[:-1] + 1])
        return starts, feeds if self.content.line_end else feeds - 1

    def arrays(self, cut: Cut, fine: Flags) -> list[pa.Array]:
        """See there."""
        if not isinstance(cut, _Fields):
            raise TypeError(cut)
        return [_array(c, spans, cut, fine) for c, spans in zip(self.columns, cut.values, strict=True)]

    def is_told(self, column: Column, cut: Cut) -> bool:
        """Nearly all of them are."""
        if not isinstance(cut, _Fields):
            raise TypeError(cut)
        spans = cut.values[self.columns.index(column)]
        known = column.told(spans).known | at_once.missing(spans, column.words) if column.told is not None else np.ones(1, np.bool_)
        return not len(known) or float(known.mean()) >= ENOUGH


def _array(column: Column, spans: Spans, cut: Cut, fine: Flags) -> pa.Array:
    """A column of a piece; lines in which it is not told are not fine."""
    lost = at_once.missing(spans, column.words)
    there = bits(~lost) if lost.any() else None
    if column.told is None:
        return texts(at_once.views(spans), cut.piece, there)
    told = column.told(spans)
    fine &= told.known | lost
    return pa.Array.from_buffers(column.kind, len(lost), [there, pa.py_buffer(told.values)])


def texts(views: Words, piece: Piece, there: pa.Buffer | None) -> pa.Array:
    """Texts by their views."""
    return pa.Array.from_buffers(pa.string_view(), len(views), [there, pa.py_buffer(views), pa.py_buffer(piece.padded)])


def bits(flags: Flags) -> pa.Buffer:
    """Flags as Arrow has them."""
    return pa.py_buffer(np.packbits(flags, bitorder="little"))


def _places(values: Places) -> pa.Array:
    return pa.Array.from_buffers(pa.int64(), len(values), [None, pa.py_buffer(values)])  # `pyarrow.array` would load pandas


def is_text(content: bytes) -> bool:
    """Whether bytes are UTF-8."""
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True
