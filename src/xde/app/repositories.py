"""What Git knows of a project: where its repository is, which branch is the main one, whether anything is not committed."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from xde.ground.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence

_USUAL = ("main", "master", "trunk")


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository; `folder` is the project's in it, with `/`, empty at the top."""

    top: Path
    folder: str

    @property
    def project(self) -> Path:
        """The project's folder."""
        return self.top / self.folder

    def main_branch(self) -> tuple[str, bool]:
        """The main branch, and whether somebody said so; else it is guessed, empty where there is nothing to guess by."""
        told = _git(self.top, "symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD")
        if told:
            return told.removeprefix("origin/"), True
        names = set((_git(self.top, "for-each-ref", "--format=%(refname:lstrip=-1)", "refs/heads", "refs/remotes/origin") or "").split())
        usual = next((n for n in _USUAL if n in names), None)
        return usual or _git(self.top, "symbolic-ref", "--quiet", "--short", "HEAD") or "", False

    def changed(self) -> list[str]:
        """Files of the project that are not as they were committed, or not committed at all, from the project's folder."""
        told = _git(self.project, "status", "--porcelain", "-z", "--untracked-files=all", "--no-renames", "--", ".") or ""
        prefix = f"{self.folder}/" if self.folder else ""
        return [line[3:].removeprefix(prefix) for line in told.split("\0") if line]

    def files(self) -> list[str]:
        """The files of the project that Git has or would take, from the project's folder."""
        told = _git(self.project, "ls-files", "-z", "--cached", "--others", "--exclude-standard") or ""
        return sorted({name for name in told.split("\0") if name and (self.project / name).is_file()})

    def revision(self) -> str:
        """The commit, in 12 digits; empty where there is none yet."""
        return _git(self.top, "rev-parse", "--short=12", "--verify", "--quiet", "HEAD") or ""

    def release(self) -> str | None:
        """The version that a tag `v1.2.3` at this very commit names."""
        tags = (_git(self.top, "tag", "--points-at", "HEAD", "--sort=-version:refname") or "").split()
        found = (re.fullmatch(r"v(\d+(?:\.\d+)*(?:(?:a|b|rc)\d+)?)", tag) for tag in tags)
        return next((f[1] for f in found if f), None)


def repository_of(root: Path) -> Repository | None:
    """The repository that a project lies in; None where there is none, or no Git."""
    top = _git(root, "rev-parse", "--show-toplevel")
    if not top:
        return None
    folder = root.resolve().relative_to(Path(top).resolve()).as_posix()
    return Repository(Path(top), "" if folder == "." else folder)


def has_git() -> bool:
    """Whether Git is installed."""
    return shutil.which("git") is not None


def _git(folder: Path, *words: str) -> str | None:
    git = shutil.which("git")
    if git is None:
        return None
    command: Sequence[str] = [git, "-C", str(folder), *words]
    done = subprocess.run(command, capture_output=True, text=True, errors="surrogateescape", check=False)  # noqa: S603 - words of ours, no shell
    return done.stdout.strip("\n") if done.returncode == 0 else None
