"""What every broker may complain of, in one set of words: the way to it, its door, the stream, the right to read it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xde.ground.errors import TemporaryError, UserError
from xde.ground.findings import Finding

if TYPE_CHECKING:
    from xde.lifecycle.sources.tables import Ask


def label(ask: Ask) -> str:
    """The server as it is shown."""
    of = ask.place.settings
    host = of.get("host", "localhost")
    return f"{host}:{of['port']}" if "port" in of else host


def no_way(ask: Ask, why: str) -> UserError:
    """The address is none."""
    hint = "look at `host` and `port` of the server in the contract; `xde doctor` goes the way step by step"
    return UserError(Finding("XDE0480", f"`{label(ask)}` cannot be reached", ask.place.span, "not there", why[:300], hint))


def away(ask: Ask, why: str) -> TemporaryError:
    """Nobody answers just now."""
    return TemporaryError(f"`{label(ask)}` cannot be reached just now: {' '.join(why.split())[:300]}", retry_in=1.0)


def no_login(ask: Ask, why: str) -> UserError:
    """The door stays shut."""
    hint = "look at `xdeUser` and `xdePassword` of the server in the contract, and at what the reference stands for"
    return UserError(Finding("XDE0481", f"`{label(ask)}` refuses the login", ask.place.span, "refused", why[:300], hint))


def no_stream(ask: Ask, why: str, hint: str) -> UserError:
    """What the contract names is not there, or none that can be read so."""
    return UserError(Finding("XDE0518", f"`{ask.relation}` of `{label(ask)}` cannot be read", ask.span, "no such stream", why, hint))


def no_right(ask: Ask, why: str, hint: str) -> UserError:
    """Reading it is not allowed."""
    return UserError(Finding("XDE0519", f"`{ask.relation}` may not be read", ask.span, "no right", " ".join(why.split())[:300], hint))
