"""A request and its answer, and what can go wrong between the two."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, urlencode, urljoin, urlsplit, urlunsplit

from xde.ground.errors import UserError
from xde.ground.findings import Finding
from xde.ground.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from xde.lifecycle.sources.tables import Ask

SHOWN = 200  # characters of a stranger's words
PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Call:
    """A request, without anything that is secret: what opens the door is added when it is sent."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None

    @property
    def shown(self) -> str:
        """The path and query, for messages."""
        parts = urlsplit(self.url)
        return f"{self.method} {parts.path}" + (f"?{parts.query}" if parts.query else "")


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer; names of headers are in lower case. `framed`: the server said where the body ends, so that one that is cut is seen.

    The status is 0 where a recording was ended on purpose.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    framed: bool = True


Send = Callable[[Call], Answer]


class Fault(Exception):
    """The network's doing: no answer, or not all of it. Worth another try."""


def with_query(url: str, more: Sequence[tuple[str, str]]) -> str:
    """An address with some parameters; one that it has already is replaced."""
    parts = urlsplit(url)
    names = {n for n, _ in more}
    kept = [(n, v) for n, v in parse_qsl(parts.query, keep_blank_values=True) if n not in names]
    query = urlencode([*kept, *more], quote_via=quote, safe=":,")
    return urlunsplit(parts._replace(query=query if more or names else parts.query, fragment=""))


def without_query(url: str, names: Collection[str]) -> str:
    """An address without some parameters."""
    parts = urlsplit(url)
    given = parse_qsl(parts.query, keep_blank_values=True)
    kept = [(n, v) for n, v in given if n not in names]
    return url if len(kept) == len(given) else urlunsplit(parts._replace(query=urlencode(kept, quote_via=quote, safe=":,")))


def origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port (RFC 6454)."""
    parts = urlsplit(url)
    return parts.scheme.lower(), (parts.hostname or "").lower(), parts.port or PORTS.get(parts.scheme.lower(), 0)


def led_to(ask: Ask, call: Call, where: str) -> Call:
    """The call that an answer leads to, by a link or a redirection; never to another server, for the secrets of this one would go along."""
    try:
        url = urljoin(call.url, where)
        here, there = origin(call.url), origin(url)
    except ValueError:
        here, there, url = ("", "", 0), ("", "", 1), where
    if here[1] != there[1] or (here != there and (here[0], there[0]) != ("http", "https")):
        parts = urlsplit(url) if there[2] != 1 else None
        shown = f"{parts.scheme}://{parts.hostname}{parts.path}" if parts is not None else where[:SHOWN]
        told = f"`{ask.dataset}`: the answer to `{call.shown}` leads to another server"
        hint = "if that is the API, write its address as `location` of the server in the contract"
        raise UserError(Finding("XDE0455", told, ask.span, "not followed", f"it leads to `{shown}`", hint))
    return replace(call, url=url)


def words_of(answer: Answer) -> str:
    """The first words of an answer, in one line."""
    return " ".join(answer.body[: SHOWN * 4].decode("utf-8", "replace").split())[:SHOWN]
