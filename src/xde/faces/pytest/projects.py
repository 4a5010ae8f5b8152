"""Projects that tests have opened: each once in a process, and closed at its end."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from xde.app.testing import TestBench
    from xde.ground.errors import UserError

_SETTINGS = "xde.yaml"
_FOLDER = "tests"


class Projects:
    """`named` is the project that an option or the settings of pytest name."""

    def __init__(self, named: Path | None) -> None:
        self.named = named
        self._above: dict[Path, Path | None] = {}
        self._opened: dict[Path, TestBench | UserError] = {}

    def above(self, folder: Path) -> Path | None:
        """The nearest folder with an `xde.yaml`, from a folder upwards; asked of the disk once."""
        if folder not in self._above:
            here = (folder / _SETTINGS).is_file()
            self._above[folder] = folder if here else self.above(folder.parent) if folder.parent != folder else None
        return self._above[folder]

    def open(self, root: Path) -> TestBench:
        """A project as it was when it was first asked for. Raises `UserError`, each time the same."""
        root = root.resolve()
        if root not in self._opened:
            self._opened[root] = _opened(root)
        found = self._opened[root]
        if isinstance(found, Exception):
            raise found
        return found

    def of_test(self, path: Path) -> TestBench:
        """The project that a test's fixtures mean. Raises `UserError` where there is none."""
        root = self.named or self.above(path.parent)
        if root is None or not (root / _SETTINGS).is_file():
            place = f"`{root}`" if root else f"`{path.parent}` and the folders above it"
            from xde.ground.errors import UserError
            from xde.ground.findings import Finding

            hint = "name it: `pytest --xde-project DIR`, or `xde_project = DIR` in the settings of pytest"
            raise UserError(Finding("XDE0001", f"no project here: {place} has no `{_SETTINGS}`", hint=hint))
        return self.open(root)

    def close(self) -> None:
        """Let go of every engine."""
        for found in self._opened.values():
            if not isinstance(found, Exception):
                found.close()
        self._opened.clear()


PROJECTS = pytest.StashKey[Projects]()


def _opened(root: Path) -> TestBench | UserError:
    from xde.app.testing import TestBench  # deferred: it brings parsers and engines
    from xde.ground.errors import UserError

    try:
        return TestBench.open(root, os.environ.get("XDE_ENV") or None)
    except UserError as error:
        return error


def is_case_file(path: Path, root: Path) -> bool:
    """Whether a YAML file of a project is one of cases: the same that `xde test` takes."""
    parts = path.relative_to(root).parts
    return parts[0] == _FOLDER and "fixtures" not in parts[1:-1] and not any(p.startswith((".", "_")) for p in parts[1:])
