"""`xde ci`: the pipeline file of a project, for GitHub or GitLab."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

import click

from xde.faces.cli.saying import command as xde_command
from xde.faces.cli.saying import json_option
from xde.faces.cli.session import Session, pass_session

if TYPE_CHECKING:
    from xde.app.pipelines import Asked

NOT_AS_IT_SHOULD = 1


class Options(TypedDict):
    """What may be asked of `ci`."""

    branch: str | None
    staging: str | None
    production: str | None
    python: str | None
    aws_role: tuple[str, ...]
    aws_region: str | None
    output: Path | None


@xde_command(
    "ci",
    "xde ci github",
    "xde ci gitlab --branch trunk --production live",
    "xde ci github --aws-role staging=arn:aws:iam::123456789012:role/xde-staging --aws-region eu-central-1",
    "xde ci github --check",
)
@click.argument("provider", metavar="github|gitlab")
@click.option("--branch", metavar="NAME", help="The main branch; default: what the remote says.")
@click.option("--staging", metavar="NAME", help="The environment that the main branch is deployed to; default: `staging`.")
@click.option("--production", metavar="NAME", help="The environment that a tag is deployed to; default: `prod`.")
@click.option("--python", metavar="3.x", help="The Python to run on; default: this one.")
@click.option(
    "--aws-role",
    multiple=True,
    metavar="[JOB=]ARN",
    help="A role of AWS that the job (preview, staging, production) takes on, without a key.",
)
@click.option("--aws-region", metavar="NAME", help="The region of AWS that roles are taken on in.")
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write it there.")
@click.option("--check", is_flag=True, help="Write nothing; end with 1 if the file is not what would be made.")
@click.option("--force", is_flag=True, help="Write over what somebody has changed.")
@json_option
@pass_session
def command(session: Session, *, provider: str, check: bool, force: bool, **options: Unpack[Options]) -> int:
    """Write the pipeline file of the project, for GitHub or GitLab.

    It tests every commit, gives each pull or merge request an environment of its own and a comment on what it does to the data, deploys the
    main branch to staging and a tag `v*` to production. What it was made with is kept in the file: called again without options, the
    same is made again.
    """
    from xde.app.pipelines import make, write  # deferred, as every command's work is
    from xde.faces.words.delivery import checked_text, pipeline_fact, pipeline_text

    made = make(session.root().resolve(), _asked(provider, options))
    session.warn(made.warnings)
    if not check:
        write(made, force=force)
    if session.machine:
        session.document(pipeline_fact(made))
    else:
        session.result(checked_text(made) if check else pipeline_text(made))
    return NOT_AS_IT_SHOULD if check and made.state != "same" else 0


def _asked(provider: str, options: Options) -> Asked:
    from xde.app.pipelines import Asked

    texts = (("" if text.startswith("arn:") else text.partition("=")[0], text) for text in options["aws_role"])
    pairs = [(job, text.removeprefix(f"{job}=")) for job, text in texts]
    return Asked(
        provider.lower(),
        options["output"],
        options["branch"],
        options["staging"],
        options["production"],
        options["python"],
        dict(pairs) if pairs else None,
        options["aws_region"],
    )
