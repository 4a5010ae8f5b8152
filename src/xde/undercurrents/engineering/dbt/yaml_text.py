"""Plain data as YAML that our own reader reads back as it was: texts that look like something else stand in quotes."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_PLAIN = re.compile(r"[A-Za-z_/$][A-Za-z0-9_ ./()$=<>+-]*(?<! )\Z")
_OPEN = re.compile(r"([A-Za-z_/$][A-Za-z0-9_ ./()$=<>+,;'`!?%&*@|~^-]*(?<! )|\d+\.\d+\.\d+)\Z")
"""Without quotes outside of brackets; `_PLAIN` are those within."""
_WORDS = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n", "nan", "inf"})
_UNSEEN = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_BLOCK = re.compile(r"[^\t\r\x00-\x08\x0b-\x1f\x7f\x85\u2028\u2029\ufeff]*\Z")


def yaml_text(data: Mapping[str, object]) -> str:
    """A document in block style; keys keep their order, None as a value is left out of mappings."""
    return "\n".join(_mapping({k: _whole(v) for k, v in data.items() if v is not None}, 0)) + "\n"


def _whole(value: object) -> object:
    """A value without what is None in its mappings."""
    if isinstance(value, Mapping):
        return {k: _whole(v) for k, v in value.items() if v is not None}
    return [_whole(v) for v in value] if isinstance(value, list | tuple) else value


def scalar_text(value: object, plain: re.Pattern[str] = _PLAIN) -> str:
    """One value in one line."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    text = str(value)
    if plain.match(text) and text.casefold() not in _WORDS:
        return text
    return _UNSEEN.sub(lambda m: f"\\u{ord(m[0]):04x}", json.dumps(text, ensure_ascii=False))


def _mapping(data: Mapping[str, object], depth: int) -> Iterator[str]:
    blanks = "  " * depth
    for key, value in data.items():
        name = scalar_text(key)
        if _is_block(value):
            yield f"{blanks}{name}: |-"
            yield from (f"{blanks}  {line}".rstrip() for line in str(value).split("\n"))
        elif isinstance(value, Mapping) and value:
            yield f"{blanks}{name}:"
            yield from _mapping(value, depth + 1)
        elif isinstance(value, Sequence) and not isinstance(value, str) and value:
            yield from _sequence(blanks + name, value, depth)
        else:
            yield f"{blanks}{name}: {_flow(value) if isinstance(value, Mapping | list | tuple) else scalar_text(value, _OPEN)}"


def _sequence(head: str, values: Sequence[object], depth: int) -> Iterator[str]:
    if all(not isinstance(v, Mapping | list | tuple) for v in values):
        yield f"{head}: [{', '.join(_flow(v) for v in values)}]"
        return
    yield f"{head}:"
    blanks = "  " * (depth + 1)
    for value in values:
        if isinstance(value, Mapping) and value:
            first, *rest = _mapping(value, depth + 2)
            yield f"{blanks}- {first.lstrip()}"
            yield from rest
        else:
            yield f"{blanks}- {_flow(value)}"


def _flow(value: object) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{scalar_text(k)}: {_flow(v)}" for k, v in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(_flow(v) for v in value) + "]"
    return scalar_text(value)


def _is_block(value: object) -> bool:
    if not isinstance(value, str) or "\n" not in value or not _BLOCK.match(value):
        return False
    lines = value.split("\n")
    return not lines[0].startswith(" ") and bool(lines[0]) and bool(lines[-1].strip()) and all(x == x.rstrip() for x in lines)
