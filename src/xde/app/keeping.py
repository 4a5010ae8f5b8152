"""What was worked out of a project, kept in one file: what a plan needs is read back at once, the rest when it is asked for.

Beside it lies what was read of each file, for the time when only some of them have changed.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from xde import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from _typeshed import DataclassInstance

    from xde.kernel.project.memory import Memory

KEPT = "understanding.pickle"
REMEMBERED = "memory.pickle"
ANALYSES = "analyses.pickle"  # which the analyses themselves read and write
FORMAT = 27  # of what is kept; one more whenever a class in it changes its shape

Value = TypeVar("Value")


class Later(Mapping[str, Value]):
    """A mapping that lies packed until somebody looks into it."""

    def __init__(self, packed: bytes) -> None:
        self._packed = packed
        self._made: Mapping[str, Value] | None = None

    def _all(self) -> Mapping[str, Value]:
        if self._made is None:
            self._made = pickle.loads(self._packed)  # noqa: S301 - our own file, in the project's own folder
        return self._made

    def __getitem__(self, name: str) -> Value:
        return self._all()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())


def keep(root: Path, digest_now: str, known: DataclassInstance, later: Sequence[str]) -> None:
    """Write it aside, then put it in place; `later` are the mappings in it that are asked for later, if at all.

    A cache that cannot be written costs time and nothing else.
    """
    packed = {n: Later[object](pickle.dumps(dict(getattr(known, n)), protocol=5)) for n in later}
    _write(_path(root, KEPT), stamp(digest_now), replace(known, **packed))


def kept(root: Path, digest_now: str) -> object:
    """What was kept for exactly these files; None for anything else that may stand there."""
    return _read(_path(root, KEPT), stamp(digest_now))


def keep_memory(root: Path, memory: Memory) -> None:
    """Write what was read of each file, if that is not what was written before; a file is in it by its own digest."""
    if memory.changed:
        _write(_path(root, REMEMBERED), stamp(REMEMBERED), dict(memory.clean))


def kept_memory(root: Path) -> Memory:
    """What was read of each file before; nothing where that cannot be read."""
    from xde.kernel.project.memory import Memory, Remembered

    found = _read(_path(root, REMEMBERED), stamp(REMEMBERED))
    sound = isinstance(found, dict) and all(isinstance(r, Remembered) for r in found.values())
    return Memory(found if sound and isinstance(found, dict) else None)


def lend_caches(near: Path | None, root: Path) -> None:
    """What was read and worked out of files that are the same in another folder need not be worked out there again."""
    import shutil

    for name in (KEPT, REMEMBERED, ANALYSES):
        lent = _path(near, name) if near else None
        if lent is not None and lent.is_file():
            _path(root, name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(lent, _path(root, name))


def _write(path: Path, first_line: str, value: object) -> None:
    aside = path.with_suffix(f".{os.getpid()}.tmp")
    content = pickle.dumps(value, protocol=5)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        aside.write_bytes(first_line.encode() + b"\n" + content)
        aside.replace(path)
    except OSError:
        return


def _read(path: Path, first_line: str) -> object:
    try:
        with path.open("rb") as stream:
            if stream.readline().decode("utf-8", "replace").strip() != first_line:
                return None
            return pickle.load(stream)  # noqa: S301 - our own file, in the project's own folder
    except (OSError, pickle.UnpicklingError, EOFError, AttributeError, ImportError, IndexError, TypeError, ValueError):
        return None


def _path(root: Path, name: str) -> Path:
    return root / ".xde" / "cache" / name


def stamp(digest_now: str) -> str:
    """What stands before something kept: it holds for these files, and for the classes of this version."""
    return f"{__version__}:{FORMAT}:{digest_now}"
