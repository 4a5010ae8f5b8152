"""Cells of a terminal: wide, combining and dangerous characters."""

import pytest

from xde.faces.words.cells import cut, pad, visible, width


@pytest.mark.parametrize(
    ("text", "cells"),
    [("abc", 3), ("日本", 4), ("München", 7), ("Mu\u0308nchen", 7), ("a\u200bb", 2), ("🛫", 2), ("", 0), ("\uff21\uff22", 4)],
)
def test_width(text, cells):
    assert width(text) == cells


def test_what_would_move_the_cursor_is_shown_instead():
    assert visible("a\x1b[2Jb\r\n\t\x00\x7f") == "a␛[2Jb␍↵␉␀␡"
    assert visible("\x9b31m \u202eevil \udc80") == "\\x9b31m \\u202eevil \\udc80"
    assert visible("naïve 日本 🛫 a\xa0b") == "naïve 日本 🛫 a\xa0b"


def test_cutting_never_splits_a_wide_character():
    assert cut("abcdef", 4) == "abc…"
    assert cut("日本語", 4) == "日…"
    assert cut("日本語", 6) == "日本語"
    assert all(width(cut("a日本語b", n)) <= n for n in range(1, 9))


def test_padding_counts_cells():
    assert pad("日", 4) == "日  "
    assert pad("7", 3, right=True) == "  7"
