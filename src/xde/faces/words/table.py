"""A table of text: columns as wide as they need, numbers right, cut to the terminal, in any script."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xde.faces.words.cells import fitted, visible, width
from xde.faces.words.ink import PLAIN, Ink
from xde.ground.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence

GAP = "  "
NULL = "NULL"
WIDEST = 60  # cells of one column when the whole does not fit


@dataclass(frozen=True, slots=True)
class Column:
    """A column's title, and whether its cells stand right."""

    title: str
    right: bool = False


@dataclass(frozen=True, slots=True)
class Drawn:
    """The lines of a table, and the titles of the columns that found no room."""

    lines: list[str]
    hidden: tuple[str, ...] = ()


def draw(columns: Sequence[Column], rows: Sequence[Sequence[str | None]], *, cells: int | None = None, ink: Ink = PLAIN) -> Drawn:
    """Draw rows of text below their titles; None is a null. `cells` is the width of the terminal, None for no limit.

    If the whole is too wide, long cells are cut first, then columns are left out from the right (never the first).
    """
    shown = [[None if c is None else visible(c) for c in row] for row in rows]
    titles = [visible(c.title) for c in columns]
    widths = _widths(titles, shown)
    if cells is not None and _total(widths) > cells:
        widths = [min(w, max(WIDEST, width(t))) for w, t in zip(widths, titles, strict=True)]
    kept = _fitting(widths, cells)
    if cells is not None and kept:
        widths[0] = min(widths[0], max(cells, 1))
    lines = [
        _line([(titles[i], widths[i], columns[i].right) for i in range(kept)], ink, head=True),
        ink("dim", GAP.join("─" * widths[i] for i in range(kept))),
    ]
    lines += [_line([(row[i], widths[i], columns[i].right) for i in range(kept)], ink) for row in shown]
    return Drawn(lines, tuple(titles[kept:]))


def _widths(titles: Sequence[str], rows: Sequence[Sequence[str | None]]) -> list[int]:
    columns = zip(*rows, strict=True) if rows else ((),) * len(titles)
    return [max((len(NULL) if c is None else width(c) for c in {t, *column}), default=0) for t, column in zip(titles, columns, strict=True)]


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + len(GAP) * (len(widths) - 1)


def _fitting(widths: Sequence[int], cells: int | None) -> int:
    kept = len(widths)
    while cells is not None and kept > 1 and _total(widths[:kept]) > cells:
        kept -= 1
    return kept


def _line(row: Sequence[tuple[str | None, int, bool]], ink: Ink, *, head: bool = False) -> str:
    parts = []
    for text, wide, right in row:
        cell = fitted(NULL if text is None else text, wide, right=right)
        if head:
            cell = ink("strong", cell)
        elif text is None:
            cell = ink("dim", cell)
        parts.append(cell)
    line = GAP.join(parts)
    return line if ink.on else line.rstrip()
