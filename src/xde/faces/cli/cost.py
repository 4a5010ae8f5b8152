"""`xde cost`: what datasets cost, and who reads them."""

from __future__ import annotations

import click

from xde.faces.cli.saying import command as xde_command
from xde.faces.cli.saying import json_option
from xde.faces.cli.session import Session, pass_session
from xde.faces.words.cost import cost_fact, cost_text


@xde_command("cost", "xde cost", "xde cost marts.* --days 7", "xde --env prod cost --json")
@click.argument("selection", nargs=-1)
@click.option("--days", type=click.IntRange(min=1, max=36_500), default=30, show_default=True, help="The last so many days.")
@json_option
@pass_session
def command(session: Session, *, selection: tuple[str, ...], days: int) -> None:
    """Tell what datasets cost, and who reads them: what is expensive and unused.

    SELECTION is as for `xde run`. The dearest come first; below them stands what is worth a thought, with a hint.
    """
    with session.open() as workspace:
        report = workspace.cost(selection, days=days)
    if session.machine:
        session.document(cost_fact(report))
    else:
        session.result(cost_text(report, ink=session.ink(), cells=session.cells(), look=session.look()))
