"""The pipeline file of a project: made from what the project and its repository say, never over what a human has written."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from xde.app.opening import settings_of
from xde.app.repositories import Repository, has_git, repository_of
from xde.ground.errors import UserError
from xde.ground.findings import Finding, Severity
from xde.ground.names import did_you_mean
from xde.ground.records import dataclass
from xde.kernel.project.files import SETTINGS_FILE, project_files
from xde.undercurrents.engineering.delivery import github, gitlab
from xde.undercurrents.engineering.delivery.pins import PYTHONS
from xde.undercurrents.engineering.delivery.pipeline import Wishes
from xde.undercurrents.engineering.delivery.stamp import Stamp, read_stamp
from xde.undercurrents.engineering.delivery.wishing import JOBS_WITH_A_ROLE, faults, worries

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from xde.kernel.project.settings import LakeSettings, Settings

PROVIDERS = ("github", "gitlab")
LOCK = "requirements.lock"
_REFERENCE = re.compile(r"\$\{env:([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody asked for; None: as the file remembers it, or as the project suggests it. `roles` by job, or one under ``."""

    provider: str
    output: Path | None = None
    branch: str | None = None
    staging: str | None = None
    production: str | None = None
    python: str | None = None
    roles: Mapping[str, str] | None = None
    region: str | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """A file as it should be; `state` is what was found in its place: `new`, `same`, `older` (ours, untouched) or `changed` by a human."""

    path: Path
    shown: str
    text: str
    state: str
    warnings: Sequence[Finding] = ()


def make(root: Path, asked: Asked) -> Made:
    """The pipeline file that a project should have; writes nothing. Raises `UserError`."""
    if asked.provider not in PROVIDERS:
        hint = did_you_mean(asked.provider, PROVIDERS) or "`xde ci github` or `xde ci gitlab`"
        raise UserError(Finding("XDE0961", f"there is no provider `{asked.provider}`", why="known are `github` and `gitlab`", hint=hint))
    repository = _repository(root)
    settings = settings_of(root)
    path = asked.output.absolute() if asked.output else repository.top / _place(asked.provider, repository.folder)
    before = _read(path)
    stamp = read_stamp(before) if before is not None else None
    wishes, warnings = _wishes(asked, repository, _remembered(stamp, asked.provider))
    found = list(faults(wishes))
    if found:
        raise UserError(*found)
    own = settings.environment
    for name in (wishes.staging, wishes.production):
        if name == own:
            why = "it is your own: what runs there is the working tree"
            hint = f"let `environment:` in `{SETTINGS_FILE}` name another, or choose another with `--staging` or `--production`"
            raise UserError(Finding("XDE0966", f"nothing can be deployed to `{name}`", why=why, hint=hint))
    warnings += [*worries(wishes, settings.environments), *_of_places(settings, wishes), *_of_lock(root)]
    shown = _shown(path, repository.top)
    text = github.workflow(wishes, shown) if asked.provider == "github" else gitlab.pipeline(wishes)
    return Made(path, shown, text, _state(before, text, stamp, repository.folder), warnings)


def write(made: Made, *, force: bool) -> None:
    """Put the file in its place. Raises `UserError` for one that a human wrote or changed, unless `force`."""
    if made.state == "same":
        return
    if made.state == "changed" and not force:
        why = "it was written or changed by somebody else than this command"
        hint = "`--force` writes over it, `--output PATH` beside it"
        raise UserError(Finding("XDE0960", f"`{made.shown}` is not overwritten", why=why, hint=hint))
    try:
        made.path.parent.mkdir(parents=True, exist_ok=True)
        aside = made.path.with_name(f".{made.path.name}.{os.getpid()}.part")
        aside.write_text(made.text, encoding="utf-8", newline="\n")
        aside.replace(made.path)
    except OSError as error:
        message = f"`{made.shown}` cannot be written: {(error.strerror or str(error)).lower()}"
        raise UserError(Finding("XDE0964", message, hint="choose a place that you may write to: `--output PATH`")) from error


def _repository(root: Path) -> Repository:
    found = repository_of(root)
    if found is None:
        why = "a pipeline file stands at the top of a repository" if has_git() else "Git is not installed"
        hint = "make one: `git init`" if has_git() else "install it"
        raise UserError(Finding("XDE0962", "the project is in no Git repository", why=why, hint=hint))
    return found


def _place(provider: str, folder: str) -> str:
    return github.path(Wishes(folder=folder)) if provider == "github" else gitlab.PATH


def _shown(path: Path, top: Path) -> str:
    resolved, above = path.resolve(), top.resolve()
    return resolved.relative_to(above).as_posix() if resolved.is_relative_to(above) else str(path)


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None
    except OSError as error:
        message = f"`{path.name}` cannot be read: {(error.strerror or str(error)).lower()}"
        raise UserError(Finding("XDE0964", message, hint="choose another place: `--output PATH`")) from error


def _remembered(stamp: Stamp | None, provider: str) -> Mapping[str, object]:
    return stamp.wishes if stamp is not None and stamp.maker == f"xde ci {provider}" else {}


def _state(before: str | None, text: str, stamp: Stamp | None, folder: str) -> str:
    if before is None:
        return "new"
    if before.replace("\r\n", "\n") == text:
        return "same"
    ours = stamp is not None and stamp.untouched and stamp.wishes.get("folder", "") == folder
    return "older" if ours else "changed"


def _wishes(asked: Asked, repository: Repository, known: Mapping[str, object]) -> tuple[Wishes, list[Finding]]:
    warnings: list[Finding] = []
    branch = asked.branch or _text(known, "branch")
    if not branch:
        branch, certain = repository.main_branch()
        if not branch:
            why = "the repository has no branch yet"
            raise UserError(Finding("XDE0963", "the main branch is not known", why=why, hint="name it with `--branch NAME`"))
        if not certain:
            why = "no remote `origin` says which branch is the main one"
            hint = "name it with `--branch NAME`, or ask the remote: `git remote set-head origin --auto`"
            warnings.append(Finding("XDE0963", f"`{branch}` is taken for the main branch", why=why, hint=hint, severity=Severity.WARNING))
    plain = Wishes()
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    remembered = known.get("aws_role")
    roles = asked.roles if asked.roles is not None else remembered if isinstance(remembered, dict) else {}
    wishes = Wishes(
        repository.folder,
        branch,
        asked.staging or _text(known, "staging") or plain.staging,
        asked.production or _text(known, "production") or plain.production,
        asked.python or _text(known, "python") or (here if here in PYTHONS else plain.python),
        {str(job): str(role) for job, role in roles.items()},
        asked.region or _text(known, "aws_region"),
    )
    wishes = _for_all(wishes)
    return replace(wishes, references=references(repository.project)), warnings


def _for_all(wishes: Wishes) -> Wishes:
    """A role that is named for no job is that of all of them."""
    if "" not in wishes.roles:
        return wishes
    return replace(wishes, roles={job: wishes.roles.get(job, wishes.roles[""]) for job in JOBS_WITH_A_ROLE})


def _text(known: Mapping[str, object], name: str) -> str:
    found = known.get(name)
    return found if isinstance(found, str) else ""


def references(root: Path) -> tuple[str, ...]:
    """The names that the files of the project read from the environment, outside of comments that fill a line."""
    names: set[str] = set()
    files = project_files(root)
    for file in [*([files.settings] if files.settings else []), *files.sources]:
        text = (file.content or b"").decode("utf-8", "replace")
        names.update(name for line in text.splitlines() if not line.lstrip().startswith("#") for name in _REFERENCE.findall(line))
    return tuple(sorted(names))


def _of_places(settings: Settings, wishes: Wishes) -> list[Finding]:
    """Warnings of a lake or ledger in the project's own folder: a runner's disk is thrown away after each job."""
    own = [(n, settings.environments.get(n)) for n in (wishes.staging, wishes.production)]
    lakes: list[LakeSettings] = [(e and e.lake) or settings.lake for _, e in own]
    ledgers = [(e and e.ledger) or settings.ledger for _, e in own]
    found = []
    for what, places, hint in (
        ("lake", [lake.path for lake in lakes], "`lake: s3://...`"),
        ("ledger", [ledger.removeprefix("sqlite:") for ledger in ledgers], "`ledger: postgresql://...`"),
    ):
        inside = next((p for p in places if "://" not in p and not p.startswith(("/", "${"))), None)
        if inside is not None:
            why = "a runner forgets its disk after each job: nothing that was deployed would be there the next time"
            found.append(
                Finding(
                    "XDE0968", f"the {what} lies in the project's own folder, at `{inside}`", why=why, hint=hint, severity=Severity.WARNING
                )
            )
    return found


def _of_lock(root: Path) -> list[Finding]:
    if (root / LOCK).is_file():
        return []
    why = "every job installs what is locked, and nothing else"
    return [
        Finding(
            "XDE0967",
            f"the project has no `{LOCK}`",
            why=why,
            hint="make it: `xde package --lock`, and commit it",
            severity=Severity.WARNING,
        )
    ]
