"""What may be asked of a disk so that what was written stays written, and what it means when it says no."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from xde.ground.errors import DISK_FULL
from xde.lifecycle.ingestion.push import NoRoom

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

try:
    from fcntl import F_FULLFSYNC, fcntl  # type: ignore[attr-defined,unused-ignore]  # a Mac's fsync leaves it in the drive's own memory

    def sync(descriptor: int) -> None:
        """Come back when what was written is on the disk."""
        fcntl(descriptor, F_FULLFSYNC)
except ImportError:

    def sync(descriptor: int) -> None:
        """Come back when what was written is on the disk."""
        os.fdatasync(descriptor) if hasattr(os, "fdatasync") else os.fsync(descriptor)


def sync_folder(folder: Path) -> None:
    """Come back when the names in a folder are on the disk; where a folder cannot be opened, the system sees to it."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def publish(path: Path, pieces: Iterable[bytes]) -> None:
    """Write a file aside and give it its name when it is on the disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.part")
    with aside.open("wb", buffering=1 << 20) as out:
        for piece in pieces:
            out.write(piece)
        out.flush()
        sync(out.fileno())
    aside.replace(path)
    sync_folder(path.parent)


def no_room(error: OSError) -> NoRoom:
    """What an error of the disk means to those who push."""
    full = error.errno in DISK_FULL
    return NoRoom("the disk is full" if full else f"the disk fails: {error.strerror or error}", full=full)
