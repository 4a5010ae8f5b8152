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
from xde.connectors.duckdb.ingestion.at_once import BYTE, HALF, MINUS, WHOLE, Spans
from xde.connectors.duckdb.ingestion.plain_lines import ENOUGH, Column, Cut, Lines, bits, is_text, texts
from xde.connectors.duckdb.ingestion.windows import SpansInWindows, Window

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xde.connectors.duckdb.ingestion.at_once import Flags, Piece, Places
    from xde.connectors.duckdb.ingestion.delivered import Content

PIECES = 2  # a record is longer in JSON, so that fewer of them are in as many bytes
FIRST = 200  # lines that are looked at for their names
QUOTE, COLON, FEED, ZERO, SPACE = b'":\n0 '
CLOSED = b"}\n"
NULL = b"null"
LITERALS = (b"true", b"false")
FRONT, BACK = 13, 18  # bytes of a value that are fetched with its name: a short text, and sixteen digits with their point
MOMENT = 20  # a quote and a time
EXACT = 10**18 - 1  # a number that the engine's JSON writes as it stands
SMALL = 6  # digits behind the point; of less than that the engine's JSON writes `1e-7`


@dataclass(frozen=True, slots=True)
class Form:
    """How lines are written: their names, and what stands before each value."""

    names: tuple[str, ...]
    before: tuple[bytes, ...]
    gap: int  # bytes between the quote that ends a name and the value

    @classmethod
    def of(cls, names: tuple[str, ...], comma: bytes, colon: bytes) -> Form:
        """By what stands between values, and between a name and its value."""
        first = [b"{", *[comma] * (len(names) - 1)]
        return cls(names, tuple(b'%b"%b"%b' % (f, n.encode(), colon) for f, n in zip(first, names, strict=True)), len(colon))

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
    except (ValueError, RecursionError):
        return None
    if not isinstance(record, dict) or not record or any(isinstance(v, dict | list) for v in record.values()):
        return None
    if any(not name or set(name) & set('"\\*') or name[0] == ":" for name in record):
        return None
    forms = (Form.of(tuple(record), *how) for how in product((b",", b", "), (b":", b": ")))
    return next((f for f in forms if f.is_that_of(line)), None)


@dataclass(slots=True)
class _Looked:
    """A column's values, which are told or missing, and of which the texts stand in quotes: of all, of none or by flags."""

    array: pa.Array
    known: Flags | bool
    quoted: Flags | bool


@dataclass(frozen=True, slots=True)
class _JsonCut(Cut):
    """`quotes` is how many quotes stand in the piece; `marks` are where in its lines each name ends, and the line."""

    quotes: int
    marks: Places
    looked: Sequence[_Looked]


@dataclass(slots=True)
class JsonLines(Lines):
    """Lines of JSON in one form; a column's place is that of its name in it."""

    form: Form
    pieces: int = field(default=PIECES, init=False)
    quoted: list[bool] = field(default_factory=list, init=False)  # which columns are nothing but texts in quotes, in most pieces

    def cut(self, piece: Piece) -> _JsonCut:
        """See there."""
        body = piece.bytes[at_once.ROOM : -at_once.ROOM]
        found = body == QUOTE
        quotes = int(np.count_nonzero(found))
        found[:-1] &= body[1:] == COLON
        found[-1] = False
        found |= body < SPACE
        marks = np.flatnonzero(found)
        marks += at_once.ROOM
        every = len(self.form.names) + 1
        ends = np.ascontiguousarray(marks[every - 1 :: every])
        alike = len(marks) == len(ends) * every and bool((piece.bytes[ends] == FEED).all()) and b"\\" not in piece.padded
        if alike and (piece.padded.isascii() or is_text(piece.padded)):
            starts = _starts(ends)
            fields = marks.reshape(-1, every)
            for quoted in (self.quoted, [False] * len(self.columns)):
                looked, right = self._looked(piece, starts, fields, quoted) if quoted else ([], False)
                if right is True:
                    self.quoted = [x.quoted is True and q for x, q in zip(looked, self.quoted or [True] * len(looked), strict=True)]
                    return _JsonCut(piece, starts, ends, np.arange(len(ends)), starts, ends, quotes, fields, looked)
        return self._cut_one_by_one(piece, marks, quotes)

    def _cut_one_by_one(self, piece: Piece, marks: Places, quotes: int) -> _JsonCut:
        """Where some line is written otherwise."""
        last = np.flatnonzero(piece.bytes[marks] == FEED)
        ends = marks[last]
        starts = _starts(ends)
        whole = np.diff(last, prepend=-1) == len(self.form.names) + 1
        if b"\\" in piece.padded:
            whole[np.searchsorted(ends, np.flatnonzero(piece.bytes == ord("\\")))] = False
        if not is_text(piece.padded):
            whole &= np.array([is_text(piece.padded[s:e]) for s, e in zip(starts.tolist(), ends.tolist(), strict=True)], np.bool_)
        rows = np.flatnonzero(whole)
        while True:
            fields = marks[last[rows][:, np.newaxis] + np.arange(-len(self.form.names), 1)]
            looked, right = self._looked(piece, starts[rows], fields, [False] * len(self.columns))
            if right is True:
                break
            rows = rows[right]
        return _JsonCut(piece, starts, ends, rows, starts[rows], ends[rows], quotes, fields, looked)

    def _values(self, piece: Piece, marks: Places, quoted: Sequence[bool]) -> list[Spans]:
        """What stands between the names of lines, by where each of these ends and the line does; some without their quotes."""
        gap = 1 + self.form.gap
        texts = [*(len(text) - gap for text in self.form.before[1:]), 1]
        begins = [m + (gap + q) for m, q in zip(marks.T[:-1], quoted, strict=True)]
        ends = [m - (text + q) for m, text, q in zip(marks.T[1:], texts, quoted, strict=True)]
        return [Spans.of(piece, b, e) for b, e in zip(begins, ends, strict=True)]

    def _looked(self, piece: Piece, starts: Places, marks: Places, quoted: Sequence[bool]) -> tuple[list[_Looked], Flags | bool]:
        """The columns of lines, and which lines are in this form; where not all are, the columns are none."""
        form = self.form
        if not len(starts):
            return [_Looked(pa.array([], c.kind), known=True, quoted=False) for c in self.columns], True
        if len(piece.padded) <= max(map(len, form.before)) + MOMENT + BACK:
            return [], np.zeros(len(starts), np.bool_)
        values = self._values(piece, marks, quoted)
        right: Flags = values[0].start - (len(form.before[0]) + quoted[0]) == starts
        for spans in values:
            if int(spans.width.min()) < 0:
                right &= spans.width >= 0
        if not right.all():
            return [], right
        looked: list[_Looked] = []
        before, behind = max(map(len, form.before)) + max(map(_back, self.columns)), 1 + form.gap + max(map(_front, self.columns))
        if marks[0, 0] < before:  # of the first line not all is there
            right[marks[:, 0] < before] = False
        windows = Window.of(piece, marks, before, behind)
        (_, front), *others = [self._around(window, n, quoted, right) for n, window in enumerate(windows)]
        if not right.all():
            return [], right
        for column, spans, q, (back, ahead) in zip(self.columns, values, quoted, others, strict=True):
            within = SpansInWindows(piece, spans.start, spans.end, spans.width, front.moved(q), back.moved(-q))
            looked.append(_look_within(column, within) if q else _look(column, within))
            front = ahead
        return looked, True

    def _around(self, window: Window, n: int, quoted: Sequence[bool], right: Flags) -> tuple[Window, Window]:
        """A name's window, seen from the value before it and from that behind it; lines with another name are not right."""
        last = n == len(self.columns)
        text = CLOSED if last else self.form.before[n]
        behind = 1 if last else 1 + self.form.gap  # of the mark
        opened = b'"' if n and quoted[n - 1] else b""
        sure = opened + text + (b'"' if not last and quoted[n] else b"")
        at = behind - len(text) - len(opened)
        wrong = window.is_not(sure, at) if len(sure) >= HALF.size else _other(window, sure, at)
        if wrong.any():
            right &= wrong == 0
        return window.moved(behind - len(text)), window.moved(behind)

    def arrays(self, cut: Cut, fine: Flags) -> list[pa.Array]:
        """See there. That there are no more quotes than those of the names and of texts says that none stands within a text."""
        if not isinstance(cut, _JsonCut):
            raise TypeError(cut)
        looked = cut.looked
        for each in looked:
            if each.known is not True:
                fine &= each.known
        flags = [x.quoted for x in looked if not isinstance(x.quoted, bool)]
        sure = len(looked) + sum(1 for x in looked if x.quoted is True)
        if 2 * (sure * len(fine) + sum(int(np.count_nonzero(f)) for f in flags)) != cut.quotes:
            places = np.flatnonzero(cut.piece.bytes == QUOTE)
            there = np.searchsorted(places, cut.finishes) - np.searchsorted(places, cut.begins)
            for each_flags in flags:
                there -= 2 * each_flags.astype(np.int64)
            fine &= there == 2 * sure
        return [x.array for x in looked]

    def is_told(self, column: Column, cut: Cut) -> bool:
        """Nearly all of them are, or more than would be as texts: a number with a point is none as a text."""
        if not isinstance(cut, _JsonCut):
            raise TypeError(cut)
        spans = self._values(cut.piece, cut.marks, [False] * len(self.columns))[column.place]
        if not len(spans.width):
            return True
        share = _share(cut.looked[column.place])
        return share >= ENOUGH or share >= _share(_look(replace(column, kind=pa.string_view(), told=None), spans))


def _starts(ends: Places) -> Places:
    return np.concatenate([[at_once.ROOM], ends[:-1] + 1])


def _other(window: Window, text: bytes, offset: int) -> Flags:
    """Where another text than a short one stands so far from the place."""
    wrong = np.zeros(window.lines, np.bool_)
    for n, byte in enumerate(text, offset):
        found = window.look(BYTE, n)
        wrong |= True if found is None else found != byte
    return wrong


def _stands_in_quotes(column: Column) -> bool:
    """Whether the values of a column stand in quotes, where they are told."""
    return column.told is None or pa.types.is_temporal(column.kind)


def _back(column: Column) -> int:
    """How many bytes of a value are fetched with what stands behind it."""
    return 1 if _stands_in_quotes(column) else BACK


def _front(column: Column) -> int:
    """How many bytes of a value are fetched with what stands before it."""
    if column.told is None:
        return FRONT
    return MOMENT if pa.types.is_temporal(column.kind) else 3


def _share(looked: _Looked) -> float:
    return float(looked.known) if isinstance(looked.known, bool) else float(looked.known.mean()) if len(looked.known) else 1.0


def _look(column: Column, spans: Spans) -> _Looked:
    if column.told is None:
        return _texts(spans)
    return _timed(column, spans) if _stands_in_quotes(column) else _numbers(column, spans)


def _look_within(column: Column, spans: Spans) -> _Looked:
    """A column of texts in quotes, without these."""
    if column.told is None:
        return _Looked(texts(at_once.views(spans), spans.piece, None), known=True, quoted=True)
    told = column.told(spans)
    return _Looked(_array(column, told.values), told.known, quoted=True)


def _quoted(spans: Spans) -> Flags:
    found: Flags = spans.ahead(BYTE, 0) == QUOTE
    found &= spans.behind(BYTE, -1) == QUOTE
    found &= spans.width > 1
    return found


def _timed(column: Column, spans: Spans) -> _Looked:
    quoted = _quoted(spans)
    told = _told(column, spans.inner())
    known = told.known & quoted
    if known.all():
        return _Looked(_array(column, told.values), known=True, quoted=True)
    lost = at_once.missing(spans, (NULL,))
    return _Looked(_array(column, told.values, lost), known | lost, quoted)


def _numbers(column: Column, spans: Spans) -> _Looked:
    """Numbers as JSON has them; and the texts in quotes that are one."""
    told = _told(column, spans)
    values, known = told.values, told.known
    first = spans.ahead(BYTE, 0)
    first -= np.uint8(MINUS)
    if int(first.min(initial=ZERO)) <= ZERO - MINUS:  # else none begins with a sign or with a zero, and none is small
        _doubt(spans, first, known)
    if known.all():
        return _Looked(_array(column, values), known=True, quoted=False)
    lost = at_once.missing(spans, (NULL,))
    quoted = _quoted(spans)
    if quoted.all():
        return _look_within(column, spans.inner())
    rest = np.flatnonzero(quoted)
    if len(rest):
        found = _told(column, Spans.of(spans.piece, spans.start[rest] + 1, spans.end[rest] - 1))
        values[rest] = found.values
        known[rest] = found.known
    return _Looked(_array(column, values, lost), known | lost, quoted)


def _doubt(spans: Spans, first: at_once.Values, known: Flags) -> None:
    """Leave what is no number to JSON, and what the engine's JSON writes with an exponent; `first` are the first bytes less a minus."""
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
    if quoted.all():
        inner = spans.inner()
        return _Looked(texts(at_once.views(inner), spans.piece, None), known=True, quoted=True)
    lost = at_once.missing(spans, (NULL,))
    literal = at_once.missing(spans, LITERALS) | (_whole(spans) & ~quoted & ~lost)
    add = quoted.astype(np.int64)
    inside = Spans.of(spans.piece, spans.start + add, spans.end - add)
    return _Looked(texts(at_once.views(inside), spans.piece, bits(~lost)), quoted | lost | literal, quoted)


WHOLE_NUMBER = at_once.whole(-EXACT, EXACT, "i8")


def _whole(spans: Spans) -> Flags:
    """Whole numbers that the engine's JSON writes as they stand."""
    known = WHOLE_NUMBER(spans).known.copy()
    first, second = spans.ahead(BYTE, 0), spans.ahead(BYTE, 1)
    known &= ~((first == MINUS) & (second == ZERO))
    known &= ~_leading(first == ZERO, second)
    return known


def _told(column: Column, spans: Spans) -> at_once.Told:
    if column.told is None:
        raise TypeError(column.kind)
    return column.told(spans)


def _array(column: Column, values: at_once.Values, lost: Flags | None = None) -> pa.Array:
    there = bits(~lost) if lost is not None and lost.any() else None
    return pa.Array.from_buffers(column.kind, len(values), [there, pa.py_buffer(values)])
