"""Lines of JSON that are all written alike: cut where their names stand, and told as fields of CSV are.

A line is told where it is, byte for byte, the names in the order and with the spaces of the first lines, and between them values that
are numbers, texts without escapes or `null`: such a line has one meaning. Every other line is held back.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field, replace
from itertools import islice, product
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from xde.connectors.duckdb.ingestion import at_once
from xde.connectors.duckdb.ingestion.at_once import BYTE, MINUS, WHOLE, Spans
from xde.connectors.duckdb.ingestion.forward import SMALL, Head, Mark, Passing, ends_of, passing
from xde.connectors.duckdb.ingestion.plain_lines import ENOUGH, Column, Cut, Lines, bits, is_text, texts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xde.connectors.duckdb.ingestion.at_once import Flags, Piece, Places, Telling
    from xde.connectors.duckdb.ingestion.delivered import Content

PIECES = 2  # a record is longer in JSON, so that fewer of them are in as many bytes
FIRST = 200  # lines that are looked at for their names
LONG = 80  # bytes of a name: what is fetched together must fit into the room about a piece
QUOTE, FEED, ZERO, SPACE, CLOSED = b'"\n0 }'
NULL = b"null"
LITERALS = (b"true", b"false")
EXACT = 10**18 - 1  # a number that the engine's JSON writes as it stands


@dataclass(frozen=True, slots=True)
class Form:
    """How lines are written: their names, and what stands before each value."""

    names: tuple[str, ...]
    before: tuple[bytes, ...]

    @classmethod
    def of(cls, names: tuple[str, ...], comma: bytes, colon: bytes) -> Form:
        """By what stands between values, and between a name and its value."""
        first = [b"{", *[comma] * (len(names) - 1)]
        return cls(names, tuple(b'%b"%b"%b' % (f, n.encode(), colon) for f, n in zip(first, names, strict=True)))

    def is_that_of(self, line: bytes) -> bool:
        """Whether a line that has these names, and nothing nested, is written so."""
        at = 0
        for text in self.before:
            at = line.find(text, at)
            if at < 0 or (text is self.before[0] and at):
                return False
            at += len(text)
            if line[at : at + 1] == b" ":
                return False
        return True


def form_of(content: Content, above: int) -> Form | None:
    """How most of a file's first lines are written, where that is the same."""
    found: Counter[Form] = Counter()
    with content.open() as stream:
        for line in islice(stream, above, above + FIRST):
            form = _form(line)
            if form is not None:
                found[form] += 1
    return found.most_common(1)[0][0] if found else None


def _form(line: bytes) -> Form | None:
    try:
        record = json.loads(line)
        names = {name: name.encode() for name in record} if isinstance(record, dict) else {}
    except (ValueError, RecursionError):  # one is that a name is no text: half of a pair of UTF-16
        return None
    if not names or any(isinstance(v, dict | list) for v in record.values()):
        return None
    if any(not name or set(name) & set('"\\*') or len(written) > LONG for name, written in names.items()):
        return None
    forms = (Form.of(tuple(record), *how) for how in product((b",", b", "), (b":", b": ")))
    return next((f for f in forms if f.is_that_of(line)), None)


@dataclass(slots=True)
class _Looked:
    """A column's values, which are told or missing, and which of them are missing."""

    values: at_once.Values
    known: Flags
    lost: Flags | None

    def among(self, rows: Places) -> _Looked:
        return _Looked(self.values[rows], self.known[rows], self.lost[rows] if self.lost is not None else None)


@dataclass(frozen=True, slots=True)
class _JsonCut(Cut):
    """Of each column where its values stand, and what they are."""

    values: Sequence[Spans]
    looked: Sequence[_Looked]


@dataclass(slots=True)
class JsonLines(Lines):
    """Lines of JSON in one form; a column's place is that of its name in it."""

    form: Form
    pieces: int = field(default=PIECES, init=False)
    passed: tuple[Sequence[Column], Sequence[tuple[Passing, Mark]]] = field(default=((), ()), init=False)  # of these columns

    def cut(self, piece: Piece) -> _JsonCut:
        """See there."""
        marks = at_once.places_of(piece.bytes[at_once.ROOM : -at_once.ROOM] < SPACE)
        marks += at_once.ROOM
        feeds = piece.bytes.take(marks) == FEED
        ends = marks[feeds]
        starts = _starts(ends)
        values, looked, right = self._walked(piece, starts, ends)
        right[np.searchsorted(ends, marks[~feeds])] = False  # other control characters
        if b"\\" in piece.padded:
            right[np.searchsorted(ends, np.flatnonzero(piece.bytes == ord("\\")))] = False
        if not (piece.padded.isascii() or is_text(piece.padded)):
            right &= np.array([is_text(piece.padded[s:e]) for s, e in zip(starts.tolist(), ends.tolist(), strict=True)], np.bool_)
        if right.all():
            return _JsonCut(piece, starts, ends, np.arange(len(ends)), starts, ends, values, looked)
        rows = np.flatnonzero(right)
        return _JsonCut(
            piece, starts, ends, rows, starts[rows], ends[rows], [v.among(rows) for v in values], [x.among(rows) for x in looked]
        )

    def _walked(self, piece: Piece, starts: Places, ends: Places) -> tuple[list[Spans], list[_Looked], Flags]:
        """From name to name through all lines at once: where values stand, what they are, and which lines are in this form.

        A text ends with the first quote, and behind each value the next name must stand, or the line's end: so a line that is in
        this form has no other meaning, and of one that is not the walk ends anywhere.
        """
        at, wrong = starts, np.zeros(len(starts), at_once.U)
        values, looked = [], []
        for column, (way, mark) in zip(self.columns, self._ways(), strict=True):
            words, begin = mark.passed(piece, at, way.words, wrong)
            if way.quoted:
                begin -= 1
            passed = way.told(Head(piece, begin, words, words.shape[1] - way.words))
            at = begin + passed.width
            found = _Looked(passed.values, passed.known, None)
            if not passed.known.all():
                rest = np.flatnonzero(~passed.known)
                at[rest] = ends_of(piece, begin[rest])
                _look_again(column, Spans.of(piece, begin[rest], at[rest]), found, rest)
            values.append(Spans.of(piece, begin, at))
            looked.append(found)
        right: Flags = wrong == 0
        right &= at + 1 == ends
        right &= piece.bytes[np.minimum(at, len(piece.bytes) - 1)] == CLOSED
        return values, looked, right

    def _ways(self) -> Sequence[tuple[Passing, Mark]]:
        """How the value of each column is passed, and what stands before it."""
        if self.passed[0] is not self.columns:
            ways = [passing(c) for c in self.columns]
            self.passed = self.columns, [(w, Mark.of(t, quoted=w.quoted)) for w, t in zip(ways, self.form.before, strict=True)]
        return self.passed[1]

    def arrays(self, cut: Cut, fine: Flags) -> list[pa.Array]:
        """See there."""
        if not isinstance(cut, _JsonCut):
            raise TypeError(cut)
        for each in cut.looked:
            fine &= each.known
        return [_array(c, cut.piece, x) for c, x in zip(self.columns, cut.looked, strict=True)]

    def is_told(self, column: Column, cut: Cut) -> bool:
        """Nearly all of them are, or more than would be as texts: a number with a point is none as a text."""
        if not isinstance(cut, _JsonCut):
            raise TypeError(cut)
        share = _share(cut.looked[column.place])
        return share >= ENOUGH or share >= _share(_look(replace(column, kind=pa.string_view(), told=None), cut.values[column.place]))


def _starts(ends: Places) -> Places:
    return np.concatenate([[at_once.ROOM], ends[:-1] + 1])


def _share(looked: _Looked) -> float:
    return float(looked.known.mean()) if len(looked.known) else 1.0


def _look(column: Column, spans: Spans) -> _Looked:
    """What values are, however they are written."""
    if column.told is None:
        return _texts(spans)
    return _timed(column.told, spans) if pa.types.is_temporal(column.kind) else _numbers(column.told, spans)


def _look_again(column: Column, spans: Spans, found: _Looked, rows: Places) -> None:
    """Look at some values that are not told yet."""
    others = _look(column, spans)
    found.values[rows], found.known[rows] = others.values, others.known
    if others.lost is not None:
        found.lost = np.zeros(len(found.known), np.bool_)
        found.lost[rows] = others.lost


def _quoted(spans: Spans) -> Flags:
    found: Flags = spans.ahead(BYTE, 0) == QUOTE
    found &= spans.behind(BYTE, -1) == QUOTE
    found &= spans.width > 1
    return found


def _timed(told: Telling, spans: Spans) -> _Looked:
    found = told(spans.inner())
    lost = at_once.missing(spans, (NULL,))
    return _Looked(found.values, (found.known & _quoted(spans)) | lost, lost)


def _numbers(told: Telling, spans: Spans) -> _Looked:
    """Numbers as JSON has them; and the texts in quotes that are one."""
    found = told(spans)
    values, known = found.values, found.known
    _doubt(spans, known)
    lost = at_once.missing(spans, (NULL,))
    rest = np.flatnonzero(_quoted(spans))
    if len(rest):
        found = told(Spans.of(spans.piece, spans.start[rest] + 1, spans.end[rest] - 1))
        values[rest] = found.values
        known[rest] = found.known
    return _Looked(values, known | lost, lost)


def _doubt(spans: Spans, known: Flags) -> None:
    """Leave what is no number to JSON, and what the engine's JSON writes with an exponent."""
    first = spans.ahead(BYTE, 0)
    first -= np.uint8(MINUS)  # with it the zero stands at three
    known &= ~_leading(first == ZERO - MINUS, spans.ahead(BYTE, 1))
    if int(first.min()) == 0:
        signed = np.flatnonzero(first == 0)
        digits = spans.among(signed, 1)
        zero = digits.ahead(BYTE, 0) == ZERO
        known[signed] &= ~(_leading(zero, digits.ahead(BYTE, 1)) | (zero & (digits.width == 1)))
    long = np.flatnonzero((spans.width > SMALL + 2) & (first <= ZERO - MINUS))
    if len(long):
        some = spans.among(long)
        known[long[_begins(some, b"0.000000") | _begins(some, b"-0.00000")]] = False


def _leading(zero: Flags, second: at_once.Values) -> Flags:
    """Where a number begins with a zero and another digit: JSON has no such number."""
    second -= np.uint8(ZERO)
    digit: Flags = second < 10
    digit &= zero
    return digit


def _begins(spans: Spans, text: bytes) -> Flags:
    found: Flags = spans.ahead(WHOLE, 0) == at_once.U(int.from_bytes(text, "little"))
    return found


def _texts(spans: Spans) -> _Looked:
    """Texts in quotes, and what is written without them and is the same as a text."""
    quoted = _quoted(spans)
    lost = at_once.missing(spans, (NULL,))
    literal = at_once.missing(spans, LITERALS) | (_whole(spans) & ~quoted & ~lost)
    add = quoted.astype(np.int64)
    inside = Spans.of(spans.piece, spans.start + add, spans.end - add)
    return _Looked(at_once.views(inside), quoted | lost | literal, lost)


WHOLE_NUMBER = at_once.whole(-EXACT, EXACT, "i8")


def _whole(spans: Spans) -> Flags:
    """Whole numbers that the engine's JSON writes as they stand."""
    known = WHOLE_NUMBER(spans).known.copy()
    first, second = spans.ahead(BYTE, 0), spans.ahead(BYTE, 1)
    known &= ~((first == MINUS) & (second == ZERO))
    known &= ~_leading(first == ZERO, second)
    return known


def _array(column: Column, piece: Piece, looked: _Looked) -> pa.Array:
    there = bits(~looked.lost) if looked.lost is not None and looked.lost.any() else None
    if column.told is None:
        return texts(looked.values, piece, there)
    return pa.Array.from_buffers(column.kind, len(looked.values), [there, pa.py_buffer(looked.values)])
