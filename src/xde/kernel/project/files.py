"""The files that make a project, their bytes and one digest over all of them: fast, for every command begins with it."""

from __future__ import annotations

import hashlib
import os
from dataclasses import field
from typing import TYPE_CHECKING

from xde.ground.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

SETTINGS_FILE = "xde.yaml"
_CONTRACTS = (".yaml", ".yml")
_ENDINGS = {"sources": _CONTRACTS, "models": (*_CONTRACTS, ".sql", ".py", ".csv"), "flows": (".py",), "lib": (".py",)}
_MOST_BYTES = 16_000_000  # of a file that is not even looked at beyond its size


@dataclass(slots=True)
class ProjectFile:
    """A file by its path relative to the project, with `/`; `content` is None where it cannot be read, and `reason` says why."""

    path: str
    content: bytes | None = None
    reason: str = ""


@dataclass(slots=True)
class ProjectFiles:
    """All files of a project by folder, in a stable order."""

    settings: ProjectFile | None = None
    sources: list[ProjectFile] = field(default_factory=list)
    models: list[ProjectFile] = field(default_factory=list)
    flows: list[ProjectFile] = field(default_factory=list)
    library: list[ProjectFile] = field(default_factory=list)

    @property
    def all(self) -> list[ProjectFile]:
        """Every file."""
        return [*([self.settings] if self.settings is not None else []), *self.sources, *self.models, *self.flows, *self.library]


def project_files(root: Path) -> ProjectFiles:
    """Read every file of the project under a folder. Nothing raises: what cannot be read says so."""
    top = os.fspath(root)
    found = ProjectFiles()
    settings = f"{top}/{SETTINGS_FILE}"
    if os.path.lexists(settings):
        found.settings = _read(settings, SETTINGS_FILE)
    folders = (("sources", found.sources), ("models", found.models), ("flows", found.flows), ("lib", found.library))
    for folder, files in folders:
        files.extend(_under(top, folder, _ENDINGS[folder]))
    return found


def contract_files(root: Path) -> dict[str, bytes]:
    """The contracts of a project by path, those that can be read; no other file is looked at."""
    top = os.fspath(root)
    files = (f for folder in ("sources", "models") for f in _under(top, folder, _CONTRACTS))
    return {f.path: f.content for f in files if f.content is not None}


def project_digest(root: Path) -> str:
    """32 hexadecimal digits over the paths and bytes of all files of a project."""
    return digest_of(project_files(root).all)


def digest_of(files: Iterable[ProjectFile]) -> str:
    """32 hexadecimal digits over the paths and bytes of files, in their order."""
    state = hashlib.blake2b(digest_size=16)
    for file in files:
        content = file.content if file.content is not None else file.reason.encode(errors="replace")
        state.update(f"{file.path}\0{len(content)}\0".encode(errors="surrogateescape"))
        state.update(content)
    return state.hexdigest()


def _under(top: str, folder: str, endings: tuple[str, ...]) -> Iterator[ProjectFile]:
    seen: set[tuple[int, int]] = set()
    todo = [folder] if os.path.lexists(f"{top}/{folder}") else []
    while todo:
        below = todo.pop()
        try:
            place = os.stat(f"{top}/{below}")  # noqa: PTH116 - a Path costs more than the read of a small file
            if (place.st_dev, place.st_ino) in seen:
                continue  # a link that leads back
            seen.add((place.st_dev, place.st_ino))
            with os.scandir(f"{top}/{below}") as entries:
                listed = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            yield ProjectFile(_shown(below), None, _reason(error))
            continue
        folders = []
        for entry in listed:
            if entry.name.startswith((".", "__")):
                continue
            path = f"{below}/{entry.name}"
            if entry.is_dir():
                folders.append(path)
            elif entry.name.endswith(endings):
                yield _read(f"{top}/{path}", path)
        todo.extend(reversed(folders))


def _read(place: str, path: str) -> ProjectFile:
    try:
        # not blocking: a pipe must not hold us up
        descriptor = os.open(place, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except OSError as error:
        return ProjectFile(_shown(path), None, _reason(error))
    try:
        return ProjectFile(_shown(path), _content(descriptor))
    except OSError as error:
        return ProjectFile(_shown(path), None, _reason(error))
    finally:
        os.close(descriptor)


def _content(descriptor: int) -> bytes:
    """The bytes of a file, and of a monstrous one only so many that a reader sees that it is one."""
    first = os.read(descriptor, 1 << 16)
    if len(first) < 1 << 16:
        return first
    pieces, size = [first], len(first)
    while size < _MOST_BYTES and (piece := os.read(descriptor, 1 << 20)):
        pieces.append(piece)
        size += len(piece)
    return b"".join(pieces)


def _reason(error: OSError) -> str:
    return (error.strerror or "it cannot be read").lower()


def _shown(path: str) -> str:
    """A path that can be printed, also where a name on the disk is not UTF-8."""
    return path if path.isascii() else path.encode(errors="surrogateescape").decode(errors="replace")
