"""A project's folder, with short words for what a test does in it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass
class Folder:
    """Its files are written as a user would."""

    root: Path

    def write(self, path: str, content: str | bytes) -> None:
        """Write a file, and make the folders that it is in."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content if isinstance(content, bytes) else content.encode())
