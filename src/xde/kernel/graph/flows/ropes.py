"""A text put together from pieces that remember where they were written, so that every complaint finds its place again."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from xde.kernel.project.declarations import Stretch

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from xde.kernel.graph.text.reading import Word


class Piece(NamedTuple):
    """A piece of text. `start` and `length` are the place it comes from; `verbatim` when it stands there character by character.

    A `free` piece is verbatim and no argument of a flow that the flow may have put in several places: it can be changed by itself.
    """

    text: str
    start: int
    length: int
    verbatim: bool
    free: bool = False


Rope = tuple[Piece, ...]


def written(sql: str, start: int, end: int) -> Rope:
    """A stretch of the user's own text."""
    return (Piece(sql[start:end], start, end - start, verbatim=True, free=True),) if end > start else ()


def made(text: str, start: int, length: int) -> Rope:
    """A text that a flow made, on behalf of the place where it is called."""
    return (Piece(text, start, length, verbatim=False),) if text else ()


def in_one_line(sql: str, words: Sequence[Word], begin: int, end: int, *, free: bool = False) -> Rope:
    """The user's own tokens; comments and the ends of lines between them are blanks, so that they can stand in any line."""
    if begin >= end:
        return ()
    start = words[begin].start
    text: list[str] = []
    at = start
    for word in words[begin:end]:
        text.append(" " * (word.start - at))
        text.append(sql[word.start : word.end + 1])
        at = word.end + 1
    return (Piece("".join(text), start, at - start, verbatim=True, free=free),)


def text_of(rope: Iterable[Piece]) -> str:
    """The text of all pieces."""
    return "".join(p.text for p in rope)


def stretches_of(rope: Iterable[Piece]) -> tuple[Stretch, ...]:
    """Where each piece stands in the whole, and where it comes from; neighbours that continue each other are one."""
    found: list[Stretch] = []
    at = 0
    for piece in rope:
        end = at + len(piece.text)
        last = found[-1] if found else None
        follows = last is not None and last.verbatim == piece.verbatim and last.free == piece.free
        if last is not None and follows and (last.origin + last.length == piece.start if piece.verbatim else last.origin == piece.start):
            length = last.length + piece.length if piece.verbatim else last.length
            found[-1] = last._replace(end=end, length=length)
        else:
            found.append(Stretch(at, end, piece.start, piece.length, piece.verbatim, piece.free))
        at = end
    return tuple(found)
