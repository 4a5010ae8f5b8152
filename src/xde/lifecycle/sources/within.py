"""Lists within records as records of their own, as they are written there, with what they carry of the records above them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Protocol

from xde.ground.raw_json import elements, end_of, on_one_line, parsed, place, raw_at

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from xde.lifecycle.sources.apis import Carried, Path


class Within(Protocol):
    """Which list is meant: the ways from each record to a list within it, and what of the records above is carried along."""

    @property
    def inner(self) -> Sequence[Path]:
        """The ways, one after the other; none where the records themselves are meant."""
        ...

    @property
    def carried(self) -> Sequence[Carried]:
        """The values from further up."""
        ...


def lines(of: Within, raw: str, value: object) -> Iterator[tuple[str, object]]:
    """The records that the dataset has of a record: itself, or those of lists within it, with what they carry of those above."""
    return _within(of, 0, [raw], value)


def _within(of: Within, depth: int, above: list[str], value: object) -> Iterator[tuple[str, object]]:
    if depth == len(of.inner):
        yield _carrying(of, above), value
        return
    start = place(above[-1], of.inner[depth]) if isinstance(value, dict) else -1
    if start < 0:
        return
    text = above[-1]
    if text[start] == "[":
        found = elements(text, start)
    elif text[start] == "{":
        found = iter([(text[start : end_of(text, start)], parsed(text[start : end_of(text, start)]))])
    else:
        return
    for raw, each in found:
        yield from _within(of, depth + 1, [*above, raw], each)


def _carrying(of: Within, above: list[str]) -> str:
    """A record with values of those above it put in front; one that is no object stands as the member `value`."""
    raw = above[-1]
    if not of.inner:
        return on_one_line(raw)
    if not raw.startswith("{"):
        raw = f'{{"value": {raw}}}'
    carried = [(c.name, raw_at(above[-1 - c.up], c.path)) for c in of.carried if c.up < len(above) and above[-1 - c.up].startswith("{")]
    front = ", ".join(f"{json.dumps(name)}: {found}" for name, found in carried if found is not None)
    rest = raw[1:].lstrip()
    return on_one_line("{" + front + (", " if front and not rest.startswith("}") else "") + rest)
