"""A look at the folders of a lake on a disk: every plan asks for all of them, so no path is put together that need not be."""

from __future__ import annotations

import os


def folders(above: str, never: str) -> list[str]:
    """The names of the folders in one that begin with none of some characters, in order; none where it is gone or not ours to look into."""
    try:
        with os.scandir(above) as entries:
            return sorted(e.name for e in entries if e.name[0] not in never and e.is_dir())
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return []


def begun(log: str) -> bool:
    """Whether a log has a commit or a checkpoint."""
    try:
        return any(name.endswith((".json", ".parquet")) for name in os.listdir(log))  # noqa: PTH208 - a Path costs more than the look
    except (FileNotFoundError, NotADirectoryError):
        return False
