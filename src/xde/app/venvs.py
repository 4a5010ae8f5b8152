"""A virtual environment that nothing was ever installed in: what works there works because of what was installed, and of nothing else."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

from xde.ground.errors import UserError
from xde.ground.findings import Finding
from xde.ground.records import dataclass

if TYPE_CHECKING:
    from pathlib import Path

_FOREIGN = (
    "PYTHONPATH",
    "PYTHONHOME",
    "VIRTUAL_ENV",
    "XDE_PROJECT",
    "XDE_ENV",
    "PIP_REQUIRE_VIRTUALENV",
    "PIP_TARGET",
    "PIP_PREFIX",
    "PIP_USER",
)
_NOISE = re.compile(r"^(WARNING|\[notice\]|\s*$)")
_CULPRIT = re.compile(
    r"(?:No matching distribution found for|satisfies the requirement|Failed to build|Failed building wheel for|Cannot install|"
    r"THESE PACKAGES DO NOT MATCH[^\n]*\n\s*) *'?([A-Za-z0-9][\w.-]*(?:\[[^\]]*\])?(?:[=<>!~]=?[\w.*+!-]+)?)"
)
_LAST = 8  # lines of what pip said


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a command: whether it went well, and what it said on both streams."""

    well: bool
    out: str
    err: str

    def last_words(self) -> str:
        """The last lines that say anything."""
        lines = [line for line in f"{self.out}\n{self.err}".splitlines() if not _NOISE.match(line)]
        return "\n".join(lines[-_LAST:])


@dataclass(frozen=True, slots=True)
class Venv:
    """A virtual environment in a folder."""

    folder: Path

    @property
    def python(self) -> str:
        """Its interpreter."""
        return str(self.folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python"))

    def surroundings(self) -> dict[str, str]:
        """The environment variables of a process in it: those of ours, less what leads to other packages or projects."""
        return {**{k: v for k, v in os.environ.items() if k not in _FOREIGN}, "VIRTUAL_ENV": str(self.folder)}

    def call(self, *words: str, folder: Path | None = None) -> Done:
        """Carry out a command of its Python."""
        done = subprocess.run(  # noqa: S603 - no shell; words of ours and of the project's own files
            [self.python, *words], capture_output=True, text=True, errors="replace", env=self.surroundings(), cwd=folder, check=False
        )
        return Done(done.returncode == 0, done.stdout, done.stderr)

    def pip(self, *words: str) -> Done:
        """Carry out a command of its pip."""
        return self.call("-m", "pip", "--disable-pip-version-check", "--no-input", *words)


def fresh(folder: Path) -> Venv:
    """Make one. Raises `UserError`."""
    done = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-m", "venv", str(folder)], capture_output=True, text=True, errors="replace", check=False
    )
    if done.returncode:
        why = Done(False, done.stdout, done.stderr).last_words()  # noqa: FBT003 - it did not go well
        hint = "install the module `venv` of this Python (on Debian the package `python3-venv`)"
        raise UserError(Finding("XDE0971", "no virtual environment can be made with this Python", why=why, hint=hint))
    return Venv(folder)


def does_not_install(done: Done, what: str) -> UserError:
    """The finding for a pip that failed: the package that it names, and its own last lines."""
    found = _CULPRIT.search(f"{done.out}\n{done.err}")
    name = found[1] if found else what
    hint = "see that the index has it for this Python and platform (`pip download --no-deps`), or lock another: `xde package --lock`"
    return UserError(Finding("XDE0971", f"`{name}` does not install", why=done.last_words(), hint=hint))
