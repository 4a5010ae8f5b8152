"""What may be wished of a pipeline: what stands in YAML and in expressions of a platform must not be able to end them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from xde.ground.findings import Finding
from xde.ground.names import did_you_mean
from xde.undercurrents.engineering.delivery.pins import PYTHONS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from xde.undercurrents.engineering.delivery.pipeline import Wishes

JOBS_WITH_A_ROLE = ("preview", "staging", "production")
_BRANCH = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*")
_FOLDER = re.compile(r"[A-Za-z0-9._/-]*")
_ENVIRONMENT = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]+")
_REGION = re.compile(r"[a-z]{2,}(-[a-z]+)+-[0-9]+")


def faults(wishes: Wishes) -> Iterator[Finding]:
    """What cannot be written into a pipeline."""
    words = (("branch", wishes.branch, _BRANCH), ("staging", wishes.staging, _ENVIRONMENT), ("production", wishes.production, _ENVIRONMENT))
    for option, value, form in words:
        if not form.fullmatch(value):
            yield _unfit(f"`{value}` cannot be named in a pipeline", "letters, digits and `-` can, for a branch `.` and `/` too", option)
    if not _FOLDER.fullmatch(wishes.folder):
        hint = "name its folder with letters, digits, `.`, `_` and `-`"
        yield Finding("XDE0966", f"the folder `{wishes.folder}` cannot be named in a pipeline", hint=hint)
    if wishes.python not in PYTHONS:
        known = ", ".join(f"`{p}`" for p in PYTHONS)
        yield _unfit(f"there is no Python `{wishes.python}` that xde runs on", f"it runs on {known}", "python")
    if wishes.staging == wishes.production:
        yield _unfit(f"staging and production are both `{wishes.staging}`", "one is for trying, the other for keeping", "production")
    yield from _roles(wishes)


def _roles(wishes: Wishes) -> Iterator[Finding]:
    for job, role in wishes.roles.items():
        if job not in JOBS_WITH_A_ROLE:
            hint = did_you_mean(job, JOBS_WITH_A_ROLE) or "`--aws-role staging=ARN`"
            yield Finding(
                "XDE0966", f"there is no job `{job}` that takes on a role", why="jobs that do: preview, staging, production", hint=hint
            )
        if not _ROLE.fullmatch(role):
            yield _unfit(f"`{role}` is no role of AWS", "it looks like `arn:aws:iam::123456789012:role/xde-staging`", "aws-role")
    if wishes.roles and not _REGION.fullmatch(wishes.region):
        message = f"`{wishes.region}` is no region of AWS" if wishes.region else "a role is taken on in a region, and none is named"
        yield _unfit(message, "", "aws-region")
    if wishes.region and not wishes.roles:
        yield _unfit("a region of AWS is named, and no role", "", "aws-role")


def _unfit(message: str, why: str, option: str) -> Finding:
    return Finding("XDE0966", message, why=why, hint=f"say another with `--{option}`")


def worries(wishes: Wishes, declared: Collection[str]) -> Iterator[Finding]:
    """What a pipeline can be written with, and may be a mistake: `declared` are the environments that the settings name."""
    from xde.ground.findings import Severity

    for option, name in (("staging", wishes.staging), ("production", wishes.production)):
        if name not in declared:
            longer = next((d for d in sorted(declared) if d.startswith(name) or name.startswith(d)), "")
            near = f"did you mean `{longer}`?" if longer else did_you_mean(name, declared)
            why = "it will share the lake, the ledger and the engine of the project"
            hint = (
                f"{near} then `--{option}`, or write `{name}: {{}}` under `environments:`"
                if near
                else f"write `{name}: {{}}` under `environments:` if that is meant"
            )
            yield Finding("XDE0965", f"`xde.yaml` has no environment `{name}`", why=why, hint=hint, severity=Severity.WARNING)
