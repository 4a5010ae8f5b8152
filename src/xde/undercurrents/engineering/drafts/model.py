"""A model to begin with: every column of its inputs, joined by what they share, for its author to cut down."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from xde.ground.names import is_identifier, quoted
from xde.ground.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xde.kernel.project.contract import Property


@dataclass(frozen=True, slots=True)
class Source:
    """A dataset that the model shall read: its columns and their types in order, and its key as far as anybody said.

    `promises` are those of its own contract by column; `meanings` those of the columns that its own are copies of, where it has none.
    """

    name: str
    types: Mapping[str, str]
    key: tuple[str, ...] = ()
    promises: Mapping[str, Property] = field(default_factory=dict)
    meanings: Mapping[str, Property] = field(default_factory=dict)


def chosen(sources: Sequence[Source]) -> dict[str, Source]:
    """The columns of the model, each with the input that it is taken from: of two of one name the first."""
    found: dict[str, Source] = {}
    for source in sources:
        for column in source.types:
            found.setdefault(column, source)
    return found


def model_text(sources: Sequence[Source]) -> str:
    """The file of a model. Without inputs it gives one row, so that a case can fail."""
    head = "/* xde\nkind: table\ndescription: Say here what one row is\n*/\n"
    if not sources:
        return f"{head}SELECT\n    1 AS id\n"
    alias = _aliases(sources)
    columns = ",\n".join(f"    {alias[s.name]}.{_word(c)}" for c, s in chosen(sources).items())
    first, *others = sources
    lines = [f"{head}SELECT\n{columns}\nFROM {_place(first.name)} AS {alias[first.name]}"]
    seen = dict.fromkeys(first.types)
    keys = set(first.key)
    for other in others:
        lines.append(f"LEFT JOIN {_place(other.name)} AS {alias[other.name]} {_meeting(other, list(seen), keys)}")
        seen.update(dict.fromkeys(other.types))
        keys |= set(other.key)
    return "\n".join(lines) + "\n"


def _meeting(other: Source, seen: Sequence[str], keys: set[str]) -> str:
    """How an input meets those before it: by its key if they have it, else by theirs, else by a column of one name; else not at all."""
    if other.key and set(other.key) <= set(seen):
        by = list(other.key)
    else:
        shared = [c for c in other.types if c in seen]
        by = [c for c in shared if c in keys] or shared[:1]
    if not by:
        return "ON false -- say which of its rows belong to a row"
    return f"USING ({', '.join(_word(c) for c in by)})"


def _aliases(sources: Sequence[Source]) -> dict[str, str]:
    found: dict[str, str] = {}
    for source in sources:
        letter = source.name.partition(".")[2][:1].lower()
        letter = letter if letter.isalpha() else "t"
        taken = set(found.values())
        found[source.name] = next(a for a in (letter, *(f"{letter}{n}" for n in range(2, len(sources) + 2))) if a not in taken)
    return found


def _place(dataset: str) -> str:
    return ".".join(_word(part) for part in dataset.split("."))


def _word(name: str) -> str:
    return name if is_identifier(name) else quoted(name)
