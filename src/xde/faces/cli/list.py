"""`xde list`: the datasets of the project."""

from __future__ import annotations

from xde.faces.cli.saying import command as xde_command
from xde.faces.cli.saying import json_option
from xde.faces.cli.session import Session, pass_session
from xde.faces.words.listings import dataset_fact, datasets_text


@xde_command("list", "xde list", "xde list --json")
@json_option
@pass_session
def command(session: Session) -> None:
    """List the datasets of the project.

    With rows, size, open dead letters and the time of the last change, as this environment has them.
    """
    with session.open() as workspace:
        lines = workspace.datasets()
    if session.machine:
        session.document({"datasets": [dataset_fact(x) for x in lines]})
    else:
        session.result(datasets_text(lines, session.ink(), session.cells()))
