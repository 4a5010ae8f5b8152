"""Texts as values, those of many records at once: by arithmetic on the bytes of a file, eight of them at a time.

Only what is written in the plainest way is told here, for of that nothing needs to be compared: `-12.50`, `2026-01-02 03:04:05`. Of
all other texts nothing is said but that they are not told: what they are is decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Places = NDArray[np.int64]
Words = NDArray[np.uint64]
Flags = NDArray[np.bool_]
Values = NDArray[Any]

ROOM = 128  # bytes before and after those of a piece, so that a word can begin before it or end behind it
WORD = 8
DIGITS = 19  # more do not fit into 64 bits
SURE = 15  # so many digits are exact in a DOUBLE, and so is a quotient of two such numbers
U = np.uint64


def one_word(number: int) -> Words:
    """A number as an array without dimensions, which NumPy takes in two thirds of the time that it needs for its own numbers."""
    return np.array(number, U)


NUMBERS = tuple(map(one_word, range(1 << 8)))
ZEROS = one_word(0x3030303030303030)
STEPS = (  # of digits pairs, of pairs fours, of fours eights
    (NUMBERS[10], NUMBERS[8], one_word(0x00FF00FF00FF00FF)),
    (NUMBERS[100], NUMBERS[16], one_word(0x0000FFFF0000FFFF)),
    (one_word(10_000), NUMBERS[32], one_word(0x00000000FFFFFFFF)),
)
HIGH = one_word(0x8080808080808080)
ABOVE_NINE = one_word(0x7676767676767676)  # of a byte above 9 it makes one with its highest bit
ONE_BYTE = NUMBERS[255]
MINUS = ord("-")
LOW = np.array([(1 << 8 * n) - 1 for n in range(WORD + 1)], U)  # the lowest bytes of a word
INLINE, PREFIX = 12, 4  # bytes: a shorter text stands in its view, of a longer one its beginning
MONTHS = np.arange(np.datetime64("0000-01"), np.datetime64("10000-01"))
BEGINS = MONTHS.astype("datetime64[D]").astype(np.int64)  # each month's first day
LENGTHS = np.diff(np.append(BEGINS, BEGINS[-1] + 31))
SAMPLED = 30  # texts, by which it is seen how most of them are written
SECOND, DAY = 1_000_000, 86_400_000_000


@dataclass(frozen=True, slots=True)
class Seen:
    """Bytes that are looked at as one number."""

    kind: str
    size: int
    of: Callable[[Piece], Values]


class Piece:
    """Some bytes, and the words that begin at each of them: bytes that stand first are the lowest."""

    __slots__ = ("bytes", "halves", "padded", "words")

    def __init__(self, *texts: bytes) -> None:
        self.padded = b"".join((bytes(ROOM), *texts, bytes(ROOM)))
        self.bytes = np.frombuffer(self.padded, np.uint8)
        size = len(self.padded)
        self.words: Words = np.ndarray((size - 7,), "<u8", self.padded, strides=(1,))
        self.halves: NDArray[np.uint32] = np.ndarray((size - 3,), "<u4", self.padded, strides=(1,))


BYTE = Seen("u1", 1, lambda piece: piece.bytes)
HALF = Seen("<u4", 4, lambda piece: piece.halves)
WHOLE = Seen("<u8", 8, lambda piece: piece.words)


@dataclass(frozen=True, slots=True)
class Spans:
    """Where texts stand in a piece."""

    piece: Piece
    start: Places
    end: Places
    width: Places

    @classmethod
    def of(cls, piece: Piece, start: Places, end: Places) -> Spans:
        return cls(piece, start, end, end - start)

    def among(self, rows: Places, sign: int = 0) -> Spans:
        """Some of them, each without its first bytes."""
        return Spans.of(self.piece, self.start[rows] + sign, self.end[rows])

    def inner(self) -> Spans:
        """Without the first byte and the last."""
        return Spans.of(self.piece, self.start + 1, self.end - 1)

    def ahead(self, seen: Seen, offset: int) -> Values:
        """What stands so far behind the beginning of each text, as a new array."""
        return seen.of(self.piece)[self.start + offset if offset else self.start]

    def behind(self, seen: Seen, offset: int) -> Values:
        """What stands so far behind the end of each text (before it, where that is negative), as a new array."""
        return seen.of(self.piece)[self.end + offset]


@dataclass(frozen=True, slots=True)
class Told:
    """Values, and which of them are told: the others are anything."""

    values: Values
    known: Flags


Telling = Callable[[Spans], Told]


def places_of(flags: Flags) -> Places:
    """Where flags are set, of which there are few: eight of them are looked at together."""
    whole = len(flags) // WORD * WORD
    words = flags[:whole].view(U)
    rows = np.flatnonzero(words != 0)
    found = words[rows]
    found -= NUMBERS[1]
    if (words[rows] & found).any():  # two that stand so close together
        return np.flatnonzero(flags)
    rows *= WORD
    rows += np.bitwise_count(found) >> 3
    rest = np.flatnonzero(flags[whole:])
    return np.concatenate([rows, rest + whole]) if len(rest) else rows


def missing(spans: Spans, words: Sequence[bytes]) -> Flags:
    """Which texts are one of some words."""
    found = np.zeros(len(spans.width), np.bool_)
    for word in words:
        same = spans.width == len(word)
        for n in range(0, len(word) if same.any() else 0, WORD):
            part = word[n : n + WORD]
            same &= (spans.piece.words[np.minimum(spans.start + n, len(spans.piece.words) - 1)] & LOW[len(part)]) == U(as_number(part))
        found |= same
    return found


def whole(lowest: int, highest: int, kind: str) -> Telling:
    """Whole numbers of a type."""

    def told(value: Words, _: int) -> Told:
        return Told(value.view(np.int64).astype(kind, copy=False), value <= U(highest))

    return lambda spans: _numbers(spans, told, (0,), 0, signed=lowest < 0)


def unsigned(highest: int, kind: str) -> Telling:
    """Whole numbers without a sign."""
    return lambda spans: _numbers(spans, lambda v, _: Told(v.astype(kind, copy=False), v <= U(highest)), (0,), 0, signed=False)


def fixed(precision: int, scale: int, mark: str) -> Telling:
    """Numbers of at most 18 digits, as multiples of the smallest."""

    def told(value: Words, fraction: int) -> Told:
        more = 10 ** (scale - fraction)
        known = value < U(10**precision // more)
        return Told((value * U(more) if more > 1 else value).view(np.int64), known)

    return lambda spans: _numbers(spans, told, range(scale, -1, -1), ord(mark), signed=True)


def double(mark: str) -> Telling:
    """Numbers of so few digits that the quotient is the nearest DOUBLE."""

    def told(value: Words, fraction: int) -> Told:
        return Told(value.astype(np.float64) / 10.0**fraction, value < U(10**SURE))

    return lambda spans: _numbers(spans, told, (2, 1, *range(3, SURE + 1), 0), ord(mark), signed=True)


def day(spans: Spans) -> Told:
    """Days as `2026-01-02`, in days since 1970."""
    days, known = _day(spans)
    return Told(days.astype(np.int32), known & (spans.width == 10))


def moment(spans: Spans) -> Told:
    """Times as `2026-01-02 03:04:05`, with up to six digits of a second, in microseconds since 1970."""
    piece, start, width = spans.piece, spans.start, spans.width
    days, known = _day(spans)
    between = spans.ahead(BYTE, 10)
    (hours, minutes, seconds), two = _three_pairs(spans.ahead(WHOLE, 11), b"00:00:00")
    known &= two & ((between == ord(" ")) | (between == ord("T"))) & (hours < 24) & (minutes < 60) & (seconds < 60)
    micros = days * DAY + ((hours * 60 + minutes) * 60 + seconds) * SECOND
    exact = width == 19
    if not exact.all():
        rows = np.flatnonzero(known & (width > 20) & (width < 27))
        parts, fine = _digits(spans.among(rows), width[rows] - 20, 0)
        fine &= piece.bytes[start[rows] + 19] == ord(".")
        micros[rows] += parts.view(np.int64) * (10 ** (26 - width[rows]))
        exact[rows[fine]] = True
    return Told(micros, known & exact)


def views(spans: Spans) -> Words:
    """Texts as Arrow has them in a view: two words each, with a short text itself or with the place of a long one."""
    return views_of(spans.ahead(HALF, 0), lambda: spans.ahead(WHOLE, PREFIX), spans.start, spans.width)


def views_of(first: NDArray[Any], rest: Callable[[], Words], start: Places, width: Places) -> Words:
    """As `views`, by the first four bytes of each text or more, and the next eight."""
    made = np.empty((len(width), 2), U)
    longest = int(width.max(initial=0))
    if first.itemsize > PREFIX or int(width.min(initial=0)) < PREFIX:
        first = first & LOW[: PREFIX + 1].astype(first.dtype).take(width, mode="clip")
    made[:, 0] = first
    made[:, 0] <<= NUMBERS[32]
    made[:, 0] |= width.view(U)
    if longest <= PREFIX:
        made[:, 1] = 0
        return made
    placed = start.view(U) << NUMBERS[32] if longest > INLINE else None
    if placed is not None and int(width.min()) > INLINE:
        made[:, 1] = placed
        return made
    inline = rest()
    inline &= LOW[np.clip(width - PREFIX, 0, WORD)]
    made[:, 1] = inline if placed is None else np.where(width <= INLINE, inline, placed)
    return made


def _likely(spans: Spans, fractions: Sequence[int], mark: int) -> Sequence[int]:
    """The numbers of digits behind the mark, that of the most among some texts first."""
    if len(fractions) == 1:
        return fractions
    piece, step = spans.piece.padded, max(1, len(spans.width) // SAMPLED)
    found = dict.fromkeys(fractions, 0)
    for start, end in zip(spans.start[::step].tolist(), spans.end[::step].tolist(), strict=True):
        at = piece.find(mark, start, end)
        digits = end - at - 1 if at >= 0 else 0
        if digits in found:
            found[digits] += 1
    return sorted(fractions, key=lambda n: -found[n])


def _numbers(spans: Spans, told: Callable[[Words, int], Told], fractions: Sequence[int], mark: int, *, signed: bool) -> Told:
    """Numbers of so many digits behind a mark: nearly all have as many as the first of them says."""
    fractions = _likely(spans, fractions, mark)
    values, known = _of_fraction(spans, told, fractions[0], mark)
    for rows, found in _others(spans, ~known, told, fractions, mark):
        values[rows], known[rows] = found.values, True
    if signed and not known.all():
        rows = np.flatnonzero(~known & (spans.ahead(BYTE, 0) == MINUS))
        if len(rows):
            found = _numbers(spans.among(rows, 1), told, fractions, mark, signed=False)
            values[rows], known[rows] = -found.values, found.known
    return Told(values, known)


def _others(
    spans: Spans, doubtful: Flags, told: Callable[[Words, int], Told], fractions: Sequence[int], mark: int
) -> Iterator[tuple[Places, Told]]:
    rest = np.flatnonzero(doubtful & (spans.width > 0))
    for fraction in fractions[1:]:
        if not len(rest):
            return
        values, known = _of_fraction(spans.among(rest), told, fraction, mark)
        yield rest[known], Told(values[known], known)
        rest = rest[~known]


def _of_fraction(spans: Spans, told: Callable[[Words, int], Told], fraction: int, mark: int) -> tuple[Values, Flags]:
    if not fraction:
        value, known = _digits(spans, spans.width, 0)
    else:
        value, known = _digits(spans, spans.width - 1, fraction)
        known &= (spans.behind(BYTE, -1 - fraction) == mark) & (spans.width > fraction + 1)
    found = told(value, fraction)
    return found.values, known & found.known


def _digits(spans: Spans, count: Places, fraction: int) -> tuple[Words, Flags]:
    """The number that some last digits make, where all are digits; of them so many stand behind a mark, which is passed over."""
    most = int(count.max(initial=0))
    if most <= WORD // 2:
        short, no_digits = _four(spans, count, fraction)
        return short, (no_digits == 0) & (count > 0)
    value, wrong = _eight(spans, count, fraction, 0)
    for nth in range(1, -(-min(most, DIGITS) // WORD)):
        more, odd = _eight(spans, count, fraction, nth)
        more *= U(10 ** (WORD * nth))
        value += more
        wrong |= odd
    known = (wrong == 0) & (count > 0)
    return value, known if most <= DIGITS else known & (count <= DIGITS)


def _four(spans: Spans, count: Places, fraction: int) -> tuple[Words, NDArray[np.uint32]]:
    """As `_eight` of at most four digits: of words half as long twice as many are looked at together."""
    word = spans.behind(HALF, -4)
    if fraction and fraction < 4:
        front = np.uint32((1 << 8 * (4 - fraction)) - 1)
        word &= ~front
        word |= spans.behind(HALF, -5) & front
    word ^= np.uint32(0x30303030)
    shift = _shift(count, 4).astype(np.uint32)
    word >>= shift
    word <<= shift
    wrong = ((word + np.uint32(0x76767676)) | word) & np.uint32(0x80808080)
    pairs = word * np.uint32(10)
    word >>= np.uint32(8)
    pairs += word
    pairs &= np.uint32(0x00FF00FF)
    value = pairs * np.uint32(100)
    pairs >>= np.uint32(16)
    value += pairs
    value &= np.uint32(0xFFFF)
    return value.astype(U), wrong


def _eight(spans: Spans, count: Places, fraction: int, nth: int) -> tuple[Words, Words]:
    """Of the eight digits that are the n-th from the end the number, and what is not zero where they are none."""
    before = -WORD * (nth + 1)
    behind = fraction - WORD * nth  # digits of these that stand behind the mark
    if behind >= WORD or not fraction:
        word = spans.behind(WHOLE, before)
    elif behind <= 0:
        word = spans.behind(WHOLE, before - 1)
    else:
        front = LOW[WORD - behind]
        word = spans.behind(WHOLE, before)
        word &= ~front
        word |= spans.behind(WHOLE, before - 1) & front
    word ^= ZEROS
    shift = _shift(count - WORD * nth if nth else count, WORD).astype(U)
    word >>= shift
    word <<= shift
    wrong = word + ABOVE_NINE
    wrong |= word
    wrong &= HIGH
    return eight_digits(word), wrong


def eight_digits(word: Words) -> Words:
    """The number that eight digits less their zeros make; the words are used up."""
    for tens, bits, mask in STEPS:
        value = word * tens
        word >>= bits
        value += word
        value &= mask
        word = value
    return word


def _shift(count: Places, width: int) -> Places:
    """How many bits of a word are no digits: all of it, or more, where there are none."""
    none = width - count
    if int(none.min(initial=0)) < 0:
        np.maximum(none, 0, out=none)
    none <<= 3
    return none


def _day(spans: Spans) -> tuple[Places, Flags]:
    (years, months, days), known = _three_pairs(spans.ahead(WHOLE, 2), b"00-00-00")
    century = (spans.ahead(HALF, 0) & np.uint32(0xFFFF)) ^ np.uint32(0x3030)
    known &= ((century + np.uint32(0x7676)) | century) & np.uint32(0x8080) == 0
    years += ((century & np.uint32(0xFF)) * np.uint32(10) + (century >> np.uint32(8))).astype(np.int64) * 100
    known &= (months > 0) & (months < 13) & (years > 0) & (days > 0)
    month = np.where(known, years * 12 + months - 1, 0)
    return BEGINS[month] + days - 1, known & (days <= LENGTHS[month])


def _three_pairs(word: Words, form: bytes) -> tuple[tuple[Places, Places, Places], Flags]:
    """The numbers of a word such as `26-01-02`; the form has zeros for its digits."""
    word = word ^ U(as_number(form))
    above = U(as_number(bytes(0x76 if x == ord("0") else 0x7F for x in form)))
    known = ((word + above) | word) & HIGH == 0
    pairs = word * NUMBERS[10] + (word >> NUMBERS[8])
    return ((pairs & ONE_BYTE).view(np.int64), _byte(pairs, 3), _byte(pairs, 6)), known


def _byte(word: Words, place: int) -> Places:
    return ((word >> NUMBERS[8 * place]) & ONE_BYTE).view(np.int64)


def as_number(text: bytes) -> int:
    """Bytes as they stand in a word."""
    return int.from_bytes(text, "little")
