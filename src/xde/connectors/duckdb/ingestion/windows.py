"""What stands around some places of every line, fetched from a piece of a file all at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from xde.connectors.duckdb.ingestion.at_once import HALF, WHOLE, WORD, Spans, as_number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from xde.connectors.duckdb.ingestion.at_once import Piece, Places, Seen, Values, Words


@dataclass(frozen=True, slots=True)
class Window:
    """The bytes around a place in each line, fetched together: `place` is where in what was fetched of a line, between two bounds.

    To fetch fifty bytes from afar costs as much as to fetch one, and to look at what is fetched costs a fraction of that.
    """

    held: NDArray[np.void]
    lines: int
    place: int
    bounds: tuple[int, int]

    @classmethod
    def of(cls, piece: Piece, places: Places, before: int, behind: int) -> Sequence[Window]:
        """So many bytes before some places of each line, and behind them; of places that rise, each line's in a row."""
        size = before + behind
        every = np.ndarray((len(piece.padded) - size + 1,), f"V{size}", piece.padded, strides=(1,))
        at = places.ravel() - before  # in the order in which they stand there, which is the quickest by far
        held = every[at if at[0] >= 0 else np.maximum(at, 0)]
        lines, count = places.shape
        return [cls(held, lines, n * size + before, (n * size, (n + 1) * size)) for n in range(count)]

    def moved(self, places: int) -> Window:
        """The same bytes around another place."""
        return Window(self.held, self.lines, self.place + places, self.bounds)

    def look(self, seen: Seen, offset: int) -> Values | None:
        """What stands so far from the place; not as a new array. None where that is not held."""
        at = self.place + offset
        if at < self.bounds[0] or at + seen.size > self.bounds[1]:
            return None
        return np.ndarray((self.lines,), seen.kind, self.held, at, (self.held.nbytes // self.lines,))

    def is_not(self, text: bytes, offset: int) -> Words:
        """What is not zero where another text than this one, of four bytes or more, stands so far from the place."""
        step, seen = (WORD, WHOLE) if len(text) >= WORD else (WORD // 2, HALF)
        wrong: Words | None = None
        for n in (*range(0, len(text) - step, step), len(text) - step):
            found = self.look(seen, offset + n)
            if found is None:
                raise IndexError(offset)
            other = found ^ found.dtype.type(as_number(text[n : n + step]))
            wrong = other if wrong is None else np.bitwise_or(wrong, other, out=wrong)
        if wrong is None:
            raise IndexError(offset)
        return wrong


@dataclass(frozen=True, slots=True)
class SpansInWindows(Spans):
    """Texts of which the bytes about the beginning and the end are fetched."""

    front: Window
    back: Window

    def ahead(self, seen: Seen, offset: int) -> Values:
        """See there."""
        found = self.front.look(seen, offset)
        return Spans.ahead(self, seen, offset) if found is None else found.copy()

    def behind(self, seen: Seen, offset: int) -> Values:
        """See there."""
        found = self.back.look(seen, offset)
        return Spans.behind(self, seen, offset) if found is None else found.copy()

    def inner(self) -> Spans:
        """See there."""
        within = self.front.moved(1), self.back.moved(-1)
        return SpansInWindows(self.piece, self.start + 1, self.end - 1, self.width - 2, *within)
