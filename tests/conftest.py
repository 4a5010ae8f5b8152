"""Where the tests of a session write: in memory where there is plenty of it, for nearly all of them sync what they write to a disk."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

MEMORY = Path("/dev/shm")
ENOUGH = 12 << 30  # bytes


def _has_room(place: Path) -> bool:
    """Whether it is there, large enough, and lets programs be run, as those of environments that tests make."""
    if not place.is_dir() or not os.access(place, os.W_OK) or shutil.disk_usage(place).free < ENOUGH:
        return False
    return not os.statvfs(place).f_flag & os.ST_NOEXEC


if _has_room(MEMORY):
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))
