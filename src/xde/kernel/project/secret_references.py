"""`${env:NAME}` and its like in a text of `xde.yaml`: told apart from what stands around them; nothing is looked up here."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from xde.ground.names import is_identifier
from xde.ground.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

EXAMPLES = "`${env:NAME}`, `${file:PATH}`, `${keyring:SERVICE/NAME}` or `${aws:SECRET_ID#KEY}`"
_ANY = re.compile(r"\$\{([^{}]*)\}?")
_PASSWORD = re.compile(r"://[^:/@?#]*:[^@\0]+@|[?&](ssl)?password=[^&\0]")
_GOOD = re.compile(r"\$\{([A-Za-z][A-Za-z0-9_.+-]*):([^{}]*[^{}\s][^{}]*)\}")


@dataclass(frozen=True, slots=True)
class Reference:
    """Where a value is to be had: the `scheme` names the store, `name` is what it is called there."""

    scheme: str
    name: str

    def __str__(self) -> str:
        return f"${{{self.scheme}:{self.name}}}"


@dataclass(frozen=True, slots=True)
class Unclear:
    """What looks like a reference and is none."""

    text: str
    hint: str


def pieces(text: str) -> list[str | Reference]:
    """A text cut into what stands there and what is referred to."""
    found: list[str | Reference] = []
    end = 0
    for match in _GOOD.finditer(text):
        found += [text[end : match.start()], Reference(match.group(1), match.group(2))]
        end = match.end()
    return [p for p in (*found, text[end:]) if p != ""]


def references(text: str) -> list[Reference]:
    """The references in a text."""
    return [p for p in pieces(text) if isinstance(p, Reference)] if "${" in text else []


def password_in(address: str) -> bool:
    """Whether an address has a password of which no part is a reference."""
    return _PASSWORD.search("".join(p if isinstance(p, str) else "\0" for p in pieces(address))) is not None


def unclear(text: str) -> Iterator[Unclear]:
    """Everything in a text that looks like a reference and is none, with a way to write it."""
    for found in _ANY.finditer(text):
        good = _GOOD.fullmatch(found.group())
        if good is None:
            name = found.group(1).rpartition(":")[2].strip()
            yield Unclear(found.group(), f"write `${{env:{name}}}`" if is_identifier(name) else "write `${env:NAME}`")
        elif good.group(1) == "env" and not is_identifier(good.group(2)):
            yield Unclear(found.group(), "the name of an environment variable has letters, digits and `_`: `${env:NAME}`")
