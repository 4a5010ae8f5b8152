"""`xde plan`: what a run would do, and why."""

from __future__ import annotations

import click

from xde.faces.cli.saying import command as xde_command
from xde.faces.cli.saying import json_option
from xde.faces.cli.session import Session, pass_session
from xde.faces.words.plan import plan_fact, plan_text


@xde_command("plan", "xde plan", "xde plan +marts.carrier_delay", "xde plan tag:finance staging.* --json")
@click.argument("selection", nargs=-1)
@click.option("--full", is_flag=True, help="As if nothing were there: load and build all of what is selected.")
@json_option
@pass_session
def command(session: Session, *, selection: tuple[str, ...], full: bool) -> None:
    """Tell what a run would do, and why; changes nothing.

    SELECTION names datasets: `schema.name`, `schema.*`, `tag:NAME`, with `+` before it for all that it is made from and
    after it for all that is made from it. Without one, the whole project.
    """
    with session.open() as workspace:
        plan = workspace.plan(selection, full=full)
        warnings = workspace.warnings
    session.warn(warnings)
    if session.machine:
        session.document(plan_fact(plan, warnings))
    else:
        session.result(plan_text(plan, ink=session.ink()))
