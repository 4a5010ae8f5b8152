"""Values that must not be seen: known from the moment they are read, and hidden in every form in which a library may write them."""

from __future__ import annotations

import json
import re
import threading
import traceback
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator

HIDDEN = "***"
SHORTEST = 8  # characters: what is shorter stands in too many words that are no secret
_PART = 16  # characters: lines of a key and texts of a JSON document that are hidden each by itself
_SOUNDS = re.compile(
    r"secret|passw(or)?d|pwd|passphrase|credential|authorization|cookie|tokens?$|connection_?string"
    r"|(^|access|account|api|private|sas|shared|storage)[-_]?key$",
    re.IGNORECASE,
)
_PASSWORD = re.compile(r"(://[^\s:/@?#]*:)(?!\d{1,5}[/?#])\S+(?=@)")  # what follows a host is a port, and not a password


class Secret:
    """A text that is shown to nobody who does not ask for it by name; neither pickled nor copied into JSON."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The text itself, for the library that needs it."""
        return self._value

    def __repr__(self) -> str:
        return HIDDEN

    def __format__(self, form: str) -> str:
        return HIDDEN

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a secret is not written down")


class Veil:
    """What is hidden. One for the whole process, for a library's message does not say which project it is about."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._forms: dict[str, int] = {}  # expressions, and the length of what they find
        self._pattern: re.Pattern[str] | None = None

    def hide(self, value: str) -> None:
        """From now on the value is not shown, in no form of it; one that is too short to be told from other words is shown."""
        found = {re.escape(f): len(f) for part in _parts(value) for f in _forms(part)}
        found |= {_in_an_address(part): len(part) for part in _parts(value)}
        with self._lock:
            if not found.keys() <= self._forms.keys():
                self._forms |= found
                longest_first = sorted(self._forms, key=lambda f: (-self._forms[f], f))
                self._pattern = re.compile("|".join(longest_first))

    def redact(self, text: str) -> str:
        """The text without anything hidden, and without passwords in addresses, whether or not they were hidden."""
        if self._pattern is not None:
            text = self._pattern.sub(HIDDEN, text)
        return _PASSWORD.sub(rf"\1{HIDDEN}", text) if "://" in text and "@" in text else text

    def clear(self) -> None:
        """Hide nothing any more: for tests, which share a process."""
        with self._lock:
            self._forms.clear()
            self._pattern = None


VEIL = Veil()
hide = VEIL.hide
redact = VEIL.redact


def sounds_secret(name: str) -> bool:
    """Whether a setting, an option, a header by its name holds what nobody may see."""
    return _SOUNDS.search(name) is not None


def hide_password(address: str) -> None:
    """Hide the password in an address, as it stands there and as it is meant."""
    from urllib.parse import unquote

    for found in re.findall(r"://[^\s:/@?#]*:(.+)@", address, re.DOTALL):
        hide(found)
        hide(unquote(found))
    for found in re.findall(r"[?&](?:ssl)?password=([^&]+)", address):
        hide(found)
        hide(unquote(found))


def redact_data(data: object) -> object:
    """Plain data with every text in it redacted, keys as well; what is no plain data becomes text."""
    match data:
        case str():
            return redact(data)
        case None | bool() | int() | float():
            return data
        case dict():
            return {redact(k) if isinstance(k, str) else k: redact_data(v) for k, v in data.items()}
        case list() | tuple() | set() | frozenset():
            return [redact_data(v) for v in data]
        case _:
            return redact(str(data))


def trace_of(error: BaseException) -> str:
    """A traceback, with all that led to it, fit to be shown and kept."""
    return redact("".join(traceback.format_exception(error)))


def scrubbed(error: BaseException) -> None:
    """Take what is hidden out of an error and out of those that led to it: who catches ours may print theirs."""
    seen: set[int] = set()
    todo: list[BaseException | None] = [error]
    while todo:
        one = todo.pop()
        if one is not None and id(one) not in seen:
            seen.add(id(one))
            one.args = tuple(redact(a) if isinstance(a, str) else a for a in one.args)
            todo += [one.__cause__, one.__context__]


def _parts(value: str) -> Iterator[str]:
    """The value, and what of it may be met alone: its words in one line, each of its long lines, the texts of a JSON document."""
    if len(value) < SHORTEST:
        return
    yield value
    lines = value.split()
    if len(lines) > 1:
        yield " ".join(lines)
        yield from (line.strip() for line in value.splitlines() if len(line.strip()) >= _PART)
    if value.lstrip().startswith("{"):
        try:
            told = json.loads(value)
        except ValueError:
            return
        if isinstance(told, dict):
            yield from (v for v in told.values() if isinstance(v, str) and len(v) >= _PART)


def _forms(value: str) -> set[str]:
    """How a value may be written: plain, escaped for JSON, Python, SQL and HTML, as hexadecimal digits and in base64.

    Base64 puts three bytes into four digits, so that a value within a longer text is written in three ways, and its first and last
    digits depend on its neighbours (RFC 4648, 4): those are left out here.
    """
    import base64  # deferred, as the others here: every command imports this module, and few have a secret

    octets = value.encode("utf-8", "surrogatepass")
    found = {
        value,
        json.dumps(value)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
        repr(value)[1:-1],
        value.replace("'", "''"),
        value.replace("\\", "\\\\").replace("'", "\\'"),
        value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;").replace("'", "&#x27;"),
        octets.hex(),
        octets.hex().upper(),
    }
    for before in range(3):
        first, bits = -(-before * 4 // 3), (before + len(octets)) * 8
        digits = base64.b64encode(b"\0" * before + octets).decode()[first : bits // 6]
        found |= {digits, digits.replace("+", "-").replace("/", "_")}
    return {f for f in found if len(f) >= SHORTEST}


def _in_an_address(value: str) -> str:
    """An expression for a value whose characters may each be written as `%` and two digits (RFC 3986, 2.1): writers differ in which."""

    def either(character: str) -> str:
        octets = character.encode("utf-8", "surrogatepass")
        digits = "".join("%" + "".join(f"[{d}{d.upper()}]" if d.isalpha() else d for d in f"{o:02x}") for o in octets)
        return f"(?:{re.escape(character)}|{digits}{'|[+]' if character == ' ' else ''})"

    return "".join(map(either, value))
