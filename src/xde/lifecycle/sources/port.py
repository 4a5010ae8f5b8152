"""What a place of files must be able to do: list what was delivered and tell one delivery from another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from xde.ground.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file as a listing shows it: `path` relative to the source's root with `/`, `location` where it is opened, size in bytes."""

    path: str
    location: str
    size: int
    changed_ns: int


UNLISTED = "unlisted"
"""The digest of what stands for the files of a store that could not be asked: its path is the pattern, its location the root."""


class FileStore(Protocol):
    """A disk or an object store. A root that is not there or may not be read raises `UserError` with a finding."""

    def list(self, root: str, pattern: str) -> Sequence[FoundFile]:
        """The files that match a glob pattern (`flights-*.csv.gz`, `**` for any depth), by path; hidden and partial ones left out."""
        ...

    def digest(self, file: FoundFile, like: str = "") -> str:
        """The digest of the file's bytes; where there are several forms of it, in that of another, for only then can they be compared."""
        ...

    def fetch(self, file: FoundFile, digest: str, folder: Path) -> FoundFile:
        """The file where the engine can open it, with the content of this digest: itself, or a copy in the folder."""
        ...
