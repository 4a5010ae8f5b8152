"""Texts that match a regular expression: the parser of `re` walked at random, each text tried before it is given."""

from __future__ import annotations

import importlib
import re
import string
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from random import Random

ANY = string.ascii_letters + string.digits + " -_"
CATEGORIES = {
    "CATEGORY_DIGIT": string.digits,
    "CATEGORY_NOT_DIGIT": string.ascii_letters + "-",
    "CATEGORY_SPACE": " ",
    "CATEGORY_NOT_SPACE": string.ascii_letters + string.digits,
    "CATEGORY_WORD": string.ascii_letters + string.digits + "_",
    "CATEGORY_NOT_WORD": " -.,",
}
MOST_REPEATS = 4  # beyond the least


def matching(pattern: str, random: Random, number: int = 12) -> list[str]:
    """Up to `number` texts in which the pattern is found; none for a pattern that does not compile or looks around."""
    try:
        wanted = re.compile(pattern)
        parsed = importlib.import_module("re._parser").parse(pattern)
    except (re.error, RecursionError, OverflowError):
        return []
    found: dict[str, None] = {}
    for _ in range(number * 3):
        text = _walk(parsed, random)
        if text is not None and wanted.search(text):
            found[text] = None
        if len(found) == number:
            break
    return list(found)


def _walk(parsed: Any, random: Random) -> str | None:  # noqa: ANN401 - a tree of the standard library that has no public types
    parts: list[str] = []
    for operation, argument in parsed:
        piece = _piece(str(operation), argument, random)
        if piece is None:
            return None
        parts.append(piece)
    return "".join(parts)


def _piece(operation: str, argument: Any, random: Random) -> str | None:  # noqa: ANN401 - as above
    match operation:
        case "LITERAL":
            return chr(argument)
        case "NOT_LITERAL":
            return random.choice([c for c in ANY if ord(c) != argument])
        case "ANY":
            return random.choice(ANY)
        case "IN":
            return random.choice(_members(argument))
        case "BRANCH":
            return _walk(random.choice(argument[1]), random)
        case "SUBPATTERN":
            return _walk(argument[3], random)
        case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
            least, most, inner = argument
            times = random.randint(least, min(int(most), least + MOST_REPEATS))
            pieces = [_walk(inner, random) for _ in range(times)]
            return None if None in pieces else "".join(p for p in pieces if p is not None)
        case "AT":
            return ""
        case _:
            return None


def _members(argument: Any) -> str:  # noqa: ANN401 - as above
    """The characters of a class; of one that is negated, what is left of the usual ones."""
    found: set[str] = set()
    negated = False
    for operation, value in argument:
        match str(operation):
            case "LITERAL":
                found.add(chr(value))
            case "RANGE":
                found.update(chr(c) for c in range(value[0], min(value[1], value[0] + 200) + 1))
            case "CATEGORY":
                found.update(CATEGORIES.get(str(value), ANY))
            case "NEGATE":
                negated = True
    left = set(ANY) - found if negated else found
    return "".join(sorted(left or {"x"}))
