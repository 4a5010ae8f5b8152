"""What came of mutants before, in a file for each model: a cache that is lost costs time and nothing else."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from xde.ground.digests import digest

if TYPE_CHECKING:
    from pathlib import Path

    from xde.undercurrents.engineering.mutants.killing import History


@dataclass(frozen=True, slots=True)
class KeptFates:
    """The memory of one model; it forgets all when the model's own query changes. `folder` is `.xde/cache/mutants` of the project."""

    folder: Path
    dataset: str
    sql: str

    def load(self) -> History:
        """What is known of this query's mutants."""
        try:
            found = json.loads(self._path.read_bytes())
        except (OSError, ValueError):
            return {}
        if not isinstance(found, dict) or found.get("of") != self._key or not isinstance(found.get("known"), dict):
            return {}
        return {i: dict(known) for i, known in found["known"].items() if isinstance(known, dict)}

    def save(self, history: History) -> None:
        """Written aside, then put in place at once."""
        aside = self._path.with_suffix(f".{os.getpid()}.tmp")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            aside.write_text(json.dumps({"of": self._key, "known": history}))
            aside.replace(self._path)
        except OSError:
            return

    @property
    def _path(self) -> Path:
        return self.folder / f"{self.dataset}.json"

    @property
    def _key(self) -> str:
        return digest(self.dataset, self.sql)
