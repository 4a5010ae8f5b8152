"""A case to begin with: a row of each input, in the columns that are read; nothing expected, so that it fails until somebody says what."""

from __future__ import annotations

import json
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING

from xde.kernel.project.contract import Property
from xde.undercurrents.engineering.properties.patterns import matching
from xde.undercurrents.engineering.testing.case import Nested
from xde.undercurrents.engineering.testing.case_writer import case_text
from xde.undercurrents.engineering.testing.filling import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

NAME = "say here what must hold"
EXPECT = "[]  # write the rows that must come out; it fails until you do"
EXPECT_OF_SOURCE = "{rows: [], letters: 0}  # write the rows that must come in; it fails until you do"
NOW = "2000-01-02"
_EXCLUSIVE = frozenset({"exclusiveMinimum", "exclusiveMaximum"})


def sample_row(types: Mapping[str, str], columns: Iterable[str], promises: Mapping[str, Property]) -> dict[str, object]:
    """A row that the contract allows, as far as it says so column by column; what is a key in two tables is the same in both."""
    return {c: _sample(promises.get(c, Property(c)), types[c]) for c in columns}


def _sample(promise: Property, kind: str) -> object:
    told = _told(promise)
    if told is not None:
        return told
    limits = [promise.options[word] for word in ("minimum", "maximum") if word in promise.options]
    if limits and kind.upper().startswith(("DATE", "TIME")):
        return str(limits[0])
    if limits and all(isinstance(limit, int | float) for limit in limits) and len(promise.options.keys() & _EXCLUSIVE) == 0:
        low, high = promise.options.get("minimum", 1), promise.options.get("maximum", 1)
        return str(low if float(str(low)) > 1 else high if float(str(high)) < 1 else 1)
    cell = plain(replace(promise, required=True, unique=True), kind, 1)
    return json.loads(cell.json) if isinstance(cell, Nested) else cell


def _told(promise: Property) -> str | None:
    """A value of those that the contract lists, or one that its pattern takes."""
    given = [promise.options, *(rule.arguments for rule in promise.quality)]
    lists = [promise.enum, *(g.get("validValues") for g in given)]
    listed = [v for values in lists if isinstance(values, (list, tuple)) for v in values if v is not None]
    if listed:
        return str(listed[0])
    for pattern in (g.get("pattern") for g in given):
        found = matching(pattern, Random(0), 1) if isinstance(pattern, str) else []  # noqa: S311 - the same each time, and no secret
        if found:
            return found[0]
    return None


def case_lines(taken: Iterable[str], given: Mapping[str, Sequence[Mapping[str, object]]], *, timed: bool) -> list[str]:
    """The lines of a case with a name that no other has; `timed`: the model asks what day it is."""
    lines = case_text(free_name(taken), given, [EXPECT])
    if timed:
        lines.insert(1, f"  now: {NOW}")
    return lines


def free_name(taken: Iterable[str]) -> str:
    """The name of a drafted case, numbered where it is taken."""
    names = set(taken)
    return next(n for n in (NAME, *(f"{NAME} ({i})" for i in range(2, len(names) + 3))) if n not in names)
