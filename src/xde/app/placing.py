"""A packaged project, put where it can be worked in: the definitions of the package, and none that an older package left there."""

from __future__ import annotations

import hashlib
import json
import os
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from xde.ground.errors import UserError
from xde.ground.findings import Finding
from xde.kernel.project.files import SETTINGS_FILE
from xde.undercurrents.engineering.delivery.wheel import PROJECT

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

_MARK = ".xde/packaged.json"


def place(package: str, folder: Path) -> bool:
    """Put the definitions of a package into a folder; False where they are there. Killed at any moment, the next call ends the work.

    Raises `UserError` for a folder with a project that no package put there, and where nothing can be written.
    """
    contents = dict(sorted(_contents(files(package) / PROJECT)))
    digest = hashlib.sha256(json.dumps([[n, hashlib.sha256(c).hexdigest()] for n, c in contents.items()]).encode()).hexdigest()
    mark = folder / _MARK
    known = _known(mark)
    if known is not None and known["digest"] == digest:
        return False
    if known is None and (folder / SETTINGS_FILE).exists():
        why = "a project is there that this package did not put there"
        hint = "name another with `XDE_PROJECT=FOLDER`"
        raise UserError(Finding("XDE0976", f"`{folder}` is not overwritten", why=why, hint=hint))
    before = list(known["files"]) if known else []  # type: ignore[call-overload]  # names, by the way it was written
    try:
        _write(mark, json.dumps({"digest": "", "files": sorted({*before, *contents})}).encode())
        for name in sorted(set(before) - set(contents)):
            (folder / name).unlink(missing_ok=True)
        for name, content in sorted(contents.items(), key=lambda item: item[0] == SETTINGS_FILE):
            _write(folder / name, content)
        _write(mark, json.dumps({"digest": digest, "files": list(contents)}).encode())
    except OSError as error:
        message = f"`{folder}` cannot be written: {(error.strerror or str(error)).lower()}"
        raise UserError(Finding("XDE0976", message, hint="name another with `XDE_PROJECT=FOLDER`")) from error
    return True


def default_folder(package: str) -> Path:
    """Where a package works: the folder that `XDE_PROJECT` names, else one of its own name here."""
    told = os.environ.get("XDE_PROJECT")
    return Path(told) if told else Path.cwd() / package


def _contents(folder: Traversable, prefix: str = "") -> list[tuple[str, bytes]]:
    found: list[tuple[str, bytes]] = []
    for entry in folder.iterdir():
        if entry.is_dir() and entry.name != "__pycache__":
            found += _contents(entry, f"{prefix}{entry.name}/")
        elif entry.is_file():
            found.append((prefix + entry.name, entry.read_bytes()))
    return found


def _known(mark: Path) -> dict[str, object] | None:
    try:
        found = json.loads(mark.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and {"digest", "files"} <= found.keys() else None


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}.part")
    aside.write_bytes(content)
    aside.replace(path)
