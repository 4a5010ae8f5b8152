"""What was read and worked out of a project's models before, in one file; a file that cannot be read is as good as none."""

from __future__ import annotations

import os
import pickle
from dataclasses import field
from typing import TYPE_CHECKING, NamedTuple

from xde.ground.records import dataclass
from xde.kernel.graph.analysis import Analysis  # noqa: TC001 - the type of a field, pickled
from xde.kernel.graph.text.reading import Reading  # noqa: TC001 - the type of a field, pickled

if TYPE_CHECKING:
    from pathlib import Path

FORMAT = "xde analyses 1"
"""Changed whenever an analysis would come out otherwise for the same model."""

PARSER = "30.30.0"
"""The version of SQLGlot that analyses come from; a test holds it and the installed one together."""


class Entry(NamedTuple):
    """A model: the digest of its file, what its text says (without its terms), and its analysis for inputs that `key` stands for."""

    file: str
    reading: Reading
    key: str
    analysis: Analysis


@dataclass(slots=True)
class Cache:
    """Entries by dataset; `path` is None when nothing is kept."""

    path: Path | None = None
    entries: dict[str, Entry] = field(default_factory=dict)
    changed: bool = False

    @classmethod
    def load(cls, folder: Path | None) -> Cache:
        """What was kept in a folder."""
        if folder is None:
            return cls()
        path = folder / "analyses.pickle"
        try:
            with path.open("rb") as stream:
                stamp = stream.readline().decode("utf-8", "replace").strip()
                found = pickle.load(stream) if stamp == _stamp() else {}  # noqa: S301 - our own file, in the project's own folder
        except (OSError, pickle.UnpicklingError, EOFError, AttributeError, ImportError, IndexError, KeyError, TypeError, ValueError):
            found = {}
        return cls(path, found if isinstance(found, dict) and all(isinstance(e, Entry) for e in found.values()) else {})

    def reading(self, dataset: str, file: str) -> Reading | None:
        """What the text of a model said, if it is the same text."""
        entry = self.entries.get(dataset)
        return entry.reading if entry is not None and entry.file == file else None

    def analysis(self, dataset: str, key: str) -> Analysis | None:
        """The analysis of a model, if all that it depends on is the same."""
        entry = self.entries.get(dataset)
        return entry.analysis if entry is not None and entry.key == key else None

    def keep(self, dataset: str, entry: Entry) -> None:
        """Remember an analysis."""
        self.entries[dataset] = entry
        self.changed = True

    def save(self, datasets: set[str]) -> None:
        """Write the entries of these datasets, if any changed; written aside, then put in place."""
        if self.path is None or not (self.changed or set(self.entries) - datasets):
            return
        kept = {n: e for n, e in self.entries.items() if n in datasets}
        aside = self.path.with_suffix(f".{os.getpid()}.tmp")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            aside.write_bytes(_stamp().encode() + b"\n" + pickle.dumps(kept, protocol=5))
            aside.replace(self.path)
        except OSError:
            aside.unlink(missing_ok=True)  # a cache that cannot be written costs time and nothing else


def _stamp() -> str:
    return f"{FORMAT}, SQLGlot {PARSER}"
