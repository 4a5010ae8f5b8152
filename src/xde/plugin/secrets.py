"""Stores of secrets (port): who writes one needs this file; ours are found in the same way as anybody's, by an entry point."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path

GROUP = "xde.secrets"


class SecretStore(Protocol):
    """A callable behind an entry point of the group `xde.secrets`, whose name is the scheme: `vault` for `${vault:...}`.

    Raises `SecretMissing` where there is no such secret, `TemporaryError` where the store cannot be reached, `UserError` for whatever
    else a user can mend. The value must not stand in any message.
    """

    def __call__(self, name: str, project: Path, /) -> str:
        """The value called `name`; `project` is the project's folder."""
        ...


class SecretMissing(LookupError):
    """The store has no such secret; the text says why in a few words, and never a value."""

    def __init__(self, why: str, hint: str = "") -> None:
        super().__init__(why)
        self.why = why
        self.hint = hint


def schemes() -> tuple[str, ...]:
    """The schemes that are installed, in order."""
    return tuple(sorted({e.name for e in entry_points(group=GROUP)}))


def store(scheme: str) -> SecretStore | None:
    """The store of a scheme; None where none is installed. Raises what its module raises when it is imported."""
    found = [e for e in entry_points(group=GROUP) if e.name == scheme]
    loaded: SecretStore | None = found[0].load() if found else None
    return loaded
