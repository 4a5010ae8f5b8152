"""The cases of a project, run with an installed package and with nothing else: its definitions, its lock, a fresh environment."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from xde.ground.errors import UserError
from xde.ground.findings import Finding, Severity
from xde.ground.records import dataclass
from xde.kernel.project.files import SETTINGS_FILE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from xde.app.repositories import Repository
    from xde.app.venvs import Venv

_DEFINITIONS = ("sources", "models", "flows", "lib")
_NOT_OURS = {".git", ".xde", ".venv", "__pycache__", "dist"}


@dataclass(frozen=True, slots=True)
class Proof:
    """How many cases passed; none failed, else there is no proof."""

    passed: int
    findings: tuple[Finding, ...] = ()


def prove(root: Path, repository: Repository | None, venv: Venv, scratch: Path, module: str) -> Proof:
    """Run `xde test` on the definitions that the installed package holds, with the cases and data of the project. Raises `UserError`."""
    project = scratch / "project"
    done = venv.call("-m", module, "--place", folder=scratch) if not (scratch / module).exists() else None
    if done is None or not done.well:
        raise UserError(Finding("XDE0975", "the package does not run", why=done.last_words() if done else "", hint="see what it says"))
    (scratch / module).rename(project)
    for name in _beside(root, repository):
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / name, project / name)
    done = venv.call("-m", "xde.faces.cli.main", "--project", str(project), "test", "--json", folder=scratch)
    try:
        cases = json.loads(done.out).get("cases")
    except ValueError:
        cases = None
    if not done.well or cases is None:
        failed = [f"`{c['dataset']}`: {c['name']}" for c in cases or () if c.get("status") == "failed"]
        why = "\n".join(failed[:10]) or done.last_words()
        hint = "run them in your own environment: `xde test`; if they pass there, look at what differs: `pip freeze` and the lock"
        raise UserError(Finding("XDE0975", "the cases do not pass with the package", why=why, hint=hint))
    return Proof(len(cases), () if cases else (_untested(),))


def _untested() -> Finding:
    why = "that it installs and can be read is proven, and nothing of what it computes"
    return Finding("XDE0975", "the project has no cases", why=why, hint="write one: `xde new case DATASET`", severity=Severity.WARNING)


def _beside(root: Path, repository: Repository | None) -> Iterable[str]:
    """The files of the project that are no definitions: cases, and the data that they name."""
    names = repository.files() if repository is not None else _all(root)
    return [n for n in names if n != SETTINGS_FILE and Path(n).parts[0] not in _DEFINITIONS and not _NOT_OURS.intersection(Path(n).parts)]


def _all(root: Path) -> list[str]:
    return sorted(
        p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file() and not _NOT_OURS.intersection(p.relative_to(root).parts)
    )
