"""A YAML document as a tree whose every part knows its place: what all readers of user files walk over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xde.ground.spans import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

Plain = None | bool | int | float | str


class Node:
    """A part of a document. Lines and columns count from 1; `span` is made when it is asked for, for most never are."""

    __slots__ = ("column", "end_column", "end_line", "line", "path")

    def __init__(self, path: str, place: tuple[int, int, int, int]) -> None:
        self.path = path
        self.line, self.column, self.end_line, self.end_column = place

    @property
    def span(self) -> Span:
        """Where it stands in its file."""
        return Span(self.path, self.line, self.column, self.end_line, self.end_column)

    @property
    def kind(self) -> str:
        """What it is, in a user's words."""
        raise NotImplementedError

    def data(self) -> object:
        """Plain Python data, without places."""
        raise NotImplementedError


class Scalar(Node):
    """A single value; `text` is how it was written, `value` what YAML 1.2's core schema makes of it."""

    __slots__ = ("text", "value")

    def __init__(self, path: str, place: tuple[int, int, int, int], text: str, value: Plain) -> None:
        super().__init__(path, place)
        self.text = text
        self.value = value

    @property
    def kind(self) -> str:
        """What it is, in a user's words."""
        match self.value:
            case None:
                return "empty"
            case bool():
                return "true or false"
            case int() | float():
                return "a number"
            case _:
                return "text"

    def data(self) -> Plain:
        """The value."""
        return self.value


class Sequence(Node):
    """A list."""

    __slots__ = ("items",)

    def __init__(self, path: str, place: tuple[int, int, int, int]) -> None:
        super().__init__(path, place)
        self.items: list[Node] = []

    @property
    def kind(self) -> str:
        """What it is, in a user's words."""
        return "a list"

    def data(self) -> list[object]:
        """The items as plain data."""
        return [item.data() for item in self.items]


class Mapping(Node):
    """Keys and values in the order of the file; `keys` holds the places of the keys.

    The readers that ask for a value of a type (`text`, `flag` ...) give the default when it is missing or of another type: that it is
    wrong was said already, by the check that comes before the reading.
    """

    __slots__ = ("items", "keys")

    def __init__(self, path: str, place: tuple[int, int, int, int]) -> None:
        super().__init__(path, place)
        self.keys: dict[str, Scalar] = {}
        self.items: dict[str, Node] = {}

    @property
    def kind(self) -> str:
        """What it is, in a user's words."""
        return "a mapping"

    def data(self) -> dict[str, object]:
        """The entries as plain data."""
        return {key: item.value if isinstance(item, Scalar) else item.data() for key, item in self.items.items()}

    def value(self, key: str) -> object:
        """The plain data of an entry; None when it is not there."""
        node = self.items.get(key)
        return node.data() if node is not None else None

    def text(self, key: str) -> str | None:
        """An entry that is text."""
        node = self.items.get(key)
        return node.value if isinstance(node, Scalar) and isinstance(node.value, str) else None

    def flag(self, key: str) -> bool:
        """An entry that is true or false; false when missing."""
        node = self.items.get(key)
        return isinstance(node, Scalar) and node.value is True

    def whole(self, key: str) -> int | None:
        """An entry that is a whole number."""
        node = self.items.get(key)
        value = node.value if isinstance(node, Scalar) else None
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        return int(value) if value == value and abs(value) != float("inf") and value == int(value) else None  # noqa: PLR0124 - NaN differs from itself

    def mapping(self, key: str) -> Mapping | None:
        """An entry that is a mapping."""
        node = self.items.get(key)
        return node if isinstance(node, Mapping) else None

    def mappings(self, key: str) -> list[Mapping]:
        """The mappings of an entry that is a list."""
        node = self.items.get(key)
        return [item for item in node.items if isinstance(item, Mapping)] if isinstance(node, Sequence) else []

    def texts(self, key: str) -> tuple[str, ...]:
        """The texts of an entry that is a list."""
        node = self.items.get(key)
        if not isinstance(node, Sequence):
            return ()
        return tuple(item.value for item in node.items if isinstance(item, Scalar) and isinstance(item.value, str))

    def place(self, key: str) -> Span:
        """Where the value of a key stands; the whole mapping's place when there is no such key."""
        return self.items.get(key, self).span

    def place_of_key(self, key: str) -> Span:
        """Where a key itself stands."""
        return self.keys.get(key, self).span


def walk(node: Node) -> Iterator[Node]:
    """A node and everything below it."""
    yield node
    if isinstance(node, Mapping):
        for item in node.items.values():
            yield from walk(item)
    elif isinstance(node, Sequence):
        for item in node.items:
            yield from walk(item)
