"""The lock of a project: every package by its exact version, and if wanted by the digest of the very file that was tried."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from xde.ground.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_PIN = re.compile(r"^(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)\s*==\s*(?P<version>[A-Za-z0-9._+!-]+)(?P<rest>.*)$")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Pin:
    """A package and its version; `sha256` are digests of files that may be installed for it."""

    name: str
    version: str
    sha256: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.name}=={self.version}"


def canonical(name: str) -> str:
    """A package's name as all of its spellings have it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def lock_text(pins: Iterable[Pin], python: str, *, hashes: bool) -> str:
    """The lock as pip reads it; with hashes it takes no other file, and none of another platform."""
    lines = [
        f"# made by `xde package --lock` with Python {python}; install it with `pip install --no-deps --requirement requirements.lock`"
    ]
    for pin in sorted(pins, key=lambda p: canonical(p.name)):
        known = [f"--hash=sha256:{h}" for h in pin.sha256] if hashes else []
        lines.append(" \\\n    ".join([str(pin), *known]))
    return "\n".join(lines) + "\n"


def read_lock(text: str) -> tuple[Sequence[Pin], Sequence[tuple[int, str]]]:
    """The pins of a lock, and the lines (by number) that are none."""
    pins, others = [], []
    for number, line in enumerate(text.replace("\\\n", " ").splitlines(), 1):
        plain = line.partition(" #")[0].strip()
        if not plain or plain.startswith("#"):
            continue
        found = _PIN.match(plain)
        if found is None:
            others.append((number, plain))
        else:
            pins.append(Pin(found["name"], found["version"], tuple(_HASH.findall(found["rest"]))))
    return pins, others
