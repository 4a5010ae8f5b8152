"""A folder of files that lie on no disk and that nobody else sees: gone with the process, however it ends."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class MemoryFolder(type(Path())):  # type: ignore[misc]  # the class of paths on this machine
    """A path that every name joined to is a file in memory (memfd_create of Linux): the same name, the same file.

    There are no folders in it, and nothing in it can be listed, renamed or taken away. Its paths are those of open descriptors
    (`/proc/self/fd/7`), which this process alone can follow.
    """

    _files: dict[str, int]

    @classmethod
    def made(cls) -> MemoryFolder:
        """A fresh one; `close` lets go of its files."""
        folder = cls("/proc/self/fd")
        folder._files = {}
        return folder

    def __truediv__(self, name: str | os.PathLike[str]) -> Path:
        """The file of that name, empty when it is first asked for."""
        key = os.fspath(name)
        if key not in self._files:
            self._files[key] = os.memfd_create("xde")
        return Path(f"/proc/self/fd/{self._files[key]}")

    def mkdir(self, mode: int = 0o777, parents: bool = False, exist_ok: bool = False) -> None:  # noqa: FBT001, FBT002 - as a path has it
        """It is there."""

    def close(self) -> None:
        """Let go of all files: nothing is left of them."""
        for descriptor in self._files.values():
            os.close(descriptor)
        self._files.clear()


def is_memory() -> bool:
    """Whether this machine has files in memory."""
    return sys.platform == "linux"


@contextmanager
def nowhere() -> Iterator[Path]:
    """A folder whose files lie on no disk; where the machine has none such, one that only this user may read, gone at the end."""
    if is_memory():
        folder = MemoryFolder.made()
        try:
            yield folder
        finally:
            folder.close()
        return
    kept = Path(tempfile.mkdtemp(prefix="xde-load-"))
    try:
        yield kept
    finally:
        shutil.rmtree(kept, ignore_errors=True)
