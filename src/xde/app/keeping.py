"""What was worked out of a project, kept in one file: what a plan needs is read back at once, the rest when it is asked for."""

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

KEPT = "understanding.pickle"
FORMAT = 7  # of what is kept; one more whenever a class in it changes its shape

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
    path = _path(root)
    packed = {n: Later[object](pickle.dumps(dict(getattr(known, n)), protocol=5)) for n in later}
    content = pickle.dumps(replace(known, **packed), protocol=5)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_suffix(f".{os.getpid()}.tmp")
        aside.write_bytes(stamp(digest_now).encode() + b"\n" + content)
        aside.replace(path)
    except OSError:
        return


def kept(root: Path, digest_now: str) -> object:
    """What was kept for exactly these files; None for anything else that may stand there."""
    try:
        with _path(root).open("rb") as stream:
            if stream.readline().decode("utf-8", "replace").strip() != stamp(digest_now):
                return None
            return pickle.load(stream)  # noqa: S301 - our own file, in the project's own folder
    except (OSError, pickle.UnpicklingError, EOFError, AttributeError, ImportError, IndexError, TypeError, ValueError):
        return None


def _path(root: Path) -> Path:
    return root / ".xde" / "cache" / KEPT


def stamp(digest_now: str) -> str:
    """What stands before something kept: it holds for these files, and for the classes of this version."""
    return f"{__version__}:{FORMAT}:{digest_now}"
