"""Parts of a JSON document as they are written there: a number that is read and written again would not keep its digits."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

BLANK = " \t\r\n"
_READ = json.JSONDecoder(parse_float=str)  # a number with a point as its text: the only thing that is ever done with it is to show it


def parsed(text: str) -> Any:  # noqa: ANN401 - whatever a stranger's document holds
    """The document as plain data, numbers with a point as their texts. Raises `ValueError`; `RecursionError` for one nested too deep."""
    found, end = _READ.raw_decode(text, solid(text, 0))
    end = solid(text, end)
    if end < len(text):
        raise json.JSONDecodeError("there is more after its end", text, end)
    return found


def solid(text: str, at: int) -> int:
    """The next place that is not blank."""
    while at < len(text) and text[at] in BLANK:
        at += 1
    return at


def place(text: str, path: Sequence[str], at: int = 0) -> int:
    """Where the value at the end of a path of names begins, from the value at a place; -1 where there is none. The text must be valid."""
    at = solid(text, at)
    for name in path:
        if at < 0 or text[at] != "{":
            return -1
        at = _member(text, at, name)
    return at


def _member(text: str, at: int, name: str) -> int:
    """Where the value of a member of the object at a place begins; what comes after it is not looked at."""
    at = solid(text, at + 1)
    while text[at] != "}":
        found, at = _READ.raw_decode(text, at)
        at = solid(text, solid(text, at) + 1)
        if found == name:
            return at
        at = solid(text, end_of(text, at))
        if text[at] == ",":
            at = solid(text, at + 1)
    return -1


def items(text: str, at: int) -> Iterator[tuple[int, int, Any]]:
    """The elements of the list that begins at a place: where each begins and ends, and what it is as plain data."""
    at = solid(text, at + 1)
    while text[at] != "]":
        value, end = _READ.raw_decode(text, at)
        yield at, end, value
        at = solid(text, end)
        if text[at] == ",":
            at = solid(text, at + 1)


def elements(text: str, at: int) -> Iterator[tuple[str, Any]]:
    """The elements of the list that begins at a place: each as it is written, and as plain data."""
    return ((text[start:end], value) for start, end, value in items(text, at))


def end_of(text: str, at: int) -> int:
    """Where the value that begins at a place ends."""
    return _READ.raw_decode(text, at)[1]


def raw_at(text: str, path: Sequence[str]) -> str | None:
    """A value as it is written at the end of a path; None where there is none."""
    start = place(text, path)
    return text[start : end_of(text, start)] if start >= 0 else None


def value_at(data: object, path: Sequence[str]) -> object:
    """A value of plain data; None where there is none."""
    for name in path:
        if not isinstance(data, dict):
            return None
        data = data.get(name)
    return data


def on_one_line(text: str) -> str:
    """A value without line ends: none can stand within a text of JSON, so that they mean nothing where they stand."""
    return text.replace("\r", " ").replace("\n", " ") if "\n" in text or "\r" in text else text


def steps(path: str) -> tuple[str, ...]:
    """A path such as `data.items` as its names; one that has a point itself stands in double quotes: `data."a.b"`."""
    found, name, within = [], "", False
    for character in path:
        if character == '"':
            within = not within
        elif character == "." and not within:
            found.append(name)
            name = ""
        else:
            name += character
    return tuple(n for n in (*found, name) if n)
