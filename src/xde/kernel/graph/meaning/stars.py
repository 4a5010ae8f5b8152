"""Which columns `*`, `t.*` and `COLUMNS(...)` stand for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from xde.kernel.graph.meaning.frames import columns_of
from xde.kernel.graph.meaning.values import Column
from xde.kernel.graph.text.terms import Star, UnclearError

if TYPE_CHECKING:
    from collections.abc import Callable

    from xde.kernel.graph.meaning.frames import Frame
    from xde.kernel.graph.meaning.values import Meaning
    from xde.kernel.graph.text.terms import Columns, Term

PLAIN = re.compile(r"[\w\s^$.|()\[\]*+?{},\-]*(?:\\[dwsDWS][\w\s^$.|()\[\]*+?{},\-]*)*\Z")
"""Regular expressions that mean the same to RE2, which the engine uses, and to Python."""


def starred(star: Star, frame: Frame, meaning: Callable[[Term], Meaning]) -> list[Column]:
    """The columns of a star, with what EXCLUDE, REPLACE, RENAME and LIKE make of them. Raises `UnclearError`."""
    excluded = {e.lower() for e in star.exclude}
    replaced = {name.lower(): term for name, term in star.replace}
    renamed = {old.lower(): new for old, new in star.rename}
    kept = []
    for column in _columns(star, frame):
        name = str(column.name)
        if name.lower() in excluded or (star.like is not None and not _is_like(name, *star.like)):
            continue
        term = replaced.get(name.lower())
        kept.append(Column(renamed.get(name.lower(), name), column.meaning if term is None else meaning(term)))
    return kept


def _columns(star: Star, frame: Frame) -> list[Column]:
    if not star.table:
        return list(frame.star())
    table = frame.named(star.table[-1], star.table[-2] if len(star.table) > 1 else "")
    if table is None:
        raise UnclearError  # the fields of a STRUCT, whose names only the engine knows
    return list(columns_of(table))


def chosen(columns: Columns, frame: Frame, meaning: Callable[[Term], Meaning]) -> list[Column]:
    """The columns that `COLUMNS(...)` stands for. Raises `UnclearError`."""
    if columns.star is not None:
        return starred(columns.star, frame, meaning)
    everything = list(frame.star())
    if columns.regex is None:
        by_name = {str(c.name).lower(): c for c in everything}
        if not all(n.lower() in by_name for n in columns.names):
            raise UnclearError
        return [by_name[n.lower()] for n in columns.names]
    pattern = compiled(columns.regex)
    return [c for c in everything if pattern.search(str(c.name))]


def compiled(regex: str) -> re.Pattern[str]:
    """A regular expression of the engine's. Raises `UnclearError` when Python may take it otherwise."""
    if "(?" in regex or not PLAIN.match(regex):
        raise UnclearError
    try:
        return re.compile(regex)
    except re.error as error:
        raise UnclearError from error


def _is_like(name: str, operator: str, pattern: str) -> bool:
    negated, kind = operator.startswith("not "), operator.removeprefix("not ")
    match kind:
        case "like":
            found = _like(pattern).fullmatch(name)
        case "ilike":
            found = _like(pattern.lower()).fullmatch(name.lower())
        case "similarto":
            found = compiled(pattern).fullmatch(name)
        case "regexplike":
            found = compiled(pattern).search(name)
        case _:
            raise UnclearError
    return (found is not None) is not negated


def _like(pattern: str) -> re.Pattern[str]:
    return re.compile("".join({"%": ".*", "_": "."}.get(c, re.escape(c)) for c in pattern), re.DOTALL)
