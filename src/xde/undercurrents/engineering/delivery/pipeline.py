"""What a pipeline of a data project does, as data: jobs, when each of them runs, and its steps, which every platform can carry out.

Every step is a command that its reader can run himself. What differs between platforms (how a comment is made, how a cloud trusts a
job) is theirs to add.
"""

from __future__ import annotations

from dataclasses import field
from enum import StrEnum
from typing import TYPE_CHECKING, assert_never

from xde.ground.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

DIFF = "xde-diff.md"  # the page that a reviewer reads
CASES = "xde-cases.xml"
DEPLOY_WAIT = 1800  # seconds: longer than that, and a person should look
PREVIEW_WAIT = 600


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the pipeline of one project depends on.

    `folder` is the project's in its repository, empty at the top; `staging` and `production` are environments of xde; `roles` are
    those in the cloud that a job may take on, by its name (`preview`, `staging`, `production`); `references` the names
    that the project's settings read from the environment.
    """

    folder: str = ""
    branch: str = "main"
    staging: str = "staging"
    production: str = "prod"
    python: str = "3.12"
    roles: Mapping[str, str] = field(default_factory=dict)
    region: str = ""
    references: tuple[str, ...] = ()

    def told(self) -> dict[str, object]:
        """What somebody chose, and is remembered in the file; the rest is read from the project each time."""
        facts: dict[str, object] = {"branch": self.branch, "staging": self.staging, "production": self.production, "python": self.python}
        facts |= {"folder": self.folder} if self.folder else {}
        facts |= {"aws_role": dict(sorted(self.roles.items()))} if self.roles else {}
        return facts | ({"aws_region": self.region} if self.region else {})


class Occasion(StrEnum):
    """When a job runs. A change is a pull request (GitHub) or merge request (GitLab) of the same repository."""

    COMMIT = "commit"
    CHANGE = "change"
    CLOSED = "closed"
    MAIN = "main"
    TAG = "tag"


@dataclass(frozen=True, slots=True)
class Step:
    """A few lines of bash that stop at the first failure."""

    name: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Job:
    """Steps on a machine of their own; `environment` is the platform's, where secrets and approvals are kept (empty: none)."""

    name: str
    occasion: Occasion
    why: str
    steps: tuple[Step, ...]
    environment: str = ""


def jobs(wishes: Wishes) -> tuple[Job, ...]:
    """All jobs; each but the first runs only when the tests passed."""
    return tuple(_job(occasion, wishes) for occasion in Occasion)


def _job(occasion: Occasion, wishes: Wishes) -> Job:
    match occasion:
        case Occasion.COMMIT:
            return Job("test", occasion, "Cases and contracts: nothing of a lake is needed, and no secret.", (install(), *_tests()))
        case Occasion.CHANGE:
            why = "An environment of the change's own; what it has in common with the others is shared, so that it costs what it changes."
            return Job("preview", occasion, why, (install(), *_preview(wishes)), "preview")
        case Occasion.CLOSED:
            step = Step("Forget the environment", ('xde env drop "$XDE_ENV" --if-there',))
            return Job("drop", occasion, "The change is merged or given up: its environment is forgotten.", (install(), step), "preview")
        case Occasion.MAIN:
            why = f"What is on `{wishes.branch}` is what `{wishes.staging}` shows."
            return Job("staging", occasion, why, (install(), *_deploy(wishes.staging)), wishes.staging)
        case Occasion.TAG:
            why = f"A tag `v*` brings its commit to `{wishes.production}`; what staging has built is not built again in a shared lake."
            return Job("production", occasion, why, (install(), *_deploy(wishes.production)), wishes.production)
        case _:
            assert_never(occasion)


def install() -> Step:
    """Exactly the locked packages, and a word if the lock is not whole."""
    lines = ("python -m pip install --disable-pip-version-check --no-deps --requirement requirements.lock", "python -m pip check")
    return Step("Install what is locked", lines)


def _tests() -> tuple[Step, ...]:
    # BEFORE is the commit before; a new or rewritten branch has none that is there, and is held against the main branch
    contracts = ('git cat-file -e "$BEFORE^{commit}" 2>/dev/null || BEFORE=$MAIN', 'xde contract check --against "$BEFORE"')
    return (Step("Run the cases", (f"xde test --junit {CASES}",)), Step("Hold contracts to what they promised", contracts))


def _preview(wishes: Wishes) -> tuple[Step, ...]:
    return (
        Step("Tell what it will do", ("xde plan",)),
        Step("Build what the change changes", (f"xde run --wait {PREVIEW_WAIT}",)),
        Step("Compare its data", (f'xde diff --env "$XDE_ENV" --against {wishes.staging} --markdown > {DIFF}',)),
    )


def _deploy(environment: str) -> tuple[Step, ...]:
    deploy = f'xde deploy {environment} --yes --wait {DEPLOY_WAIT} --note "$NOTE"'
    return (Step("Tell what it will do", (f"xde plan {environment}",)), Step("Deploy, whole and at once", (deploy,)))
