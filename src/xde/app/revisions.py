"""A project as it was: its files at a commit of Git, or in another folder; and what it meant."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from xde.app.keeping import lend_caches
from xde.ground.errors import UserError
from xde.ground.findings import Finding
from xde.kernel.project.files import SETTINGS_FILE, project_files

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from xde.app.understanding import Understanding

ENDINGS = (".yaml", ".yml", ".sql", ".py", ".csv")
PARTS = (SETTINGS_FILE, "sources", "models", "flows", "lib")


def files_at(root: Path, against: str) -> dict[str, bytes]:
    """The files of a project by their paths in it: those of the folder `against` if there is one, else those of a commit."""
    folder = Path(against)
    if folder.is_dir():
        return {f.path: f.content for f in project_files(folder).all if f.content is not None}
    return _files_of_commit(root, _commit(root, against))


def file_at(folder: Path, reference: str, path: str) -> bytes:
    """One file at a commit; the path counts from the folder, or from the top of the repository."""
    commit = _commit(folder, reference)
    for name in (f"./{path}", path):
        found = _git(folder, "show", f"{commit}:{name}")
        if found is not None:
            return found
    hint = f"see what there is: `git ls-tree -r --name-only {reference}`"
    raise UserError(Finding("XDE0366", f"there is no `{path}` at `{reference}`", hint=hint))


def path_in(root: Path, path: str) -> str:
    """A path of Git's as the project counts it: from its own folder, not from the top of the repository."""
    prefix = (_git(root, "rev-parse", "--show-prefix") or b"").decode(errors="replace").strip()
    return path.removeprefix("./").removeprefix(prefix)


def _commit(folder: Path, reference: str) -> str:
    found = _git(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{reference}^{{commit}}")
    if found is not None:
        return found.decode().strip()
    if _git(folder, "rev-parse", "--git-dir") is None:
        why = "what was there before is read from Git, and this folder is not in a repository of it"
        hint = "compare with another folder: `--against DIR`, or two files: `xde contract diff OLD NEW`"
        raise UserError(Finding("XDE0367", f"there is no commit `{reference}`", why=why, hint=hint))
    hint = "see `git log --oneline` and `git branch`; in CI fetch the branch first"
    raise UserError(Finding("XDE0366", f"there is no commit `{reference}`", why="neither a folder nor a name that Git knows", hint=hint))


def _files_of_commit(root: Path, commit: str) -> dict[str, bytes]:
    listed = _git(root, "ls-tree", "-r", "-z", commit, "--", *PARTS) or b""
    blobs: dict[str, str] = {}
    for line in listed.split(b"\0"):
        about, _, path = line.partition(b"\t")
        words = about.decode().split()
        name = path.decode(errors="replace")
        if len(words) == 3 and words[1] == "blob" and words[0] != "120000" and name.endswith(ENDINGS):
            blobs[name] = words[2]
    return dict(zip(blobs, _contents(root, list(blobs.values())), strict=True))


def _contents(root: Path, blobs: list[str]) -> list[bytes]:
    answer = _git(root, "cat-file", "--batch", given="".join(f"{b}\n" for b in blobs).encode()) or b""
    found, at = [], 0
    for _ in blobs:
        end = answer.index(b"\n", at)
        size = int(answer[at:end].split()[2])
        found.append(answer[end + 1 : end + 1 + size])
        at = end + 2 + size
    return found


def _git(folder: Path, *words: str, given: bytes = b"") -> bytes | None:
    """What Git says, or None when it does not know."""
    git = shutil.which("git")
    if git is None:
        hint = "install it, or compare with another folder: `--against DIR`"
        raise UserError(Finding("XDE0367", "Git is not installed", why="what was there before is read from it", hint=hint))
    done = subprocess.run([git, *words], cwd=folder, input=given, capture_output=True, check=False)  # noqa: S603 - words of ours, a commit verified
    return done.stdout if done.returncode == 0 else None


@contextmanager
def meaning_of(files: Mapping[str, bytes], near: Path | None) -> Iterator[Understanding]:
    """What the project of some files means, worked out in a folder of its own; `near` is a project whose caches are of use.

    Raises `UserError` where that project does not load.
    """
    from xde.app.opening import understood

    with tempfile.TemporaryDirectory(prefix="xde-then-") as folder:
        root = Path(folder)
        for path, content in files.items():
            target = root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        lend_caches(near, root)

        yield understood(root)
