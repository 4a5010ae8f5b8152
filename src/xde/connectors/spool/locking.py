"""One process at a time writes to a spool; the system lets go of the lock when the process ends, however it ends."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from xde.ground.errors import UserError
from xde.ground.findings import Finding

if TYPE_CHECKING:
    from pathlib import Path


def locked(path: Path, dataset: str) -> int:
    """Take the lock of a spool, and give what holds it. Raises `UserError` where another process has it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if os.name == "posix":
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        else:
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]  # there is one on Windows
    except OSError:
        who = os.read(descriptor, 20).decode("ascii", "replace").strip()
        os.close(descriptor)
        why = f"process {who} takes in what is pushed to it" if who else "another process takes in what is pushed to it"
        hint = "one `xde up` serves all sources of a project: stop the other, or use it"
        raise UserError(Finding("XDE0469", f"the spool of `{dataset}` is in use", why=why, hint=hint)) from None
    os.ftruncate(descriptor, 0)
    os.write(descriptor, str(os.getpid()).encode())
    return descriptor


def unlocked(descriptor: int) -> None:
    """Let go."""
    os.close(descriptor)
