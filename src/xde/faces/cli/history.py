"""`xde history`: the commits of a dataset."""

from __future__ import annotations

import click

from xde.faces.cli.saying import command as xde_command
from xde.faces.cli.saying import json_option
from xde.faces.cli.session import Session, pass_session
from xde.faces.words.listings import history_fact, history_text


@xde_command("history", "xde history nyc.flights", "xde history marts.carrier_delay --json")
@click.argument("dataset")
@json_option
@pass_session
def command(session: Session, *, dataset: str) -> None:
    """List the commits of a dataset.

    The number in the first column is what `xde show --at` takes.
    """
    with session.open() as workspace:
        lines = workspace.history(dataset)
    if session.machine:
        session.document({"dataset": dataset, "commits": [history_fact(x) for x in lines]})
    elif lines:
        session.result(history_text(lines, session.ink()))
    else:
        session.talk(f"`{dataset}` has no commits yet; `xde run` makes the first")
