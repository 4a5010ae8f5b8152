"""`xde rollback`: an environment shows again what an earlier deployment showed."""

from __future__ import annotations

import click

from xde.faces.cli.saying import command as xde_command
from xde.faces.cli.saying import json_option
from xde.faces.cli.session import Session, pass_session


@xde_command("rollback", "xde rollback prod", "xde rollback prod --to 7 --note 'figures of June are wrong'")
@click.argument("environment")
@click.option("--to", type=click.IntRange(min=1), metavar="NUMBER", help="The deployment to show again; default: the one before.")
@click.option("--wait", type=click.FloatRange(min=0), default=0.0, metavar="SECONDS", help="Wait so long if another holds the environment.")
@click.option("--note", default="", metavar="TEXT", help="A word about it, kept with the deployment.")
@json_option
@pass_session
def command(session: Session, *, environment: str, to: int | None, wait: float, note: str) -> None:
    """Show again what an earlier deployment showed.

    It is done at once, and nothing is built. A rollback is a deployment itself: `xde env show` lists it, and it can be rolled back.
    """
    from xde.app.deploying import Order
    from xde.app.opening import house_at
    from xde.app.rolling_back import rollback  # deferred: it brings the planner
    from xde.faces.words.deployments import deployment_fact, switched_text

    house = house_at(session.root().resolve(), environment)
    try:
        deployment = rollback(house, to, Order(note=note, wait=wait))
    finally:
        house.close()
    if session.machine:
        session.document(deployment_fact(deployment))
    else:
        session.result(switched_text(deployment, session.ink()))
