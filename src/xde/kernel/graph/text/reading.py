"""What the text of one model says by itself: plain data, so that it can come from another process and needs no parser after."""

from __future__ import annotations

from typing import NamedTuple

from xde.kernel.graph.text.terms import Query  # noqa: TC001 - the type of a field, pickled


class Place(NamedTuple):
    """A stretch of a model's SQL, in characters from 0."""

    start: int
    length: int


class Word(NamedTuple):
    """A token of a text: its kind by the tokenizer's name for it, its characters, where the first and the last of them stand."""

    kind: str
    text: str
    start: int
    end: int


class Fault(NamedTuple):
    """Something wrong with the text itself, to be made a finding of where the file is known."""

    code: str
    message: str
    place: Place | None = None
    label: str = ""
    why: str = ""
    hint: str = ""


class TableName(NamedTuple):
    """A table that the text names, with its parts as written."""

    parts: tuple[str, ...]
    place: Place


class Reading(NamedTuple):
    """The facts of one text.

    `query` is None where it holds something whose lineage cannot be told exactly, or cannot be read at all (`faults`).
    `lost` are words of the text that the syntax tree does not hold: if one of them is a column, the tree is not the whole truth.
    `salt` stands for constants that the tree does not hold; `canonical` for the whole text without comments and layout.
    """

    faults: tuple[Fault, ...] = ()
    tables: tuple[TableName, ...] = ()
    parameters: tuple[tuple[str, Place], ...] = ()
    query: Query | None = None
    lost: tuple[str, ...] = ()
    salt: str = ""
    canonical: str = ""
