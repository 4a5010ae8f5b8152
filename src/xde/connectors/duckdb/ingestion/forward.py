"""Values of JSON told from their first bytes on, those of many lines at once: one look says what they are and where they end.

Only what is written in the plainest way is told here: `12`, `12.50`, `"2026-01-02"`, `"a text"`. Of all else nothing is said but that.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from xde.connectors.duckdb.ingestion.at_once import (
    ABOVE_NINE,
    BYTE,
    HIGH,
    LOW,
    NUMBERS,
    ONE_BYTE,
    ROOM,
    WHOLE,
    WORD,
    ZEROS,
    Spans,
    U,
    as_number,
    eight_digits,
    one_word,
    views_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from xde.connectors.duckdb.ingestion.at_once import Flags, Piece, Places, Seen, Values, Words
    from xde.connectors.duckdb.ingestion.plain_lines import Column

QUOTE, POINT, COMMA, CLOSE = b'".,}'
EACH = one_word(0x0101010101010101)
QUOTES, COMMAS, CLOSES = (one_word(0x0101010101010101 * mark) for mark in (QUOTE, COMMA, CLOSE))
TENS = 10 ** np.arange(19, dtype=U)
BITS = 64
SMALL = 6  # digits behind the point: of less than that the engine's JSON writes `1e-7`
NEAR, FAR = 4, 16  # words in which a value ends that stands in no quotes, and a text that is not looked for otherwise
LONGEST = 30  # bytes of a time


@dataclass(frozen=True, slots=True)
class Head:
    """The first bytes of a value of each line, as words; of one that should stand in quotes those behind the first of them."""

    piece: Piece
    start: Places
    words: Words  # of each line one row
    nth: int  # of the words is the first of the value

    def word(self, nth: int) -> Words:
        """Eight bytes each, not as a new array."""
        found: Words = self.words[:, self.nth + nth]
        return found

    @property
    def quoted(self) -> Flags:
        """Which values begin with a quote, where they should."""
        found: Flags = (self.words[:, self.nth - 1] >> NUMBERS[BITS - 8]) == QUOTE
        return found


@dataclass(frozen=True, slots=True)
class Passed:
    """Values, how many bytes each takes with its quotes, and which of them are told: the others are anything."""

    values: Values
    width: Places
    known: Flags


@dataclass(frozen=True, slots=True)
class Passing:
    """How a column's values are passed: whether they should stand in quotes, and how many words of each are looked at."""

    quoted: bool
    words: int
    told: Callable[[Head], Passed]


@dataclass(frozen=True, slots=True)
class Mark:
    """What must stand before a value, as words that end where it begins, or behind its first quote."""

    words: Sequence[Words]
    masks: Sequence[Words]
    spare: int  # bytes before it in the first word

    @classmethod
    def of(cls, text: bytes, *, quoted: bool) -> Mark:
        spare = -(len(text) + quoted) % WORD
        whole = bytes(spare) + text + bytes(quoted)
        mask = bytes(spare) + b"\xff" * len(text) + bytes(quoted)
        words, masks = ([one_word(as_number(x[n : n + WORD])) for n in range(0, len(x), WORD)] for x in (whole, mask))
        return cls(words, masks, spare)

    def passed(self, piece: Piece, at: Places, more: int, wrong: Words) -> tuple[Words, Places]:
        """This text and so many words behind it, and where it ends, if it stands at the places: else these lines are wrong."""
        count = len(self.words) + more
        size = count * WORD
        every = np.ndarray((len(piece.padded) - size + 1,), f"V{size}", piece.padded, strides=(1,))
        last = len(piece.padded) - ROOM
        begins = at - self.spare
        if int(begins.max()) > last:  # of a line that is wrong already the place may be anywhere behind
            np.minimum(begins, last, out=begins)
        found: Words = every[begins].view("<u8").reshape(len(at), count)
        for nth, (word, mask) in enumerate(zip(self.words, self.masks, strict=True)):
            other = found[:, nth] ^ word
            if int(mask) != int(LOW[WORD]):
                other &= mask
            wrong |= other
        begins += len(self.words) * WORD
        return found, begins


def passing(column: Column) -> Passing:
    """How the values of a column are passed."""
    told, kind = column.told, column.kind
    if told is None:
        return Passing(quoted=True, words=3, told=_texts)
    if pa.types.is_temporal(kind):
        return Passing(quoted=True, words=2 if pa.types.is_date(kind) else 3, told=partial(_timed, column))
    if pa.types.is_integer(kind):
        highest = (1 << (kind.bit_width - pa.types.is_signed_integer(kind))) - 1
        return Passing(
            quoted=False, words=2, told=partial(_whole, highest, f"{'i' if pa.types.is_signed_integer(kind) else 'u'}{kind.bit_width // 8}")
        )
    if pa.types.is_decimal(kind):
        if not kind.scale:
            return Passing(quoted=False, words=2, told=partial(_whole, 10**kind.precision - 1, "i8"))
        return Passing(quoted=False, words=2, told=partial(_fixed, kind.precision, kind.scale))
    return Passing(quoted=False, words=2, told=_double)


def _stops(digits: Words) -> Words:
    """Of texts less their zeros a bit in the first byte of each that is no digit; what is behind that is anything."""
    stops = digits + ABOVE_NINE
    stops |= digits
    stops &= HIGH
    return stops


def _below(stops: Words) -> Words:
    """All bits below the first."""
    below = stops - NUMBERS[1]
    below &= ~stops
    return below


def _count(bits: Words) -> Words:
    return np.bitwise_count(bits).astype(U)


def _not_led(digits: Words, count: Words, known: Flags) -> None:
    """Leave numbers that begin with a zero and another digit, for JSON has none; `count` are the bits of a number and seven."""
    first = digits & ONE_BYTE
    if not int(first.min(initial=1)):
        known &= (first != 0) | (count < 16)


def _whole(highest: int, kind: str, head: Head) -> Passed:
    """Whole numbers of up to 15 digits."""
    digits = head.word(0) ^ ZEROS
    count = _count(_below(_stops(digits)))  # of their digits the bits, and seven; 64 if there are eight digits or more
    values = eight_digits(digits << (NUMBERS[BITS + 7] - count))
    known: Flags = count - NUMBERS[8] < BITS - 8
    _not_led(digits, count, known)
    long = np.flatnonzero(count == BITS)
    count >>= NUMBERS[3]
    if len(long):
        rest = head.word(1)[long] ^ ZEROS
        more = _count(_below(_stops(rest)))
        behind = eight_digits(rest << (NUMBERS[BITS + 7] - more))
        known[long] = (more < BITS) & (digits[long] & ONE_BYTE != 0)
        more >>= NUMBERS[3]
        values[long] = eight_digits(digits[long]) * TENS.take(more, mode="clip") + behind
        count[long] += more
    if highest < 10**15:
        known &= values <= one_word(highest)
    return Passed(values.astype(kind, copy=False), count.view(np.int64), known)


def _pointed(head: Head, most: int) -> tuple[Words, Words, Places, Flags]:
    """Numbers of up to eight digits without their point, how many stand behind it, how long they are, and which are told."""
    word = head.word(0)
    digits = word ^ ZEROS
    count = _count(_below(_stops(digits)))
    behind = count + NUMBERS[1]
    after = word >> behind
    after |= head.word(1) << (NUMBERS[BITS] - behind)
    after ^= ZEROS
    below = _below(_stops(after))
    fraction = _count(below)
    known: Flags = count - NUMBERS[8] < BITS - 8
    _not_led(digits, count, known)
    below >>= NUMBERS[7]
    after &= below
    width = count + fraction
    known &= width <= NUMBERS[BITS + 14]
    fraction >>= NUMBERS[3]
    point = (word >> (count - NUMBERS[7])) & ONE_BYTE == POINT
    known &= fraction - NUMBERS[1] < most
    width >>= NUMBERS[3]
    if not point.all():
        whole = np.flatnonzero(~point)
        fraction[whole], after[whole], width[whole] = 0, 0, count[whole] >> NUMBERS[3]
        known[whole] = count[whole] - NUMBERS[8] < BITS - 8
        if not int((digits[whole] & ONE_BYTE).min()):
            known[whole] &= (digits[whole] & ONE_BYTE != 0) | (count[whole] < 16)
    digits <<= NUMBERS[BITS + 7] - count
    shift = fraction << NUMBERS[3]
    digits >>= shift
    digits |= after << (NUMBERS[BITS] - shift)
    return eight_digits(digits), fraction, width.view(np.int64), known


def _fixed(precision: int, scale: int, head: Head) -> Passed:
    """Numbers as multiples of the smallest."""
    values, fraction, width, known = _pointed(head, min(scale, SMALL))
    if precision < WORD + scale:
        known &= values < TENS.take(NUMBERS[precision - scale] + fraction, mode="clip")
    values *= TENS.take(NUMBERS[scale] - fraction, mode="clip")
    return Passed(values.view(np.int64), width, known)


def _double(head: Head) -> Passed:
    """Numbers of so few digits that the quotient is the nearest DOUBLE."""
    values, fraction, width, known = _pointed(head, SMALL)
    return Passed(values.astype(np.float64) / TENS.take(fraction, mode="clip").astype(np.float64), width, known)


def _timed(column: Column, head: Head) -> Passed:
    """Days and times, of which nearly all are as long as the first."""
    if column.told is None:
        raise TypeError(column.kind)
    piece, begin, quoted = head.piece, head.start + 1, head.quoted
    at = int(begin[np.argmax(quoted)])
    width = max(piece.padded.find(QUOTE, at, at + LONGEST) - at, 0)
    spans = _Begun(piece, begin, begin + width, np.full(len(begin), width), head)
    told = column.told(spans)
    known = told.known & quoted
    known &= spans.ahead(BYTE, width) == QUOTE
    return Passed(told.values, spans.width + 2, known)


@dataclass(frozen=True, slots=True)
class _Begun(Spans):
    """Texts of which the first words are there."""

    head: Head

    def ahead(self, seen: Seen, offset: int) -> Values:
        """See there."""
        nth, byte = divmod(offset, WORD)
        words = self.head.words.shape[1] - self.head.nth
        if nth + (byte + seen.size > WORD) >= words:
            return Spans.ahead(self, seen, offset)
        found = self.head.word(nth) >> NUMBERS[8 * byte]
        if byte + seen.size > WORD:
            found |= self.head.word(nth + 1) << NUMBERS[BITS - 8 * byte]
        return found if seen is WHOLE else found.astype(seen.kind)


def _texts(head: Head) -> Passed:
    """Texts in quotes, as Arrow has them in a view."""
    first, second, begin = head.word(0), head.word(1), head.start + 1
    width = _until(head.piece, begin, (QUOTES,), FAR, head)
    return Passed(views_of(first, lambda: (first >> NUMBERS[32]) | (second << NUMBERS[32]), begin, width), width + 2, head.quoted)


def _first(words: Words, marks: Sequence[Words]) -> Places:
    """How many bytes of each word stand before one of some bytes: eight where there is none."""
    stops: Words | None = None
    for mark in marks:
        other = words ^ mark
        found = other - EACH
        np.invert(other, out=other)
        found &= other
        stops = found if stops is None else np.bitwise_or(stops, found, out=stops)
    if stops is None:
        raise IndexError(marks)
    stops &= HIGH
    count = np.bitwise_count(_below(stops))
    count >>= 3
    return count.astype(np.int64)


def _until(piece: Piece, start: Places, marks: Sequence[Words], most: int, head: Head | None = None) -> Places:
    """How many bytes stand before the first of some marks; it is looked for in so many words, a single mark also behind them."""
    width, rest = np.zeros(len(start), np.int64), np.arange(len(start))
    held = head.words.shape[1] - head.nth if head is not None else 0
    for nth in range(most):
        if head is not None and nth < held:
            words = head.word(nth) if nth == 0 else head.word(nth)[rest]
        else:
            words = piece.words[np.minimum(start[rest] + WORD * nth, len(piece.words) - 1)]
        found = _first(words, marks)
        if nth == 0:
            width = found
        else:
            width[rest] += found
        rest = rest[found == WORD]
        if not len(rest):
            return width
    if len(marks) == 1:
        places = np.append(np.flatnonzero(piece.bytes == int(marks[0] & ONE_BYTE)), len(piece.bytes) - 1)
        width[rest] = places[np.minimum(np.searchsorted(places, start[rest]), len(places) - 1)] - start[rest]
    return width


def ends_of(piece: Piece, start: Places) -> Places:
    """Where values of any kind end: behind the next quote, or before what must follow a value."""
    ends = start.copy()
    quoted = piece.bytes[start] == QUOTE
    rows = np.flatnonzero(quoted)
    if len(rows):
        begin = start[rows] + 1
        ends[rows] = begin + _until(piece, begin, (QUOTES,), FAR) + 1
    rows = np.flatnonzero(~quoted)
    if len(rows):
        ends[rows] += _until(piece, start[rows], (COMMAS, CLOSES), NEAR)
    return np.minimum(ends, len(piece.bytes) - 1)
