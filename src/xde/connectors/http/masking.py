"""Values that may show a person, made up in what is recorded: of the same form, the same for the same, so that keys still meet."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from xde.ground.raw_json import end_of, items, parsed, place

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from xde.lifecycle.sources.apis import Path, Request


class Masks:
    """Makes up values for the personal columns of the contract, in the order in which they come."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._numbers: dict[str, int] = {}

    def masked(self, text: str) -> str:
        """A document, or one a line, with its personal values made up; what is no JSON is as it was: it has no records."""
        if not self._request.personal:
            return text
        if _is_json(text):
            return self._document(text)
        lines = text.split("\n")
        return "\n".join(map(self._document, lines)) if all(_is_json(x) or not x.strip() for x in lines) else text

    def _document(self, text: str) -> str:
        if not text.strip():
            return text
        found = sorted({span for inner, path in self._request.personal for span in self._spans(text, inner, path)})
        pieces, end = [], 0
        for start, stop in found:
            pieces += [text[end:start], self._made_up(text[start:stop])]
            end = stop
        return "".join([*pieces, text[end:]])

    def _spans(self, text: str, inner: Sequence[Path], path: Path) -> Iterator[tuple[int, int]]:
        for start in self._records(text, place(text, self._request.records or ()), inner):
            at = place(text, path, start)
            if at >= 0 and not text.startswith("null", at):
                yield at, end_of(text, at)

    def _records(self, text: str, at: int, inner: Sequence[Path]) -> Iterator[int]:
        """Where the records begin, from a value that is one or a list of them."""
        if at < 0 or text[at] not in "[{":
            return
        starts = [start for start, _, _ in items(text, at)] if text[at] == "[" else [at]
        for start in starts:
            if not inner:
                yield start
            else:
                yield from self._records(text, place(text, inner[0], start), inner[1:])

    def _made_up(self, raw: str) -> str:
        number = self._numbers.setdefault(raw, len(self._numbers) + 1)
        if raw.startswith('"'):
            return json.dumps(_in_form(json.loads(raw), number), ensure_ascii=False)
        return str(number) if raw[0] in "-0123456789" else "null"


def _is_json(text: str) -> bool:
    try:
        parsed(text)
    except (ValueError, RecursionError):
        return False
    return True


def _in_form(text: str, number: int) -> str:
    """Letters become `x` and digits 1; the first run of them holds the number, so that what differed differs."""
    made = re.sub(r"\d", "1", re.sub(r"[^\W\d_]", "x", text))
    first = re.search(r"[x1]+", made)
    if first is None:
        return f"x{number}"
    run = first.group()
    told = str(number).rjust(len(run), "0") if set(run) == {"1"} else f"x{number}"
    return made[: first.start()] + told + made[first.end() :]
