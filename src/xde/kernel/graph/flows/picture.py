"""Rows in and rows out of a flow, as data: what the documents show is what the tests run."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class Rows(NamedTuple):
    """A small table: columns, their types, and cells as texts (None is NULL)."""

    columns: tuple[str, ...]
    types: tuple[str, ...]
    cells: tuple[tuple[str | None, ...], ...]


class Picture(NamedTuple):
    """A call, the datasets that it reads, and what it gives; `also` are values of parameters."""

    call: str
    given: Mapping[str, Rows]
    gives: Rows
    also: Mapping[str, str] = {}


def table(text: str) -> Rows:
    """A table from lines with `|` between cells: names with types (`id INTEGER`), then the rows; an empty cell is NULL."""
    lines = [line.strip() for line in text.strip().splitlines()]
    heads = [cell.strip().split(" ", 1) for cell in lines[0].split("|")]
    cells = tuple(tuple(cell.strip() or None for cell in line.split("|")) for line in lines[1:])
    if any(len(row) != len(heads) for row in cells):
        msg = f"a row of the picture has not as many cells as `{lines[0]}`"
        raise ValueError(msg)
    return Rows(tuple(h[0] for h in heads), tuple(h[1] for h in heads), cells)
