"""`xde plan`: what a run would do, and why."""

from __future__ import annotations

import click

from xde.faces.cli.saying import command as xde_command
from xde.faces.cli.saying import json_option
from xde.faces.cli.session import Session, pass_session
from xde.faces.words.plan import plan_fact, plan_text


@xde_command("plan", "xde plan", "xde plan +marts.carrier_delay", "xde plan tag:finance staging.* --json")
@click.argument("selection", nargs=-1)
@click.option("--full", "--full-refresh", "full", is_flag=True, help="As if nothing were there: load and build all of what is selected.")
@click.option("--reason", metavar="TEXT", default="", help="With --full: why histories and models that append may lose what they keep.")
@click.option("--until", metavar="TIME", default="", help="Build models by time up to this day or UTC time, exclusive.")
@json_option
@pass_session
def command(session: Session, *, selection: tuple[str, ...], full: bool, reason: str, until: str) -> None:
    """Tell what a run would do, and why; changes nothing.

    `xde plan ENVIRONMENT` tells what deploying the working tree there would do.

    SELECTION names datasets: `schema.name`, `schema.*`, `tag:NAME`, with `+` before it for all that it is made from and
    after it for all that is made from it. Without one, the whole project.
    """
    if len(selection) == 1 and selection[0].isidentifier():
        _proposal(session, selection[0], until)
        return
    with session.open() as workspace:
        plan = workspace.plan(selection, full=full, until=until, reason=reason)
        warnings = workspace.warnings
    session.warn(warnings)
    if session.machine:
        session.document(plan_fact(plan, warnings))
    else:
        session.result(plan_text(plan, ink=session.ink()))


def _proposal(session: Session, environment: str, until: str) -> None:
    from xde.faces.words.deployments import proposal_fact, proposal_text

    with session.open(environment=environment, working_tree=True) as workspace:
        proposal = workspace.propose(until)
        warnings = workspace.warnings
    session.warn(warnings)
    if session.machine:
        session.document(proposal_fact(proposal))
    else:
        session.result(proposal_text(proposal, ink=session.ink()))
