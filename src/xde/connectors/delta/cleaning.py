"""What lies in a table's folder and is of no use to anybody: orphans of crashes, files that only old snapshots need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Leftovers:
    """Files to take away."""

    paths: tuple[Path, ...]
    names: tuple[str, ...]
    bytes: int

    def remove(self) -> None:
        """Take them away; one that is gone already is no matter."""
        for path in self.paths:
            path.unlink(missing_ok=True)


def leftovers(folder: Path, needed: set[str], letters: set[str], before: float) -> Leftovers:
    """The Parquet files of a table's folder that are not needed and were written before a moment (seconds since 1970).

    The moment keeps a writer's own files out: they are there before their commit is. `letters` are relative to `_letters`.
    """
    data = [p for p in folder.glob("*.parquet") if p.name not in needed]
    lost = [p for p in (folder / "_letters").glob("*.parquet") if p.name not in letters]
    found = tuple(p for p in (*data, *lost) if p.stat().st_mtime < before)
    return Leftovers(found, tuple(str(p.relative_to(folder)) for p in found), sum(p.stat().st_size for p in found))
