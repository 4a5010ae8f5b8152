"""Texts and flow collections as YAML that every reader understands alike, by the rules of 1.1 and of 1.2."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_PLAIN = re.compile(r"[A-Za-z_](?:[A-Za-z0-9_./()+-]| (?![#]))*\Z")
_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf", "na"})


def scalar(value: object) -> str:
    """One value; a text in double quotes unless nobody could take it for anything else."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        plain = _PLAIN.match(value) and not value.endswith(" ") and value.casefold() not in _WORDS
        return value if plain else f'"{"".join(map(_escaped, value))}"'
    return json.dumps(value)


def flow(values: Mapping[str, object] | list[object] | tuple[object, ...]) -> str:
    """A mapping or list on one line."""
    if isinstance(values, (list, tuple)):
        return f"[{', '.join(_inner(v) for v in values)}]"
    return "{" + ", ".join(f"{k}: {_inner(v)}" for k, v in values.items()) + "}"


def _inner(value: object) -> str:
    return flow(value) if isinstance(value, (dict, list, tuple)) else scalar(value)


def _escaped(character: str) -> str:
    """A character within double quotes (YAML 1.2, 5.7): what cannot be printed by its number."""
    if character in {'"', "\\"}:
        return f"\\{character}"
    return character if character.isprintable() else f"\\U{ord(character):08X}"


def comment(text: str, indent: int, width: int = 130) -> list[str]:
    """A remark as lines of comments."""
    pad, lines, line = " " * indent, [], "#"
    for word in "".join(c if c.isprintable() else " " for c in text).split():
        if len(pad) + len(line) + 1 + len(word) > width and line != "#":
            lines.append(f"{pad}{line}")
            line = "#  "
        line += f" {word}"
    return [*lines, f"{pad}{line}"]
