"""Records found again in the bytes of a text file, apart from the reader: how many there are, and where each begins."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from xde.lifecycle.ingestion.port import Dialect

BOM = b"\xef\xbb\xbf"
PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Record:
    """A record as it stands in a file: the physical line it begins on (from 1), where it begins, its bytes without its line end.

    `refused` says that the reader refused it; the offset is -1 where the file was not read as its own bytes.
    """

    line: int
    offset: int
    raw: bytes
    refused: bool = False


@dataclass(frozen=True, slots=True)
class Splitting:
    """What ends a record: a line end, unless a quote is open; `blanks` says whether a blank line is a record."""

    delimiter: bytes = b""
    quote: bytes = b""
    escape: bytes = b""
    comment: bytes = b""
    blanks: bool = True

    @classmethod
    def of_csv(cls, dialect: Dialect, columns: int) -> Splitting:
        """As the dialect says; in a file of one column a blank line is a record whose value is missing."""
        quote = dialect.quote.encode()
        return cls(
            dialect.delimiter.encode(), quote, dialect.escape.encode() or quote, (dialect.comment or "").encode(), blanks=columns == 1
        )

    @property
    def marks(self) -> tuple[bytes, ...]:
        """What makes of a line more than its fields, each a single byte."""
        return tuple({m for m in (self.quote, self.escape, self.comment) if m})

    def still_open(self, text: bytes, *, within: bool) -> bool:
        """Whether a quote is open after a line; a quote opens only at the start of a field, spaces before it left out."""
        if not self.quote or (not within and self.quote not in text):
            return within
        at = 0
        while True:
            if not within:
                start = at
                while text[start : start + 1] == b" ":
                    start += 1
                within = text.startswith(self.quote, start)
                at = start + len(self.quote) if within else at
            if within:
                at = self._closed(text, at)
                if at < 0:
                    return True
                within = False
            at = text.find(self.delimiter, at)
            if at < 0:
                return False
            at += len(self.delimiter)

    def _closed(self, text: bytes, at: int) -> int:
        """Where a quoted text that goes on at `at` has ended, or -1."""
        while True:
            quote = text.find(self.quote, at)
            escape = text.find(self.escape, at) if self.escape != self.quote else -1
            if escape >= 0 and (quote < 0 or escape < quote):
                at = escape + len(self.escape) + 1
            elif quote < 0:
                return -1
            elif self.escape == self.quote and text.startswith(self.quote, quote + len(self.quote)):
                at = quote + 2 * len(self.quote)
            else:
                return quote + len(self.quote)


def records(stream: IO[bytes], splitting: Splitting, rejected: Mapping[int, int], above: int = 0) -> Iterator[Record]:
    """The records below the first `above` physical lines.

    `rejected` gives the lengths of records that the reader refused, by their offset: their quotes may be wrong, so they end
    at the first line end after what the reader took for them.
    """
    line, offset, length, within = 0, 0, 0, False
    held: list[bytes] = []
    begun_line, begun = 1, 0
    for text in stream:
        line += 1
        here, offset = offset, offset + len(text)
        if line <= above:
            continue
        if not held:
            piece = text.removeprefix(BOM) if here == 0 else text
            begun_line, begun, length = line, offset - len(piece), 0
        else:
            piece = text
        held.append(piece)
        length += len(piece)
        if begun in rejected:
            if length - _ending(piece) < rejected[begun]:
                continue
        else:
            within = splitting.still_open(piece, within=within)
            if within:
                continue
        if _counts(held, splitting, refused=begun in rejected):
            yield Record(begun_line, begun, _trimmed(held), begun in rejected)
        held, within = [], False
    if held:
        yield Record(begun_line, begun, _trimmed(held), begun in rejected)


def lines_as_records(stream: IO[bytes], rejected: Mapping[int, int], wanted: Sequence[int], above: int = 0) -> Iterator[Record]:
    """Of a file in which every physical line below the first `above` is a record: those that were refused, and those at some positions.

    `wanted` are positions among the records not refused, from 0, in their order.
    """
    offset = sum(len(stream.readline()) for _ in range(above))
    refused, line, position, done, told = sorted(rejected), above + 1, 0, 0, 0
    while piece := stream.read(PIECE) + stream.readline():
        texts = piece.split(b"\n")
        lines = len(texts) - piece.endswith(b"\n")
        end = offset + len(piece) + (not piece.endswith(b"\n"))  # of a file that is a mark and nothing else, the record begins at its end
        here = refused[told : bisect_left(refused, end, told)]
        wrong = {piece.count(b"\n", 0, o - offset) for o in here}
        good = [n for n in range(lines) if n not in wrong] if wrong else range(lines)
        until = bisect_left(wanted, position + len(good), done)
        places = sorted([*wrong, *(good[p - position] for p in wanted[done:until])])
        for n, start in _starts(texts, places):
            text = texts[n]
            mark = len(BOM) if offset + start == 0 and text.startswith(BOM) else 0
            yield Record(line + n, offset + start + mark, text[mark:].rstrip(b"\r\n"), n in wrong)
        done, told, position = until, told + len(here), position + len(good)
        offset, line = offset + len(piece), line + lines


def _starts(lines: Sequence[bytes], places: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Where some lines start: each by its number with the length of all before it."""
    start, passed = 0, 0
    for n in places:
        start += sum(map(len, lines[passed:n])) + n - passed
        passed = n
        yield n, start


def _counts(held: list[bytes], splitting: Splitting, *, refused: bool) -> bool:
    if refused or len(held) > 1:
        return True
    if splitting.comment and held[0].startswith(splitting.comment):
        return False
    return splitting.blanks or bool(held[0].strip(b"\r\n"))


def _ending(text: bytes) -> int:
    return len(text) - len(text.rstrip(b"\r\n"))


def _trimmed(held: list[bytes]) -> bytes:
    return b"".join(held).rstrip(b"\r\n")
