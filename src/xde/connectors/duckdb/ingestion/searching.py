"""What is found in many megabytes by looking at few of their bytes, of many lines at once: some lines, numbers of many digits."""

from __future__ import annotations

import re
from bisect import bisect_left
from importlib.util import find_spec
from typing import IO, TYPE_CHECKING

from xde.connectors.duckdb.ingestion.splitting import BOM, Record

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.int64]

PIECE = 1 << 20
WORD = 8  # bytes that are looked at together
SHORT = 2 * WORD  # a shorter line is looked at as it is
SLOTS = 20  # bits: a million for the likenesses of lines
LONG_NUMBER = re.compile(rb"[0-9][0-9.]{15}")
FEW = 10_000  # rows of nine digits in a piece, which are looked at one by one
ODD = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x27D4EB2F165667C5)  # far from each other, to mix words with


def lines_among(stream: IO[bytes], wanted: Collection[bytes], refused: Sequence[int], above: int = 0) -> Iterator[Record]:
    """Of a file in which no record has two lines: those that stand among some, and those that begin at some offsets.

    The first `above` lines are passed over. Wanted are texts without the line feed.
    """
    import numpy as np

    offset = sum(len(stream.readline()) for _ in range(above))
    line, told = above + 1, 0
    likely = _slots(wanted)
    while piece := stream.read(PIECE) + stream.readline():
        if offset == 0 and piece.startswith(BOM):
            piece, offset = piece[len(BOM) :], len(BOM)
        ends = np.flatnonzero(np.frombuffer(piece, np.uint8) == ord("\n"))
        if not piece.endswith(b"\n"):
            ends = np.append(ends, len(piece))
        starts = np.concatenate([[0], ends[:-1] + 1])
        until = bisect_left(refused, offset + len(piece) + (not piece.endswith(b"\n")), told)
        wrong = set(np.searchsorted(starts, np.array(refused[told:until], np.int64) - offset).tolist())
        alike = np.flatnonzero(likely[_slot(piece, starts, ends)] | (ends - starts < SHORT)).tolist()
        for n in sorted(wrong.union(alike)):
            text = piece[starts[n] : ends[n]]
            if n in wrong or text in wanted:
                yield Record(line + n, offset + int(starts[n]), text.rstrip(b"\r\n"), n in wrong)
        told, offset, line = until, offset + len(piece), line + len(ends)


def _slots(lines: Collection[bytes]) -> NDArray[np.bool_]:
    """For each slot whether one of some lines is in it."""
    import numpy as np

    slots = np.zeros(1 << SLOTS, np.bool_)
    long = [x for x in lines if len(x) >= SHORT]
    ends = np.cumsum([len(x) for x in long], dtype=np.int64)
    if long:
        slots[_slot(b"".join(long), np.concatenate([[0], ends[:-1]]), ends)] = True
    return slots


def _slot(text: bytes, starts: Numbers, ends: Numbers) -> Numbers:
    """A number for each line, equal for equal lines: of its first two words, its last, and one in the middle."""
    import numpy as np

    words = np.ndarray((len(text) + 1,), "<u8", text + bytes(SHORT), strides=(1,))
    places = (starts, starts + WORD, np.maximum(ends - WORD, starts), (starts + ends - WORD) >> 1)
    mixed = np.zeros(len(starts), np.uint64)
    for place, odd in zip(places, ODD, strict=True):
        mixed += words[np.clip(place, 0, len(text))] * np.uint64(odd)
    return ((mixed ^ (mixed >> np.uint64(29))) * np.uint64(ODD[0]) >> np.uint64(64 - SLOTS)).astype(np.int64)


def may_have_long_numbers(stream: IO[bytes]) -> bool:
    """Whether digits and points stand somewhere, sixteen in a row; true without a look where NumPy is not installed.

    Such a row covers two bytes of each eight apart, so every eighth is looked at, and more only between two that would do.
    """
    if find_spec("numpy") is None:
        return True
    import numpy as np

    numeric = np.isin(np.arange(256), np.frombuffer(b"0123456789.", np.uint8))
    rest = b""
    while piece := stream.read(PIECE):
        held = rest + piece
        text = np.frombuffer(held, np.uint8)
        every = numeric[text[::WORD]]
        at = np.flatnonzero(every[:-1] & every[1:]) * WORD
        for further in range(1, WORD):
            at = at[numeric[text[at + further]]]
        if len(at) > FEW or any(LONG_NUMBER.search(held, max(0, x - 2 * WORD), x + 3 * WORD) for x in at.tolist()):
            return True
        rest = held[1 - 2 * WORD :]
    return False
