"""What is found in many megabytes by looking at few of their bytes: numbers of many digits."""

from __future__ import annotations

import re
from typing import IO

PIECE = 1 << 20
WORD = 8  # bytes, of which one is looked at
MANY_DIGITS = "[0-9][0-9.]{15}"  # a DOUBLE keeps 15 digits of any number (IEEE 754)
LONG_NUMBER = re.compile(MANY_DIGITS.encode())
FEW = 10_000  # rows of nine digits in a piece, which are looked at one by one


def may_have_long_numbers(stream: IO[bytes]) -> bool:
    """Whether digits and points stand somewhere, sixteen in a row.

    Such a row covers two bytes of each eight apart, so every eighth is looked at, and more only between two that would do.
    """
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
