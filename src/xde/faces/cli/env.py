"""`xde env`: the environments of a project."""

from __future__ import annotations

import click

from xde.faces.cli.saying import command as xde_command
from xde.faces.cli.saying import examples_text, json_option
from xde.faces.cli.session import Session, pass_session


@click.group("env", epilog=examples_text(("xde env list", "xde env show prod", "xde env diff staging prod")))
def command() -> None:
    """List, show, compare and drop environments."""


@command.add_command
@xde_command("list", "xde env list", "xde env list --json")
@json_option
@pass_session
def list_command(session: Session) -> None:
    """List the environments, with what was deployed to them last."""
    from xde.app.environments import environments
    from xde.faces.words.deployments import environment_fact, environments_text

    lines = environments(session.root().resolve())
    if session.machine:
        session.document({"environments": [environment_fact(e) for e in lines]})
    else:
        session.result(environments_text(lines, ink=session.ink(), cells=session.cells()))


@command.add_command
@xde_command("show", "xde env show prod", "xde env show prod --limit 100 --json")
@click.argument("environment")
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="How many deployments.")
@json_option
@pass_session
def show_command(session: Session, *, environment: str, limit: int) -> None:
    """Show the deployments of ENVIRONMENT, newest first."""
    from xde.app.environments import deployments
    from xde.app.opening import house_at
    from xde.faces.words.deployments import deployment_fact, deployments_text

    house = house_at(session.root().resolve(), environment)
    try:
        found = deployments(house, limit)
    finally:
        house.close()
    if session.machine:
        session.document({"environment": environment, "deployments": [deployment_fact(d) for d in found]})
    else:
        session.result(deployments_text(found, ink=session.ink(), cells=session.cells()))


@command.add_command
@xde_command("diff", "xde env diff staging prod")
@click.argument("left")
@click.argument("right")
@json_option
@pass_session
def diff_command(session: Session, *, left: str, right: str) -> None:
    """Show of which datasets LEFT and RIGHT show different versions."""
    from xde.app.environments import differences
    from xde.app.opening import house_at
    from xde.faces.words.deployments import differences_text

    root = session.root().resolve()
    one, other = house_at(root, left), house_at(root, right)
    try:
        found = differences(one, other)
    finally:
        one.close()
        other.close()
    if session.machine:
        session.document({"differences": [{"dataset": d.dataset, left: d.left, right: d.right} for d in found]})
    else:
        session.result(differences_text(found, left, right, ink=session.ink(), cells=session.cells()))


@command.add_command
@xde_command("drop", "xde env drop my_branch", "xde env drop pr_12 --if-there")
@click.argument("environment")
@click.option("--if-there", is_flag=True, help="An environment that nobody knows is as good as gone.")
@json_option
@pass_session
def drop_command(session: Session, *, environment: str, if_there: bool) -> None:
    """Forget ENVIRONMENT; its tables stay until `xde clean` finds that nobody needs them."""
    from xde.app.environments import drop, is_known
    from xde.app.opening import house_at
    from xde.faces.words.numbers import amount

    house = house_at(session.root().resolve(), environment)
    try:
        there = is_known(house) or not if_there
        number = drop(house) if there else 0
    finally:
        house.close()
    if session.machine:
        session.document({"dropped": environment if there else None, "datasets": number})
    elif not there:
        session.result(f"there is no `{environment}`")
    else:
        session.result(f"`{environment}` is gone; it pointed at {amount(number, 'dataset')}")
