"""DuckDB's type texts as a tree and back: `STRUCT("a b" INTEGER, c DECIMAL(5,2)[])` (DuckDB, "Nested Types")."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeVar

from xde.ground.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable

TOKEN = re.compile(r'\s*(?:(?P<quoted>"(?:[^"]|"")*")|(?P<text>\'(?:[^\']|\'\')*\')|(?P<mark>[(),\[\]])|(?P<word>[^\s(),\[\]"\']+))')
T = TypeVar("T")
DECIMALS = {"DECIMAL", "NUMERIC", "DEC"}


@dataclass(frozen=True, slots=True)
class Plain:
    """A type without parts; a decimal has its width and scale in its name."""

    name: str


@dataclass(frozen=True, slots=True)
class Listed:
    """A list, of whatever length."""

    element: Type


@dataclass(frozen=True, slots=True)
class Mapped:
    """A map."""

    key: Type
    value: Type


@dataclass(frozen=True, slots=True)
class Struct:
    """Named parts, in order."""

    fields: tuple[tuple[str, Type], ...]


Type = Plain | Listed | Mapped | Struct


def parse(text: str) -> Type:
    """The tree of a type's text; a text that is not one raises `ValueError`. Names of plain types are in upper case."""
    tokens = _Tokens(text)
    found = _type(tokens)
    if tokens.left:
        raise ValueError(text)
    return found


def render(kind: Type) -> str:
    """The text of a tree, always the same for the same tree: the names of parts in quotes, no blank in a decimal."""
    match kind:
        case Plain(name):
            return name
        case Listed(element):
            return render(element) + "[]"
        case Mapped(key, value):
            return f"MAP({render(key)}, {render(value)})"
        case Struct(fields):
            return "STRUCT(" + ", ".join('"{}" {}'.format(n.replace('"', '""'), render(t)) for n, t in fields) + ")"


class _Tokens:
    def __init__(self, text: str) -> None:
        self.text = text
        self.left: list[str] = []
        at, text = 0, text.strip()
        while at < len(text):
            found = TOKEN.match(text, at)
            if found is None:
                raise ValueError(text)
            self.left.append(found[0].strip())
            at = found.end()
        self.left.reverse()

    def peek(self) -> str:
        return self.left[-1] if self.left else ""

    def take(self, wanted: str = "") -> str:
        if not self.left or (wanted and self.left[-1] != wanted):
            raise ValueError(self.text)
        return self.left.pop()


def _type(tokens: _Tokens) -> Type:
    found = _one(tokens)
    while tokens.peek() == "[":
        tokens.take()
        if tokens.peek() != "]" and not tokens.take().isdigit():
            raise ValueError(tokens.text)
        tokens.take("]")
        found = Listed(found)
    return found


def _one(tokens: _Tokens) -> Type:
    name = tokens.take().strip('"').upper()
    while tokens.peek() and tokens.peek()[0].isalpha():
        name += " " + tokens.take().upper()
    if tokens.peek() != "(":
        return Plain(name)
    tokens.take()
    match name:
        case "STRUCT" | "ROW":
            fields = _several(tokens, _field)
            return Struct(tuple(fields))
        case "MAP":
            key, value = _several(tokens, _type)
            return Mapped(key, value)
        case _:
            return _sized(name, _several(tokens, _Tokens.take))


def _field(tokens: _Tokens) -> tuple[str, Type]:
    name = tokens.take()
    return name[1:-1].replace('""', '"') if name.startswith('"') else name, _type(tokens)


def _several(tokens: _Tokens, one: Callable[[_Tokens], T]) -> list[T]:
    found = [one(tokens)]
    while tokens.peek() == ",":
        tokens.take()
        found.append(one(tokens))
    tokens.take(")")
    return found


def _sized(name: str, sizes: list[str]) -> Plain:
    """`VARCHAR(20)`, `ENUM('a', 'b')`, `FLOAT(24)`: the name alone; a decimal keeps what is in its brackets."""
    if name not in DECIMALS:
        return Plain(name)
    width, scale = (*sizes, "0")[:2]
    if not (width.isdigit() and scale.isdigit() and int(scale) <= int(width) <= 38 and int(width)):
        raise ValueError(name)
    return Plain(f"DECIMAL({int(width)},{int(scale)})")
